"""Recall and precision by the size of faces, worked by hand."""

import numpy as np

from experiments.detectors import SIZES, BySize, above, choose_threshold, measure

# x y w h blur expression illumination invalid occlusion pose
TRUTH = {"a": np.array([[0.0, 0, 15, 18, 0, 0, 0, 0, 0, 0], [100, 0, 30, 40, 0, 0, 0, 0, 0, 0]])}
TRUTH["a"] = np.vstack([TRUTH["a"], [200, 0, 50, 50, 0, 0, 0, 1, 0, 0]])  # invalid: need not be found, but may be
FOUND = {
    "a": np.array(
        [
            [100.0, 0, 130, 39, 0.9],
            [200, 0, 250, 50, 0.8],
            [0, 0, 15, 18, 0.7],
            [300, 300, 314, 330, 0.6],
            [300, 300, 390, 390, 0.2],
        ]
    )
}


def test_faces_count_by_their_drawn_box_and_false_boxes_by_their_own() -> None:
    assert [measure(FOUND, TRUTH, low, high) for low, high in SIZES] == [
        BySize(n_faces=1, n_found=1, n_boxes=2, n_false=1),
        BySize(n_faces=1, n_found=1, n_boxes=1, n_false=0),
        BySize(n_faces=0, n_found=0, n_boxes=1, n_false=0),
        BySize(n_faces=0, n_found=0, n_boxes=1, n_false=1),
    ]
    nothing = measure({"a": np.empty((0, 5))}, TRUTH, 12, 20)
    assert (nothing.recall, nothing.n_boxes) == (0, 0) and np.isnan(nothing.precision)
    assert np.isnan(measure(FOUND, TRUTH, 40, 80).recall)


def test_the_lowest_threshold_with_the_precision_is_chosen() -> None:
    assert choose_threshold(FOUND, TRUTH, 0.6) == 0.15
    assert choose_threshold(FOUND, TRUTH, 1.0) == 0.21
    assert len(above(FOUND, 0.7)["a"]) == 3
