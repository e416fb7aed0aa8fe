"""Which looks of a track a person is enrolled by."""

import numpy as np

from recognition.clips.looks import best_looks
from recognition.tracking.embedding_queue import ProbeCrop
from recognition.tracking.tracker import FrameTime, Track
from tests.recognition.fakes import faces_at, fake_encoder

SHARP = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
BLURRED = np.full((32, 32, 3), 200, np.uint8)
FACE = faces_at([(20, 30, 100, 110)])
TIME = FrameTime(0, 0.0)
TRACK = Track(FACE.boxes[0], FACE.landmarks[0], TIME, TIME, TIME)


def crop(time_s: float, quality: float, *, image: np.ndarray = SHARP, is_whole: bool = True) -> ProbeCrop:
    return ProbeCrop(TRACK, image, FACE.boxes[0], FACE.landmarks[0], quality, is_whole, 0, time_s=time_s)


def times_of(*crops: ProbeCrop) -> list[str]:
    return [look.path for look in best_looks(crops, fake_encoder(), "c.mp4", image_sha256="ab")]


def test_the_best_three_apart_in_time():
    found = times_of(crop(0.0, 0.3), crop(2.0, 0.9), crop(2.5, 0.8), crop(5.0, 0.5), crop(8.0, 0.4), crop(9.0, 0.6))
    assert found == ["c.mp4#t=2", "c.mp4#t=5", "c.mp4#t=9"]


def test_short_clips_have_several_looks_too():
    assert times_of(crop(0.0, 0.3), crop(0.05, 0.9), crop(0.4, 0.8)) == ["c.mp4#t=0.05", "c.mp4#t=0.4"]
    assert times_of(crop(1.25, 0.5)) == ["c.mp4#t=1.25"]


def test_good_looks_come_before_better_ones_that_would_be_refused():
    assert times_of(crop(0.0, 0.9, image=BLURRED), crop(4.0, 0.9, is_whole=False), crop(8.0, 0.1)) == ["c.mp4#t=8"]
    # If all would be refused, one is left, so that it can be said why.
    assert times_of(crop(0.0, 0.2, image=BLURRED), crop(8.0, 0.1, image=BLURRED)) == ["c.mp4#t=0"]


def test_a_look_has_its_vector_box_and_hash():
    (look,) = best_looks([crop(1.0, 0.5)], fake_encoder(), "c.mp4", image_sha256="ab")
    assert look.image_sha256 == "ab" and look.box.tolist() == [20, 30, 100, 110]
    np.testing.assert_allclose(look.vector, fake_encoder().embed(SHARP[None])[0])
    assert look.sharpness > 60
