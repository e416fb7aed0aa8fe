import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from embedder.detection.faces import Faces
from recognition.sources.video_file import Frame
from recognition.tracking.detection_prefetch import prefetch_detections
from tests.recognition.fakes import faces_at


def frame_of(number: int) -> Frame:
    return Frame(np.full((8, 8, 3), number, np.uint8), number, number / 25, 0.0)


def find(image: np.ndarray) -> Faces:
    """Find one face, whose box begins where the picture's grey says; the later frame is done first."""
    number = int(image[0, 0, 0])
    time.sleep(0.004 if number % 2 == 0 else 0.0)
    return faces_at([(number, 0, number + 20, 20)])


class Reading:
    """Counts how many frames have been read."""

    def __init__(self, n_frames: int, error: Exception | None = None) -> None:
        self.n_read = 0
        self._n_frames = n_frames
        self._error = error

    def __iter__(self) -> Iterator[Frame]:
        for number in range(self._n_frames):
            self.n_read += 1
            yield frame_of(number)
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize("n_frames", [0, 1, 2, 3, 25])
@pytest.mark.parametrize(("every", "n_threads"), [(1, 1), (1, 3), (3, 2), (40, 2)])
def test_each_frame_comes_in_order_with_its_own_faces(n_frames: int, every: int, n_threads: int) -> None:
    found = list(prefetch_detections(Reading(n_frames), find, every=every, n_threads=n_threads))
    assert [frame.index for frame, _ in found] == list(range(n_frames))
    assert {frame.index: float(faces.boxes[0, 0]) for frame, faces in found if faces is not None} == {
        number: float(number) for number in range(0, n_frames, every)
    }


def test_several_frames_are_looked_at_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(image: np.ndarray) -> Faces:
        both.wait()
        return Faces.empty()

    assert len(list(prefetch_detections(Reading(12), meet, every=3, n_threads=2))) == 12


def test_no_more_is_read_ahead_than_there_is_use_for() -> None:
    reading = Reading(1000)
    frames = prefetch_detections(reading, find, every=3, n_threads=2)
    next(frames)
    assert reading.n_read == 7
    frames.close()
    large = Reading(1000)
    frames = prefetch_detections(large, find, every=3, n_threads=2, max_bytes=4 * 8 * 8 * 3)
    next(frames)
    assert large.n_read == 4, "large frames fill the memory sooner"
    frames.close()
    assert len(list(prefetch_detections(Reading(9), find, every=3, n_threads=2, max_bytes=0))) == 9


def test_an_error_of_the_file_comes_after_the_frames_before_it() -> None:
    seen = []
    with pytest.raises(OSError, match="torn"):
        for frame, _ in prefetch_detections(Reading(5, OSError("torn")), find, every=2, n_threads=2):
            seen.append(frame.index)
    assert seen == [0, 1, 2, 3, 4]


def test_an_error_of_the_detector_comes_with_its_frame() -> None:
    def fail_on_four(image: np.ndarray) -> Faces:
        if image[0, 0, 0] == 4:
            raise ValueError("no")
        return Faces.empty()

    seen = []
    with pytest.raises(ValueError, match="no"):
        for frame, _ in prefetch_detections(Reading(9), fail_on_four, every=2, n_threads=2):
            seen.append(frame.index)
    assert seen == [0, 1, 2, 3]


def test_who_stops_early_leaves_no_thread_behind() -> None:
    started, before = [], threading.enumerate()

    def slow(image: np.ndarray) -> Faces:
        started.append(int(image[0, 0, 0]))
        time.sleep(0.02)
        return Faces.empty()

    frames = prefetch_detections(Reading(100), slow, every=1, n_threads=4)
    next(frames)
    frames.close()
    assert set(threading.enumerate()) <= set(before)  # threads of earlier tests may end meanwhile
    assert len(started) <= 5
