"""A camera for tests and studies: MJPEG over HTTP on the loopback device, as phone apps serve it.

    python -m tests.recognition.mjpeg_server PORT FOLDER FRAMES_PER_SECOND

serves FOLDER/0000.jpg, 0001.jpg, ... at http://127.0.0.1:PORT/video, each when `picture_at` says so.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from experiments.camera_clock import picture_at


def encode(image: np.ndarray) -> bytes:
    """Return a picture, uint8 (h, w, 3) RGB, as JPEG."""
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    return jpeg.tobytes()


class MjpegServer:
    """Serves pictures in turn at a frame rate; `stop` breaks off all connections.

    Parameters
    ----------
    picture : callable
        Number of the frame to JPEG bytes.
    rate : float
        Frames a second.
    answer : {"video", "html", "401", "404", "hang", "nothing", "garbage", "basic", "digest"}
        What is sent; "basic" and "digest" send the video to user ``me``, password ``p w``.
    port : int
        0 takes a free one.
    """

    def __init__(
        self, picture: Callable[[int], bytes], rate: float = 25.0, *, answer: str = "video", port: int = 0
    ) -> None:
        self.picture = picture
        self.rate = rate
        self.answer = answer
        self.stopping = threading.Event()
        self.n_requests = 0
        self._server = _Server(("127.0.0.1", port), self._handler())
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.n_requests += 1
                camera.serve(self)

            def log_message(self, *_: Any) -> None: ...

        return Handler

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        authorization = request.headers.get("Authorization", "")
        if self.answer == "hang":
            self.stopping.wait(30)
        elif self.answer in ("401", "404"):
            request.send_error(int(self.answer))
        elif self.answer == "html":
            _send(request, "text/html", b"<html>settings</html>")
        elif self.answer == "nothing":
            _send(request, "multipart/x-mixed-replace; boundary=frame", b"")
        elif self.answer == "garbage":
            _send(request, "multipart/x-mixed-replace; boundary=frame", b"no picture" * 1000)
        elif self.answer == "basic" and authorization != "Basic bWU6cCB3":
            _challenge(request, 'Basic realm="camera"')
        elif self.answer == "digest" and 'username="me"' not in authorization:
            _challenge(request, 'Digest realm="camera", nonce="1", qop="auth"')
        else:
            self._stream(request)

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        number, started_s = 0, time.monotonic()
        try:
            while not self.stopping.is_set():
                jpeg = self.picture(number)
                request.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n")
                number += 1
                self.stopping.wait(max(0.0, started_s + number / self.rate - time.monotonic()))
        except OSError:
            pass  # the reader has gone


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


def in_turn(pictures: Sequence[np.ndarray]) -> Callable[[int], bytes]:
    """Return what gives `pictures` in turn, again and again."""
    jpegs = [encode(picture) for picture in pictures]
    return lambda number: jpegs[number % len(jpegs)]


def _send(request: BaseHTTPRequestHandler, kind: str, body: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Type", kind)
    request.end_headers()
    request.wfile.write(body)


def _challenge(request: BaseHTTPRequestHandler, how: str) -> None:
    request.send_response(401)
    request.send_header("WWW-Authenticate", how)
    request.send_header("Content-Length", "0")
    request.end_headers()


def main(port: str, folder: str, rate: str) -> None:
    """Serve until killed."""
    jpegs = [path.read_bytes() for path in sorted(Path(folder).glob("*.jpg"))]
    MjpegServer(lambda _: jpegs[picture_at(time.monotonic(), float(rate), len(jpegs))], float(rate), port=int(port))
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
