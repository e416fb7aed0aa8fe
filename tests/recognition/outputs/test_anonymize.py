import cv2
import numpy as np
import pytest

from recognition.outputs.anonymize import hide_faces
from tests.recognition.fakes import ANN, FakeDetector, image_with

BOX = np.array([60.0, 40.0, 110.0, 90.0])


def test_nothing_fine_is_left_of_a_face_and_the_rest_stays() -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 200, 3), np.uint8)
    hidden = hide_faces(image, [BOX])
    face = hidden[40:90, 60:110].astype(np.float64)
    assert (
        cv2.Laplacian(face, cv2.CV_64F).var()
        < 0.001 * cv2.Laplacian(image[40:90, 60:110].astype(np.float64), cv2.CV_64F).var()
    )
    assert np.array_equal(hidden[:20], image[:20])
    assert np.array_equal(hidden[:, :40], image[:, :40])
    assert np.array_equal(hidden[:, 130:], image[:, 130:])


def test_hair_ears_and_chin_go_too() -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 200, 3), np.uint8)
    changed = np.flatnonzero((hide_faces(image, [BOX]) != image).any(axis=(0, 2)))
    assert changed.min() <= 60 - 0.3 * 50
    assert changed.max() >= 110 + 0.3 * 50 - 1


@pytest.mark.parametrize("box", [(-40, -40, 20, 20), (180, 100, 260, 160), (300, 300, 340, 340), (5, 5, 5, 5)])
def test_faces_at_and_beyond_the_edge(box: tuple[int, int, int, int]) -> None:
    assert hide_faces(image_with(), [np.array(box, float)]).shape == (120, 200, 3)


def test_a_face_that_the_edge_cuts_to_a_strip_is_hidden_as_far_as_a_whole_one() -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 200, 3), np.uint8)
    hidden = hide_faces(image, [np.array([0.0, 40.0, 10.0, 90.0])])
    changed = np.flatnonzero((hidden != image).any(axis=(0, 2)))
    assert changed.max() == 27, "a third of the face's height, not of the strip's width, is added to its 10 pixels"
    # Cells are square, so there are two across: no third level stands between the two of a row.
    row = hidden[60, :28, 0].astype(int)
    assert len(np.unique(np.sign(np.diff(row)[np.diff(row) != 0]))) == 1


def test_nobody_to_hide() -> None:
    image = image_with((ANN, (60, 40, 110, 90)))
    hidden = hide_faces(image, [])
    assert np.array_equal(hidden, image)
    assert hidden is not image
    assert len(FakeDetector().detect(hidden)) == 1
