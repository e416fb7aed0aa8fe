"""Whether the faces of one name are one person's: album folders taken for people are told by their vectors.

A folder is an album if its faces are mostly unlike each other. For each face the share of the others that it is like is
counted; where that is under a half even for the face that is like most of them, no person makes up half of the folder.
Two faces are alike at the similarity that tells same from different best (`embedder.networks.presets`). What the rule
finds and whom it troubles is measured in ``experiments/README.md``.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from embedder.tables.file import TableFileReader

MIN_FACES = 3
"""Of two faces one pair says too little: of 1,000 people with two photos several have two unlike ones."""

MIN_PAIRS = 4
"""Where so many names have two faces each and most of these pairs are unlike, the unlike ones are albums too."""

MAX_FACES = 50
"""So many faces of a name are looked at, evenly over its photos."""

_NAMES_AT_ONCE = 256
_ROWS_AT_ONCE = 16_384

VectorsOf = Callable[[np.ndarray], np.ndarray]
"""Sorted row numbers (n,) -> their vectors (n, d), unit length."""


def find_incoherent(identities: Sequence[str] | np.ndarray, vectors_of: VectorsOf, *, alike: float) -> list[str]:
    """Return the identities whose faces are mostly unlike each other, sorted.

    Parameters
    ----------
    identities : sequence of str
        Of each row; ``""`` is nobody.
    vectors_of : callable
        See `VectorsOf`; of a table in memory ``table.embeddings.__getitem__``.
    alike : float
        Cosine at which two faces are rather the same person's.
    """
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(identities):
        if name:
            rows_of.setdefault(str(name), []).append(row)
    found: list[str] = []
    pairs: dict[str, bool] = {}
    for name, vectors in _by_name(rows_of, vectors_of):
        likeness = vectors @ vectors.T >= alike
        most = (likeness.sum(axis=1).max() - 1) / (len(vectors) - 1)
        if len(vectors) < MIN_FACES:
            pairs[name] = most == 0
        elif most < 0.5:
            found.append(name)
    if len(pairs) >= MIN_PAIRS and 2 * sum(pairs.values()) > len(pairs):
        found += [name for name, is_unlike in pairs.items() if is_unlike]
    return sorted(found)


def find_incoherent_in_file(table: Path, *, alike: float) -> list[str]:
    """Do what `find_incoherent` does for the table file `table`, without reading it into memory.

    Raises
    ------
    TableError
        If the file is damaged.
    OSError
        If it cannot be read.
    """
    with TableFileReader(table) as file:
        starts = range(0, file.n_rows, _ROWS_AT_ONCE)
        names = [name for start in starts for name in file.rows(start, start + _ROWS_AT_ONCE)["identity"].tolist()]

        def vectors_of(rows: np.ndarray) -> np.ndarray:
            spans = np.split(rows, np.flatnonzero(np.diff(rows // _ROWS_AT_ONCE)) + 1)
            return np.concatenate([file.embeddings(span[0], span[-1] + 1)[span - span[0]] for span in spans])

        return find_incoherent(names, vectors_of, alike=alike)


def _by_name(rows_of: dict[str, list[int]], vectors_of: VectorsOf) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each name that has several faces, with the vectors of at most `MAX_FACES` of them."""
    chosen = {name: _evenly(rows) for name, rows in rows_of.items() if len(rows) > 1}
    names = sorted(chosen, key=lambda name: chosen[name][0])
    for start in range(0, len(names), _NAMES_AT_ONCE):
        batch = names[start : start + _NAMES_AT_ONCE]
        rows = np.unique(np.concatenate([chosen[name] for name in batch]))
        vectors = vectors_of(rows)
        for name in batch:
            yield name, vectors[np.searchsorted(rows, chosen[name])]


def _evenly(rows: list[int]) -> np.ndarray:
    return np.unique(np.asarray(rows)[np.linspace(0, len(rows) - 1, min(len(rows), MAX_FACES)).astype(int)])
