import numpy as np
import pytest

from experiments.anonymizing import Hiding, cut_photos, hiding, share_hidden

FACE = np.array([40.0, 40.0, 60.0, 60.0])


def test_a_blur_is_wider_than_the_box_that_it_hides() -> None:
    assert share_hidden(FACE[None], FACE, (100, 100)) == 1
    assert share_hidden(np.array([[60.0, 40, 80, 60]]), FACE, (100, 100)) == pytest.approx(7 / 20)
    assert share_hidden(np.empty((0, 4)), FACE, (100, 100)) == 0


def test_hidden_faces_and_idle_blurs_are_counted() -> None:
    truth = {"a.jpg": np.array([[40.0, 40, 20, 20, 0, 0, 0, 0, 0, 0], [0, 0, 9, 9, 0, 0, 0, 0, 0, 0]])}
    found = {"a.jpg": np.array([[42.0, 40, 62, 60], [80, 80, 95, 95], [0, 0, 9, 9]])}
    assert hiding(found, truth, {"a.jpg": (100, 100)}) == Hiding(n_faces=1, n_hidden=1, n_boxes=3, n_idle=1)


def test_each_edge_cuts_the_face_once() -> None:
    rests = [(photo.shape[:2], rest.tolist()) for photo, rest in cut_photos(np.zeros((100, 100, 3)), FACE, 0.5)]
    assert rests == [
        ((100, 50), [0, 40, 10, 60]),
        ((50, 100), [40, 0, 60, 10]),
        ((100, 50), [40, 40, 50, 60]),
        ((50, 100), [40, 40, 60, 50]),
    ]
