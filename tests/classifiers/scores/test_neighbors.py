"""Nearest neighbours: the right rows, ties by index, the same answer alone and in a batch."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

import classifiers.scores.neighbors as neighbors
from classifiers.scores.neighbors import ApproximateNeighbors, ExactNeighbors, check_vectors, row_blocks, unit_rows
from tests.classifiers.people import make_people


def test_finds_what_scikit_learn_finds():
    vectors = make_people(40, 3).vectors
    probes = make_people(40, 2, seed=1).vectors
    found = ExactNeighbors(vectors).query(probes, 4)
    distances, indices = NearestNeighbors(n_neighbors=4, metric="cosine").fit(vectors).kneighbors(probes)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.similarities, 1 - distances, atol=1e-6)


def test_equal_vectors_are_ordered_by_index_wherever_they_stand():
    vectors = make_people(500, 1, length=512).vectors
    vectors[[3, 77, 401, 499]] = vectors[3]
    found = ExactNeighbors(vectors).query(vectors[[3]], 4)
    np.testing.assert_array_equal(found.indices, [[3, 77, 401, 499]])
    assert len(set(found.similarities[0])) == 1


def test_a_probe_gets_the_same_answer_alone_in_a_batch_and_in_blocks():
    vectors = make_people(200, 2, length=512).vectors
    probes = make_people(50, 1, length=512, seed=2).vectors
    together = ExactNeighbors(vectors).query(probes, 3)
    alone = [ExactNeighbors(vectors).query(probe[None], 3) for probe in probes]
    in_blocks = ExactNeighbors(vectors, probes_per_block=7, vectors_per_block=2).query(probes, 3)
    np.testing.assert_array_equal(together.similarities, np.concatenate([one.similarities for one in alone]))
    np.testing.assert_array_equal(together.indices, np.concatenate([one.indices for one in alone]))
    np.testing.assert_array_equal(together.similarities, in_blocks.similarities)
    np.testing.assert_array_equal(together.indices, in_blocks.indices)


def test_fewer_vectors_than_asked_for_and_none_at_all():
    vectors = make_people(2, 1).vectors
    assert ExactNeighbors(vectors).query(vectors, 5).indices.shape == (2, 2)
    assert ExactNeighbors(vectors[:0]).query(vectors, 5).indices.shape == (2, 0)
    assert ExactNeighbors(vectors).query(vectors[:0], 1).similarities.shape == (0, 1)


def test_refuses_no_neighbors():
    with pytest.raises(ValueError, match="`n_neighbors` must be at least 1, got 0"):
        ExactNeighbors(make_people(2, 1).vectors).query(make_people(1, 1).vectors, 0)


def test_unit_rows_of_extreme_zero_and_unit_rows():
    rows = unit_rows(np.array([[3e300, 4e300], [3e-300, 4e-300], [0.0, 0.0], [-5.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.6, 0.8], [0, 0], [-1, 0]], rtol=1e-6)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(unit_rows(rows), rows)
    many = unit_rows(np.random.default_rng(0).normal(size=(2000, 512)))
    np.testing.assert_array_equal(unit_rows(many), many)
    assert unit_rows(np.zeros((0, 4))).shape == (0, 4)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.zeros(3), r"must have shape \(n, d\), got \(3,\)"),
        (np.zeros((2, 4)), "vectors of length 3, got 4"),
        ([[0.0, 1.0, 2.0], [0.0, np.nan, 1.0]], "NaN or infinity in row 1"),
        ([[np.inf, 1.0, 2.0]], "NaN or infinity in row 0"),
    ],
)
def test_refuses_what_is_no_list_of_vectors(vectors, message):
    with pytest.raises(ValueError, match=message):
        check_vectors("vectors", vectors, length=3)


def test_accepts_whole_numbers_and_keeps_float32():
    assert check_vectors("vectors", [[1, 2]]).dtype == np.float64
    assert check_vectors("vectors", np.zeros((1, 2), np.float32)).dtype == np.float32


def test_row_blocks_cover_all_rows_once():
    blocks = row_blocks(10, neighbors._BLOCK_ENTRIES // 3)
    assert [(block.start, block.stop) for block in blocks] == [(0, 3), (3, 6), (6, 9), (9, 10)]
    assert row_blocks(0, 5) == []


class TestApproximateNeighbors:
    def test_finds_nearly_all_that_the_exact_search_finds(self):
        vectors = make_people(300, 20, length=64, spread=0.8).vectors
        exact = ExactNeighbors(vectors).query(vectors[:500], 10)
        found = ApproximateNeighbors(vectors, threads=1).query(vectors[:500], 10)
        recall = np.mean([len(set(one) & set(two)) / 10 for one, two in zip(exact.indices, found.indices, strict=True)])
        assert recall > 0.9
        assert (found.indices[:, 0] == np.arange(500)).mean() > 0.99
        assert np.abs(found.similarities[:, 0] - 1).max() < 1e-3

    def test_no_vector_no_probe_and_fewer_than_asked_for(self):
        none = ApproximateNeighbors(np.empty((0, 8), np.float32)).query(np.eye(8, dtype=np.float32), 3)
        assert none.indices.shape == (8, 0)
        few = ApproximateNeighbors(np.eye(8, dtype=np.float32)[:2])
        assert few.query(np.empty((0, 8), np.float32), 3).indices.shape == (0, 2)
        assert few.query(np.eye(8, dtype=np.float32)[:1], 3).indices.tolist() == [[0, 1]]

    def test_refuses_no_neighbor(self):
        with pytest.raises(ValueError, match="`n_neighbors` must be at least 1, got 0"):
            ApproximateNeighbors(np.eye(2, dtype=np.float32)).query(np.eye(2, dtype=np.float32), 0)
