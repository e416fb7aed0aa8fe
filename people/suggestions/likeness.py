"""How alike groups of unnamed faces and named people are: mean similarities, as grouping compares them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.similarity import (
    SimilaritySpace,
    default_threshold,
    similarity_space,
)
from classifiers.scores.normalization import Background

Rows = NDArray[np.int64]

# Means at once, so that the similarities of all with all are never held together.
_BLOCK = 2_000


@dataclass(frozen=True, eq=False)
class Likeness:
    """Sets of rows, and how alike they are.

    Attributes
    ----------
    space : SimilaritySpace
        Where rows are compared.
    sets : sequence of numpy.ndarray
        Rows of each set, at least one.
    means : (s, d) float32
        Mean vector of each.
    offsets : (s,) float32
        Mean offset of each.
    threshold : float
        Mean similarity at which two sets would be taken for one person.
    """

    space: SimilaritySpace
    sets: Sequence[Rows]
    means: NDArray[np.float32]
    offsets: NDArray[np.float32]
    threshold: float

    @classmethod
    def measure(
        cls, embeddings: NDArray[np.float32], sets: Sequence[Rows], background: Background | None
    ) -> "Likeness":
        """Compare `sets` of rows of `embeddings` (n, d)."""
        space = similarity_space(embeddings, background)
        means = np.array([space.vectors[rows].mean(axis=0) for rows in sets], np.float32)
        offsets = np.array([space.offsets[rows].mean() for rows in sets], np.float32)
        means = means.reshape(len(sets), embeddings.shape[1])
        return cls(space, sets, means, offsets, default_threshold(len(sets), space.curve))

    def pairs_above(self, least: float, *, first_sets: int | None = None) -> list[tuple[int, int, float]]:
        """Return first set, second set and mean similarity of the pairs at least so alike, the most alike first.

        With `first_sets` only pairs with one of so many first sets.
        """
        found: list[tuple[int, int, float]] = []
        n_first = len(self.sets) if first_sets is None else first_sets
        for start in range(0, n_first, _BLOCK):
            stop = min(start + _BLOCK, n_first)
            block = self.means[start:stop] @ self.means[start:].T
            block -= self.offsets[start:stop, None] + self.offsets[None, start:]
            first, second = np.nonzero(np.triu(block >= least, k=1))
            found += zip(
                (first + start).tolist(), (second + start).tolist(), block[first, second].tolist(), strict=True
            )
        return sorted(found, key=lambda pair: -pair[2])

    def of_rows(self, number: int, *, n_sets: int) -> NDArray[np.float32]:
        """Return the mean similarity of each row of a set with each of the first `n_sets`, float32 (n, `n_sets`).

        A row is left out of its own set.
        """
        rows = self.sets[number]
        vectors, offsets = self.space.vectors[rows], self.space.offsets[rows]
        similarities: NDArray[np.float32] = vectors @ self.means[:n_sets].T - self.offsets[:n_sets] - offsets[:, None]
        if len(rows) > 1:
            itself = np.einsum("ij,ij->i", vectors, vectors) - 2 * offsets
            similarities[:, number] = (similarities[:, number] * len(rows) - itself) / (len(rows) - 1)
        return similarities

    def closest(self, first: int, second: int, limit: int = 3) -> list[tuple[int, int, float]]:
        """Return the most alike pairs of rows of two sets, each row once."""
        rows, others = self.sets[first], self.sets[second]
        table = self.space.vectors[rows] @ self.space.vectors[others].T
        table -= self.space.offsets[rows][:, None] + self.space.offsets[others][None, :]
        found = []
        for _ in range(min(limit, *table.shape)):
            one, two = np.unravel_index(int(table.argmax()), table.shape)
            found.append((int(rows[one]), int(others[two]), float(table[one, two])))
            table[one, :] = table[:, two] = -np.inf
        return found

    def representative(self, number: int) -> int:
        """Return the row nearest to its set's mean."""
        rows = self.sets[number]
        return int(rows[int((self.space.vectors[rows] @ self.means[number]).argmax())])
