from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pytest

from embedder.networks.encoder import FaceEncoder
from recognition.events.event import Event
from recognition.tracking.background_inference import BackgroundInference
from recognition.tracking.loop import FaceLoop, FrameResult
from recognition.tracking.motion import FlowFrame
from tests.recognition.fakes import (
    ANN,
    BOB,
    STRANGER,
    FakeDetector,
    FakeEmbedder,
    FakeHead,
    fake_encoder,
    frames_of,
    image_with,
    summary_of,
)


class Slow(Executor):
    """Does its jobs when told to."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except ValueError as error:
                future.set_exception(error)

        self.jobs.append(work)
        return future

    def work(self) -> None:
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job()


def run(
    images: Sequence[np.ndarray], *, delay: int = 2, encoder: FaceEncoder | None = None
) -> tuple[list[Event], list[FrameResult]]:
    """Run a loop beside which each job takes `delay` frames."""
    slow, age, seen = Slow(), 0, []
    loop = FaceLoop(fake_encoder() if encoder is None else encoder, FakeHead(), "camera", executor=slow)
    for frame in frames_of(images):
        seen.append(loop.process(frame, detect=True))
        age = age + 1 if slow.jobs else 0
        if age >= delay:
            slow.work()
            age = 0
    slow.work()
    return [event for one in seen for event in one.events] + loop.finish(), seen


def walk(colour: tuple[int, int, int], n_frames: int, step: int = 3) -> list[np.ndarray]:
    return [image_with((colour, (10 + step * n, 40, 50 + step * n, 80))) for n in range(n_frames)]


@pytest.mark.parametrize("delay", [1, 2, 4])
def test_a_face_that_walks_is_named_and_its_box_is_where_it_is_now(delay: int) -> None:
    events, seen = run(walk(ANN, 40), delay=delay)
    assert summary_of(events) == [("started", 1, "unknown"), ("identified", 1, "ann"), ("ended", 1, "ann")]
    for number, one in enumerate(seen):
        for face in one.faces:
            assert np.abs(face.box - (10 + 3 * number, 40, 50 + 3 * number, 80)).max() < 5
    assert len(seen[-1].faces) == 1


def test_no_frame_waits() -> None:
    detector = FakeDetector()
    slow = Slow()
    loop = FaceLoop(FaceEncoder.like({}, detector, FakeEmbedder()), FakeHead(), "camera", executor=slow)
    seen = [loop.process(frame, detect=True) for frame in frames_of(walk(ANN, 20))]
    assert (detector.n_calls, len(slow.jobs)) == (0, 1), "one job, begun with the first frame"
    assert [one.detected for one in seen] == [True] + [False] * 19
    assert {one.detection_s for one in seen} == {None}


def test_a_crowd_is_looked_at_a_few_faces_at_a_time() -> None:
    embedder, slow = FakeEmbedder(), Slow()
    loop = FaceLoop(FaceEncoder.like({}, FakeDetector(), embedder), FakeHead(), "camera", executor=slow)
    crowd = image_with(*((ANN, (10 + 50 * n, 40, 40 + 50 * n, 70)) for n in range(6)), size_hw=(120, 320))
    jobs = []
    for frame in frames_of([crowd] * 4):
        before = embedder.n_crops
        loop.process(frame, detect=True)
        slow.work()
        jobs.append(embedder.n_crops - before)
    assert jobs == [0, 4, 0, 2 + 2 * 2], "found, four looked at, found, and the others before two for a second time"


def test_what_finding_took_comes_with_its_faces() -> None:
    _, seen = run(walk(ANN, 3), delay=1)
    assert seen[0].detection_s is None
    assert seen[1].detection_s is not None
    assert 0 <= seen[1].detection_s < 1


def test_a_stranger_and_two_people() -> None:
    both = [image_with((ANN, (10, 40, 50, 80)), (BOB, (120, 60, 160, 100)))] * 40
    events, _ = run(both)
    assert sorted((event.track, event.identity) for event in events if event.event == "identified") == [
        (1, "ann"),
        (2, "bob"),
    ]
    assert summary_of(run(walk(STRANGER, 40))[0]) == [("started", 1, "unknown"), ("ended", 1, "unknown")]


def test_faces_from_before_a_cut_are_forgotten() -> None:
    before, after = [image_with((ANN, (10, 40, 50, 80)))] * 2, [255 - image_with(size_hw=(120, 200))] * 10
    events, seen = run(before + after, delay=3)
    assert events == []
    assert [number for number, one in enumerate(seen) if one.is_cut] == [2]
    assert not any(one.faces for one in seen)


def test_at_the_end_a_look_under_way_still_counts() -> None:
    events, _ = run([image_with((ANN, (10, 40, 50, 80)))] * 2, delay=1)
    assert summary_of(events) == [("started", 1, "unknown"), ("ended", 1, "unknown")]


def test_a_face_that_left_meanwhile_is_not_told_again() -> None:
    here, gone = [image_with((ANN, (10, 40, 50, 80)))] * 12, [image_with()] * 60
    events, seen = run(here + gone, delay=3)
    assert [event.event for event in events].count("ended") == 1
    assert seen[-1].faces == []


def test_errors_are_told() -> None:
    class Breaks(FakeDetector):
        def detect(self, image: np.ndarray) -> Any:
            raise ValueError("the network is broken")

    with pytest.raises(ValueError, match="the network is broken"):
        run(walk(ANN, 5), encoder=FaceEncoder.like({}, Breaks(), FakeEmbedder()))


def test_it_takes_one_job_at_a_time() -> None:
    slow = Slow()
    inference = BackgroundInference(fake_encoder(), slow)
    assert inference.is_free
    assert inference.poll_detections() is None
    assert inference.poll_embeddings(wait=True) == []
    image = image_with((ANN, (10, 40, 50, 80)))
    inference.start_detection(image, FlowFrame(image[:, :, 0], 1.0))
    assert not inference.is_free
    assert inference.poll_detections() is None
    slow.work()
    late = inference.poll_detections()
    assert late is not None
    assert late.faces.boxes.tolist() == [[10, 40, 50, 80]]
    assert inference.is_free
    inference.start_detection(image, FlowFrame(image[:, :, 0], 1.0))
    inference.discard_detections()
    assert inference.is_free
    slow.work()
    assert inference.poll_detections() is None
