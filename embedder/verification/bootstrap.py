"""Confidence intervals of verification figures: a bootstrap over people.

Pairs that share a person are not independent, so people are redrawn, not pairs (the subsets bootstrap: Bolle, Ratha and
Pankanti, Computer Vision and Image Understanding 93, 2004). A genuine pair then counts as often as its person was
drawn, an impostor pair as often as the product of its two people's draws (the vertex bootstrap: Snijders and Borgatti,
Connections 22, 1999).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedder.verification.metrics import FALSE_ACCEPT_RATES, check_scores, roc, separation, tar_at_far
from foundation.errors import InputError

N_BOOTSTRAP = 1000
CONFIDENCE = 0.95


class TarEstimate(NamedTuple):
    """A true accept rate and its confidence interval, all in [0, 1]; ``_asdict()`` is the JSON form."""

    value: float
    low: float
    high: float


class SeparationComparison(NamedTuple):
    """d' of two embeddings, and in which share of the redraws the second has the higher one."""

    first: float
    second: float
    second_better: float


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

    Parameters
    ----------
    scores, genuine : array_like, shape (n,)
        As for `embedder.verification.metrics.roc`.
    identities : sequence of pairs, shape (n, 2)
        The two people of each pair.
    fars : sequence of float
        Each above 0 and below 1.
    n_bootstrap : int
        Redraws; more make the interval's ends steadier and take longer.
    seed : int
        Of the redraws; the same seed gives the same intervals.

    Raises
    ------
    ValueError
        If the lengths differ, or as `roc` and `tar_at_far` do.
    """
    values, same = check_scores(scores, genuine)
    people = np.asarray(identities)
    if people.shape != (len(values), 2):
        raise InputError(f"`identities` must be ({len(values)}, 2), two people a pair, got shape {people.shape}")
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
        Who is seen.
    n_bootstrap, seed
        As for `tar_intervals`.

    Raises
    ------
    ValueError
        If lengths differ, or there is no pair of each kind.
    """
    one, two, people = np.asarray(first), np.asarray(second), np.asarray(identities)
    if not len(one) == len(two) == len(people):
        raise InputError(
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
    """Return TAR at each of `fars` where each pair counts as often as drawn; the impostors' scores descend."""
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
