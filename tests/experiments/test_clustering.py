"""The clustering study, on made-up people."""

import numpy as np
import pytest

from classifiers.groups.similarity import SimilaritySpace
from classifiers.presets.cluster_curve import Faces, plain
from experiments.clustering import measure_methods, measure_names
from tests.classifiers.groups.test_grouping import make_table
from tests.classifiers.people import make_people


@pytest.fixture(scope="module")
def faces():
    made = make_people(60, 6, length=64, spread=0.8)
    return Faces(made.vectors, np.unique(made.identities, return_inverse=True)[1])


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
