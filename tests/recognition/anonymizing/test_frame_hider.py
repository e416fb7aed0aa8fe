"""What is hidden when faces are missed: a stand-in says on which frames which face is found."""

from collections.abc import Iterable

import numpy as np
import pytest

from embedder.detection.faces import Faces
from recognition.anonymizing.frame_hider import FrameHider, HiddenFrame, boxes_to_hide
from recognition.sources.video_file import Frame
from recognition.tracking.evidence import Verdict
from recognition.tracking.loop import FrameResult, TrackedFace
from tests.recognition.anonymizing.test_places import box_at, moving
from tests.recognition.fakes import faces_at, image_with

NAMED = Verdict("ann", 0.9, accepted=True)
UNKNOWN = Verdict("unknown", 0.1, accepted=False)


class Script:
    """Finds the moving face where `found` says so, and remembers which copies were searched on which frame."""

    n_copies = 3

    def __init__(self, found: Iterable[int] = ()) -> None:
        self._found = set(found)
        self.number = 0
        self.searched: dict[int, list[int] | None] = {}

    def find_others(self, _image: np.ndarray, known: np.ndarray, *, copies: Iterable[int] | None = None) -> Faces:
        self.searched[self.number] = None if copies is None else list(copies)
        return faces_at([box_at(self.number)] if self.number in self._found else [])


def result(*faces: TrackedFace, is_cut: bool = False, detected: bool = True) -> FrameResult:
    return FrameResult(list(faces), [], [], is_cut, detected, None)


def hide_all(
    script: Script, n_frames: int, *, cuts: tuple[int, ...] = (), detected: int = 1, is_live: bool = False
) -> list[HiddenFrame]:
    hider = FrameHider(script, "all", is_live=is_live)
    ready = []
    for number in range(n_frames):
        script.number = number
        what = result(is_cut=number in cuts, detected=number % detected == 0)
        ready += hider.add(Frame(moving(number), number, number / 25, 0.0), what)
        if is_live:
            assert len(ready) == number + 1, "a live frame waits for no other"
    return [*ready, *hider.flush()]


def test_a_face_is_hidden_before_it_is_first_found_and_through_gaps() -> None:
    hidden = hide_all(Script([6, 14]), 20)
    assert [frame.frame.index for frame in hidden] == list(range(20))
    assert [len(frame.places) for frame in hidden] == [1] * 20
    for number, frame in enumerate(hidden):
        assert frame.places[0] == pytest.approx(box_at(number), abs=4)


def test_it_is_hidden_a_second_before_and_after_and_no_longer() -> None:
    hidden = hide_all(Script([40]), 80)
    assert [number for number, frame in enumerate(hidden) if frame.places] == list(range(14, 66))


def test_nothing_is_carried_over_a_cut() -> None:
    hidden = hide_all(Script([3, 8]), 12, cuts=(6,))
    assert [len(frame.places) for frame in hidden] == [1] * 12
    hidden = hide_all(Script([3]), 12, cuts=(2, 6))
    assert [number for number, frame in enumerate(hidden) if frame.places] == [2, 3, 4, 5]


def test_a_live_source_hides_from_the_first_sight_on() -> None:
    hidden = hide_all(Script([3]), 12, is_live=True)
    assert [number for number, frame in enumerate(hidden) if frame.places] == list(range(3, 12))


def test_a_shot_begins_with_all_copies_and_goes_on_with_one_in_turns_where_faces_are_looked_for() -> None:
    script = Script()
    hide_all(script, 12, cuts=(5,), detected=2)
    assert script.searched == {0: None, 2: [1], 4: [2], 5: None, 6: [1], 8: [2], 10: [0]}


def test_a_lost_connection_is_a_cut() -> None:
    script = Script([0])
    hider = FrameHider(script, "all", is_live=True)
    hider.add(Frame(moving(0), 0, 0.0, 0.0), result())
    script.number = 1
    (frame,) = hider.add(Frame(moving(1), 1, 0.04, 0.0, connection=2), result())
    assert frame.places == []
    assert script.searched == {0: None, 1: None}


def test_frames_that_wait_are_bounded_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognition.anonymizing.frame_hider._MAX_BYTES_WAITING", 3 * image_with().nbytes)
    hider = FrameHider(Script(), "all", is_live=False)
    n_ready = [len(hider.add(Frame(moving(number), number, number / 25, 0.0), result())) for number in range(6)]
    assert n_ready == [0, 0, 0, 1, 1, 1]


def test_a_known_face_stays_visible_and_what_is_found_beside_it_does_not() -> None:
    named, stranger = TrackedFace(box_at(0), 1, NAMED), TrackedFace(box_at(30), 2, UNKNOWN)
    places = [box_at(1), box_at(30), box_at(60)]
    boxes = boxes_to_hide(result(named, stranger), "unknown", places)
    assert [box.tolist() for box in boxes] == [box_at(30).tolist(), box_at(30).tolist(), box_at(60).tolist()]
    assert len(boxes_to_hide(result(named, stranger), "all", places)) == 5
    assert boxes_to_hide(result(named, stranger), None) == []


def test_tracked_faces_are_hidden_before_they_are_first_found_too() -> None:
    hider = FrameHider(Script(), "unknown", is_live=False)
    for number in range(4):
        faces = [TrackedFace(box_at(number), 1, UNKNOWN)] if number == 3 else []
        hider.add(Frame(moving(number), number, number / 25, 0.0), result(*faces))
    assert [len(frame.places) for frame in hider.flush()] == [1] * 4
