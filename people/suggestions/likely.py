"""Which faces of a group to show, and which named people it is most like."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

MOST_COMPARED = 100
"""Faces of one group or person whose mean stands for all."""


def choose_shown(vectors: Vectors, n: int = 8) -> list[int]:
    """Return which faces of a group to show: half of them its surest ones, half the least alike.

    The surest are nearest to the mean; each other one is the farthest from all that are shown already, so that a face
    of somebody else is seen. Of a group of at most `n` faces all are shown.

    Parameters
    ----------
    vectors : (m, d) float32
        Of unit length.
    n : int
        How many.

    Returns
    -------
    list of int
        Positions, the surest first.
    """
    if not len(vectors):
        return []
    to_mean = vectors @ vectors.mean(axis=0)
    by_sureness = np.argsort(-to_mean, kind="stable").tolist()
    if len(vectors) <= n:
        return [int(place) for place in by_sureness]
    shown = [int(place) for place in by_sureness[: n - n // 2]]
    alike = (vectors @ vectors[shown].T).max(axis=1)
    while len(shown) < n:
        alike[shown] = np.inf
        farthest = int(alike.argmin())
        shown.append(farthest)
        alike = np.maximum(alike, vectors @ vectors[farthest])
    return shown


def likeness_to_others(vectors: Vectors) -> Vectors:
    """Return the mean cosine of each of a person's faces with all the others, float32 (m,); of a single one -1.

    Parameters
    ----------
    vectors : (m, d) float32
        Of unit length.
    """
    n_others = len(vectors) - 1
    if n_others < 1:
        return np.full(len(vectors), -1, np.float32)
    alike: Vectors = (vectors @ vectors.sum(axis=0) - np.einsum("ij,ij->i", vectors, vectors)) / n_others
    return alike


def spread(rows: Sequence[int], most: int = MOST_COMPARED) -> list[int]:
    """Return at most `most` of `rows`, evenly spread.

    >>> spread([1, 2, 3, 4, 5], 3)
    [1, 3, 5]
    """
    if len(rows) <= most:
        return list(rows)
    return [rows[place] for place in np.linspace(0, len(rows) - 1, most).round().astype(int).tolist()]


@dataclass
class PeopleMeans:
    """The mean vector of each named person, kept up to date person by person.

    Attributes
    ----------
    vectors_of : callable
        Returns the vectors of rows of the table, float32 (n, d).
    """

    vectors_of: Callable[[Sequence[int]], Vectors]

    def __post_init__(self) -> None:
        self._rows: dict[int, tuple[int, ...]] = {}
        self._means: dict[int, Vectors] = {}

    def update(self, rows_of: Mapping[int, Sequence[int]]) -> None:
        """Take over who has which rows now; only people whose rows have changed are read."""
        for gone in self._rows.keys() - rows_of.keys():
            del self._rows[gone], self._means[gone]
        changed = {person: tuple(rows) for person, rows in rows_of.items() if self._rows.get(person) != tuple(rows)}
        if not changed:
            return
        read = {person: spread(rows) for person, rows in changed.items()}
        vectors = self.vectors_of([row for rows in read.values() for row in rows])
        start = 0
        for person, rows in read.items():
            mean = vectors[start : start + len(rows)].mean(axis=0)
            start += len(rows)
            self._means[person] = mean / max(float(np.linalg.norm(mean)), 1e-12)
            self._rows[person] = changed[person]

    def nearest(
        self, vectors: Vectors, *, without: frozenset[int] = frozenset(), n: int = 9
    ) -> list[tuple[int, float]]:
        """Return the people most like a group, with the cosine of the means, the most alike first.

        Parameters
        ----------
        vectors : (m, d) float32
            Of the group.
        without : frozenset of int
            People whom the group is known not to be.
        n : int
            How many.
        """
        people = [person for person in self._means if person not in without]
        if not people or not len(vectors):
            return []
        mean = vectors.mean(axis=0)
        alike = np.stack([self._means[person] for person in people]) @ (mean / max(float(np.linalg.norm(mean)), 1e-12))
        best = np.argsort(-alike, kind="stable")[:n]
        return [(people[place], float(alike[place])) for place in best.tolist()]
