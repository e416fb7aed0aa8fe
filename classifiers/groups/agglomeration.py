"""Merge groups by average linkage on candidate pairs, best first, while their mean similarity reaches a threshold.

The mean similarity between two groups of unit vectors is the product of their vector sums over the product of their
sizes, so a group is its sum and nothing else need be kept. Average linkage is reducible: groups that are each other's
best partner may be merged at once, in any order, with the same result (Murtagh, The Computer Journal 26, 1983). And
groups whose members are all less alike than the threshold never merge, so pairs above it are all the candidates needed.
"""

import numpy as np
from numpy.typing import NDArray

from classifiers.people_files.cannot_links import CannotLinks, Rows
from foundation.errors import InputError

# Pairs of vectors multiplied at once: 2 x 16 MB of float32 at 512 dimensions; larger pieces are slower.
_CHUNK = 8_192


class Agglomeration:
    """Merge groups of rows; lowering the threshold goes on from where a higher one stopped.

    Parameters
    ----------
    vectors : (n, d) float32
    offsets : (n,) float32
        The similarity of rows i and j is ``vectors[i] @ vectors[j] - offsets[i] - offsets[j]``.
    start : (n,) int64
        Rows with the same number begin in one group; numbers count from 0 without gaps.
    cannot_links : CannotLinks
        Rows that never come into one group.

    Raises
    ------
    ValueError
        If rows that start in one group must be apart.
    """

    def __init__(
        self, vectors: NDArray[np.float32], offsets: NDArray[np.float32], *, start: Rows, cannot_links: CannotLinks
    ) -> None:
        if cannot_links.violated(start).any():
            raise InputError("`start` must not put rows in one group that `cannot_links` keep apart")
        self._group = start
        self.n_groups = int(start.max(initial=-1)) + 1
        _, self._first = np.unique(start, return_index=True)
        self._vectors = vectors
        self._sizes = np.bincount(start, minlength=self.n_groups).astype(np.float32)
        # Only groups of several rows need a sum of their own, at most half as many as there are rows; memory that is
        # never written to is never taken.
        self._sums = np.empty((len(start) // 2, vectors.shape[1]), np.float32)
        self._place = np.full(self.n_groups, -1)
        self._free = np.arange(len(self._sums))[::-1]
        several = self._take_places(np.flatnonzero(self._sizes > 1))
        self._sums[self._place[several]] = vectors[self._first[several]]
        others = np.setdiff1d(np.arange(len(start)), self._first)
        np.add.at(self._sums, self._place[start[others]], vectors[others])
        self._offsets = np.bincount(start, weights=offsets, minlength=self.n_groups).astype(np.float32)
        self._names = np.full(self.n_groups, -1, np.int64)
        if cannot_links.names is not None:
            np.maximum.at(self._names, start, cannot_links.names)
        self._forbidden = self._keys(start[cannot_links.pairs[:, 0]], start[cannot_links.pairs[:, 1]])
        # Group and name that a row of it refuses, one number each.
        self._n_names = cannot_links.n_names
        self._refused = np.unique(start[cannot_links.refusals[:, 0]] * self._n_names + cannot_links.refusals[:, 1])

    @property
    def labels(self) -> Rows:
        """The group of each row, (n,), counted from 0 without gaps."""
        return np.unique(self._group, return_inverse=True)[1].astype(np.int64)

    def centroids(self) -> tuple[Rows, NDArray[np.float32], NDArray[np.float32]]:
        """Return of each of g groups one row, its mean vector and its mean offset.

        Returns
        -------
        (g,) int64, (g, d) float32 of unit length, (g,) float32
        """
        groups, first = np.unique(self._group, return_index=True)
        sums = self._sums_of(groups)
        lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return first, sums / lengths, self._offsets[groups] / self._sizes[groups]

    def merge(self, first: Rows, second: Rows, *, threshold: float) -> int:
        """Merge best first among the groups of candidate pairs of rows; return the number of merges.

        Parameters
        ----------
        first, second : (p,) int64
            Rows of the pairs.
        threshold : float
            Mean similarity that two groups need to be merged.
        """
        keys = self._keys(self._group[first], self._group[second])
        one, two, alike = self._candidates(keys, threshold)
        n_before = self.n_groups
        while len(one):
            chosen = self._mutual_best(one, two, alike)
            target = self._join(one[chosen], two[chosen])
            one, two = target[one], target[two]
            grown = np.zeros(len(target), bool)
            grown[one[chosen]] = True
            stale = grown[one] | grown[two]
            new = self._candidates(self._keys(one[stale], two[stale]), threshold)
            one, two = np.append(one[~stale], new[0]), np.append(two[~stale], new[1])
            alike = np.append(alike[~stale], new[2])
        return n_before - self.n_groups

    def _keys(self, one: Rows, two: Rows) -> Rows:
        """Distinct unordered pairs of distinct groups, one number a pair."""
        differ = one != two
        low, high = np.minimum(one, two)[differ], np.maximum(one, two)[differ]
        return np.unique(low.astype(np.int64) * len(self._sizes) + high)

    def _candidates(self, keys: Rows, threshold: float) -> tuple[Rows, Rows, NDArray[np.float32]]:
        one, two = keys // len(self._sizes), keys % len(self._sizes)
        names = self._names[one], self._names[two]
        free = (names[0] < 0) | (names[1] < 0) | (names[0] == names[1])
        if len(self._forbidden):
            free &= ~np.isin(keys, self._forbidden, assume_unique=True)
        for group, other in ((one, names[1]), (two, names[0])) if len(self._refused) else ():
            free &= (other < 0) | ~np.isin(group * self._n_names + other, self._refused)
        one, two = one[free], two[free]
        alike = np.empty(len(one), np.float32)
        for begin in range(0, len(one), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            alike[part] = self._mean_similarity(one[part], two[part])
        near = alike >= threshold
        return one[near], two[near], alike[near]

    def _mean_similarity(self, one: Rows, two: Rows) -> NDArray[np.float32]:
        products = np.einsum("ij,ij->i", self._sums_of(one), self._sums_of(two))
        sizes = self._sizes[one], self._sizes[two]
        similarities: NDArray[np.float32] = (
            products / (sizes[0] * sizes[1]) - self._offsets[one] / sizes[0] - self._offsets[two] / sizes[1]
        )
        return similarities

    def _mutual_best(self, one: Rows, two: Rows, alike: NDArray[np.float32]) -> Rows:
        """Candidates that are the best of both their groups; among equals the first, so that no group is in two."""
        best = np.full(len(self._sizes), -np.inf, np.float32)
        np.maximum.at(best, one, alike)
        np.maximum.at(best, two, alike)
        mutual = np.flatnonzero((alike == best[one]) & (alike == best[two]))
        lowest = np.full(len(self._sizes), len(one))
        np.minimum.at(lowest, one[mutual], mutual)
        np.minimum.at(lowest, two[mutual], mutual)
        chosen: Rows = mutual[(lowest[one[mutual]] == mutual) & (lowest[two[mutual]] == mutual)]
        return chosen

    def _join(self, kept: Rows, absorbed: Rows) -> Rows:
        """Put each of the groups `absorbed` into its partner; return the new number of every group."""
        self._add_sums(kept, absorbed)
        self._sizes[kept] += self._sizes[absorbed]
        self._offsets[kept] += self._offsets[absorbed]
        self._names[kept] = np.maximum(self._names[kept], self._names[absorbed])
        target = np.arange(len(self._sizes))
        target[absorbed] = kept
        self._group = target[self._group]
        self._forbidden = self._keys(target[self._forbidden // len(target)], target[self._forbidden % len(target)])
        if len(self._refused):
            groups, refused = np.divmod(self._refused, self._n_names)
            self._refused = np.unique(target[groups] * self._n_names + refused)
        self.n_groups -= len(absorbed)
        return target

    def _sums_of(self, groups: Rows) -> NDArray[np.float32]:
        places = self._place[groups]
        several = places >= 0
        sums = np.empty((len(groups), self._vectors.shape[1]), np.float32)
        sums[several] = self._sums[places[several]]
        sums[~several] = self._vectors[self._first[groups[~several]]]
        return sums

    def _add_sums(self, kept: Rows, absorbed: Rows) -> None:
        swap = (self._place[kept] < 0) & (self._place[absorbed] >= 0)
        self._place[kept[swap]], self._place[absorbed[swap]] = self._place[absorbed[swap]], -1
        # After the swap it is the sum of the other one that is missing.
        added = np.where(swap, kept, absorbed)
        alone = self._place[kept] < 0
        new = self._take_places(kept[alone])
        self._sums[self._place[new]] = self._vectors[self._first[new]]
        for begin in range(0, len(kept), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            rows = np.where(swap[part], -1, self._place[added[part]])
            single = rows < 0
            self._sums[self._place[kept[part][single]]] += self._vectors[self._first[added[part][single]]]
            self._sums[self._place[kept[part][~single]]] += self._sums[rows[~single]]
        released = self._place[absorbed]
        self._free = np.append(self._free, released[released >= 0])
        self._place[absorbed] = -1

    def _take_places(self, groups: Rows) -> Rows:
        """Give each of `groups` a place for its sum, places used before first; return `groups`."""
        at = len(self._free) - len(groups)
        self._place[groups], self._free = self._free[at:], self._free[:at]
        return groups
