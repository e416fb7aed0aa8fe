"""How well vectors separate people, with an interval: d' over redraws of the people.

A genuine pair counts as often as its person was drawn, an impostor pair as often as the product of its two people's
draws, as in `embedder.verification.bootstrap`. Since d' needs counts, sums and sums of squares of scores alone, these
are added up for each pair of people once, and a redraw is a product of matrices.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedder.verification.metrics import equal_error_rate, roc

N_REDRAWS = 1000
CONFIDENCE = 0.95


class Separation(NamedTuple):
    """How well vectors separate people.

    Attributes
    ----------
    value : float
        d', see `embedder.verification.metrics.separation`; -inf for vectors that are not finite.
    low, high : float
        Its 95 % interval.
    equal_error_rate : float
    draws : (n,) float64
        d' of each redraw.
    """

    value: float
    low: float
    high: float
    equal_error_rate: float
    draws: NDArray[np.float64]


class SeparationMeter:
    """Measures d' of vectors of the same faces, always on the same redraws of their people.

    Parameters
    ----------
    people : (n,) int
        Who is seen on each face: 0, 1, ... At least one of them more than once, at least two in all.
    """

    def __init__(self, people: NDArray[np.integer]) -> None:
        self._people = np.asarray(people)
        n = int(self._people.max()) + 1
        rng = np.random.default_rng(0)
        self._times = np.stack([np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(N_REDRAWS)])
        self._left, self._right = np.triu_indices(len(self._people), 1)
        self._same = self._people[self._left] == self._people[self._right]

    def measure(self, vectors: NDArray[np.float32]) -> Separation:
        """Return how well `vectors`, (n, d) of unit length, separate the people."""
        if not np.isfinite(vectors).all():
            return Separation(-np.inf, -np.inf, -np.inf, 1.0, np.full(N_REDRAWS, -np.inf))
        scores = (vectors.astype(np.float64) @ vectors.T.astype(np.float64))[self._left, self._right]
        everybody = np.ones((1, self._times.shape[1]))
        value = float(self._d_prime(scores, everybody)[0])
        draws = self._d_prime(scores, self._times.astype(np.float64))
        tail = (1 - CONFIDENCE) / 2
        low, high = np.nanquantile(draws, [tail, 1 - tail]) if np.isfinite(draws).any() else (value, value)
        error = equal_error_rate(roc(scores, self._same))
        return Separation(value, min(float(low), value), max(float(high), value), error, draws)

    def _d_prime(self, scores: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return d' for each row of `times` (m, people): how often each person counts; NaN where a kind is missing."""
        n = times.shape[1]
        pair = self._people[self._left] * n + self._people[self._right]
        moments = []
        for power in (0, 1, 2):
            sums = np.bincount(pair, weights=scores**power, minlength=n * n).reshape(n, n)
            genuine = times @ np.diag(sums)
            np.fill_diagonal(sums, 0)
            moments.append((genuine, ((times @ sums) * times).sum(axis=1)))
        with np.errstate(invalid="ignore", divide="ignore"):
            means = [moments[1][kind] / moments[0][kind] for kind in (0, 1)]
            variances = [moments[2][kind] / moments[0][kind] - means[kind] ** 2 for kind in (0, 1)]
            result: NDArray[np.float64] = (means[0] - means[1]) / np.sqrt(np.mean(variances, axis=0))
        return result


def share_better(first: Separation, second: Separation) -> float:
    """Return in which share of the redraws `first` separates people better than `second`, 0..1."""
    usable = ~(np.isnan(first.draws) | np.isnan(second.draws))
    return float((first.draws[usable] > second.draws[usable]).mean()) if usable.any() else 0.0
