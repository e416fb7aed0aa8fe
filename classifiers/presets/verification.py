"""Measure the distance below which two faces are one person, on pairs of a table's photos."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.gallery import Gallery

N_FOLDS = 10

# So that a person with hundreds of photos, thousands of pairs of which say the same, is not the measure of all.
_MOST_PAIRS_OF_ONE = 20

_Z_95 = 1.96


def draw_pairs(codes: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return rows ``(n, 2)`` of pairs and which are of one person: as many of one as of two.

    Of everybody all pairs of photos are taken, at most 20 drawn at random; the others are drawn at random.
    """
    order = np.argsort(codes, kind="stable")
    same = []
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        pairs = rows[np.stack(np.triu_indices(len(rows), k=1), axis=1)]
        same.append(rng.permutation(pairs)[:_MOST_PAIRS_OF_ONE])
    genuine = np.concatenate(same)
    drawn = rng.integers(len(codes), size=(3 * len(genuine) + 100, 2))
    impostors = drawn[codes[drawn[:, 0]] != codes[drawn[:, 1]]][: len(genuine)]
    return np.concatenate([genuine, impostors]), np.arange(len(genuine) + len(impostors)) < len(genuine)


def best_distance(distances: NDArray[np.float64], genuine: NDArray[np.bool_]) -> float:
    """Return the distance below which taking pairs for one person is right most often; of equals, the middle one."""
    order = np.argsort(distances)
    right = np.sum(~genuine) + np.cumsum(np.where(genuine[order], 1, -1))
    best = np.flatnonzero(right == right.max())
    middle = best[len(best) // 2]
    following = min(middle + 1, len(order) - 1)
    return float((distances[order[middle]] + distances[order[following]]) / 2)


def measure_verification(gallery: Gallery, *, seed: int = 0) -> dict[str, Any]:
    """Return the best distance of unit vectors, and how often it is right on people it was not chosen on.

    The people are split into ten folds; a pair is of the fold of its first photo's person.

    Returns
    -------
    dict
        `distance`, `accuracy` (``{"value", "low", "high"}``, 95 % interval over the folds) and `n_pairs`.
    """
    rng = np.random.default_rng(seed)
    pairs, genuine = draw_pairs(gallery.codes, rng)
    cosines = np.einsum("ij,ij->i", gallery.vectors[pairs[:, 0]], gallery.vectors[pairs[:, 1]]).astype(np.float64)
    distances = np.sqrt(np.maximum(2.0 - 2.0 * cosines, 0.0))
    fold = (rng.permutation(len(gallery.labels)) % N_FOLDS)[gallery.codes[pairs[:, 0]]]
    accuracies = []
    for number in range(N_FOLDS):
        tested = fold == number
        distance = best_distance(distances[~tested], genuine[~tested])
        accuracies.append(np.mean((distances[tested] < distance) == genuine[tested]))
    value, half = float(np.mean(accuracies)), float(_Z_95 * np.std(accuracies, ddof=1) / np.sqrt(N_FOLDS))
    interval = {"value": value, "low": max(0.0, value - half), "high": min(1.0, value + half)}
    return {
        "distance": round(best_distance(distances, genuine), 4),
        "accuracy": {name: round(number, 4) for name, number in interval.items()},
        "n_pairs": len(pairs),
    }
