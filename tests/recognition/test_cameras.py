"""The script before real servers, a real display and for a while; each test skips where its part is missing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from embedder.images.reading import read_image
from experiments.camera_clock import picture_at
from experiments.cameras import GSTREAMER, PROJECT, Camera, free_port, has_rtsp, read_stamp, save_pictures
from recognition.errors import SourceError
from recognition.sources.connections import ConnectionSettings, connect
from recognition.sources.grabber import FrameGrabber
from recognition.sources.source import parse_source
from recognition.sources.video_file import VideoFile
from tests.recognition.events.test_webhook import Receiver
from tests.recognition.fakes import image_with

RATE = 20
CLIP = Path("video") / "short_hamilton_clip.mp4"


def wait_until(condition: Callable[[], bool], seconds: float = 60.0, what: str = "it") -> None:
    until_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until_s, f"{what} did not come to pass in {seconds:g} s"
        time.sleep(0.02)


def pan_over(photo: Path, n_frames: int = 40) -> list[np.ndarray]:
    """Return pictures, 480x360, of a slow pan over a photo, there and back."""
    image = cv2.resize(read_image(photo), (700, 500), interpolation=cv2.INTER_AREA)
    there = [np.ascontiguousarray(image[40:400, 20 + 3 * step : 500 + 3 * step]) for step in range(n_frames // 2)]
    return there + there[::-1]


@pytest.fixture(scope="session")
def obama(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of pictures for a camera that sees somebody the head knows."""
    return save_pictures(tmp_path_factory.mktemp("obama"), pan_over(data / "people" / "test" / "obama1.jpg"))


@pytest.fixture
def cameras() -> Iterator[Callable[..., Camera]]:
    started: list[Camera] = []

    def start(kind: str, folder: Path, *credentials: str, **options: int) -> Camera:
        if kind == "rtsp" and not has_rtsp():
            pytest.skip(GSTREAMER)
        started.append(Camera(kind, folder, RATE, *credentials, **options))
        return started[-1]

    yield start
    for camera in started:
        camera.stop()


FULL_DISK = """
import shutil, sys
from types import SimpleNamespace
import recognize

def disk_usage(_path, calls=[]):
    calls.append(1)
    return SimpleNamespace(free=10**9 if len(calls) * 32 <= {after} else 10**6)

shutil.disk_usage = disk_usage
raise SystemExit(recognize.main(sys.argv[1:]))
"""


class Run:
    """``recognize.py`` in the background, its events in a file; its disk looks full after `full_after` frames."""

    def __init__(
        self,
        folder: Path,
        number: int,
        *arguments: str | Path,
        environment: dict[str, str] | None = None,
        full_after: int | None = None,
    ) -> None:
        self.events_file = folder / "events.jsonl"
        self.log_file = folder / f"log{number}.txt"
        script = [str(PROJECT / "recognize.py")] if full_after is None else ["-c", FULL_DISK.format(after=full_after)]
        command = [sys.executable, *script, *map(str, arguments), "--events", str(self.events_file)]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(PROJECT), **({} if environment is None else environment)},
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8")

    @property
    def events(self) -> list[dict[str, Any]]:
        if not self.events_file.exists():
            return []
        return [json.loads(line) for line in self.events_file.read_text("utf-8").splitlines()]

    def wait_for(self, kind: str, identity: str, after: int = 0) -> None:
        wait_until(
            lambda: (
                any((event["event"], event["identity"]) == (kind, identity) for event in self.events[after:])
                or self.process.poll() is not None
            ),
            what=f"{kind} {identity}; {self.log}",
        )
        assert self.process.poll() is None, self.log

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    started: list[Run] = []

    def start(*arguments: str | Path, **options: Any) -> Run:
        started.append(Run(tmp_path, len(started), *arguments, **options))
        return started[-1]

    yield start
    for run in started:
        run.kill()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def studies(
    data: Path, people_head: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Path, subprocess.Popen[str]]]:
    """Study the loop before a camera of each kind for three quarters of a minute: file of the figures -> process."""
    folder, started = tmp_path_factory.mktemp("studies"), {}
    for kind in ["mjpeg", "rtsp"] if has_rtsp() else ["mjpeg"]:
        result = folder / f"{kind}.json"
        options = f"--camera {kind} --minutes 0.75 --cuts 2 --cut-seconds 4 --rate 15".split()
        command = [sys.executable, "-m", "experiments.camera_endurance", data / CLIP, *options]
        started[result] = subprocess.Popen(
            [*map(str, command), "--head", str(people_head), "--json", str(result)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    yield started
    for study in started.values():
        study.kill()
        study.wait()


@pytest.fixture(scope="module", autouse=True)
def _studies_from_the_beginning(request: pytest.FixtureRequest) -> None:
    """Start the studies, where the test of them is to run, before the other tests, which run meanwhile."""
    of_studies = [item for item in request.session.items if "studies" in getattr(item, "fixturenames", ())]
    if any(not item.get_closest_marker("skip") for item in of_studies):
        request.getfixturevalue("studies")


@pytest.mark.realdata
def test_a_service_on_an_rtsp_camera_that_goes_away(
    people_head: Path,
    obama: Path,
    tmp_path: Path,
    cameras: Callable[..., Camera],
    runs: Callable[..., Run],
    receiver: Receiver,
) -> None:
    camera = cameras("rtsp", obama, "admin", "hunter/2")
    camera.stop()
    run = runs(
        f"rtsp://admin:hunter%2F2@{camera.address}",
        "--head",
        people_head,
        "--headless",
        "--save",
        tmp_path / "o.mp4",
        "--webhook",
        f"http://me:hunter2@127.0.0.1:{receiver.port}/",
        "--mqtt",
        f"mqtt://me:hunter2@127.0.0.1:{free_port()}/x",
    )
    wait_until(lambda: "waiting for it" in run.log)
    camera.start()
    run.wait_for("identified", "obama")
    n_before = len(run.events)
    camera.stop()
    wait_until(lambda: "lost; trying to open it again" in run.log)
    time.sleep(1)
    camera.start()
    run.wait_for("identified", "obama", after=n_before)
    assert run.end() == 0, run.log
    assert [event["event"] for event in run.events] == ["started", "identified", "ended"] * 2
    assert {event["source"] for event in run.events} == {f"rtsp://{camera.address}"}
    assert receiver.bodies == run.events
    assert len(list(VideoFile(str(tmp_path / "o.mp4"), "o.mp4"))) > 2 * RATE
    about_the_camera = [line for line in run.log.splitlines() if line.startswith(f"rtsp://{camera.address}: ")]
    assert [
        line.removeprefix(f"rtsp://{camera.address}: ").split(";")[0].split(",")[0]
        for line in about_the_camera
        if "refuses" not in line
    ] == ["started", "there now", "lost", "there again", "stopped"]
    assert "1 reconnects" in run.log
    assert "6 events could not be delivered" in run.log, "nobody answers for MQTT"
    assert "hunter" not in run.log


@pytest.mark.realdata
def test_rtsp_with_a_wrong_password_and_a_camera_that_hangs(obama: Path, cameras: Callable[..., Camera]) -> None:
    camera = cameras("rtsp", obama, "admin", "hunter2")
    source = parse_source(f"rtsp://admin:wrong@{camera.address}")
    with pytest.raises(SourceError, match="answers, but not with a video that can be read; check the path, and us"):
        connect(source)
    camera.freeze()
    started_s = time.monotonic()
    with pytest.raises(SourceError, match="answers, but not with a video"):
        connect(source)
    assert time.monotonic() - started_s < 15, "FFmpeg itself waits for half a minute"


@pytest.mark.parametrize("kind", ["rtsp", "mjpeg"])
def test_the_lag_of_a_stream_does_not_grow_with_a_slow_reader(
    tmp_path: Path, cameras: Callable[..., Camera], kind: str
) -> None:
    camera = cameras(kind, save_pictures(tmp_path, [image_with(size_hw=(240, 320))] * 200))
    live = FrameGrabber(kind, lambda: connect(parse_source(camera.url)))
    live.start()
    behind_s = []
    for _ in range(20):
        time.sleep(0.15)
        frame = live.read_latest(2.0)
        assert frame is not None
        behind_s.append((picture_at(time.monotonic(), RATE, 200) - read_stamp(frame.image)) % 200 / RATE)
    live.stop()
    assert max(behind_s[-10:]) < 1, f"seconds behind the camera: {np.round(behind_s, 2)}"
    assert live.counts.n_dropped > 20


def test_a_stream_whose_key_frames_come_seldom(tmp_path: Path, cameras: Callable[..., Camera]) -> None:
    camera = cameras("rtsp", save_pictures(tmp_path, [image_with(size_hw=(240, 320))] * 200), key_seconds=5)
    source = parse_source(camera.url)
    # Somebody looks already, so that the stream does not begin anew for us.
    first = FrameGrabber("first", lambda: connect(source))
    first.start()
    wait_until(lambda: first.counts.n_frames > RATE // 2, seconds=60)
    started_s = time.monotonic()
    connection = connect(source)
    opened_s = time.monotonic() - started_s
    assert len(connection.read()) == 1
    connection.close()
    first.stop()
    assert opened_s < ConnectionSettings().timeout_s
    assert time.monotonic() - started_s > ConnectionSettings().timeout_s, "it was to take longer than a picture may"


@pytest.mark.realdata
def test_the_window_on_a_real_display(
    data: Path,
    people_head: Path,
    tmp_path: Path,
    display: str,
    cameras: Callable[..., Camera],
    runs: Callable[..., Run],
) -> None:
    stranger = data / "lfw" / "images" / "Tiger_Woods" / "Tiger_Woods_0001.jpg"
    head = tmp_path / "head.skops"
    shutil.copy(people_head, head)

    def press(*keys: str) -> None:
        subprocess.run(["xdotool", "key", "--delay", "80", *keys], env={**os.environ, "DISPLAY": display}, check=True)

    camera = cameras("mjpeg", save_pictures(tmp_path / "tiger", pan_over(stranger)))
    run = runs(camera.url, "--head", head, "--show", "--events-every-frame", environment={"DISPLAY": display})
    run.wait_for("started", "unknown")
    subprocess.run(
        ["xdotool", "search", "--sync", "--name", "Facetable", "windowfocus", "--sync"],
        env={**os.environ, "DISPLAY": display},
        check=True,
        timeout=20,
    )
    press("s")
    wait_until(lambda: len(list(tmp_path.glob("snapshot-*.png"))) == 1, what="a snapshot")
    press("space")
    time.sleep(0.5)
    n_events = len(run.events)
    time.sleep(1)
    assert len(run.events) == n_events, "nothing happens in a pause"
    press("space")
    wait_until(lambda: len(run.events) > n_events, what="the end of the pause")
    press("e", "Shift_L", *"tiger", "Return")
    run.wait_for("identified", "Tiger")
    press("q")
    assert run.process.wait(20) == 0, run.log
    assert run.events[-1]["event"] == "ended"
    assert "Traceback" not in run.log


@pytest.mark.realdata
def test_two_loops_on_one_camera_that_share_their_files(
    data: Path, people_head: Path, tmp_path: Path, cameras: Callable[..., Camera], runs: Callable[..., Run]
) -> None:
    stranger = data / "lfw" / "images" / "Tiger_Woods" / "Tiger_Woods_0001.jpg"
    camera = cameras("mjpeg", save_pictures(tmp_path / "tiger", pan_over(stranger)))
    (tmp_path / "unknown").mkdir()
    old = tmp_path / "unknown" / "unknown-camera-track1-frame1.jpg"
    old.write_bytes(b"x")
    os.utime(old, (1, 1))
    both = [
        runs(camera.url, "--head", people_head, "--headless", "--save-unknown", tmp_path / "unknown") for _ in range(2)
    ]
    wait_until(lambda: [event["event"] for event in both[0].events].count("started") == 2, what="both")
    assert [run.end(number) for run, number in zip(both, (signal.SIGTERM, signal.SIGINT), strict=True)] == [0, 0]
    assert sorted(event["event"] for event in both[0].events) == ["ended", "ended", "started", "started"]
    assert len([path for path in (tmp_path / "unknown").iterdir() if path.stat().st_size > 500]) == 2
    assert not old.exists()


@pytest.mark.realdata
def test_a_camera_that_is_saved_until_the_disk_is_full(
    people_head: Path, obama: Path, tmp_path: Path, cameras: Callable[..., Camera], runs: Callable[..., Run]
) -> None:
    camera = cameras("mjpeg", obama)
    run = runs(camera.url, "--head", people_head, "--save", tmp_path / "out.avi", full_after=64)
    assert run.process.wait(30) == 2
    assert run.log.splitlines()[-1] == (
        f"recognize.py: error: {tmp_path / 'out.avi'}: no room for more, 1 MB are free on its disk; the first 64 "
        "frames are kept; free some space and run again"
    )
    assert len(list(VideoFile(str(tmp_path / "out.avi"), "out.avi"))) == 64
    assert run.events[-1]["event"] == "ended"


@pytest.mark.realdata
def test_three_quarters_of_a_minute_with_cameras_that_go_away(studies: dict[Path, subprocess.Popen[str]]) -> None:
    for result, study in studies.items():
        output, _ = study.communicate(timeout=120)
        assert study.returncode == 0, output
        figures = json.loads(result.read_text("utf-8"))
        # How soon and how late is for the study on a quiet machine; a queue that grew would be many seconds behind.
        assert len(figures["back_s"]) == 2 and figures["lag_p50_s"] < 3, figures
        assert figures["memory_after_mb"] < 1.05 * figures["memory_before_mb"], figures
        # Killed once; frozen once, which a busy machine may be too late to notice: then nothing was lost.
        assert figures["n_reconnects"] in (1, 2), figures
        assert figures["events"]["started"] == figures["events"]["ended"] > 0
    if len(studies) == 1:
        pytest.skip(f"MJPEG only; {GSTREAMER}")
