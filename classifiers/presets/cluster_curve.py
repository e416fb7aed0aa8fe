"""Measure at which similarity two groups of faces are one person, by the number of people there are."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.agglomeration import Agglomeration
from classifiers.groups.candidate_pairs import pairs_above
from classifiers.groups.metrics import bcubed
from classifiers.groups.similarity import COSINE_CURVE, SimilaritySpace, ThresholdByPeople, normalized_space
from classifiers.people_files.cannot_links import CannotLinks
from classifiers.presets.mixture import fit_background

CURVE_SIZES = (20, 100, 500, 2000, 4000)
N_DRAWS = 8

LOWEST_COSINE, LOWEST_NORMALIZED = 0.4, 0.2
"""Where the search for thresholds ends."""

_STEP = 0.01
_HIGHEST = 0.9
# How far below the best F a threshold may be to count as good; the curve takes the middle of the good ones.
_GOOD = 0.002
# In a family's photos each person is seen often; half of the draws are like that, where there are enough people.
_OFTEN_SEEN = 5


class Faces(NamedTuple):
    """One face a photo: unit vectors `(n, d)` and who is seen, numbered from 0."""

    vectors: NDArray[np.float32]
    people: NDArray[np.int64]

    def of(self, people: NDArray[np.int64]) -> "Faces":
        """Return the faces of some people."""
        rows = np.isin(self.people, people)
        return Faces(self.vectors[rows], self.people[rows])

    def one_each(self) -> NDArray[np.float32]:
        """Return the first vector of each person."""
        return self.vectors[np.unique(self.people, return_index=True)[1]]


def plain(faces: Faces, curve: ThresholdByPeople = COSINE_CURVE) -> SimilaritySpace:
    """Return the space of plain cosines."""
    return SimilaritySpace(faces.vectors, np.zeros(len(faces.vectors), np.float32), curve)


def f_by_threshold(
    space: SimilaritySpace, people: NDArray[np.int64], thresholds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return BCubed F of average linkage at each of `thresholds`, which descend."""
    pairs = pairs_above(space.vectors, space.offsets, thresholds[-1])
    groups = Agglomeration(space.vectors, space.offsets, start=np.arange(len(people)), cannot_links=CannotLinks())
    result = []
    for threshold in thresholds:
        groups.merge(*pairs, threshold=threshold)
        result.append(bcubed(people, groups.labels).f)
    return np.asarray(result)


def measure_curve(
    space: SimilaritySpace,
    people: NDArray[np.int64],
    *,
    lowest: float,
    sizes: Sequence[int] = CURVE_SIZES,
    seed: int = 0,
) -> ThresholdByPeople:
    """Return the best threshold by number of people, for each of `sizes` that there are, and for all people."""
    rng = np.random.default_rng(seed)
    everybody, n_photos = np.unique(people, return_counts=True)
    often = everybody[n_photos >= _OFTEN_SEEN]
    thresholds = np.arange(_HIGHEST, lowest - _STEP / 2, -_STEP)
    curve = []
    # All people are one more size, unless a size is nearly that.
    smaller = [size for size in sizes if size < len(everybody)]
    for size in smaller if smaller and len(everybody) < 1.5 * smaller[-1] else [*smaller, len(everybody)]:
        total = np.zeros(len(thresholds))
        for draw in range(N_DRAWS if size < len(everybody) / 2 else 1):
            pool = often if draw % 2 and len(often) >= size else everybody
            rows = np.isin(people, rng.choice(pool, size, replace=False))
            part = SimilaritySpace(space.vectors[rows], space.offsets[rows], space.curve)
            total += f_by_threshold(part, people[rows], thresholds)
        good = thresholds[total >= total.max() - _GOOD * total.max()]
        curve.append((size, round(float(good.mean()), 3)))
    return curve


def measure_normalized_curve(faces: Faces, *, seed: int = 0, **settings: Any) -> ThresholdByPeople:
    """Return the curve of normalized similarities; no face is compared by a background its person is in.

    The `settings` are those of `classifiers.presets.mixture.fit_background`.
    """
    people = np.random.default_rng(seed).permutation(np.unique(faces.people))
    halves = np.array_split(people, 2)
    curves = []
    for mine, others in (halves, halves[::-1]):
        part, background = faces.of(mine), fit_background(faces.of(others).one_each(), **settings)
        curves.append(measure_curve(normalized_space(part.vectors, background), part.people, lowest=0.2, seed=seed))
    return [(one[0], round((one[1] + two[1]) / 2, 3)) for one, two in zip(*curves, strict=True)]
