"""Verification (1:1): how well scores tell pairs of the same person from pairs of different people.

A pair is accepted when ``score >= threshold``. FAR is the share of impostor pairs accepted, TAR the share of genuine
pairs accepted (ISO/IEC 19795-1). A pair that could not be scored has score ``-inf`` if genuine and ``inf`` if
impostor: it is an error at every threshold.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

METRICS = ("cosine", "euclidean")

FALSE_ACCEPT_RATES = (1e-1, 1e-2, 1e-3)

N_BOOTSTRAP = 1000
CONFIDENCE = 0.95


class TarEstimate(NamedTuple):
    """A true accept rate and its confidence interval, all in [0, 1]; ``_asdict()`` is the JSON form."""

    value: float
    low: float
    high: float


class Roc(NamedTuple):
    """Receiver operating characteristic: one point per distinct score, thresholds descending, first nothing accepted.

    The detection error trade-off is the same curve with ``1 - tar`` over ``far``.
    """

    thresholds: NDArray[np.float64]
    far: NDArray[np.float64]
    tar: NDArray[np.float64]


class Folds(NamedTuple):
    """Result of `cross_validate`: accuracy and threshold of each fold, and the score of each pair in its own fold."""

    accuracies: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    scores: NDArray[np.float64]


class SeparationComparison(NamedTuple):
    """d' of two embeddings, and in which share of the redraws the second has the higher one."""

    first: float
    second: float
    second_better: float


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
        raise ValueError(f"`metric` must be one of {', '.join(METRICS)}, got {metric!r}")
    one, two = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if one.ndim != 2 or one.shape != two.shape:
        raise ValueError(f"`left` and `right` must be two arrays of shape (n, d), got {one.shape} and {two.shape}")
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise ValueError("`left` and `right` must be finite, got NaN or infinity; mark such pairs as not enrolled")
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
    values, same = _checked(scores, genuine)
    order = np.argsort(-values, kind="stable")
    descending = values[order]
    # Equal scores are accepted together: only the last of each run is a point.
    last = np.append(descending[1:] != descending[:-1], True)
    accepted_genuine, accepted = np.cumsum(same[order])[last], np.flatnonzero(last) + 1
    n_genuine = same.sum()
    tar = np.concatenate([[0.0], accepted_genuine / n_genuine])
    far = np.concatenate([[0.0], (accepted - accepted_genuine) / (len(values) - n_genuine)])
    return Roc(np.concatenate([[np.inf], descending[last]]), far, tar)


def area_under(curve: Roc) -> float:
    """Return the area under the curve: the chance that a genuine pair outscores an impostor, ties counted half."""
    return float(np.trapezoid(curve.tar, curve.far))


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
        raise ValueError(f"`far` must lie above 0 and below 1, got {far}; for example 0.01")
    return float(curve.tar[np.searchsorted(curve.far, far * (1 + 1e-12), side="right") - 1])


def tar_intervals(
    scores: ArrayLike,
    genuine: ArrayLike,
    identities: Sequence[tuple[str, str]] | NDArray[np.str_],
    *,
    fars: Sequence[float] = FALSE_ACCEPT_RATES,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> dict[float, TarEstimate]:
    """Return TAR at each of `fars` with its interval, bootstrapped over identities.

    Pairs that share a person are not independent, so people are redrawn, not pairs (the subsets bootstrap: Bolle, Ratha
    and Pankanti, Computer Vision and Image Understanding 93, 2004). A genuine pair then counts as often as its person
    was drawn, an impostor pair as often as the product of its two people's draws (the vertex bootstrap: Snijders and
    Borgatti, Connections 22, 1999).

    Parameters
    ----------
    scores, genuine : array_like, shape (n,)
        As for `roc`.
    identities : sequence of pairs, shape (n, 2)
        The two people of each pair.

    Raises
    ------
    ValueError
        If the lengths differ, or as `roc` and `tar_at_far` do.
    """
    values, same = _checked(scores, genuine)
    people = np.asarray(identities)
    if people.shape != (len(values), 2):
        raise ValueError(f"`identities` must be ({len(values)}, 2), two people a pair, got shape {people.shape}")
    curve = roc(values, same)
    points = {far: tar_at_far(curve, far) for far in fars}
    person = np.unique(people, return_inverse=True)[1].reshape(-1, 2)
    n_people = int(person.max()) + 1
    impostors = np.flatnonzero(~same)
    impostors = impostors[np.argsort(-values[impostors], kind="stable")]
    rng = np.random.default_rng(seed)
    draws = np.empty((n_bootstrap, len(fars)))
    for draw in draws:
        times = np.bincount(rng.integers(n_people, size=n_people), minlength=n_people)
        genuine_pairs = _Redrawn(values[same], times[person[same, 0]])
        impostor_pairs = _Redrawn(values[impostors], times[person[impostors, 0]] * times[person[impostors, 1]])
        draw[:] = _redrawn_tars(genuine_pairs, impostor_pairs, fars)
    n_genuine_people = len(np.unique(person[same, 0]))
    return {far: _estimate(points[far], draws[:, i], n_people=n_genuine_people) for i, far in enumerate(fars)}


def best_threshold(scores: ArrayLike, genuine: ArrayLike) -> float:
    """Return the threshold of highest accuracy: where several do equally well, the middle one.

    Raises
    ------
    ValueError
        As `roc` does, or if no score is finite.
    """
    values, same = _checked(scores, genuine)
    candidates = np.unique(values[np.isfinite(values)])
    if not len(candidates):
        raise ValueError("`scores` must hold at least one finite score, got none; no pair could be enrolled")
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
        raise ValueError(
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
    values, same = _checked(scores, genuine)
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


def compare_separation(
    first: ArrayLike,
    second: ArrayLike,
    identities: Sequence[str] | NDArray[np.str_],
    *,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> SeparationComparison:
    """Return how well two embeddings of the same faces tell people apart, over all pairs of the faces.

    Parameters
    ----------
    first, second : array_like, shapes (n, d) and (n, e)
        Unit vectors of the same faces.
    identities : (n,) str
        Who is seen; people are redrawn, so that the certainty of the difference is known.

    Raises
    ------
    ValueError
        If lengths differ, or there is no pair of each kind.
    """
    one, two, people = np.asarray(first), np.asarray(second), np.asarray(identities)
    if not len(one) == len(two) == len(people):
        raise ValueError(
            f"`first`, `second` and `identities` must be equally long, got {len(one)}, {len(two)} and {len(people)}"
        )
    left, right = np.triu_indices(len(people), 1)
    genuine = people[left] == people[right]
    scores = [(vectors @ vectors.T)[left, right] for vectors in (one, two)]
    person = np.unique(people, return_inverse=True)[1]
    n_people = int(person.max(initial=-1)) + 1
    values = [separation(score, genuine) for score in scores]
    rng = np.random.default_rng(seed)
    n_better = 0
    for _ in range(n_bootstrap):
        times = np.bincount(rng.integers(n_people, size=n_people), minlength=n_people)[person]
        weights = np.where(genuine, times[left], times[left] * times[right])
        n_better += separation(scores[1], genuine, weights=weights) > separation(scores[0], genuine, weights=weights)
    return SeparationComparison(values[0], values[1], n_better / n_bootstrap)


class _Redrawn(NamedTuple):
    """Scores, and how often each was drawn."""

    scores: NDArray[np.float64]
    times: NDArray[np.int64]


def _redrawn_tars(genuine: _Redrawn, impostor: _Redrawn, fars: Sequence[float]) -> NDArray[np.float64]:
    """TAR at each of `fars` where each pair counts as often as drawn; the impostors' scores descend."""
    accepted = np.cumsum(impostor.times)
    n_genuine = genuine.times.sum()
    if not accepted[-1] or not n_genuine:
        return np.full(len(fars), np.nan)
    first_too_many = np.searchsorted(accepted, np.asarray(fars) * accepted[-1] * (1 + 1e-12), side="right")
    bars = impostor.scores[np.minimum(first_too_many, len(accepted) - 1)]
    return np.asarray([genuine.times[genuine.scores > bar].sum() for bar in bars]) / n_genuine


def _estimate(value: float, draws: NDArray[np.float64], *, n_people: int) -> TarEstimate:
    tail = (1 - CONFIDENCE) / 2
    if value in (0.0, 1.0):
        # All pairs alike: redrawing shows no spread, the exact binomial bound (Clopper and Pearson) does.
        width = 1 - tail ** (1 / n_people)
        return TarEstimate(value, *((0.0, width) if value == 0 else (1 - width, 1.0)))
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return TarEstimate(value, min(float(low), value), max(float(high), value))


def _checked(scores: ArrayLike, genuine: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, same = np.asarray(scores, dtype=np.float64), np.asarray(genuine, dtype=bool)
    if values.ndim != 1 or values.shape != same.shape:
        raise ValueError(f"`scores` and `genuine` must be equally long lists, got {values.shape} and {same.shape}")
    if np.isnan(values).any():
        raise ValueError("`scores` must not be NaN; mark pairs without a score as not enrolled")
    if not 0 < same.sum() < len(same):
        raise ValueError(
            f"`genuine` must mark some pairs but not all, got {same.sum()} of {len(same)}; "
            "both pairs of one person and of two are needed"
        )
    return values, same
