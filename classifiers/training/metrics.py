"""Measure open-set identification (1:N); pure functions on arrays.

Identification follows ISO/IEC 19795-1: a *mated* probe shows an enrolled person, a *stranger* shows nobody enrolled.
A probe is accepted when ``score >= threshold``. Intervals are bootstraps over identities, because several photos of
one person are not independent.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foundation.errors import InputError

N_BOOTSTRAP = 1000
CONFIDENCE = 0.95

# Drawn together: so many people's counts are held in memory at a time.
_DRAWS_AT_ONCE = 100


class RateEstimate(NamedTuple):
    """A rate and its confidence interval, all in [0, 1]; ``_asdict()`` is its JSON form."""

    value: float
    low: float
    high: float


class IdentificationDet(NamedTuple):
    """Detection error trade-off: error rates over all thresholds.

    Attributes
    ----------
    thresholds : (t,) float64
        Ascending.
    fpir : (t,) float64
        Share of strangers accepted.
    fnir : (t,) float64
        Share of mated probes missed: rejected, or taken for somebody else.
    """

    thresholds: NDArray[np.float64]
    fpir: NDArray[np.float64]
    fnir: NDArray[np.float64]


def threshold_at_fpir(stranger_scores: ArrayLike, fpir: float) -> float:
    """Return the lowest threshold that accepts at most the share `fpir` of `stranger_scores`.

    Parameters
    ----------
    stranger_scores : array_like, shape (n,)
        Highest score of each probe that shows nobody enrolled.
    fpir : float
        Wanted false-positive identification rate, above 0 and below 1. Below ``1 / n`` no stranger at all is accepted.

    Raises
    ------
    ValueError
        If there is no score, one is not finite, or `fpir` is out of range.

    >>> threshold_at_fpir([0.1, 0.2, 0.3, 0.4], 0.25) > 0.3
    np.True_
    """
    scores = _scores("stranger_scores", stranger_scores)
    return _threshold_accepting(np.sort(scores)[::-1], _fpir(fpir) * len(scores))


def tpir_at_fpir(
    mated_scores: ArrayLike,
    mated_correct: ArrayLike,
    stranger_scores: ArrayLike,
    *,
    fpir: float,
    mated_identities: Sequence[Any] | NDArray[Any] | None = None,
    stranger_identities: Sequence[Any] | NDArray[Any] | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> RateEstimate:
    """Return the share of mated probes named rightly at the threshold where strangers reach `fpir`.

    Parameters
    ----------
    mated_scores : array_like, shape (n_mated,)
        Score of the best identity for each mated probe.
    mated_correct : array_like of bool, shape (n_mated,)
        Whether that best identity is the right one.
    stranger_scores : array_like, shape (n_strangers,)
        Score of the best identity for each stranger.
    mated_identities, stranger_identities : sequence, optional
        Who is seen; the bootstrap draws identities, with all their probes. Without them each probe is its own identity.

    Returns
    -------
    Estimate
        Threshold and rate are both redrawn, so the interval covers the uncertainty of the threshold too.

    Raises
    ------
    ValueError
        If lengths differ, an array is empty or not finite, or `fpir` is out of range.
    """
    threshold = threshold_at_fpir(stranger_scores, fpir)
    scores = _scores("mated_scores", mated_scores)
    correct = _booleans("mated_correct", mated_correct, len(scores))
    strangers = _scores("stranger_scores", stranger_scores)
    value = float(np.mean(correct & (scores >= threshold)))
    mated = _groups("mated_identities", mated_identities, len(scores))
    others = _groups("stranger_identities", stranger_identities, len(strangers))
    order = np.argsort(-strangers, kind="stable")
    strangers, others = strangers[order], others[order]
    rng = np.random.default_rng(seed)
    draws = np.empty(n_bootstrap)
    for draw in range(n_bootstrap):
        mated_weights, stranger_weights = _resample(rng, mated), _resample(rng, others)
        at = _threshold_accepting(strangers, fpir * stranger_weights.sum(), weights=stranger_weights)
        draws[draw] = mated_weights[correct & (scores >= at)].sum() / mated_weights.sum()
    return _estimate(value, draws, n_identities=int(mated.max()) + 1)


def rate(
    outcomes: ArrayLike,
    identities: Sequence[Any] | NDArray[Any] | None = None,
    *,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> RateEstimate:
    """Return the share of true `outcomes`, its interval bootstrapped over `identities`.

    Parameters
    ----------
    outcomes : array_like of bool, shape (n,)
    identities : sequence, optional
        Whose outcome each is; the bootstrap draws identities, with all their outcomes.
    n_bootstrap : int
        Draws: more make the interval steadier and take longer.
    seed : int
        Of the draws.

    Raises
    ------
    ValueError
        If `outcomes` is empty or the lengths differ.

    >>> rate([True, True, False, True]).value
    0.75
    """
    hits = np.asarray(outcomes)
    hits = _booleans("outcomes", hits, len(hits))
    return rates(hits[:, None], identities, n_bootstrap=n_bootstrap, seed=seed)[0]


def rates(
    outcomes: NDArray[np.bool_],
    identities: Sequence[Any] | NDArray[Any] | None = None,
    *,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> list[RateEstimate]:
    """Return the `rate` of each column of `outcomes`, such as those of the same probes at several thresholds.

    Parameters
    ----------
    outcomes : (n, k) bool
    identities, n_bootstrap, seed
        As in `rate`; all columns share the draws.

    Raises
    ------
    ValueError
        If `outcomes` is empty or the lengths differ.

    >>> [one.value for one in rates(np.array([[True, False], [True, True]]))]
    [1.0, 0.5]
    """
    if not len(outcomes):
        raise InputError("`outcomes` must hold at least one value, got none; there is no rate of nothing")
    groups = _groups("identities", identities, len(outcomes))
    sizes = np.bincount(groups)
    hits = np.zeros((len(sizes), outcomes.shape[1]))
    np.add.at(hits, groups, outcomes)
    rng = np.random.default_rng(seed)
    draws = np.empty((n_bootstrap, outcomes.shape[1]))
    for first in range(0, n_bootstrap, _DRAWS_AT_ONCE):
        part = draws[first : first + _DRAWS_AT_ONCE]
        picked = [np.bincount(rng.integers(len(sizes), size=len(sizes)), minlength=len(sizes)) for _ in part]
        drawn = np.stack(picked).astype(np.float64)
        part[:] = drawn @ hits / (drawn @ sizes)[:, None]
    values = hits.sum(axis=0) / len(outcomes)
    return [_estimate(float(one), draws[:, column], n_identities=len(sizes)) for column, one in enumerate(values)]


def mated_ranks(
    similarity: ArrayLike, probe_identities: Sequence[Any] | NDArray[Any], gallery_identities: Sequence[Any]
) -> NDArray[np.int64]:
    """Return the rank ``(n,)`` int64 of each probe's own identity, from 1.

    Parameters
    ----------
    similarity : array_like, shape (n, k)
        Similarity of each probe to each enrolled identity. Equal similarities count against the probe.
    probe_identities : sequence, length n
    gallery_identities : sequence, length k

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or a probe's identity is not enrolled.
    """
    matrix = np.asarray(similarity, dtype=np.float64)
    probes, gallery = np.asarray(probe_identities), np.asarray(gallery_identities)
    if matrix.shape != (len(probes), len(gallery)):
        raise InputError(
            f"`similarity` must be ({len(probes)}, {len(gallery)}), a row per probe and a column per "
            f"enrolled identity, got {matrix.shape}"
        )
    if not np.isfinite(matrix).all():
        raise InputError("`similarity` must be finite, got NaN or infinity; remove those rows")
    column_of = {identity: column for column, identity in enumerate(gallery.tolist())}
    missing = sorted({str(identity) for identity in probes.tolist() if identity not in column_of})
    if missing:
        raise InputError(
            f"`probe_identities` must all be enrolled, got {', '.join(missing[:3])}; "
            "count probes of strangers with `tpir_at_fpir`"
        )
    own = matrix[np.arange(len(probes)), [column_of[identity] for identity in probes.tolist()]]
    ranks: NDArray[np.int64] = (matrix >= own[:, None]).sum(axis=1)
    return ranks


def cmc(ranks: ArrayLike, max_rank: int) -> NDArray[np.float64]:
    """Return the cumulative match characteristic ``(max_rank,)``: the share of `ranks` at most 1, 2, ... `max_rank`.

    Raises
    ------
    ValueError
        If `ranks` is empty or `max_rank` is below 1.

    >>> cmc([1, 1, 3, 2], 3).tolist()
    [0.5, 0.75, 1.0]
    """
    places = np.asarray(ranks)
    if not len(places) or max_rank < 1:
        raise InputError(f"`ranks` and `max_rank` must be at least one each, got {len(places)} ranks and {max_rank}")
    shares: NDArray[np.float64] = (places[:, None] <= np.arange(1, max_rank + 1)).mean(axis=0)
    return shares


def identification_det(
    mated_scores: ArrayLike, mated_correct: ArrayLike, stranger_scores: ArrayLike
) -> IdentificationDet:
    """Return the detection error trade-off of an identification run, one point per distinct score.

    A mated probe that is taken for somebody else is missed at every threshold, which no curve of a two-class problem
    knows; where all are named rightly, the rates are those of scikit-learn's ``det_curve``.

    Parameters
    ----------
    mated_scores, mated_correct, stranger_scores
        As in `tpir_at_fpir`.

    Raises
    ------
    ValueError
        If an array is empty, not finite, or the lengths differ.
    """
    scores = _scores("mated_scores", mated_scores)
    correct = _booleans("mated_correct", mated_correct, len(scores))
    strangers = np.sort(_scores("stranger_scores", stranger_scores))
    found = np.sort(scores[correct])
    thresholds = np.unique(np.concatenate([scores, strangers]))
    thresholds = np.append(thresholds, np.nextafter(thresholds[-1], np.inf))
    fpir = 1 - np.searchsorted(strangers, thresholds, side="left") / len(strangers)
    tpir = (len(found) - np.searchsorted(found, thresholds, side="left")) / len(scores)
    return IdentificationDet(thresholds, fpir, 1 - tpir)


def _fpir(value: float) -> float:
    if not 0 < value < 1:
        raise InputError(f"`fpir` must lie above 0 and below 1, got {value}; for example 0.01")
    return value


def _threshold_accepting(
    descending: NDArray[np.float64], allowed: float, *, weights: NDArray[np.float64] | None = None
) -> float:
    """Lowest threshold at which the weight of the accepted scores is at most `allowed`."""
    total = np.cumsum(np.ones(len(descending)) if weights is None else weights)
    first_too_many = int(np.searchsorted(total, allowed * (1 + 1e-12), side="right"))
    threshold: float = np.nextafter(descending[min(first_too_many, len(descending) - 1)], np.inf)
    return threshold


def _resample(rng: np.random.Generator, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    n_groups = int(groups.max()) + 1
    return np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups)[groups].astype(np.float64)


def _estimate(value: float, draws: NDArray[np.float64], *, n_identities: int) -> RateEstimate:
    tail = (1 - CONFIDENCE) / 2
    if value in (0.0, 1.0):
        # All outcomes alike: resampling shows no spread, the exact binomial bound (Clopper and Pearson) does.
        width = 1 - tail ** (1 / n_identities)
        return RateEstimate(value, *((0.0, width) if value == 0 else (1 - width, 1.0)))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return RateEstimate(value, float(min(low, value)), float(max(high, value)))


def _groups(name: str, identities: Any, length: int) -> NDArray[np.int64]:
    if identities is None:
        return np.arange(length)
    if len(identities) != length:
        raise InputError(f"`{name}` must have one entry per score, {length}, got {len(identities)}")
    return np.unique(np.asarray(identities), return_inverse=True)[1].astype(np.int64)


def _scores(name: str, values: ArrayLike) -> NDArray[np.float64]:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise InputError(
            f"`{name}` must be a list of at least one finite number, got shape {scores.shape}"
            + ("" if np.isfinite(scores).all() else " with NaN or infinity")
        )
    return scores


def _booleans(name: str, values: ArrayLike, length: int) -> NDArray[np.bool_]:
    flags = np.asarray(values, dtype=bool)
    if flags.shape != (length,):
        raise InputError(f"`{name}` must have one entry per score, {length}, got shape {flags.shape}")
    return flags
