"""Find pairs of faces that may belong together: all that are alike enough, or those among the nearest neighbours.

The similarity of rows i and j is ``vectors[i] @ vectors[j] - offsets[i] - offsets[j]``, as in
`classifiers.groups.agglomeration`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.people_files.cannot_links import Rows
from classifiers.scores.neighbors import ApproximateNeighbors, ExactNeighbors, row_blocks
from foundation.errors import FacetableError

# Nearest neighbours of each face that are candidates.
N_NEIGHBORS = 32

# One missed neighbour of many matters less here than in naming a probe.
_CELLS_SEARCHED = 32

# Rows at once, so that what is computed beside the result stays small, and the progress is seen.
_BLOCK = 5_000

# Pairs are compared once more, otherwise rounded, before groups are merged: none at the threshold may be missed here.
_ROUNDING = 2e-3


def _tell_nobody(share: float) -> None:
    """Ignore how much is done."""


@dataclass(frozen=True)
class ClusteringLimits:
    """How many faces and pairs each way of comparing them takes.

    Attributes
    ----------
    max_average, max_dbscan, max_hdbscan : int
        Most faces that the methods take which compare every pair; ``auto`` takes ``graph`` beyond `max_average`. A
        higher limit keeps all pairs in view, while time and memory grow with the square of the faces: the distances
        that HDBSCAN needs take 1.2 GB at 12,000 faces.
    max_exact_pairs : int
        Most pairs above a threshold that are kept: 40 million take about 1.5 GB.
    max_exact_neighbors : int
        Most faces whose nearest neighbours are found exactly, beyond that approximately: faster, a few are missed.
    """

    max_average: int = 20_000
    max_dbscan: int = 20_000
    max_hdbscan: int = 12_000
    max_exact_pairs: int = 40_000_000
    max_exact_neighbors: int = 50_000

    def max_faces(self, method: str) -> int | None:
        """Return the most faces that a method takes; None for one that takes any number."""
        return {"average": self.max_average, "dbscan": self.max_dbscan, "hdbscan": self.max_hdbscan}.get(method)


class TooManyPairsError(FacetableError, ValueError):
    """More pairs above the threshold than fit in memory."""


def pairs_above(
    vectors: NDArray[np.float32],
    offsets: NDArray[np.float32],
    threshold: float,
    *,
    max_pairs: int = ClusteringLimits.max_exact_pairs,
    progress: Callable[[float], None] = _tell_nobody,
) -> tuple[Rows, Rows]:
    """Return all pairs of rows whose similarity reaches `threshold`, as two arrays ``(p,)`` of rows.

    Parameters
    ----------
    vectors : (n, d) float32 of unit length
    offsets : (n,) float32
    threshold : float
    max_pairs : int
        Most pairs that are kept.
    progress : callable
        Called with the share of the work that is done, 0 to 1.

    Raises
    ------
    TooManyPairsError
        If there are more.
    """
    first, second, n_pairs = [], [], 0
    # An eighth of the usual block, so that memory is used again instead of being asked of the system each time.
    for block in row_blocks(len(vectors), 8 * len(vectors)):
        alike = vectors[block] @ vectors[block.start :].T
        alike -= offsets[block, None] + offsets[None, block.start :]
        one, two = np.nonzero(alike >= threshold)
        later = two > one
        first.append(one[later] + block.start)
        second.append(two[later] + block.start)
        n_pairs += len(first[-1])
        if n_pairs > max_pairs:
            raise TooManyPairsError(
                f"more than {max_pairs:,} pairs of faces are more alike than {threshold:.2f}, "
                "too many to keep; use the method graph, or a higher threshold"
            )
        progress(1 - (1 - block.stop / len(vectors)) ** 2)
    if not first:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(first), np.concatenate(second)


def neighbor_pairs(
    rows: Rows,
    vectors: NDArray[np.float32],
    offsets: NDArray[np.float32],
    *,
    lowest: float,
    threads: int | None,
    max_exact: int = ClusteringLimits.max_exact_neighbors,
    progress: Callable[[float], None] = _tell_nobody,
) -> tuple[Rows, Rows]:
    """Return pairs of `rows` of which one is among the nearest of the other, and (almost) as alike as `lowest`.

    Parameters
    ----------
    rows : (n,) int64
        What the rows of `vectors` are called in the pairs.
    vectors : (n, d) float32 of unit length
    offsets : (n,) float32
    lowest : float
        Similarity that a pair needs, up to rounding.
    threads : int, optional
        Threads of the approximate search; by default what OpenMP takes.
    max_exact : int
        Most rows whose neighbours are found exactly.
    progress : callable
        Called with the share of the work that is done, 0 to 1.
    """
    n_rows = len(rows)
    exact = n_rows <= max_exact
    index = (
        ExactNeighbors(vectors)
        if exact
        else ApproximateNeighbors(vectors, n_cells_searched=_CELLS_SEARCHED, threads=threads)
    )
    keys = [np.empty(0, np.int64)]
    for begin in range(0, n_rows, _BLOCK):
        found = index.query(vectors[begin : begin + _BLOCK], N_NEIGHBORS + 1)
        one = np.repeat(np.arange(begin, begin + len(found.indices)), found.indices.shape[1])
        two = found.indices.ravel()
        alike = found.similarities.ravel() - offsets[one] - offsets[two]
        usable = (two >= 0) & (two != one) & (alike >= lowest - _ROUNDING)
        keys.append(np.minimum(one, two)[usable] * n_rows + np.maximum(one, two)[usable])
        progress(min(begin + _BLOCK, n_rows) / n_rows)
    distinct = np.unique(np.concatenate(keys))
    return rows[distinct // max(n_rows, 1)], rows[distinct % max(n_rows, 1)]
