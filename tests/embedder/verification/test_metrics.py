"""Verification metrics against hand-worked cases and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import det_curve, roc_auc_score, roc_curve

from embedder.verification.metrics import (
    area_under,
    best_threshold,
    cross_validate,
    det,
    equal_error_rate,
    pair_scores,
    roc,
    separation,
    tar_at_far,
)


@pytest.fixture(params=[0, 1, 2])
def scored(request):
    rng = np.random.default_rng(request.param)
    genuine = rng.random(300) < 0.4
    # Rounded, so that there are ties.
    return (rng.normal(0, 1, 300) + 1.5 * genuine).round(1), genuine


class TestPairScores:
    def test_by_hand(self):
        left, right = [[3, 4], [1, 0], [0, 0]], [[3, 4], [0, 2], [1, 1]]
        assert pair_scores(left, right).tolist() == pytest.approx([1, 0, 0])
        assert pair_scores(left, right, metric="euclidean").tolist() == pytest.approx([0, -np.sqrt(5), -np.sqrt(2)])

    @pytest.mark.parametrize(
        ("left", "right", "message"),
        [
            ([[1.0]], [[1.0, 2.0]], r"two arrays of shape \(n, d\)"),
            ([1.0], [1.0], r"two arrays of shape \(n, d\)"),
            ([[np.nan]], [[1.0]], "must be finite"),
        ],
    )
    def test_refuses(self, left, right, message):
        with pytest.raises(ValueError, match=message):
            pair_scores(left, right)

    def test_lists_the_metrics(self):
        with pytest.raises(ValueError, match="one of cosine, euclidean, got 'manhattan'"):
            pair_scores([[1.0]], [[1.0]], metric="manhattan")


def rates_by_hand(scores, genuine, thresholds):
    """Count at each threshold what is accepted: ``(far, tar)``."""
    accepted = scores >= thresholds[:, None]
    return accepted[:, ~genuine].mean(axis=1), accepted[:, genuine].mean(axis=1)


def area_by_hand(scores, genuine):
    """Count over all pairs of a genuine and an impostor score which is higher."""
    difference = scores[genuine][:, None] - scores[~genuine]
    return np.mean((difference > 0) + 0.5 * (difference == 0))


class TestCurve:
    def test_equals_its_definition(self, scored):
        scores, genuine = scored
        curve = roc(scores, genuine)
        assert curve.thresholds.tolist() == [np.inf, *np.unique(scores)[::-1]]
        far, tar = rates_by_hand(scores, genuine, curve.thresholds)
        assert np.allclose(curve.far, far, rtol=0, atol=1e-12)
        assert np.allclose(curve.tar, tar, rtol=0, atol=1e-12)
        assert area_under(curve) == pytest.approx(area_by_hand(scores, genuine), abs=1e-12)

    def test_equals_its_definition_where_pairs_have_no_score(self, scored):
        scores, genuine = scored
        scores = np.where(np.arange(300) < 20, np.where(genuine, -np.inf, np.inf), scores)
        curve = roc(scores, genuine)
        assert curve.thresholds.tolist() == [np.inf, *np.unique(scores)[::-1]]
        far, tar = rates_by_hand(scores, genuine, curve.thresholds[1:])
        assert (curve.far[0], curve.tar[0]) == (0, 0)
        assert np.allclose(curve.far[1:], far, rtol=0, atol=1e-12)
        assert np.allclose(curve.tar[1:], tar, rtol=0, atol=1e-12)
        ranks = np.unique(scores, return_inverse=True)[1]
        assert area_under(curve) == pytest.approx(area_by_hand(ranks, genuine), abs=1e-12)

    def test_agrees_with_scikit_learn(self, scored):
        scores, genuine = scored
        curve = roc(scores, genuine)
        far, tar, thresholds = roc_curve(genuine, scores, drop_intermediate=False)
        assert np.array_equal(curve.far, far)
        assert np.array_equal(curve.tar, tar)
        assert np.array_equal(curve.thresholds, thresholds)
        assert area_under(curve) == pytest.approx(roc_auc_score(genuine, scores), abs=1e-12)

    def test_det_agrees_with_scikit_learn(self, scored):
        scores, genuine = scored
        curve = roc(scores, genuine)
        for far, miss, threshold in zip(*det_curve(genuine, scores), strict=True):
            if np.isfinite(threshold):
                at = np.flatnonzero(curve.thresholds == threshold)
                assert curve.far[at] == pytest.approx(far)
                assert 1 - curve.tar[at] == pytest.approx(miss)

    def test_det_is_the_roc_between_no_false_accept_and_no_false_reject(self, scored):
        scores, genuine = scored
        for values in (scores, np.where(np.arange(300) < 20, np.where(genuine, -np.inf, np.inf), scores)):
            curve, trade_off = roc(values, genuine), det(values, genuine)
            first = np.flatnonzero(curve.far == 0)[-1]
            last = np.flatnonzero(curve.tar == 1)[0]
            assert np.array_equal(trade_off.thresholds, curve.thresholds[first : last + 1])
            assert np.allclose(trade_off.far, curve.far[first : last + 1], rtol=0, atol=1e-12)
            assert np.allclose(trade_off.frr, 1 - curve.tar[first : last + 1], rtol=0, atol=1e-12)

    def test_equal_error_rate(self, scored):
        scores, genuine = scored
        curve = roc(scores, genuine)
        eer = equal_error_rate(curve)
        gap = np.abs(curve.far - (1 - curve.tar))
        at = np.argmin(gap)
        assert abs(eer - curve.far[at]) <= gap[at] + 1e-12

    def test_equal_error_rate_by_hand(self):
        assert equal_error_rate(roc([4, 3, 2, 1], [True, False, True, False])) == 0.5
        assert equal_error_rate(roc([4, 3, 2, 1], [True, True, False, False])) == 0
        assert equal_error_rate(roc([4, 3, 2, 1], [False, False, True, True])) == 1

    def test_tar_at_far_allows_no_more(self):
        curve = roc([9, 8, 7, 6, 5, 4, 3, 2], [True, True, False, True, False, True, False, False])
        assert tar_at_far(curve, 0.1) == 0.5
        assert tar_at_far(curve, 0.25) == 0.75
        assert tar_at_far(curve, 0.49) == 0.75
        assert tar_at_far(curve, 0.5) == 1

    def test_pairs_without_a_score_are_errors_at_every_threshold(self):
        curve = roc([0.9, -np.inf, np.inf, 0.1], [True, True, False, False])
        assert tar_at_far(curve, 0.4) == 0
        assert tar_at_far(curve, 0.5) == 0.5
        assert area_under(curve) == 0.25

    @pytest.mark.parametrize("far", [0, 1, -1, float("nan")])
    def test_refuses_an_impossible_rate(self, far):
        with pytest.raises(ValueError, match="`far` must lie above 0 and below 1"):
            tar_at_far(roc([1, 0], [True, False]), far)

    @pytest.mark.parametrize(
        ("scores", "genuine", "message"),
        [
            ([1.0], [True, False], "equally long"),
            ([np.nan, 1.0], [True, False], "must not be NaN"),
            ([], [], "some pairs but not all"),
            ([1.0, 2.0], [True, True], "some pairs but not all, got 2 of 2"),
            ([1.0, 2.0], [False, False], "some pairs but not all, got 0 of 2"),
        ],
    )
    def test_refuses(self, scores, genuine, message):
        with pytest.raises(ValueError, match=message):
            roc(scores, genuine)


class TestBestThreshold:
    def test_lies_halfway_in_the_gap(self):
        assert best_threshold([0.9, 0.7, 0.3, 0.1], [True, True, False, False]) == pytest.approx(0.5)

    def test_is_the_best_of_all(self, scored):
        scores, genuine = scored
        candidates = np.concatenate([np.unique(scores), [np.inf]])
        best = max(np.mean((scores >= candidate) == genuine) for candidate in candidates)
        assert np.mean((scores >= best_threshold(scores, genuine)) == genuine) == best

    def test_refuses_pairs_without_scores(self):
        with pytest.raises(ValueError, match="at least one finite score"):
            best_threshold([-np.inf, np.inf], [True, False])


def ten_fold_by_hand(left, right, genuine, folds):
    accuracies = []
    for fold in sorted(set(folds)):
        train = folds != fold
        mean = np.vstack([left[train], right[train]]).mean(axis=0)
        a, b = left - mean, right - mean
        scores = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
        accuracy = {t: np.mean((scores[train] >= t) == genuine[train]) for t in np.arange(-1, 1, 0.001)}
        ties = [t for t, value in accuracy.items() if value == max(accuracy.values())]
        accuracies.append(np.mean((scores[~train] >= np.median(ties)) == genuine[~train]))
    return np.array(accuracies)


class TestCrossValidate:
    @pytest.fixture
    def pairs(self):
        rng = np.random.default_rng(3)
        genuine = np.tile([True, False], 200)
        left = rng.normal(0.3, 1, (400, 8))
        right = np.where(genuine[:, None], left + rng.normal(0, 0.7, (400, 8)), rng.normal(0.3, 1, (400, 8)))
        return left, right, genuine, np.arange(400) // 40

    def test_agrees_with_a_loop(self, pairs):
        left, right, genuine, folds = pairs
        ours = cross_validate(left, right, genuine, folds=folds)
        assert np.abs(ours.accuracies - ten_fold_by_hand(left, right, genuine, folds)).max() <= 1 / 40
        assert ours.accuracies.mean() == pytest.approx(ten_fold_by_hand(left, right, genuine, folds).mean(), abs=0.005)

    def test_the_mean_of_the_own_fold_plays_no_part(self, pairs):
        left, right, genuine, folds = pairs
        shifted, other = left.copy(), right.copy()
        shifted[folds == 0] += 100
        other[folds == 0] += 100
        # All vectors of fold 0 now point the same way: no threshold from the other folds tells them apart.
        assert cross_validate(shifted, other, genuine, folds=folds).accuracies[0] == 0.5

    def test_a_pair_not_enrolled_is_an_error(self, pairs):
        left, right, genuine, folds = pairs
        enrolled = np.ones(400, bool)
        enrolled[:2] = False  # one genuine, one impostor
        ours = cross_validate(left, right, genuine, folds=folds, enrolled=enrolled)
        assert ours.scores[:2].tolist() == [-np.inf, np.inf]
        wrong = (ours.scores[:40] >= ours.thresholds[0]) != genuine[:40]
        assert wrong[:2].all()
        assert ours.accuracies[0] == pytest.approx(1 - wrong.mean())

    def test_euclidean_needs_no_mean(self, pairs):
        left, right, genuine, folds = pairs
        centred = cross_validate(left, right, genuine, folds=folds, metric="euclidean")
        plain = cross_validate(left, right, genuine, folds=folds, metric="euclidean", subtract_mean=False)
        assert centred.accuracies == pytest.approx(plain.accuracies)

    @pytest.mark.parametrize("change", [{"folds": np.zeros(400)}, {"folds": np.arange(399)}, {"enrolled": [True]}])
    def test_refuses(self, pairs, change):
        left, right, genuine, folds = pairs
        with pytest.raises(ValueError, match="must be equally long and of two folds or more"):
            cross_validate(left, right, genuine, **{"folds": folds, **change})


class TestSeparation:
    def test_by_hand(self):
        assert separation([1, 3, -1, -3], [True, True, False, False]) == pytest.approx(4)
        assert separation([1, 3, -np.inf, -1, -3], [True, True, True, False, False]) == pytest.approx(4)
        assert separation([1, -np.inf, np.inf], [True, True, False]) == 0
        assert separation([1, 1, 0, 0], [True, True, False, False]) == 0

    def test_weights_count_pairs_again(self):
        scores, genuine = np.array([1.0, 3, 2, -1, -3]), np.array([True, True, True, False, False])
        times = np.array([1, 2, 0, 1, 3])
        again = np.repeat(np.arange(5), times)
        assert separation(scores, genuine, weights=times) == pytest.approx(separation(scores[again], genuine[again]))
