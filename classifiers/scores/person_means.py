"""The mean of a person's photos, which a face is also held against where they have several.

What differs from photo to photo (light, expression, age) partly cancels out in the mean, and what they share stays. A
person is as alike as the nearest of their photos or the mean of them, whichever is more alike. Measured by ``python -m
experiments.presets`` on five random halves of LFW's people: `facenet-casia-20180408` finds 2 of 100 people more at an
FPIR of 1 % where two photos of each are enrolled; the mean alone, or the mean of both scores, gains less, and loses
where ten are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.neighbors import unit_rows

NEAREST = "nearest"
NEAREST_OR_MEAN = "nearest_or_mean"
PERSON_SCORES = (NEAREST, NEAREST_OR_MEAN)
"""How alike a person is, from how alike their photos are; what head files say. Those that say
nothing are of before there were means."""


@dataclass(frozen=True, eq=False)
class PersonMeans:
    """Means of the exemplars of people who have at least two.

    Attributes
    ----------
    units : (q, d) float32, unit length
        Of the exemplars' rows as decision rules see them.
    codes : (q,) int64, ascending
        Position in the gallery's labels of each one's person.
    """

    units: NDArray[np.float32]
    codes: NDArray[np.int64]


def person_means(units: NDArray[np.float32], codes: NDArray[np.int64]) -> PersonMeans:
    """Return the means of the rows `units (m, d)` of each person in `codes (m,)` who has at least two.

    >>> means = person_means(np.array([[1, 0], [0, 1], [1, 0]], np.float32), np.array([0, 0, 1]))
    >>> means.codes.tolist(), means.units.round(3).tolist()
    ([0], [[0.7070000171661377, 0.7070000171661377]])
    """
    n_of_code = np.bincount(codes)
    people = np.flatnonzero(n_of_code > 1)
    # Stable, so that a mean depends on the order of its own exemplars alone, and not on where others stand.
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(n_of_code)
    sums = np.zeros((len(people), units.shape[1]))
    for row, code in enumerate(people):
        sums[row] = units[order[ends[code] - n_of_code[code] : ends[code]]].sum(axis=0, dtype=np.float64)
    return PersonMeans(unit_rows(sums), people.astype(np.int64))
