"""Nearest neighbours by cosine similarity."""

import logging
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

# The length of a row that was normalized and rounded to float32 is off by less than this.
_UNIT_ROUNDING = 2e-7

# Rows compared in one block: 64 MB of float32 similarities at most.
_BLOCK_ENTRIES = 16_000_000

# A float32 product of 512-dimensional unit vectors is off by about 1e-7, depending on where in the block it stands;
# candidates closer together than this are compared again in float64.
_ROUNDING_MARGIN = 1e-5


class Neighbors(NamedTuple):
    """Nearest neighbours, best first: `indices (n, k)` int64 and `similarities (n, k)` float64."""

    indices: NDArray[np.int64]
    similarities: NDArray[np.float64]


def check_vectors(name: str, vectors: ArrayLike, *, length: int | None = None) -> NDArray[np.floating]:
    """Return `vectors` as a finite two-dimensional floating-point array.

    Raises
    ------
    ValueError
        If the array is not ``(n, d)``, not of embedding length `length`, or not finite; `name` names it.
    """
    array = np.asarray(vectors)
    if array.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        array = array.astype(np.float64)
    if array.ndim != 2:
        raise ValueError(f"`{name}` must have shape (n, d), got {array.shape}; give one vector a row")
    if length is not None and array.shape[1] != length:
        raise ValueError(
            f"`{name}` must hold vectors of length {length}, got {array.shape[1]}; "
            "embed the photos with the same preset"
        )
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"`{name}` must be finite, got NaN or infinity in row {int(np.argmin(finite))}; remove such rows"
        )
    return array


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return `vectors (n, d)` as float32 rows of unit length; a zero row stays zero.

    Rows that have unit length already are returned as they are, to the last bit.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    wide = vectors.astype(np.float64)
    # Scaling by the largest entry first keeps the squares of very small and very large rows in range.
    largest = np.abs(wide).max(axis=1, keepdims=True, initial=0.0)
    scaled = np.divide(wide, largest, out=np.zeros_like(wide), where=largest > 0)
    norms = largest * np.sqrt(np.sum(scaled * scaled, axis=1, keepdims=True))
    norms[np.abs(norms - 1.0) < _UNIT_ROUNDING] = 1.0
    return np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0).astype(np.float32)


def row_blocks(n_rows: int, n_columns: int) -> list[slice]:
    """Return slices of `n_rows` whose products with `n_columns` rows stay within a bounded memory."""
    step = max(1, _BLOCK_ENTRIES // max(1, n_columns))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def exact_similarities(vector: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the dot products of `vector (d,)` with `rows (m, d)`, each independent of the other rows.

    A matrix product rounds an entry differently depending on its place in the block, so that two equal exemplars
    may differ in the last bit. Summed row by row in float64 they are equal, and ties can be broken by a rule.
    """
    return np.sum(rows.astype(np.float64) * vector.astype(np.float64), axis=1)


class ExactNeighbors:
    """Exact nearest neighbours among unit vectors; equal similarities are ordered by index.

    Parameters
    ----------
    vectors : (m, d) float32 of unit length
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self.vectors = vectors

    def query(self, probes: NDArray[np.float32], n_neighbors: int) -> Neighbors:
        """Return the `n_neighbors` (or all, if there are fewer) nearest vectors of each probe, best first.

        The answer for a probe does not depend on the other probes.

        Raises
        ------
        ValueError
            If `n_neighbors` is below 1.
        """
        if n_neighbors < 1:
            raise ValueError(f"`n_neighbors` must be at least 1, got {n_neighbors}")
        n_vectors = len(self.vectors)
        n_found = min(n_neighbors, n_vectors)
        indices = np.zeros((len(probes), n_found), np.int64)
        similarities = np.zeros((len(probes), n_found), np.float64)
        for block in row_blocks(len(probes), n_vectors) if n_found else []:
            rough = probes[block] @ self.vectors.T
            lowest = np.partition(rough, n_vectors - n_found, axis=1)[:, n_vectors - n_found]
            for row, (probe, bound) in enumerate(zip(probes[block], lowest, strict=True), start=block.start):
                candidates = np.flatnonzero(rough[row - block.start] >= bound - _ROUNDING_MARGIN)
                exact = exact_similarities(probe, self.vectors[candidates])
                best = np.argsort(-exact, kind="stable")[:n_found]
                indices[row], similarities[row] = candidates[best], exact[best]
        return Neighbors(indices, similarities)


class ApproximateNeighbors:
    """Approximate nearest neighbours among unit vectors, for hundreds of thousands of them.

    An inverted file (Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", TPAMI 33, 2011; built
    by faiss): vectors are sorted into the cells of a k-means, and only the cells nearest to a probe are searched. They
    are kept in half precision, so similarities are off by up to 1e-3.

    Parameters
    ----------
    vectors : (m, d) float32 of unit length
    n_cells_searched : int
        How many cells are searched; more find more and take longer.
    threads : int, optional
        Threads for building and searching; by default what OpenMP takes.
    """

    def __init__(
        self, vectors: NDArray[np.float32], *, n_cells_searched: int = 16, threads: int | None = None
    ) -> None:
        # It tells which of its builds for this processor it tries, one after the other.
        logging.getLogger("faiss.loader").setLevel(logging.WARNING)
        # Here, because most users never need it and loading it takes time.
        import faiss

        if threads is not None:
            faiss.omp_set_num_threads(threads)
        n_vectors, length = vectors.shape
        # Four times the root of their number, and 39 vectors a cell at least to train on: faiss's own guidelines.
        n_cells = max(1, min(int(4 * n_vectors**0.5), n_vectors // 39))
        self._n_vectors = n_vectors
        self._index = cast(Any, faiss.index_factory(length, f"IVF{n_cells},SQfp16", faiss.METRIC_INNER_PRODUCT))
        self._index.cp.niter = _KMEANS_ROUNDS
        self._index.cp.max_points_per_centroid = _KMEANS_VECTORS_A_CELL
        self._index.nprobe = min(n_cells_searched, n_cells)
        if n_vectors:
            self._index.train(vectors)
            self._index.add(vectors)

    def query(self, probes: NDArray[np.float32], n_neighbors: int) -> Neighbors:
        """Return about the `n_neighbors` nearest vectors of each probe, best first; an index of -1 is none.

        Raises
        ------
        ValueError
            If `n_neighbors` is below 1.
        """
        if n_neighbors < 1:
            raise ValueError(f"`n_neighbors` must be at least 1, got {n_neighbors}")
        n_found = min(n_neighbors, self._n_vectors)
        if not n_found or not len(probes):
            return Neighbors(np.zeros((len(probes), n_found), np.int64), np.zeros((len(probes), n_found)))
        similarities, indices = self._index.search(np.ascontiguousarray(probes), n_found)
        return Neighbors(indices, similarities.astype(np.float64))


# Less than faiss's defaults (25 and 256): the cells need only be roughly even.
_KMEANS_ROUNDS = 6
_KMEANS_VECTORS_A_CELL = 64
