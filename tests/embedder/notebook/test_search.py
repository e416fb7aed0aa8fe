"""The rows of a table that are nearest to vectors."""

import numpy as np
import pytest

from embedder import EmbeddingTable
from embedder.notebook.search import search_rows
from foundation.errors import InputError
from tests.classifiers.people import make_people

PEOPLE = make_people(300, 10, spread=1.0)


def test_a_frame_of_the_nearest_rows():
    pytest.importorskip("pandas")
    table = EmbeddingTable.from_arrays([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], ["Ada", "Bo", ""])
    frame = table.search([[0.0, 5.0], [1.0, 0.0]], 2)
    assert frame.columns.tolist() == ["probe", "rank", "row", "similarity", "identity", "path"]
    assert frame["probe"].tolist() == [0, 0, 1, 1]
    assert frame["rank"].tolist() == [1, 2, 1, 2]
    assert frame["row"].tolist() == [2, 1, 0, 1]
    assert frame["similarity"].round(4).tolist() == [1.0, 0.8, 1.0, 0.6]
    assert frame["identity"].tolist() == ["", "Bo", "Ada", "Bo"]
    assert frame["path"].tolist() == ["row-2", "row-1", "row-0", "row-1"]
    assert len(table.search([1.0, 0.0], 9)) == 3
    assert table.search(np.zeros((0, 2))).shape == (0, 6)
    assert EmbeddingTable.from_arrays(np.zeros((0, 2))).search([1.0, 0.0]).shape == (0, 6)


def test_equal_rows_stand_in_their_order():
    found = search_rows(np.float32([[0, 1], [1, 0], [1, 0]]), [[1.0, 0.0]], 3)
    assert found["row"].tolist() == [1, 2, 0]


def test_the_exact_and_nearly_all_of_the_approximate_are_the_best():
    probes = make_people(300, 1, spread=1.0, seed=0).vectors
    expected = np.argsort(-(probes @ PEOPLE.vectors.T), axis=1)[:, :5]
    exact = search_rows(PEOPLE.vectors, probes, 5)
    np.testing.assert_array_equal(exact["row"].reshape(-1, 5), expected)
    near = search_rows(PEOPLE.vectors, probes, 5, approximate=True)
    pairs = set(zip(near["probe"].tolist(), near["row"].tolist(), strict=True))
    assert len(pairs & set(zip(exact["probe"].tolist(), exact["row"].tolist(), strict=True))) > 0.9 * expected.size


def test_refuses_what_it_cannot_look_for():
    with pytest.raises(InputError, match="`k` must be at least 1, got 0"):
        search_rows(np.eye(2, dtype=np.float32), [[1.0, 0.0]], 0)
    with pytest.raises(InputError, match="must hold vectors of length 2, got 3"):
        search_rows(np.eye(2, dtype=np.float32), [1.0, 0.0, 0.0], 1)
