from collections.abc import Iterator

import numpy as np

from embedder.detection.alignment import CropRule
from embedder.videos.looks import best_looks
from embedder.videos.tracks import FaceTracker, follow_faces
from tests.embedder.videos.made import BatchDetector
from tests.recognition.fakes import ANN, BOB, image_with

RULE = CropRule(size=32)
STEP = 0.2


def follow(images: list[np.ndarray]) -> FaceTracker:
    def frames() -> Iterator[tuple[float, np.ndarray]]:
        yield from ((number * STEP, image) for number, image in enumerate(images))

    return follow_faces(frames(), BatchDetector(), RULE)


def test_two_faces_that_move_are_two_tracks() -> None:
    images = [image_with((ANN, (10 + 8 * n, 30, 60 + 8 * n, 80)), (BOB, (140, 40, 180, 80))) for n in range(9)]
    tracks = follow(images).tracks()
    assert [track.n_seen for track in tracks] == [9, 9]
    strongest = {int(np.argmax(track.looks[0].crop.mean(axis=(0, 1)))) for track in tracks}
    assert strongest == {0, 1}  # red and green


def test_a_face_that_is_away_for_a_moment_goes_on_and_one_away_for_long_begins_anew() -> None:
    there, away = image_with((ANN, (40, 30, 90, 80))), image_with()
    assert [track.n_seen for track in follow([there, there, away, away, there, there]).tracks()] == [4]
    assert [track.n_seen for track in follow([there, there, away, away, away, there, there]).tracks()] == [2, 2]


def test_what_is_seen_on_one_frame_alone_is_no_face() -> None:
    there, away = image_with((ANN, (40, 30, 90, 80))), image_with()
    assert follow([away, there, away, away]).tracks() == []
    assert [track.n_seen for track in follow([there]).tracks()] == [1]  # a video of one frame


def test_another_shot_ends_all_tracks() -> None:
    first = image_with((ANN, (40, 30, 90, 80)))
    second = 255 - image_with((tuple(255 - level for level in ANN), (40, 30, 90, 80)))
    tracks = follow([first, first, second, second]).tracks()
    assert [track.n_seen for track in tracks] == [2, 2]


def test_the_best_looks_are_apart_in_time() -> None:
    images = [image_with((ANN, (40, 30, 90 + n % 3, 80 + n % 3))) for n in range(31)]
    (track,) = follow(images).tracks()
    looks = best_looks(track.looks)
    assert len(looks) == 3
    assert np.diff([look.time_s for look in looks]).min() >= 1.0
    short = follow(images[:3]).tracks()[0]
    assert len(best_looks(short.looks)) == 1


def test_a_long_track_keeps_no_more_than_it_needs() -> None:
    (track,) = follow([image_with((ANN, (40, 30, 90, 80)))] * 120).tracks()
    assert track.n_seen == 120 and len(track.looks) < 60


def test_whole_faces_come_before_those_cut_off() -> None:
    looks = follow([image_with((ANN, (40, 30, 90, 80)))] * 2).tracks()[0].looks
    cut = [type(look)(**{**vars(look), "is_whole": False, "quality": 1.0}) for look in looks]
    assert best_looks([cut[0], looks[1]])[0] is looks[1]
