"""The script before real servers, a real display and for a while; each test skips where its part is missing."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.images import read_image
from recognition.connections import connect
from recognition.errors import SourceError
from recognition.live import LiveSource
from recognition.sources import parse_source
from tests.recognition.mjpeg_server import MjpegServer, encode
from tests.recognition.trained import train_people_head

PROJECT = Path(__file__).resolve().parents[2]
RATE = 20
SYSTEM_PYTHON = "/usr/bin/python3"
GSTREAMER = ("apt install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good gstreamer1.0-plugins-bad "
             "gstreamer1.0-plugins-ugly")


def wait_until(condition: Callable[[], bool], seconds: float = 20.0, what: str = "it") -> None:
    until_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until_s, f"{what} did not come to pass in {seconds:g} s"
        time.sleep(0.02)


def pan_over(photo: Path, n_frames: int = 40) -> list[bytes]:
    """Return JPEGs, 480x360, of a slow pan over a photo, there and back."""
    import cv2

    image = cv2.resize(read_image(photo), (700, 500), interpolation=cv2.INTER_AREA)
    there = [encode(np.ascontiguousarray(image[40:400, 20 + 3 * step:500 + 3 * step])) for step in range(n_frames // 2)]
    return there + there[::-1]


@pytest.fixture(scope="session")
def people_head(data: Path) -> Path:
    return train_people_head(data)


@pytest.fixture(scope="session")
def obama(data: Path) -> list[bytes]:
    return pan_over(data / "people" / "test" / "obama1.jpg")


class Run:
    """``recognize.py`` in the background, its events in a file."""

    def __init__(self, folder: Path, *arguments: str | Path, environment: dict[str, str] | None = None) -> None:
        self.events_file = folder / "events.jsonl"
        self.log_file = folder / "log.txt"
        command = [sys.executable, str(PROJECT / "recognize.py"), *map(str, arguments), "--events",
                   str(self.events_file)]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={
                **os.environ, "PYTHONPATH": str(PROJECT), **({} if environment is None else environment)})

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8")

    @property
    def events(self) -> list[dict[str, Any]]:
        if not self.events_file.exists():
            return []
        return [json.loads(line) for line in self.events_file.read_text("utf-8").splitlines()]

    def wait_for(self, kind: str, identity: str, after: int = 0) -> None:
        wait_until(lambda: any((event["event"], event["identity"]) == (kind, identity) for event in self.events[after:])
                   or self.process.poll() is not None, what=f"{kind} {identity}; {self.log}")
        assert self.process.poll() is None, self.log

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    started: list[Run] = []

    def start(*arguments: str | Path, **options: Any) -> Run:
        started.append(Run(tmp_path, *arguments, **options))
        return started[-1]

    yield start
    for run in started:
        run.kill()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class RtspServer:
    """GStreamer's RTSP server, run by the system's Python."""

    def __init__(self, folder: Path, pictures: list[bytes], *credentials: str) -> None:
        tried = subprocess.run([SYSTEM_PYTHON, "-c", "import gi; gi.require_version('GstRtspServer', '1.0')"],
                               capture_output=True, check=False) if Path(SYSTEM_PYTHON).exists() else None
        if tried is None or tried.returncode != 0:
            pytest.skip(f"no RTSP server; on Debian: {GSTREAMER}")
        folder.mkdir()
        for number, jpeg in enumerate(pictures):
            (folder / f"{number:04}.jpg").write_bytes(jpeg)
        self._arguments = [str(free_port()), str(folder), str(RATE), *credentials]
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._arguments[0]}/live"

    def start(self) -> None:
        script = Path(__file__).with_name("rtsp_server.py")
        self._process = subprocess.Popen([SYSTEM_PYTHON, str(script), *self._arguments], stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL, text=True, env={"PATH": os.environ["PATH"]})
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@pytest.mark.realdata
def test_a_service_on_an_rtsp_camera_that_goes_away(
    people_head: Path, obama: list[bytes], tmp_path: Path, runs: Callable[..., Run]
) -> None:
    server = RtspServer(tmp_path / "pictures", obama, "admin", "hunter2")
    try:
        run = runs(f"rtsp://admin:hunter2@{server.address}", "--head", people_head, "--headless")
        run.wait_for("identified", "obama")
        n_before = len(run.events)
        server.stop()
        wait_until(lambda: "lost; trying to open it again" in run.log)
        time.sleep(1)
        server.start()
        run.wait_for("identified", "obama", after=n_before)
        assert run.end() == 0, run.log
    finally:
        server.stop()
    assert [event["event"] for event in run.events] == ["started", "identified", "ended"] * 2
    assert {event["source"] for event in run.events} == {f"rtsp://{server.address}"}
    assert [line.split(": ")[1].split(";")[0].split(",")[0] for line in run.log.splitlines() if "\t" not in line] == [
        "started", "lost", "there again", "stopped"]
    assert "1 reconnects" in run.log
    assert "hunter2" not in run.log


@pytest.mark.realdata
def test_rtsp_with_a_wrong_password_and_a_camera_that_hangs(obama: list[bytes], tmp_path: Path) -> None:
    server = RtspServer(tmp_path / "pictures", obama, "admin", "hunter2")
    source = parse_source(f"rtsp://admin:wrong@{server.address}")
    try:
        with pytest.raises(SourceError, match="answers, but not with a video that can be read; check the path, and us"):
            connect(source)
        server.signal(signal.SIGSTOP)
        started_s = time.monotonic()
        with pytest.raises(SourceError, match="answers, but not with a video"):
            connect(source)
        assert time.monotonic() - started_s < 4
    finally:
        server.stop()


def bars(number: int) -> bytes:
    """Return a JPEG that holds a number below 256 as eight black or white bars."""
    bits = [(number >> bit) & 1 for bit in range(8)]
    return encode(np.repeat(np.repeat(np.array(bits, np.uint8)[None, :, None] * 255, 240, axis=0), 40, axis=1)
                  .repeat(3, axis=2))


def read_bars(image: np.ndarray) -> int:
    return sum(int(image[60:180, 40 * bit + 10:40 * bit + 30].mean() > 127) << bit for bit in range(8))


def test_the_lag_of_an_rtsp_stream_does_not_grow(tmp_path: Path) -> None:
    server = RtspServer(tmp_path / "pictures", [bars(number) for number in range(200)])
    source = parse_source(f"rtsp://{server.address}")
    live = LiveSource(source.name, lambda: connect(source))
    try:
        live.start()
        behind_s = []
        first: tuple[float, int] | None = None
        for _ in range(30):
            time.sleep(0.15)
            frame = live.take(2.0)
            assert frame is not None
            number = read_bars(frame.image)
            if first is None:
                first = (time.monotonic(), number)
            shown_s = ((number - first[1]) % 200) / RATE
            behind_s.append((time.monotonic() - first[0]) % (200 / RATE) - shown_s)
    finally:
        live.stop()
        server.stop()
    assert max(behind_s[-10:]) < 0.4, f"seconds behind the first frame: {np.round(behind_s, 2)}"
    assert live.counts.n_dropped > 30


@pytest.fixture
def display() -> Iterator[str]:
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        pytest.skip("no virtual display; on Debian: apt install xvfb xdotool")
    reading, writing = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24"],
                              pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.kill()
    server.wait()


@pytest.mark.realdata
def test_the_window_on_a_real_display(
    data: Path, people_head: Path, tmp_path: Path, display: str, runs: Callable[..., Run]
) -> None:
    stranger = data / "lfw" / "images" / "Tiger_Woods" / "Tiger_Woods_0001.jpg"
    head = tmp_path / "head.skops"
    shutil.copy(people_head, head)

    def press(*keys: str) -> None:
        for key in keys:
            subprocess.run(["xdotool", "key", key], env={**os.environ, "DISPLAY": display}, check=True)
            time.sleep(0.15)

    pictures = pan_over(stranger)
    with MjpegServer(lambda number: pictures[number % len(pictures)], RATE) as server:
        run = runs(server.url, "--head", head, "--show", environment={"DISPLAY": display})
        run.wait_for("started", "unknown")
        subprocess.run(["xdotool", "search", "--sync", "--name", "Facetable", "windowfocus", "--sync"],
                       env={**os.environ, "DISPLAY": display}, check=True, timeout=20)
        press("s")
        wait_until(lambda: len(list(tmp_path.glob("snapshot-*.png"))) == 1, what="a snapshot")
        press("e", "Shift_L", *"tiger", "Return")
        run.wait_for("identified", "Tiger")
        press("q")
        assert run.process.wait(20) == 0, run.log
    assert run.events[-1]["event"] == "ended"
    assert "Traceback" not in run.log


@pytest.mark.realdata
def test_a_minute_with_two_losses(people_head: Path, obama: list[bytes], runs: Callable[..., Run]) -> None:
    picture = lambda number: obama[number % len(obama)]  # noqa: E731
    server = MjpegServer(picture, RATE)
    run = runs(server.url, "--head", people_head, "--headless")
    run.wait_for("identified", "obama")
    time.sleep(12)
    before_mb = run.resident_mb()
    for _ in range(2):
        server.stop()
        time.sleep(6)
        n_events = len(run.events)
        server = MjpegServer(picture, RATE, port=server.port)
        started_s = time.monotonic()
        run.wait_for("identified", "obama", after=n_events)
        assert time.monotonic() - started_s < 3
        time.sleep(10)
    after_mb = run.resident_mb()
    assert run.end() == 0, run.log
    server.stop()
    assert after_mb < 1.05 * before_mb, f"{before_mb:.0f} MB became {after_mb:.0f} MB"
    assert "2 reconnects" in run.log.splitlines()[-1]
