"""Verification (1:1) metrics: how well scores tell pairs of the same person from pairs of different people.

A pair is accepted when ``score >= threshold``. FAR is the share of impostor pairs accepted, TAR the share of genuine
pairs accepted (ISO/IEC 19795-1). A pair that could not be scored has score ``-inf`` if genuine and ``inf`` if
impostor: it is an error at every threshold.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foundation.errors import InputError

METRICS = ("cosine", "euclidean")

FALSE_ACCEPT_RATES = (1e-1, 1e-2, 1e-3)


class Roc(NamedTuple):
    """Receiver operating characteristic: one point per distinct score.

    Attributes
    ----------
    thresholds : (m + 1,) float
        Descending; the first is ``inf``, where nothing is accepted.
    far, tar : (m + 1,) float
        Shares of impostor and of genuine pairs accepted, 0..1, ascending.
    """

    thresholds: NDArray[np.float64]
    far: NDArray[np.float64]
    tar: NDArray[np.float64]


class Det(NamedTuple):
    """Detection error trade-off: from the last point without a false accept to the first without a false reject.

    Attributes
    ----------
    thresholds : (m,) float
        Descending.
    far : (m,) float
        Share of impostor pairs accepted, 0..1, ascending.
    frr : (m,) float
        False reject rate, the share of genuine pairs refused, ``1 - tar``, 0..1, descending.
    """

    thresholds: NDArray[np.float64]
    far: NDArray[np.float64]
    frr: NDArray[np.float64]


class Folds(NamedTuple):
    """Result of `cross_validate`.

    Attributes
    ----------
    accuracies, thresholds : (n_folds,) float
        Of each fold, in the order of their numbers.
    scores : (n,) float
        Of each pair, as its own fold scores it.
    """

    accuracies: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    scores: NDArray[np.float64]


def pair_scores(left: ArrayLike, right: ArrayLike, *, metric: str = "cosine") -> NDArray[np.float64]:
    """Return one score a pair: the cosine, or minus the Euclidean distance.

    Parameters
    ----------
    left, right : array_like, shape (n, d)
        The two embeddings of each pair. A row of zeros has cosine 0 with everything.
    metric : {"cosine", "euclidean"}

    Raises
    ------
    ValueError
        If the shapes differ, a value is not finite, or the metric is unknown.

    >>> pair_scores([[1, 0], [1, 0]], [[2, 0], [0, 1]]).tolist()
    [1.0, 0.0]
    """
    if metric not in METRICS:
        raise InputError(f"`metric` must be one of {', '.join(METRICS)}, got {metric!r}")
    one, two = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if one.ndim != 2 or one.shape != two.shape:
        raise InputError(f"`left` and `right` must be two arrays of shape (n, d), got {one.shape} and {two.shape}")
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise InputError("`left` and `right` must be finite, got NaN or infinity; mark such pairs as not enrolled")
    if metric == "euclidean":
        return -np.linalg.norm(one - two, axis=1)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return np.divide(np.einsum("ij,ij->i", one, two), lengths, out=np.zeros(len(one)), where=lengths > 0)


def roc(scores: ArrayLike, genuine: ArrayLike) -> Roc:
    """Return the receiver operating characteristic of `scores` (n,), where `genuine` (n,) marks same-person pairs.

    Raises
    ------
    ValueError
        If the lengths differ, a score is NaN, or one of the two kinds of pairs is missing.

    >>> roc([0.9, 0.8, 0.3], [True, False, True]).tar.tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    from sklearn.metrics import roc_curve

    values, ranks, same = _ranked(scores, genuine)
    far, tar, thresholds = roc_curve(same, ranks, drop_intermediate=False)
    return Roc(_scores_of(thresholds, values), far, tar)


def det(scores: ArrayLike, genuine: ArrayLike) -> Det:
    """Return the detection error trade-off of `scores` (n,), where `genuine` (n,) marks same-person pairs.

    Raises
    ------
    ValueError
        As `roc` does.

    >>> det([0.9, 0.8, 0.3], [True, False, True])
    Det(thresholds=array([0.9, 0.8, 0.3]), far=array([0., 1., 1.]), frr=array([0.5, 0.5, 0. ]))
    """
    from sklearn.metrics import det_curve

    values, ranks, same = _ranked(scores, genuine)
    far, frr, thresholds = det_curve(same, ranks, drop_intermediate=False)
    return Det(_scores_of(thresholds[::-1], values), far[::-1], frr[::-1])


def area_under(curve: Roc) -> float:
    """Return the area under the curve: the chance that a genuine pair outscores an impostor, ties counted half.

    >>> area_under(roc([0.9, 0.8, 0.3, 0.3], [True, False, True, False]))
    0.625
    """
    from sklearn.metrics import auc

    return float(auc(curve.far, curve.tar))


def equal_error_rate(curve: Roc) -> float:
    """Return the rate at which false accepts equal false rejects, between points by a straight line."""
    misses = 1 - curve.tar
    after = int(np.argmax(curve.far >= misses))
    far, miss = curve.far[after - 1 : after + 1], misses[after - 1 : after + 1]
    gap = miss - far
    share = gap[0] / (gap[0] - gap[1])
    return float(far[0] + share * (far[1] - far[0]))


def tar_at_far(curve: Roc, far: float) -> float:
    """Return the highest share of genuine pairs accepted by a threshold that accepts at most `far` of the impostors.

    Raises
    ------
    ValueError
        If `far` is not above 0 and below 1.
    """
    if not 0 < far < 1:
        raise InputError(f"`far` must lie above 0 and below 1, got {far}; for example 0.01")
    return float(curve.tar[np.searchsorted(curve.far, far * (1 + 1e-12), side="right") - 1])


def best_threshold(scores: ArrayLike, genuine: ArrayLike) -> float:
    """Return the threshold of highest accuracy: where several do equally well, the middle one.

    Raises
    ------
    ValueError
        As `roc` does, or if no score is finite.
    """
    values, same = check_scores(scores, genuine)
    candidates = np.unique(values[np.isfinite(values)])
    if not len(candidates):
        raise InputError("`scores` must hold at least one finite score, got none; no pair could be enrolled")
    candidates = np.append(candidates, candidates[-1] + 1)
    right_genuine = same.sum() - np.searchsorted(np.sort(values[same]), candidates, side="left")
    right_impostor = np.searchsorted(np.sort(values[~same]), candidates, side="left")
    right = right_genuine + right_impostor
    best = np.flatnonzero(right == right.max())
    at = best[len(best) // 2]
    # Halfway to the score below, so that scores a rounding error apart fall on the same side.
    return float(candidates[at] if at == 0 else (candidates[at - 1] + candidates[at]) / 2)


def cross_validate(
    left: ArrayLike,
    right: ArrayLike,
    genuine: ArrayLike,
    *,
    folds: ArrayLike,
    enrolled: ArrayLike | None = None,
    metric: str = "cosine",
    subtract_mean: bool = True,
) -> Folds:
    """Return the accuracy of each fold, mean and threshold chosen on the other folds (Huang et al., UMass TR 07-49).

    Parameters
    ----------
    left, right : array_like, shape (n, d)
        The two embeddings of each pair; rows of pairs that are not enrolled are ignored.
    genuine : array_like of bool, shape (n,)
    folds : array_like of int, shape (n,)
        The fold of each pair; at least two folds.
    enrolled : array_like of bool, shape (n,), optional
        False where a photo of the pair gave no vector: such a pair is an error in its fold. Default: all true.
    metric : {"cosine", "euclidean"}
    subtract_mean : bool
        Subtract the mean vector of the other folds before scoring.

    Raises
    ------
    ValueError
        If lengths differ, there are under two folds, or the pairs of the other folds are all of one kind.
    """
    one, two = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    same, fold = np.asarray(genuine, dtype=bool), np.asarray(folds)
    usable = np.ones(len(one), bool) if enrolled is None else np.asarray(enrolled, dtype=bool)
    lengths = {len(one), len(two), len(same), len(fold), len(usable)}
    names = np.unique(fold)
    if len(lengths) != 1 or len(names) < 2:
        raise InputError(
            "`left`, `right`, `genuine`, `folds` and `enrolled` must be equally long and of two folds or "
            f"more, got lengths {sorted(lengths)} and {len(names)} folds"
        )
    scores = np.empty(len(one))
    accuracies, thresholds = [], []
    for name in names:
        test = fold == name
        train = ~test & usable
        mean = np.concatenate([one[train], two[train]]).mean(axis=0) if subtract_mean and train.any() else 0.0
        of_fold = np.where(same, -np.inf, np.inf)
        of_fold[usable] = pair_scores(one[usable] - mean, two[usable] - mean, metric=metric)
        threshold = best_threshold(of_fold[~test], same[~test])
        accuracies.append(np.mean((of_fold[test] >= threshold) == same[test]))
        thresholds.append(threshold)
        scores[test] = of_fold[test]
    return Folds(np.asarray(accuracies), np.asarray(thresholds), scores)


def separation(scores: ArrayLike, genuine: ArrayLike, *, weights: ArrayLike | None = None) -> float:
    """Return d': the distance of the two mean scores in units of their mean spread, over the finite scores.

    Parameters
    ----------
    scores, genuine : array_like, shape (n,)
        As for `roc`.
    weights : array_like, shape (n,), optional
        How often each pair counts; each kind of pairs must count at all.

    Raises
    ------
    ValueError
        As `roc` does.
    """
    values, same = check_scores(scores, genuine)
    times = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    means, variances = [], []
    for kind in (same, ~same):
        usable = kind & np.isfinite(values) & (times > 0)
        if not usable.any():
            return 0.0
        means.append(np.average(values[usable], weights=times[usable]))
        variances.append(np.average((values[usable] - means[-1]) ** 2, weights=times[usable]))
    spread = np.sqrt(np.mean(variances))
    return float((means[0] - means[1]) / spread) if spread > 0 else 0.0


def _ranked(scores: ArrayLike, genuine: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the distinct scores, each pair's index among them, and `genuine`.

    scikit-learn refuses infinite scores, those of pairs that failed to enrol; their ranks give the same curve.
    """
    values, same = check_scores(scores, genuine)
    distinct, ranks = np.unique(values, return_inverse=True)
    return distinct, ranks, same


def _scores_of(ranks: NDArray[np.float64], distinct: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores of `ranks`, of which the first may be infinite: a threshold that accepts nothing."""
    is_finite = np.isfinite(ranks)
    return np.where(is_finite, distinct[np.where(is_finite, ranks, 0).astype(np.int64)], np.inf)


def check_scores(scores: ArrayLike, genuine: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return `scores` as float64 (n,) and `genuine` as bool (n,).

    Raises
    ------
    ValueError
        If the lengths differ, a score is NaN, or one of the two kinds of pairs is missing.
    """
    values, same = np.asarray(scores, dtype=np.float64), np.asarray(genuine, dtype=bool)
    if values.ndim != 1 or values.shape != same.shape:
        raise InputError(f"`scores` and `genuine` must be equally long lists, got {values.shape} and {same.shape}")
    if np.isnan(values).any():
        raise InputError("`scores` must not be NaN; mark pairs without a score as not enrolled")
    if not 0 < same.sum() < len(same):
        raise InputError(
            f"`genuine` must mark some pairs but not all, got {same.sum()} of {len(same)}; "
            "both pairs of one person and of two are needed"
        )
    return values, same
