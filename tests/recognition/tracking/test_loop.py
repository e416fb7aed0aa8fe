from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from embedder.networks.encoder import FaceEncoder
from recognition.events.event import Event
from recognition.sources.video_file import Frame
from recognition.tracking.embedding_queue import ProbeCrop
from recognition.tracking.loop import FaceLoop, FrameResult
from recognition.tracking.tracker import Track
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

Person = tuple[tuple[int, int, int], Sequence[int]]


def run(
    images: Sequence[np.ndarray],
    *,
    every: int = 3,
    encoder: FaceEncoder | None = None,
    every_frame: bool = False,
    head: FakeHead | None = None,
    second: Any = None,
) -> tuple[list[Event], list[FrameResult]]:
    loop = FaceLoop(
        fake_encoder() if encoder is None else encoder,
        FakeHead() if head is None else head,
        "clip",
        every_frame=every_frame,
        second=second,
    )
    seen = [loop.process(frame, detect=frame.index % every == 0) for frame in frames_of(images)]
    return [event for one in seen for event in one.events] + loop.finish(), seen


def walk(colour: tuple[int, int, int], start: int, step: int, n_frames: int) -> list[Person]:
    return [(colour, (start + step * n, 40, start + step * n + 40, 80)) for n in range(n_frames)]


def test_a_known_face_is_one_track_with_one_name() -> None:
    events, _ = run([image_with(person) for person in walk(ANN, 10, 3, 40)])
    assert summary_of(events) == [("started", 1, "unknown"), ("identified", 1, "ann"), ("ended", 1, "ann")]
    started, identified, ended = events
    assert started.frame == 1
    assert identified.frame <= 12
    assert (ended.frame, ended.time_s) == (39, 39 / 25)
    assert np.abs(np.subtract(ended.box, (127, 40, 167, 80))).max() < 4
    assert [event.accepted for event in events] == [False, True, True]


class Second:
    """A second detector that gives each face the next of its scores, and the last one from then on."""

    def __init__(self, *scores: float) -> None:
        self.scores_left, self.n_asked = list(scores), 0

    def scores(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        self.n_asked += len(boxes)
        assert boxes.shape == (1, 4) and image.ndim == 3
        return np.array([self.scores_left.pop(0) if len(self.scores_left) > 1 else self.scores_left[0]])


@pytest.mark.parametrize(
    ("scores", "n_asked", "kinds"),
    [
        ([0.9], 1, ["started", "identified", "ended"]),  # asked once, however long it is seen
        ([0.05], 3, []),  # no face: no event, no name; asked at most twice a second: 40 frames are 1.6 s
        ([0.1, 0.05, 0.8], 3, ["started", "identified", "ended"]),  # somebody who comes nearer
    ],
)
def test_what_a_second_detector_takes_for_no_face_has_no_events(
    scores: list[float], n_asked: int, kinds: list[str]
) -> None:
    second, encoder = Second(*scores), fake_encoder()
    events, seen = run([image_with(person) for person in walk(ANN, 10, 1, 40)], second=second, encoder=encoder)
    assert [event.event for event in events] == kinds and second.n_asked == n_asked
    assert all(one.faces for one in seen[3:])  # it is followed all the same, so that it can be hidden
    if not kinds:
        assert encoder.embedder.n_crops == 0


def test_a_stranger_is_one_track_without_a_name() -> None:
    events, _ = run([image_with(person) for person in walk(STRANGER, 10, 3, 40)])
    assert summary_of(events) == [("started", 1, "unknown"), ("ended", 1, "unknown")]
    assert not any(event.accepted for event in events)


def test_no_face_no_events() -> None:
    assert run([image_with()] * 10)[0] == []
    assert run([])[0] == []


def test_a_single_frame_has_its_events() -> None:
    events, _ = run([image_with((ANN, (10, 40, 50, 80)))])
    assert summary_of(events) == [("started", 1, "unknown"), ("ended", 1, "unknown")]
    assert [event.frame for event in events] == [0, 0]
    assert events[0].score > 0.9


def test_a_cut_ends_all_tracks() -> None:
    first = [image_with(person, (BOB, (150, 60, 190, 100))) for person in walk(ANN, 10, 0, 20)]
    second = [255 - image_with(size_hw=(120, 200))] * 6
    events, seen = run(first + second + first)
    assert [number for number, one in enumerate(seen) if one.is_cut] == [20, 26]
    by_track: dict[int | None, list[int]] = {}
    for event in events:
        by_track.setdefault(event.track, []).append(event.frame)
    assert sorted(by_track) == [1, 2, 3, 4]
    assert all(max(by_track[track]) <= 19 for track in (1, 2))
    assert all(min(by_track[track]) >= 26 for track in (3, 4))
    assert [event.frame for event in events if event.event == "ended"] == [19, 19, 45, 45]
    assert all(one.detected for number, one in enumerate(seen) if number in (20, 26)), "a new shot is looked at at once"


def test_a_change_of_size_ends_all_tracks() -> None:
    small = [image_with((ANN, (10, 40, 50, 80)))] * 9
    large = [image_with((ANN, (10, 40, 50, 80)), size_hw=(140, 220))] * 9
    events, _ = run(small + large)
    assert [event.track for event in events if event.event == "ended"] == [1, 2]


def test_a_short_occlusion_keeps_the_number() -> None:
    away = [image_with()] * 20
    events, _ = run(
        [image_with(person) for person in walk(ANN, 10, 1, 20)]
        + away
        + [image_with(person) for person in walk(ANN, 110, 1, 20)]
    )
    assert summary_of(events) == [("started", 1, "unknown"), ("identified", 1, "ann"), ("ended", 1, "ann")]


def test_a_long_absence_ends_the_track() -> None:
    person = [image_with(person) for person in walk(ANN, 10, 0, 20)]
    events, _ = run(person + [image_with()] * 60 + person)
    assert [(event.event, event.track) for event in events if event.event != "identified"] == [
        ("started", 1),
        ("ended", 1),
        ("started", 2),
        ("ended", 2),
    ]
    assert next(event for event in events if event.event == "ended").frame == 18


def test_somebody_else_in_the_same_place_is_another_track() -> None:
    here = (60, 40, 100, 80)
    events, _ = run([image_with((ANN, here))] * 24 + [image_with((BOB, here))] * 60)
    last = {event.track: event.identity for event in events if event.event in ("identified", "ended")}
    assert last == {1: "ann", 2: "bob"}
    assert not any(event.event == "changed" for event in events)


def test_somebody_else_in_the_place_of_a_lost_face_is_soon_another_track() -> None:
    here = (60, 40, 100, 80)
    events, _ = run([image_with((BOB, here))] * 54 + [image_with()] * 6 + [image_with((ANN, here))] * 40)
    started = [event for event in events if event.event == "started"]
    assert [event.track for event in started] == [1, 2]
    assert started[1].frame <= 60 + 2 * 3 + 1
    assert {event.track: event.identity for event in events if event.event == "ended"} == {1: "bob", 2: "ann"}


def test_crossing_people_keep_their_tracks() -> None:
    frames = []
    for ann, bob in zip(walk(ANN, 10, 4, 36), walk(BOB, 150, -4, 36), strict=True):
        frames.append(image_with(bob, ann))
    events, _ = run(frames)
    names = {event.track: event.identity for event in events if event.event == "identified"}
    assert sorted(names.values()) == ["ann", "bob"]
    assert {event.track: event.identity for event in events if event.event == "ended"} == names
    assert len(names) == 2


def test_the_networks_run_now_and_then_only() -> None:
    detector, embedder = FakeDetector(), FakeEmbedder()
    n_frames = 150
    run(
        [image_with((STRANGER, (60, 40, 100, 80)))] * n_frames,
        every=5,
        encoder=FaceEncoder.like({}, detector, embedder),
    )
    assert detector.n_calls == n_frames / 5
    # Each crop and its mirror image: four crops at first, then two a second.
    assert 2 * 4 < embedder.n_crops <= 2 * (4 + 2 * n_frames / 25 + 2)


def test_every_frame_has_its_faces_if_wanted() -> None:
    images = [image_with(person) for person in walk(ANN, 10, 3, 12)]
    events, _ = run(images, every_frame=True)
    faces = [event for event in events if event.event == "face"]
    assert [event.frame for event in faces] == list(range(12))
    assert [event.track for event in faces] == [None] + [1] * 11
    for event in faces:
        assert np.abs(np.subtract(event.box, (10 + 3 * event.frame, 40, 50 + 3 * event.frame, 80))).max() < 4
    without, _ = run(images)
    assert [event for event in events if event.event != "face"] == without


def test_two_runs_tell_the_same() -> None:
    images = [image_with(ann, bob) for ann, bob in zip(walk(ANN, 5, 4, 30), walk(BOB, 150, -3, 30), strict=True)]
    assert run(images)[0] == run(images)[0]


def test_boxes_of_events_stay_in_the_frame() -> None:
    events, _ = run([image_with(person) for person in walk(ANN, 120, 4, 24)])
    assert all(0 <= event.box[0] <= event.box[2] <= 200 for event in events)


def test_a_new_head_is_used_for_the_tracks_there_are() -> None:
    loop = FaceLoop(fake_encoder(), FakeHead({"bob": BOB}), "clip")
    images = [image_with((ANN, (60, 40, 100, 80)))] * 40
    events: list[Event] = []
    for frame in frames_of(images):
        if frame.index == 20:
            loop.replace_head(FakeHead({"ann": ANN}))
        if frame.index == 30:
            loop.replace_head(FakeHead({"ann": ANN}, threshold=1.1))
        events += loop.process(frame, detect=frame.index % 3 == 0).events
    assert [(event.event, event.identity, event.frame) for event in events[1:]] == [
        ("identified", "ann", events[1].frame),
        ("changed", "unknown", events[2].frame),
    ]
    assert events[1].frame in (19, 20)
    assert events[2].frame in (29, 30)


def test_looks_and_ends_are_told() -> None:
    crops: list[tuple[Track, ProbeCrop]] = []
    ended: list[Track] = []
    loop = FaceLoop(fake_encoder(), FakeHead(), "clip", on_crop=lambda *crop: crops.append(crop), on_end=ended.append)
    for frame in frames_of([image_with((ANN, (60, 40, 100, 80)))] * 12):
        loop.process(frame, detect=frame.index % 3 == 0)
    loop.finish()
    assert [track.number for track in ended] == [1]
    assert {track.number for track, _ in crops} == {1}
    assert crops[0][1].image.shape == (32, 32, 3)


@pytest.mark.parametrize("cut_off", [True, False])
def test_a_face_cut_off_by_the_edge_is_not_named(cut_off: bool) -> None:
    x = -10 if cut_off else 2
    events, _ = run([image_with((ANN, (x, 40, x + 40, 80)))] * 30)
    assert events[-1].identity == ("unknown" if cut_off else "ann")


def test_an_error_of_a_network_is_not_swallowed() -> None:
    class Broken(FakeDetector):
        def detect(self, image: np.ndarray) -> "None":  # type: ignore[override]
            raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        run([image_with()], encoder=FaceEncoder.like({}, Broken(), FakeEmbedder()))


def test_what_is_lost_is_said_for_a_while() -> None:
    _, seen = run([image_with((ANN, (60, 40, 100, 80)))] * 9 + [image_with()] * 60)
    assert len(seen[16].lost) == 1
    assert seen[16].faces == []
    assert seen[-1].lost == []


def frame_at(time_s: float, image: np.ndarray, index: int) -> Frame:
    return Frame(image, index, time_s, 0.0)


def test_a_gap_in_time_ends_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = FaceLoop(fake_encoder(), FakeHead(), "clip")
    make: Callable[[], np.ndarray] = lambda: image_with((ANN, (60, 40, 100, 80)))  # noqa: E731
    loop.process(frame_at(0.0, make(), 0), detect=True)
    loop.process(frame_at(0.1, make(), 1), detect=False)
    loop.end_all_tracks()
    events = loop.process(frame_at(9.0, make(), 2), detect=True).events
    assert [event.event for event in events] == ["ended"]
