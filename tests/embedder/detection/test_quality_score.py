import cv2
import numpy as np

from embedder.detection.quality import face_quality
from tests.recognition.fakes import faces_at

CROP = np.random.default_rng(0).integers(0, 255, (160, 160, 3), np.uint8)
BOX = (10.0, 10.0, 110.0, 110.0)


def quality(crop: np.ndarray = CROP, box: tuple[float, ...] = BOX, turned: float = 0.0) -> float:
    (landmarks,) = faces_at([box]).landmarks
    landmarks[2, 0] += turned * (landmarks[1, 0] - landmarks[0, 0])
    return face_quality(crop, np.array(box), landmarks)


def test_a_large_sharp_frontal_face_is_the_best() -> None:
    assert quality() == 1.0


def test_small_blurred_and_turned_faces_are_worse() -> None:
    blurred = cv2.GaussianBlur(CROP, (0, 0), 5)
    assert 0.2 < quality(box=(10, 10, 30, 30)) < 0.3
    assert quality(blurred) < 0.3
    assert quality(turned=0.5) == 0.5
    assert quality(turned=-0.5) == 0.5
    assert quality(turned=1.0) < 0.3


def test_nothing_is_worth_nothing() -> None:
    assert quality(np.zeros((160, 160, 3), np.uint8), (5, 5, 5, 5)) == 0.05
