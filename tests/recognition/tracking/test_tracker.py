import numpy as np
import pytest

from embedder.detection.faces import Faces
from recognition.tracking.motion import BoxMotion
from recognition.tracking.tracker import FrameTime, State, Tracker, TrackerSettings
from tests.recognition.fakes import faces_at

TTL_S = TrackerSettings().lost_track_ttl_s
SIZE = (120, 200)
BOX = (20.0, 30.0, 60.0, 70.0)
OTHER = (120.0, 30.0, 160.0, 70.0)


def at(frame: int, rate: float = 25.0) -> FrameTime:
    return FrameTime(frame, frame / rate)


def shifted(box: tuple[float, ...], by: float) -> tuple[float, ...]:
    return (box[0] + by, box[1], box[2] + by, box[3])


def test_a_sure_face_is_a_track_at_once() -> None:
    tracker = Tracker()
    ((track, face),) = tracker.match(faces_at([BOX]), at(0), SIZE)
    assert (track.state, face) == (State.CONFIRMED, 0)
    assert track.box.tolist() == list(BOX)


def test_an_unsure_face_must_come_back() -> None:
    tracker = Tracker()
    for frame in (0, 1, 2):
        ((track, _),) = tracker.match(faces_at([BOX], 0.9), at(frame), SIZE)
        assert track.state is State.TENTATIVE
    tracker.match(faces_at([BOX], 0.9), at(3), SIZE)
    assert track.state is State.CONFIRMED


def test_an_unsure_face_that_does_not_come_back_is_forgotten() -> None:
    tracker = Tracker()
    tracker.match(faces_at([BOX], 0.9), at(0), SIZE)
    tracker.match(faces_at([]), at(3), SIZE)
    assert tracker.tracks == []


FACE = (60.0, 40.0, 120.0, 110.0)
HAIR = (80.0, 15.0, 105.0, 45.0)


def scored(faces: Faces, scores: list[float]) -> Faces:
    return Faces(faces.boxes, faces.landmarks, np.array(scores))


def boxes(tracker: Tracker) -> list[list[float]]:
    return [track.box.tolist() for track in tracker.tracks]


@pytest.mark.parametrize("score", [0.8, 0.999])
def test_what_lies_on_the_head_of_a_larger_face_begins_no_track(score: float) -> None:
    tracker = Tracker()
    both = scored(faces_at([FACE, HAIR]), [0.99, score])
    for frame in range(0, 15, 3):
        assert [detection.face for detection in tracker.match(both, at(frame), SIZE)] == [0]
    assert boxes(tracker) == [list(FACE)]
    tracker.match(faces_at([HAIR], score), at(15), SIZE)
    assert boxes(tracker) == [list(FACE)], "nor while that face is not detected but followed"


@pytest.mark.parametrize(
    "box",
    [
        (125.0, 15.0, 150.0, 45.0),  # beside the head
        (80.0, 0.0, 100.0, 20.0),  # above it
        (80.0, 112.0, 105.0, 142.0),  # a child in front
        (65.0, 5.0, 110.0, 58.0),  # nearly as large
    ],
)
def test_other_small_faces_near_a_larger_one_are_tracks(box: tuple[float, ...]) -> None:
    tracker = Tracker()
    tracker.match(faces_at([FACE, box]), at(0), SIZE)
    assert boxes(tracker) == [list(FACE), list(box)]


def test_an_unsure_larger_face_hides_none() -> None:
    tracker = Tracker()
    tracker.match(scored(faces_at([FACE, HAIR]), [0.9, 0.99]), at(0), SIZE)
    assert boxes(tracker) == [list(FACE), list(HAIR)]


def test_faces_keep_their_tracks_while_they_move() -> None:
    tracker = Tracker()
    first = [detection.track for detection in tracker.match(faces_at([BOX, OTHER]), at(0), SIZE)]
    for frame in range(1, 8):
        faces = faces_at([shifted(OTHER, -6 * frame), shifted(BOX, 6 * frame)])
        found = {detection.face: detection.track for detection in tracker.match(faces, at(frame), SIZE)}
        assert [found[1], found[0]] == first


def test_flow_moves_boxes_and_counts_as_seen() -> None:
    tracker = Tracker()
    ((track, _),) = tracker.match(faces_at([BOX]), at(0), SIZE)
    landmarks = track.landmarks.copy()
    tracker.move([BoxMotion(np.array(shifted(BOX, 5)), 1.0, np.array([5.0, 0.0]))], at(1))
    assert track.box.tolist() == list(shifted(BOX, 5))
    assert np.allclose(track.landmarks, landmarks + np.array([5, 0]))
    assert track.last_seen == at(1)
    tracker.move([None], at(2))
    assert track.last_seen == at(1)


def test_boxes_are_calmed() -> None:
    tracker = Tracker()
    ((track, _),) = tracker.match(faces_at([BOX]), at(0), SIZE)
    tracker.match(faces_at([(16, 26, 64, 74)]), at(1), SIZE)
    assert track.box.tolist() == [18, 28, 62, 72]


def test_a_face_that_is_missed_twice_is_lost_and_found_again_where_it_was() -> None:
    tracker = Tracker()
    ((track, _),) = tracker.match(faces_at([BOX]), at(0), SIZE)
    tracker.match(faces_at([]), at(3), SIZE)
    assert (track.state, tracker.visible) == (State.CONFIRMED, [track])
    tracker.match(faces_at([]), at(6), SIZE)
    assert (track.state, tracker.lost) == (State.LOST, [track])
    assert track.last_seen == at(0)
    ((again, _),) = tracker.match(faces_at([shifted(BOX, 8)]), at(9), SIZE)
    assert again is track
    assert (track.state, track.n_misses) == (State.CONFIRMED, 0)


def test_a_lost_track_ends_in_time() -> None:
    tracker = Tracker()
    ((track, _),) = tracker.match(faces_at([BOX]), at(0), SIZE)
    for frame in (3, 6):
        tracker.match(faces_at([]), at(frame), SIZE)
    assert tracker.end_expired(TTL_S) == []
    assert tracker.end_expired(TTL_S + 0.01) == [track]
    assert (track.state, tracker.tracks) == (State.ENDED, [])


def test_a_face_that_leaves_the_frame_is_lost_at_once() -> None:
    tracker = Tracker()
    ((track, _),) = tracker.match(faces_at([BOX]), at(0), SIZE)
    tracker.move([BoxMotion(np.array(shifted(BOX, -70)), 1.0, np.array([-70.0, 0.0]))], at(1))
    tracker.match(faces_at([]), at(1), SIZE)
    assert track.state is State.LOST


def test_a_visible_track_goes_before_a_lost_one() -> None:
    tracker = Tracker()
    ((lost, _),) = tracker.match(faces_at([BOX]), at(0), SIZE)
    for frame in (1, 2):
        tracker.match(faces_at([]), at(frame), SIZE)
    lost.box = np.array(OTHER)
    ((visible, _),) = tracker.match(faces_at([BOX]), at(3), SIZE)
    visible.box = np.array(shifted(OTHER, 12))
    ((found, _),) = tracker.match(faces_at([OTHER]), at(4), SIZE)
    assert (found, lost.state) == (visible, State.LOST)


def test_the_end_of_all() -> None:
    tracker = Tracker()
    tracks = [detection.track for detection in tracker.match(faces_at([BOX, OTHER]), at(0), SIZE)]
    assert tracker.end_all() == tracks
    assert tracker.tracks == []
    assert tracker.end_all() == []
    assert [tracker.next_number(), tracker.next_number()] == [1, 2]
