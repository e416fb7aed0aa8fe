"""Find the rows of a table that are nearest to vectors, exactly or approximately."""

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.notebook.own_vectors import as_unit_rows
from foundation.errors import InputError

if TYPE_CHECKING:
    import pandas

# faiss's own guidelines: four times the root of the vectors as cells, 39 vectors a cell at least to train on.
_CELLS_PER_ROOT = 4
_VECTORS_PER_CELL = 39

# Share of the cells that is searched, at least 16: a quarter finds nearly all of the nearest.
_CELLS_SEARCHED = 4
_CELLS_SEARCHED_AT_LEAST = 16


def search_rows(
    vectors: np.ndarray, probes: Any, n_neighbors: int, *, approximate: bool = False
) -> dict[str, np.ndarray]:
    """Return the rows of `vectors` nearest to each probe, best first.

    Parameters
    ----------
    vectors : (m, d) float32 of unit length
    probes : (n, d) or (d,) array
        Scaled to unit length.
    n_neighbors : int
        How many, at least 1; all where there are fewer.
    approximate : bool
        Look only into the cells of a k-means nearest to a probe (Jégou, Douze and Schmid, "Product quantization for
        nearest neighbor search", TPAMI 33, 2011): worth it from some hundred thousand vectors on, with many probes.

    Returns
    -------
    dict
        ``probe``, ``rank`` (from 1), ``row`` and ``similarity`` (the cosine), one entry a row found.

    Raises
    ------
    InputError
        If the probes are not finite, of another length, or all zeros, or `n_neighbors` is below 1.
    """
    if n_neighbors < 1:
        raise InputError(f"`k` must be at least 1, got {n_neighbors}")
    given = np.asarray(probes)
    units = as_unit_rows("vectors", given[None] if given.ndim == 1 else given, length=vectors.shape[1])
    n_found = min(n_neighbors, len(vectors))
    if not n_found:
        empty = np.zeros(0, np.int64)
        return {"probe": empty, "rank": empty, "row": empty, "similarity": np.zeros(0)}
    similarities, rows = _index(np.ascontiguousarray(vectors), approximate=approximate).search(units, n_found)
    order = np.lexsort((rows, -similarities), axis=1)
    rows, similarities = np.take_along_axis(rows, order, 1), np.take_along_axis(similarities, order, 1)
    probe, place = np.nonzero(rows >= 0)  # -1 where the cells looked into had fewer
    return {
        "probe": probe,
        "rank": place + 1,
        "row": rows[probe, place],
        "similarity": similarities[probe, place].astype(np.float64),
    }


def _index(vectors: np.ndarray, *, approximate: bool) -> Any:
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # it tells which of its builds it tries
    # Here, because most users never need it and loading it takes time.
    import faiss

    n_cells = min(int(_CELLS_PER_ROOT * len(vectors) ** 0.5), len(vectors) // _VECTORS_PER_CELL) if approximate else 0
    if n_cells > 1:
        index: Any = faiss.index_factory(vectors.shape[1], f"IVF{n_cells},Flat", faiss.METRIC_INNER_PRODUCT)
        index.nprobe = min(n_cells, max(_CELLS_SEARCHED_AT_LEAST, n_cells // _CELLS_SEARCHED))
        index.train(vectors)
    else:
        index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def as_frame(found: dict[str, np.ndarray], **columns: np.ndarray) -> "pandas.DataFrame":
    """Return what `search_rows` found as a data frame, with `columns` (m,) of the rows found."""
    import pandas

    return pandas.DataFrame({**found, **{name: values[found["row"]] for name, values in columns.items()}})
