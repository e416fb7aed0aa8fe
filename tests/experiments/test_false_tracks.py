"""Where boxes come to lie, and what is counted, worked by hand."""

from collections import Counter

import numpy as np
import pytest

from embedder.detection.faces import Faces
from experiments.false_tracks import RULES, count_tracks, frames_of, moved
from tests.recognition.fakes import faces_at

STILL = np.eye(2, 3)
FACE, HAIR = (60.0, 40.0, 120.0, 110.0), (80.0, 15.0, 105.0, 45.0)


def test_boxes_move_with_the_photo() -> None:
    twice = np.array([[2.0, 0, 5], [0, 2, -1]])
    assert moved(np.array([[0.0, 1, 10, 21]]), twice).tolist() == [[5, 1, 25, 41]]
    assert moved(np.zeros((0, 4)), twice).shape == (0, 4)


def test_the_photo_lies_where_it_is_said_to_lie() -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    image[40:60, 70:90] = (255, 0, 0)
    frames = list(frames_of(image, np.random.default_rng(0)))
    assert len(frames) == 5
    for frame, place in frames:
        x_min, y_min, x_max, y_max = moved(np.array([[70.0, 40, 90, 60]]), place)[0]
        rows, columns = np.nonzero(frame[:, :, 0] > 180)
        assert [columns.min(), rows.min(), columns.max(), rows.max()] == pytest.approx(
            [x_min, y_min, x_max - 1, y_max - 1], abs=2
        )


def test_tracks_are_counted_once_by_size_and_truth() -> None:
    faces = faces_at([FACE, HAIR])
    looks: list[tuple[Faces, np.ndarray]] = [(faces, STILL)] * 5
    truth = np.array([FACE])
    assert count_tracks(looks, truth, (120, 200), RULES["without"]) == Counter({(40, True): 1, (0, False): 1})
    assert count_tracks(looks, truth, (120, 200), RULES["with"]) == Counter({(40, True): 1})
    assert count_tracks(looks, np.zeros((0, 4)), (120, 200), RULES["with"]) == Counter({(40, False): 1})
