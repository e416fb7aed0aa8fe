"""Find the exemplars that are nearest to faces, as a data frame."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.matcher import Matcher, Probes
from classifiers.scores.neighbors import ApproximateNeighbors, Neighbors

if TYPE_CHECKING:
    import pandas

# Exemplars found approximately beyond those asked for, among which the scores then decide.
_COMPARED_BEYOND = 24


def search_exemplars(
    matcher: Matcher, probes: Probes, n_neighbors: int, *, approximate: bool = False
) -> "pandas.DataFrame":
    """Return the exemplars nearest to each probe, best first: ``probe, rank, row, similarity, identity, path``.

    Parameters
    ----------
    matcher : Matcher
    probes : Probes
        From `matcher.prepare`.
    n_neighbors : int
        How many, at least 1; all where there are fewer.
    approximate : bool
        Compare with those that faiss finds near alone: worth it from some hundred thousand exemplars on.

    Raises
    ------
    ValueError
        If `n_neighbors` is below 1.
    """
    import pandas

    found = _approximately(matcher, probes, n_neighbors) if approximate else matcher.nearest(probes, n_neighbors)
    n_probes, n_found = found.indices.shape
    rows = found.indices.ravel()
    return pandas.DataFrame(
        {
            "probe": np.repeat(np.arange(n_probes), n_found),
            "rank": np.tile(np.arange(1, n_found + 1), n_probes),
            "row": rows,
            "similarity": found.similarities.ravel(),
            "identity": matcher.gallery.identities[rows],
            "path": matcher.gallery.paths[rows],
        }
    )


def _approximately(matcher: Matcher, probes: Probes, n_neighbors: int) -> Neighbors:
    n_found = min(n_neighbors, len(matcher.gallery))
    candidates = ApproximateNeighbors(matcher.units).query(probes.units, n_neighbors + _COMPARED_BEYOND).indices
    indices = np.zeros((len(candidates), n_found), np.int64)
    similarities = np.zeros((len(candidates), n_found))
    for probe, near in enumerate(candidates):
        rows = _filled_up(near[near >= 0], n_found, len(matcher.gallery))
        chosen = np.zeros(len(matcher.gallery), np.bool_)
        chosen[rows] = True
        own = Probes(probes.units[probe : probe + 1], probes.scored[probe : probe + 1])
        best = matcher.selected(chosen).nearest(own, n_found)
        indices[probe], similarities[probe] = np.flatnonzero(chosen)[best.indices[0]], best.similarities[0]
    return Neighbors(indices, similarities)


def _filled_up(rows: NDArray[np.int64], n: int, n_rows: int) -> NDArray[np.int64]:
    """Return `rows` and, where they are fewer than `n`, the first others: the cells looked into had no more."""
    if len(rows) >= n:
        return rows
    others = np.setdiff1d(np.arange(n_rows), rows)[: n - len(rows)]
    return np.concatenate([rows, others])
