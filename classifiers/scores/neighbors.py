"""Find nearest neighbours by cosine similarity, exactly or approximately."""

import logging
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foundation.errors import InputError

# The length of a row that was normalized and rounded to float32 is off by less than this.
_UNIT_ROUNDING = 2e-7

# Rows compared in one block: 64 MB of float32 similarities at most.
_BLOCK_ENTRIES = 16_000_000

# A float32 product of 512-dimensional unit vectors is off by about 1e-7, depending on where in the block it stands;
# candidates closer together than this are compared again in float64.
_ROUNDING_MARGIN = 1e-5

# Of 512 numbers of a face, the first 96 principal directions order its neighbours well enough to choose whom to compare
# in full; so many more than asked for are.
_SEARCHED_DIRECTIONS = 96
_COMPARED_BEYOND = 24

# Probes whose candidates' vectors are gathered at once: a few megabytes, used again and again.
_GATHERED_AT_ONCE = 16

# Less than faiss's defaults (25 and 256): the cells need only be roughly even.
_KMEANS_ROUNDS = 6
_KMEANS_VECTORS_A_CELL = 64


class Neighbors(NamedTuple):
    """Nearest neighbours of n probes, best first.

    Attributes
    ----------
    indices : (n, k) int64
    similarities : (n, k) float64
        Cosines, or scores where a matcher's rows are compared.
    """

    indices: NDArray[np.int64]
    similarities: NDArray[np.float64]


def check_vectors(name: str, vectors: ArrayLike, *, length: int | None = None) -> NDArray[np.floating]:
    """Return `vectors` as a finite float32 or float64 array of two dimensions.

    Raises
    ------
    ValueError
        If the array is not ``(n, d)``, not of embedding length `length`, or not finite; `name` names it.
    """
    array = np.asarray(vectors)
    if array.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        array = array.astype(np.float64)
    if array.ndim != 2:
        raise InputError(f"`{name}` must have shape (n, d), got {array.shape}; give one vector a row")
    if length is not None and array.shape[1] != length:
        raise InputError(
            f"`{name}` must hold vectors of length {length}, got {array.shape[1]}; "
            "embed the photos with the same preset"
        )
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise InputError(
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
    units: NDArray[np.float64] = np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0)
    return units.astype(np.float32)


def row_blocks(n_rows: int, n_columns: int) -> list[slice]:
    """Return slices of `n_rows` whose products with `n_columns` rows stay within a bounded memory."""
    step = max(1, _BLOCK_ENTRIES // max(1, n_columns))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def exact_similarities(vector: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the dot products ``(m,)`` of `vector (d,)` with `rows (m, d)`, each independent of the other rows.

    A matrix product rounds an entry differently depending on its place in the block, so that two equal exemplars
    may differ in the last bit. Summed row by row in float64 they are equal, and ties can be broken by a rule.
    """
    products: NDArray[np.float64] = np.sum(rows.astype(np.float64) * vector.astype(np.float64), axis=1)
    return products


class ExactNeighbors:
    """Find exact nearest neighbours among unit vectors; equal similarities are ordered by index.

    Parameters
    ----------
    vectors : (m, d) float32 of unit length
        Kept, not copied.
    probes_per_block, vectors_per_block : int
        How many are compared at once, by default 4 MB of similarities: larger blocks leave the processor's cache,
        smaller ones take more steps.
    """

    def __init__(
        self, vectors: NDArray[np.float32], *, probes_per_block: int = 64, vectors_per_block: int = 16_384
    ) -> None:
        self.vectors = vectors
        self._probes_per_block = probes_per_block
        self._vectors_per_block = vectors_per_block

    def query(self, probes: NDArray[np.float32], n_neighbors: int) -> Neighbors:
        """Return the `n_neighbors` (or all, if there are fewer) nearest vectors of `probes (n, d)`, best first.

        The answer for a probe does not depend on the other probes.

        Raises
        ------
        ValueError
            If `n_neighbors` is below 1.
        """
        if n_neighbors < 1:
            raise InputError(f"`n_neighbors` must be at least 1, got {n_neighbors}")
        n_found = min(n_neighbors, len(self.vectors))
        indices = np.zeros((len(probes), n_found), np.int64)
        similarities = np.zeros((len(probes), n_found), np.float64)
        for start in range(0, len(probes) if n_found else 0, self._probes_per_block):
            block = probes[start : start + self._probes_per_block]
            for row, candidates in enumerate(self._candidates(block, n_found), start=start):
                exact = exact_similarities(probes[row], self.vectors[candidates])
                best = np.argsort(-exact, kind="stable")[:n_found]
                indices[row], similarities[row] = candidates[best], exact[best]
        return Neighbors(indices, similarities)

    def _candidates(self, probes: NDArray[np.float32], n_found: int) -> list[NDArray[np.int64]]:
        """Return for each probe, in ascending order, the vectors that may be among its `n_found` nearest.

        The vectors are compared a block at a time, small enough to stay in the processor's cache, so that finding the
        few that beat the best so far costs little beside the matrix product.
        """
        best = np.full((len(probes), n_found), -np.inf, np.float32)
        found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]] = []
        for start in range(0, len(self.vectors), self._vectors_per_block):
            rough = probes @ self.vectors[start : start + self._vectors_per_block].T
            better = np.flatnonzero(rough.max(axis=1) > best[:, 0])
            if len(better):
                pool = np.concatenate([best[better], rough[better]], axis=1)
                best[better] = np.partition(pool, -n_found, axis=1)[:, -n_found:]
            rows, columns = np.nonzero(rough >= best[:, :1] - _ROUNDING_MARGIN)
            found.append((rows, columns + start, rough[rows, columns]))
        rows, columns, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
        near = values >= best[rows, 0] - _ROUNDING_MARGIN
        rows, columns = rows[near], columns[near]
        order = np.argsort(rows, kind="stable")
        return np.split(columns[order], np.cumsum(np.bincount(rows, minlength=len(probes)))[:-1])


class ApproximateNeighbors:
    """Find approximate nearest neighbours among unit vectors, for hundreds of thousands of them.

    An inverted file (Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", TPAMI 33, 2011; built
    by faiss): vectors are sorted into the cells of a k-means, and only the cells nearest to a probe are searched. There
    a vector is a byte for each of its principal directions; the best found are then compared in full.

    Parameters
    ----------
    vectors : (m, d) float32 of unit length
        Kept, not copied.
    n_cells_searched : int
        How many cells are searched; more find more and take longer.
    threads : int, optional
        Threads for building and searching; by default what OpenMP takes.
    """

    def __init__(
        self, vectors: NDArray[np.float32], *, n_cells_searched: int = 384, threads: int | None = None
    ) -> None:
        # It tells which of its builds for this processor it tries, one after the other.
        logging.getLogger("faiss.loader").setLevel(logging.WARNING)
        # Here, because most users never need it and loading it takes time.
        import faiss

        if threads is not None:
            faiss.omp_set_num_threads(threads)
        self._vectors = vectors
        # Four times the root of their number, and 39 vectors a cell at least to train on: faiss's own guidelines.
        n_cells = max(1, min(int(4 * len(vectors) ** 0.5), len(vectors) // 39))
        sample = vectors[:: max(1, len(vectors) // (n_cells * _KMEANS_VECTORS_A_CELL))]
        self._directions = _principal_directions(sample)
        self._index = cast(
            Any, faiss.index_factory(self._directions.shape[1], f"IVF{n_cells},SQ8", faiss.METRIC_INNER_PRODUCT)
        )
        self._index.cp.niter = _KMEANS_ROUNDS
        self._index.nprobe = min(n_cells_searched, n_cells)
        if len(vectors):
            self._index.train(sample @ self._directions)
            for block in row_blocks(len(vectors), vectors.shape[1]):
                self._index.add(vectors[block] @ self._directions)

    def query(self, probes: NDArray[np.float32], n_neighbors: int) -> Neighbors:
        """Return about the `n_neighbors` nearest vectors of `probes (n, d)`, best first; an index of -1 is none.

        Raises
        ------
        ValueError
            If `n_neighbors` is below 1.
        """
        if n_neighbors < 1:
            raise InputError(f"`n_neighbors` must be at least 1, got {n_neighbors}")
        n_found = min(n_neighbors, len(self._vectors))
        indices = np.full((len(probes), n_found), -1, np.int64)
        similarities = np.zeros((len(probes), n_found))
        n_compared = min(n_found + _COMPARED_BEYOND, len(self._vectors))
        gathered = np.empty((_GATHERED_AT_ONCE, n_compared, self._vectors.shape[1]), np.float32)
        for block in row_blocks(len(probes) if n_found else 0, n_compared * _SEARCHED_DIRECTIONS):
            candidates = self._index.search(probes[block] @ self._directions, n_compared)[1]
            cosines = np.empty(candidates.shape, np.float32)
            for start in range(0, len(candidates), _GATHERED_AT_ONCE):
                some = slice(start, start + _GATHERED_AT_ONCE)
                rows = gathered[: len(candidates[some])]
                # A candidate of -1 takes the last vector, and is struck out below.
                np.take(self._vectors, candidates[some], axis=0, out=rows, mode="wrap")
                np.matmul(rows, probes[block][some][:, :, None], out=cosines[some][:, :, None])
            cosines[candidates < 0] = -np.inf
            best = np.argsort(-cosines, axis=1, kind="stable")[:, :n_found]
            indices[block] = np.take_along_axis(candidates, best, axis=1)
            similarities[block] = np.take_along_axis(cosines, best, axis=1)
        return Neighbors(indices, similarities)


def _principal_directions(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `(d, p)`: the orthonormal directions that hold most of the vectors' squared length."""
    _, directions = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    return np.ascontiguousarray(directions[:, ::-1][:, :_SEARCHED_DIRECTIONS], np.float32)
