"""Whether photos move as they should: the same way each time, smoothly, and with rooms left empty between them."""

import numpy as np

from experiments.moving_photos import FRAMES_PER_SECOND, GAP_S, SIZE_HW, FacePhoto, clip_of, is_shown
from recognition.tracking.motion import CutDetector, reduce_frame

GAP = round(GAP_S * FRAMES_PER_SECOND)
RED = FacePhoto(np.full((250, 250, 3), (230, 20, 20), np.uint8), np.array([80.0, 70, 165, 178], np.float32))
BLUE = FacePhoto(np.full((250, 250, 3), (20, 20, 230), np.uint8), RED.box)


def frames_of(*photos: FacePhoto, seed: int = 0, seconds: float = 1.0) -> list[np.ndarray]:
    return [frame.image for frame in clip_of(photos, np.random.default_rng(seed), seconds=seconds)]


def coloured(image: np.ndarray, channel: int) -> float:
    """Return the share of an image in which one colour stands out by far."""
    others = [other for other in range(3) if other != channel]
    return float(np.mean(image[:, :, channel].astype(int) - image[:, :, others].max(axis=2) > 60))


def test_each_photo_is_shown_after_an_empty_room() -> None:
    images = frames_of(RED, BLUE)
    assert len(images) == 2 * (GAP + 25)
    assert {image.shape for image in images} == {(*SIZE_HW, 3)}
    assert coloured(images[0], 0) < 0.001
    assert coloured(images[GAP + 12], 0) > 0.02
    assert coloured(images[GAP + 12], 2) < 0.001
    assert coloured(images[2 * GAP + 25 + 12], 2) > 0.02
    assert [is_shown(index, seconds=1.0) for index in range(len(images))] == 2 * ([False] * GAP + [True] * 25)


def test_the_same_seed_gives_the_same_clip() -> None:
    first, again, other = frames_of(RED), frames_of(RED), frames_of(RED, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[GAP + 12], other[GAP + 12])


def test_nothing_that_looks_like_a_cut() -> None:
    for seed in range(2):
        cuts = CutDetector()
        assert not any(cuts.is_cut(reduce_frame(image).thumbnail) for image in frames_of(RED, BLUE, seed=seed))


def test_no_photos_no_frames() -> None:
    assert frames_of() == []
