"""Cameras for tests and studies, each a process of its own, that can be cut off, frozen and brought back."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
SYSTEM_PYTHON = "/usr/bin/python3"
GSTREAMER = (
    "no RTSP server; on Debian: apt install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)

_N_BARS = 12
_BAR_HEIGHT = 16


class Camera:
    """A camera that shows pictures, each when `experiments.camera_clock.picture_at` says so.

    Parameters
    ----------
    kind : {"rtsp", "mjpeg"}
    folder : Path
        Holds the pictures 0000.jpg, 0001.jpg, ...
    rate : int
        Frames a second.
    credentials : str
        User and password, of RTSP only.
    key_seconds : int
        Seconds between key frames, of RTSP only.
    """

    def __init__(self, kind: str, folder: Path, rate: int, *credentials: str, key_seconds: int = 1) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}/{'live' if kind == 'rtsp' else 'video'}"
        self.url = f"{'rtsp' if kind == 'rtsp' else 'http'}://{self.address}"
        script = PROJECT / "tests" / "recognition" / "rtsp_server.py"
        served = [str(self.port), str(folder), str(rate)]
        if kind == "rtsp":
            self._command = [SYSTEM_PYTHON, str(script), *served, str(rate * key_seconds), *credentials]
        else:
            self._command = [sys.executable, "-m", "tests.recognition.mjpeg_server", *served]
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Bring it back."""
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        if self._process.stdout is None or self._process.stdout.readline() != "ready\n":
            raise OSError(f"{' '.join(self._command)} did not start")

    def stop(self) -> None:
        """Cut it off."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """Let it hang: connections stay open and nothing comes."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)


def has_rtsp() -> bool:
    """Return whether the system's Python can serve RTSP."""
    if not Path(SYSTEM_PYTHON).exists():
        return False
    tried = subprocess.run(
        [
            SYSTEM_PYTHON,
            "-c",
            "import gi; gi.require_version('GstRtspServer', '1.0'); "
            "from gi.repository import Gst; Gst.init(None); "
            "raise SystemExit(not all(map(Gst.ElementFactory.find, ['x264enc', 'jpegdec'])))",
        ],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def save_pictures(folder: Path, images: Sequence[np.ndarray]) -> Path:
    """Save numbered pictures, uint8 (h, w, 3) RGB, for a camera and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        jpeg = cv2.cvtColor(stamp(image, number), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / f"{number:04}.jpg"), jpeg, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return folder


def stamp(image: np.ndarray, number: int) -> np.ndarray:
    """Return a copy of `image`, uint8 (h, w, 3), with `number` as black and white bars at its lower edge."""
    stamped = image.copy()
    edges = np.linspace(0, image.shape[1], _N_BARS + 1).round().astype(int)
    for bit in range(_N_BARS):
        stamped[-_BAR_HEIGHT:, edges[bit] : edges[bit + 1]] = 255 * ((number >> bit) & 1)
    return stamped


def read_stamp(image: np.ndarray) -> int:
    """Return the number on a picture of `stamp`, also after lossy compression."""
    edges = np.linspace(0, image.shape[1], _N_BARS + 1).round().astype(int)
    middle = image[-_BAR_HEIGHT + 4 : -4].mean(axis=(0, 2))
    return sum(int(middle[edges[bit] + 4 : edges[bit + 1] - 4].mean() > 127) << bit for bit in range(_N_BARS))
