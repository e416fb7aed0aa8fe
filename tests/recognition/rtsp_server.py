"""An RTSP camera for tests, run by the system's own Python, which has GStreamer's bindings.

    /usr/bin/python3 rtsp_server.py PORT FOLDER FRAMES_PER_SECOND [USER PASSWORD]

serves the pictures FOLDER/0000.jpg, 0001.jpg, ... in turn, again and again, as H.264 at rtsp://127.0.0.1:PORT/live,
and prints a line when it is ready.
"""

import sys
from typing import Any


def main(port: str, folder: str, rate: str, *credentials: str) -> None:
    """Serve until killed."""
    import gi

    for name in ("Gst", "GstRtsp", "GstRtspServer"):
        gi.require_version(name, "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( multifilesrc location={folder}/%04d.jpg index=0 loop=true caps=image/jpeg,framerate={rate}/1 ! jpegdec "
        f"! videoconvert ! video/x-raw,format=I420 ! identity sync=true "
        f"! x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max={rate} "
        "! rtph264pay name=pay0 pt=96 config-interval=1 )")
    factory.set_shared(True)
    if credentials:
        _protect(server, factory, *credentials)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        sys.exit(f"port {port} is taken")
    print("ready", flush=True)
    GLib.MainLoop().run()


def _protect(server: Any, factory: Any, user: str, word: str) -> None:
    from gi.repository import GstRtsp, GstRtspServer

    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, word), token)
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)


if __name__ == "__main__":
    main(*sys.argv[1:])
