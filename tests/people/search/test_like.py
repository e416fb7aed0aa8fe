"""Faces like one: where no curve of the preset is known, cosines are held against what grouping needs."""

import numpy as np
import pytest

from classifiers.groups.similarity import COSINE_CURVE, default_threshold
from people.search.like import AskedFace, describe_asked, find_like
from tests.embedder.fakes import make_table


def test_faces_that_reach_the_threshold_the_most_alike_first():
    table = make_table([1] * 4)
    vectors = np.zeros((4, 24), np.float32)
    cosines = (0.9, 0.2, 0.95, 0.5)
    for row, cosine in enumerate(cosines):
        vectors[row, 0], vectors[row, row + 1] = cosine, np.sqrt(1 - cosine**2)
    object.__setattr__(table, "embeddings", vectors)
    asked = AskedFace(np.eye(1, 24, dtype=np.float32)[0], 0, 1, (0.0, 0.0, 9.0, 9.0))
    found = find_like(asked, table)
    assert found.threshold == default_threshold(4, COSINE_CURVE) == pytest.approx(0.443)
    assert list(found.similarities) == [2, 0, 3]
    assert found.similarities[2] == pytest.approx(0.95)
    assert find_like(asked, table.select(np.zeros(4, bool))).similarities == {}


def test_which_face_of_a_group_photo_was_taken_is_said(tmp_path):
    asked = AskedFace(np.zeros(8, np.float32), 1, 3, (10.2, 20.0, 30.0, 40.0))
    said = describe_asked(tmp_path / "g.jpg", asked)
    assert "g.jpg: 3 faces, searched for face 1 (box 10, 20, 30, 40); --face N takes another" in said
