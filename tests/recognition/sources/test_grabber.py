import logging
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from recognition.errors import SourceError
from recognition.sources.connections import Connection, EncodedFrame, connect
from recognition.sources.grabber import FrameGrabber, GrabberSettings
from recognition.sources.retries import RetrySettings
from recognition.sources.source import parse_source
from tests.recognition.fakes import image_with
from tests.recognition.mjpeg_server import MjpegServer, encode, in_turn

IMAGE = image_with()


SHORT_PAUSES = GrabberSettings(retries=RetrySettings(0.01, 0.05), stop_timeout_s=0.05)


def grabber(connection: Callable[[], Connection], name: str = "camera", **options: bool) -> FrameGrabber:
    return FrameGrabber(name, connection, settings=SHORT_PAUSES, **options)  # type: ignore[arg-type]


class Script:
    """A connection that does what a list says: a picture, a pause in seconds, or the end."""

    def __init__(self, *steps: EncodedFrame | float) -> None:
        self._steps = list(steps)
        self.is_closed = False

    def read(self) -> list[EncodedFrame]:
        while self._steps:
            step = self._steps.pop(0)
            if not isinstance(step, float):
                return [step]
            time.sleep(step)
        return []

    def close(self) -> None:
        self.is_closed = True


def opens(*outcomes: Script | SourceError) -> Callable[[], Script]:
    waiting = list(outcomes)

    def open_next() -> Script:
        outcome = waiting.pop(0) if waiting else SourceError("gone")
        if isinstance(outcome, SourceError):
            raise outcome
        return outcome

    return open_next


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    until_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until_s, "it did not come to pass in time"
        time.sleep(0.005)


def test_only_the_newest_frame_is_kept_and_drops_are_counted() -> None:
    live = grabber(opens(Script(*[IMAGE + number for number in range(10)], 5.0)))
    live.start()
    wait_until(lambda: live.counts.n_frames == 10)
    frame = live.read_latest(1.0)
    assert frame is not None
    assert frame.index == 9
    assert np.array_equal(frame.image, (IMAGE + 9)[:, :, ::-1])
    assert (live.counts.n_frames, live.counts.n_dropped, live.counts.n_reconnects) == (10, 9, 0)
    assert live.read_latest(0.01) is None
    live.stop()


def test_time_counts_from_the_opening_and_goes_forward() -> None:
    live = grabber(opens(Script(IMAGE, 0.1, IMAGE, 5.0)))
    live.start()
    times = []
    while len(times) < 2:
        frame = live.read_latest(1.0)
        assert frame is not None
        times.append(frame.time_s)
    live.stop()
    assert 0 <= times[0] < 0.1
    assert times[1] - times[0] == pytest.approx(0.1, abs=0.08)


def test_a_lost_source_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    first, second = Script(IMAGE), Script(IMAGE, 5.0)
    with caplog.at_level(logging.INFO):
        live = grabber(opens(first, SourceError("away"), SourceError("away"), Script(), second))
        live.start()
        wait_until(lambda: live.counts.n_frames == 2)
        frame = live.read_latest(1.0)
        live.stop()
    assert frame is not None
    assert frame.connection == 2
    assert live.counts.n_reconnects == 1
    assert first.is_closed
    assert [record.message for record in caplog.records] == [
        "camera: lost; trying to open it again",
        "away; still trying",
        "camera: there again",
    ]


def test_a_source_that_is_not_opened_again_ends() -> None:
    live = grabber(opens(Script(IMAGE)), "pipe", reopen=False)
    live.start()
    assert live.read_latest(1.0) is not None
    assert live.read_latest(1.0) is None
    assert live.is_over
    live.stop()


def test_an_error_of_a_source_that_is_not_opened_again_is_raised() -> None:
    class Fails(Script):
        def read(self) -> list[EncodedFrame]:
            raise SourceError("no pictures")

    live = grabber(opens(Fails()), "pipe", reopen=False)
    live.start()
    wait_until(lambda: live._is_over)
    with pytest.raises(SourceError, match="no pictures"):
        live.read_latest(1.0)
    live.stop()


def test_an_unexpected_error_is_not_taken_for_the_end() -> None:
    class Fails(Script):
        def read(self) -> list[EncodedFrame]:
            raise RuntimeError("a fault of ours")

    live = grabber(opens(Fails()))
    live.start()
    wait_until(lambda: live._is_over)
    assert not live.is_over
    with pytest.raises(RuntimeError, match="a fault of ours"):
        live.read_latest(1.0)


@pytest.mark.parametrize("error", [OSError("unplugged"), cv2.error("decoder gave up")])
def test_a_driver_that_fails_is_a_source_that_is_lost(error: Exception) -> None:
    class Fails(Script):
        def read(self) -> list[EncodedFrame]:
            raise error

    live = grabber(opens(Script(IMAGE), Fails(), Script(IMAGE, 5.0)))
    live.start()
    wait_until(lambda: live.counts.n_frames == 2)
    live.stop()
    pipe = grabber(opens(Fails()), "pipe", reopen=False)
    pipe.start()
    wait_until(lambda: pipe._is_over)
    with pytest.raises(SourceError, match="pipe: cannot be read: "):
        pipe.read_latest(1.0)


def test_a_source_that_is_not_there_at_first() -> None:
    with pytest.raises(SourceError, match="away"):
        grabber(opens(SourceError("away"))).start()
    patient = grabber(opens(SourceError("away"), SourceError("away"), Script(IMAGE, 5.0)), wait_for_source=True)
    patient.start()
    assert patient.read_latest(2.0) is not None
    patient.stop()


def test_a_source_that_opens_but_sends_no_picture(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    live = grabber(opens(Script()))
    live.start()
    wait_until(lambda: live._is_over)
    with pytest.raises(SourceError, match="camera: opens, but sends no picture; check the path"):
        live.read_latest(1.0)
    patient = grabber(opens(Script(), Script(), Script(IMAGE, 5.0)), wait_for_source=True)
    patient.start()
    assert patient.read_latest(2.0) is not None
    patient.stop()
    assert caplog.messages == [
        "camera: opens, but sends no picture; check the path, and that the camera is on; waiting for it",
        "camera: there now",
    ]


def test_damaged_pictures_are_passed_over() -> None:
    live = grabber(opens(Script(b"\xff\xd8\xffdamaged", 5.0)))
    live.start()
    wait_until(lambda: live.counts.n_frames == 1)
    assert live.read_latest(1.0) is None
    live.stop()


def test_stop_does_not_wait_for_a_source_that_hangs() -> None:
    live = grabber(opens(Script(5.0)))
    live.start()
    started_s = time.monotonic()
    live.stop()
    assert time.monotonic() - started_s < 4.0


def test_the_frame_interval_is_learned() -> None:
    live = grabber(opens(Script(*[IMAGE, 0.01] * 120, 5.0)))
    live.start()
    wait_until(lambda: live.counts.n_frames == 120, 10)
    assert 0.008 < live.frame_interval_s < 0.03
    live.stop()


def test_a_real_stream_that_goes_away_and_comes_back() -> None:
    server = MjpegServer(in_turn([IMAGE]), 50)
    source = parse_source(server.url)
    live = grabber(lambda: connect(source), source.name)
    live.start()
    assert live.read_latest(1.0) is not None
    server.stop()
    wait_until(lambda: live.read_latest(0.3) is None)
    server = MjpegServer(in_turn([IMAGE]), 50, port=server.port)
    wait_until(lambda: live.read_latest(0.1) is not None)
    assert live.counts.n_reconnects == 1
    live.stop()
    server.stop()


def test_lag_does_not_grow_with_a_slow_reader() -> None:
    number = 0
    lock = threading.Lock()

    def numbered(count: int) -> bytes:
        nonlocal number
        with lock:
            number = count
        return encode(np.full((32, 32, 3), count % 250, np.uint8))

    with MjpegServer(numbered, 100) as server:
        source = parse_source(server.url)
        live = grabber(lambda: connect(source), source.name)
        live.start()
        lags = []
        for _ in range(12):
            time.sleep(0.1)
            frame = live.read_latest(1.0)
            assert frame is not None
            lags.append((number - round(float(frame.image.mean()))) % 250)
        live.stop()
    assert max(lags[2:]) <= 20, "frames wait somewhere"
    assert live.counts.n_dropped > 50
