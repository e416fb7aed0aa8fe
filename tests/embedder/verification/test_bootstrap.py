"""Intervals and comparisons by redrawing people."""

import numpy as np
import pytest

from embedder.verification.bootstrap import compare_separation, tar_intervals
from embedder.verification.metrics import roc, tar_at_far


@pytest.fixture(params=[0, 1, 2])
def scored(request):
    rng = np.random.default_rng(request.param)
    genuine = rng.random(300) < 0.4
    # Rounded, so that there are ties.
    return (rng.normal(0, 1, 300) + 1.5 * genuine).round(1), genuine


class TestIntervals:
    def test_hold_the_value_and_shrink_with_more_people(self):
        widths = []
        for n_people in (10, 300):
            rng = np.random.default_rng(0)
            people = rng.integers(n_people, size=(1000, 2))
            people[:400, 1] = people[:400, 0]
            people[people[:, 0] == people[:, 1], 1] = people[people[:, 0] == people[:, 1], 0]
            genuine = people[:, 0] == people[:, 1]
            scores = rng.normal(0, 1, 1000) + (2 + rng.normal(0, 2, n_people)[people[:, 0]]) * genuine
            estimate = tar_intervals(scores, genuine, people.astype(str), fars=[0.1], n_bootstrap=300)[0.1]
            assert estimate.value == tar_at_far(roc(scores, genuine), 0.1)
            assert estimate.low < estimate.value < estimate.high
            widths.append(estimate.high - estimate.low)
        assert widths[1] < 0.6 * widths[0]

    def test_a_perfect_rate_is_not_certain(self):
        people = np.array([["a", "a"], ["b", "b"], ["a", "b"], ["b", "a"]])
        estimate = tar_intervals([3, 2, 1, 0], [True, True, False, False], people, fars=[0.1])[0.1]
        assert estimate == (1.0, pytest.approx(0.025**0.5), 1.0)
        assert tar_intervals([0, 1, 2, 3], [True, True, False, False], people, fars=[0.1])[0.1].high < 1

    def test_same_seed_same_interval(self, scored):
        scores, genuine = scored
        people = np.random.default_rng(0).integers(40, size=(300, 2)).astype(str)
        assert tar_intervals(scores, genuine, people) == tar_intervals(scores, genuine, people)

    def test_refuses_another_length(self):
        with pytest.raises(ValueError, match=r"`identities` must be \(2, 2\)"):
            tar_intervals([1, 0], [True, False], [("a", "a")])


class TestCompareSeparation:
    def test_the_better_of_two_embeddings_is_seen(self):
        rng = np.random.default_rng(0)
        people = np.repeat([f"P{i}" for i in range(30)], 3)
        centers = np.repeat(rng.normal(size=(30, 16)), 3, axis=0)
        one, two = (centers + spread * rng.normal(size=(90, 16)) for spread in (1.0, 0.7))
        one, two = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (one, two))
        comparison = compare_separation(one, two, people)
        assert comparison.second > comparison.first > 1
        assert comparison.second_better > 0.97
        assert compare_separation(one, one, people).second_better == 0

    def test_refuses(self):
        with pytest.raises(ValueError, match="must be equally long, got 2, 2 and 1"):
            compare_separation(np.eye(2), np.eye(2), ["a"])
        with pytest.raises(ValueError, match="some pairs but not all"):
            compare_separation(np.eye(2), np.eye(2), ["a", "b"])
