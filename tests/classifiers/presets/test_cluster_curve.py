"""Thresholds of groups, by the number of people."""

import numpy as np
import pytest

from classifiers.groups.clustering import cluster_faces
from classifiers.groups.metrics import bcubed
from classifiers.presets.cluster_curve import Faces, f_by_threshold, measure_curve, plain
from tests.classifiers.people import make_people


@pytest.fixture(scope="module")
def faces():
    made = make_people(60, 6, length=64, spread=0.8)
    return Faces(made.vectors, np.unique(made.identities, return_inverse=True)[1])


def test_parts_of_the_people(faces):
    part = faces.of(np.array([3, 5]))
    assert part.people.tolist() == [3] * 6 + [5] * 6
    assert faces.one_each().tolist() == faces.vectors[::6].tolist()


def test_one_pass_over_thresholds_equals_one_clustering_each(faces):
    thresholds = np.array([0.7, 0.5, 0.3])
    expected = [
        bcubed(faces.people, cluster_faces(faces.vectors, threshold=threshold).labels).f for threshold in thresholds
    ]
    assert f_by_threshold(plain(faces), faces.people, thresholds) == pytest.approx(expected)


def test_the_curve_has_a_point_a_size(faces):
    curve = measure_curve(plain(faces), faces.people, lowest=0.2, sizes=(10, 30, 500))
    assert [size for size, _ in curve] == [10, 30, 60]
    assert all(0.2 <= threshold <= 0.9 for _, threshold in curve)
    near = measure_curve(plain(faces), faces.people, lowest=0.2, sizes=(10, 50))
    assert [size for size, _ in near] == [10, 50]
