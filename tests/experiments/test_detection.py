"""Matching of boxes, worked by hand."""

import numpy as np
import pytest

from experiments.detection import Agreement, agreement, match, quality, read_ground_truth

NOBODY = np.zeros((0, 4))


def test_each_face_is_found_once_and_by_the_best_free_box() -> None:
    faces = np.array([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    boxes = np.array([[0.0, 0, 10, 9], [0, 0, 10, 10], [21, 0, 31, 10], [50, 50, 60, 60]])
    assert match(boxes, faces).tolist() == [0, -1, 1, -1]
    assert match(boxes, NOBODY).tolist() == [-1] * 4
    assert match(NOBODY, faces).tolist() == []


def test_agreement_counts_photos_faces_and_overlap() -> None:
    theirs = {"a": np.array([[0.0, 0, 10, 10], [20, 20, 30, 30]]), "b": np.array([[0.0, 0, 10, 10]]), "c": NOBODY}
    ours = {"a": np.array([[0.0, 0, 10, 8]]), "b": NOBODY, "c": np.array([[0.0, 0, 5, 5]])}
    assert agreement(ours, theirs) == Agreement(n_photos=2, n_both=1, n_faces=3, n_matched=1, mean_iou=0.8)


def test_small_and_invalid_faces_need_not_be_found_but_may_be(tmp_path) -> None:
    truth = tmp_path / "ground_truth.txt"
    truth.write_text(
        "one.jpg\n3\n0 0 40 40 0 0 0 0 0 0\n100 0 15 40 0 0 0 0 0 0\n200 0 50 50 0 0 0 1 0 0\n"
        "none.jpg\n0\n0 0 0 0 0 0 0 0 0 0\ntwo.jpg\n1\n5 6 30 31 2 0 0 0 0 0\n"
    )
    rows = read_ground_truth(truth)
    assert {name: len(faces) for name, faces in rows.items()} == {"one.jpg": 3, "none.jpg": 0, "two.jpg": 1}
    boxes = {
        "one.jpg": np.array([[0.0, 0, 40, 40], [200, 0, 250, 50], [100, 0, 115, 40]]),
        "none.jpg": np.array([[0.0, 0, 9, 9]]),
        "two.jpg": NOBODY,
    }
    found = quality(boxes, rows)
    assert (found.n_faces, found.n_found, found.n_boxes, found.n_false) == (2, 1, 4, 1)
    assert (found.recall, found.precision) == (pytest.approx(0.5), pytest.approx(0.75))
