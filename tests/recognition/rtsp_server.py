"""An RTSP camera for tests and studies, run by the system's own Python, which has GStreamer's bindings.

    /usr/bin/python3 rtsp_server.py PORT FOLDER FRAMES_PER_SECOND FRAMES_BETWEEN_KEY_FRAMES [USER PASSWORD]

serves the pictures FOLDER/0000.jpg, 0001.jpg, ..., again and again, as H.264 at rtsp://127.0.0.1:PORT/live, and prints
a line when it is ready. Which picture it shows is told by the machine's monotonic clock alone, as `picture_at` says, so
that a picture tells how late it is. The project must be on PYTHONPATH.
"""

import sys
import threading
import time
from pathlib import Path
from typing import Any

from experiments.camera_clock import picture_at


def main(port: str, folder: str, rate: str, key_frames: str, *credentials: str) -> None:
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
        f"( appsrc name=camera is-live=true do-timestamp=true format=time max-buffers=1 leaky-type=downstream "
        f"caps=image/jpeg,framerate={rate}/1 ! jpegdec ! videoconvert ! video/x-raw,format=I420 "
        f"! x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max={key_frames} "
        "! rtph264pay name=pay0 pt=96 config-interval=1 )"
    )
    factory.set_shared(True)
    if credentials:
        _protect(server, factory, *credentials)
    jpegs = [path.read_bytes() for path in sorted(Path(folder).glob("*.jpg"))]
    factory.connect("media-configure", lambda _, media: _feed(media, jpegs, int(rate)))
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        sys.exit(f"port {port} is taken")
    print("ready", flush=True)
    GLib.MainLoop().run()


def _feed(media: Any, jpegs: list[bytes], rate: int) -> None:
    """Push pictures into a media until it is closed."""
    from gi.repository import Gst

    source = media.get_element().get_by_name("camera")
    closed = threading.Event()
    media.connect("unprepared", lambda _: closed.set())

    def run() -> None:
        while not closed.is_set():
            now_s = time.monotonic()
            source.emit("push-buffer", Gst.Buffer.new_wrapped(jpegs[picture_at(now_s, rate, len(jpegs))]))
            time.sleep(1 / rate - now_s % (1 / rate))

    threading.Thread(target=run, daemon=True).start()


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
