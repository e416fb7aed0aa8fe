"""Identification and clustering metrics against hand-worked cases and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import det_curve, pair_confusion_matrix

from classifiers.groups.metrics import bcubed, corrections, pairwise
from classifiers.training.metrics import cmc, identification_det, mated_ranks, rate, threshold_at_fpir, tpir_at_fpir

SAME = ["a", "a", "a", "b", "b", "c"]
CLUSTERS = [0, 0, 1, 1, 1, 2]


def bcubed_by_hand(identities, clusters):
    precision, recall = [], []
    for i in range(len(identities)):
        together = {j for j in range(len(clusters)) if clusters[j] == clusters[i]}
        same = {j for j in range(len(clusters)) if identities[j] == identities[i]}
        precision.append(len(together & same) / len(together))
        recall.append(len(together & same) / len(same))
    return np.mean(precision), np.mean(recall)


class TestThresholdAtFpir:
    @pytest.mark.parametrize(("fpir", "n_accepted"), [(0.1, 1), (0.15, 1), (0.3, 3), (0.05, 0)])
    def test_accepts_the_allowed_share(self, fpir, n_accepted):
        scores = np.arange(10) / 10
        assert (scores >= threshold_at_fpir(scores, fpir)).sum() == n_accepted

    def test_equal_scores_are_refused_together(self):
        assert (np.ones(10) >= threshold_at_fpir(np.ones(10), 0.5)).sum() == 0

    @pytest.mark.parametrize("fpir", [0, 1, -1, 2, float("nan")])
    def test_refuses_an_impossible_rate(self, fpir):
        with pytest.raises(ValueError, match="`fpir` must lie above 0 and below 1"):
            threshold_at_fpir([0.1, 0.2], fpir)

    @pytest.mark.parametrize("scores", [[], [np.nan], [0.1, np.inf], [[0.1]]])
    def test_refuses_what_is_no_list_of_numbers(self, scores):
        with pytest.raises(ValueError, match="`stranger_scores` must be a list"):
            threshold_at_fpir(scores, 0.1)


class TestTpirAtFpir:
    def test_counts_only_right_names_above_the_threshold(self):
        result = tpir_at_fpir([0.9, 0.8, 0.7, 0.1], [True, False, True, True], np.arange(10) / 20, fpir=0.1)
        assert result.value == 0.5
        assert result.low <= 0.5 <= result.high

    def test_an_interval_over_few_identities_is_wider(self):
        rng = np.random.default_rng(0)
        correct = np.repeat(rng.random(20) < 0.7, 20)
        alone = tpir_at_fpir(np.ones(400), correct, np.zeros(50), fpir=0.1)
        grouped = tpir_at_fpir(np.ones(400), correct, np.zeros(50), fpir=0.1, mated_identities=np.repeat(range(20), 20))
        assert grouped.high - grouped.low > 2 * (alone.high - alone.low)

    def test_a_perfect_score_is_not_certain(self):
        result = tpir_at_fpir(np.ones(10), np.ones(10, bool), np.zeros(10), fpir=0.1)
        assert result == (1.0, pytest.approx(0.025**0.1), 1.0)

    def test_a_zero_score_is_not_certain(self):
        result = tpir_at_fpir(np.ones(10), np.zeros(10, bool), np.zeros(10), fpir=0.1)
        assert result == (0.0, 0.0, pytest.approx(1 - 0.025**0.1))

    def test_refuses_different_lengths(self):
        with pytest.raises(ValueError, match="`mated_correct` must have one entry per score, 2"):
            tpir_at_fpir([0.1, 0.2], [True], [0.1], fpir=0.1)
        with pytest.raises(ValueError, match="`stranger_identities` must have one entry per score, 1, got 2"):
            tpir_at_fpir([0.1], [True], [0.1], fpir=0.1, stranger_identities=["a", "b"])


class TestRate:
    def test_is_the_share_with_its_interval(self):
        result = rate(np.arange(100) < 30)
        assert result.value == 0.3
        assert 0.2 < result.low < 0.25 < 0.35 < result.high < 0.4

    def test_refuses_nothing(self):
        with pytest.raises(ValueError, match="`outcomes` must hold at least one value"):
            rate([])


class TestRanks:
    def test_by_hand(self):
        similarity = [[0.9, 0.1, 0.2], [0.5, 0.4, 0.6], [0.5, 0.5, 0.1]]
        assert mated_ranks(similarity, ["a", "b", "a"], ["a", "b", "c"]).tolist() == [1, 3, 2]
        assert cmc([1, 3, 2], 4).tolist() == pytest.approx([1 / 3, 2 / 3, 1, 1])

    def test_refuses_a_stranger(self):
        with pytest.raises(ValueError, match="must all be enrolled, got x"):
            mated_ranks([[1.0]], ["x"], ["a"])

    def test_refuses_a_wrong_shape_and_nan(self):
        with pytest.raises(ValueError, match=r"`similarity` must be \(1, 2\)"):
            mated_ranks([[1.0]], ["a"], ["a", "b"])
        with pytest.raises(ValueError, match="`similarity` must be finite"):
            mated_ranks([[np.nan]], ["a"], ["a"])

    @pytest.mark.parametrize(("ranks", "max_rank"), [([], 1), ([1], 0)])
    def test_cmc_refuses_nothing(self, ranks, max_rank):
        with pytest.raises(ValueError, match="must be at least one each"):
            cmc(ranks, max_rank)


def test_det_agrees_with_scikit_learn():
    rng = np.random.default_rng(1)
    mated, strangers = rng.normal(1, 1, 50).round(1), rng.normal(0, 1, 40).round(1)
    ours = identification_det(mated, np.ones(50, bool), strangers)
    fpr, fnr, thresholds = det_curve([1] * 50 + [0] * 40, np.concatenate([mated, strangers]))
    for threshold, false_positive, miss in zip(thresholds, fpr, fnr, strict=True):
        if np.isfinite(threshold):
            at = np.searchsorted(ours.thresholds, threshold)
            assert (ours.fpir[at], ours.fnir[at]) == pytest.approx((false_positive, miss), rel=0, abs=1e-12)


def test_det_ends_where_nothing_is_accepted():
    ours = identification_det([0.5, 0.9], [True, False], [0.1])
    assert (ours.fpir[0], ours.fnir[0], ours.fpir[-1], ours.fnir[-1]) == (1.0, 0.5, 0.0, 1.0)


class TestClustering:
    def test_bcubed_by_hand(self):
        result = bcubed(SAME, CLUSTERS)
        assert (result.precision, result.recall) == pytest.approx((14 / 18, 14 / 18))

    @pytest.mark.parametrize("seed", range(5))
    def test_random_clusterings(self, seed):
        rng = np.random.default_rng(seed)
        identities, clusters = rng.integers(6, size=40), rng.integers(8, size=40)
        assert bcubed(identities, clusters)[:2] == pytest.approx(bcubed_by_hand(identities, clusters), abs=1e-12)
        (_, false_positive), (false_negative, right) = pair_confusion_matrix(identities, clusters)
        expected = right / (right + false_positive), right / (right + false_negative)
        assert pairwise(identities, clusters)[:2] == pytest.approx(expected, abs=1e-12)

    def test_corrections_by_hand(self):
        assert corrections(SAME, CLUSTERS) == (1, 1)
        assert corrections(SAME, SAME) == (0, 0)
        assert corrections(SAME, range(6)) == (0, 3)

    def test_lone_faces_are_precise(self):
        assert bcubed(["a", "a"], [0, 1]) == (1.0, 0.5, pytest.approx(2 / 3))
        assert pairwise(["a", "b"], [0, 1]) == (1.0, 1.0, 1.0)
        assert pairwise(["a", "b"], [0, 0]) == (0.0, 1.0, 0.0)
        assert bcubed(["a"], [3]) == (1.0, 1.0, 1.0)

    @pytest.mark.parametrize("metric", [bcubed, pairwise, corrections])
    @pytest.mark.parametrize(("identities", "clusters"), [([], []), (["a"], [1, 2])])
    def test_refuses_nothing_and_different_lengths(self, metric, identities, clusters):
        with pytest.raises(ValueError, match="must have one entry per face"):
            metric(identities, clusters)
