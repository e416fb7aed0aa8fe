"""The clustering study, on made-up people."""

import numpy as np
import pytest

from classifiers.groups.clustering import cluster_faces
from classifiers.groups.metrics import bcubed
from classifiers.groups.similarity import SimilaritySpace
from experiments.clustering import Faces, f_by_threshold, measure_curve, measure_methods, measure_names, plain
from tests.classifiers.groups.test_grouping import make_table
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


def test_methods_are_compared(faces):
    figures = measure_methods(faces, plain(faces, ((10, 0.4), (100, 0.4))))
    assert list(figures) == ["average", "graph", "dbscan", "hdbscan"]
    assert figures["average"]["f"] > 0.95


def test_names_are_kept():
    table = make_table()
    space = SimilaritySpace(table.embeddings, np.zeros(len(table), np.float32), ((10, 0.4), (100, 0.4)))
    figures = measure_names(table, space, seed=0)
    assert figures["kept"] == 1
    assert figures["same_group"] > 0.9
    assert 20 < figures["n_named_faces"] <= 33
