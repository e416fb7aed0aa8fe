"""Measure how well groups agree with true identities: BCubed and pairwise precision and recall, corrections needed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InputError


class PrecisionRecall(NamedTuple):
    """Precision, recall and their harmonic mean, all in [0, 1]."""

    precision: float
    recall: float
    f: float


class Corrections(NamedTuple):
    """Numbers of splits and merges that would turn a clustering into the truth."""

    n_splits: int
    n_merges: int


def bcubed(identities: Sequence[Any] | NDArray[Any], clusters: Sequence[Any] | NDArray[Any]) -> PrecisionRecall:
    """Return BCubed precision, recall and F, averaged over faces.

    Source: Amigó et al., Information Retrieval 12, 2009.

    Parameters
    ----------
    identities, clusters : sequence, length n
        True identity and group of each face.

    Raises
    ------
    ValueError
        If the lengths differ or are zero.

    >>> bcubed(["a", "a", "b"], [0, 0, 0]).recall
    1.0
    """
    cells = _contingency(identities, clusters)
    n_faces = cells.counts.sum()
    precision = float((cells.counts**2 / cells.of_cluster[cells.cluster]).sum() / n_faces)
    recall = float((cells.counts**2 / cells.of_identity[cells.identity]).sum() / n_faces)
    return _with_f(precision, recall)


def pairwise(identities: Sequence[Any] | NDArray[Any], clusters: Sequence[Any] | NDArray[Any]) -> PrecisionRecall:
    """Return precision, recall and F over pairs of faces put together; where there is no pair the rate is 1.

    Parameters
    ----------
    identities, clusters : sequence, length n
        True identity and group of each face.

    Raises
    ------
    ValueError
        If the lengths differ or are zero.
    """
    cells = _contingency(identities, clusters)
    right, together, same = (_n_pairs(counts) for counts in (cells.counts, cells.of_cluster, cells.of_identity))
    return _with_f(right / together if together else 1.0, right / same if same else 1.0)


def corrections(identities: Sequence[Any] | NDArray[Any], clusters: Sequence[Any] | NDArray[Any]) -> Corrections:
    """Return how often a person must split a group, then merge two, to put a clustering right.

    Each group falls into one piece per identity it holds; each identity is then joined from its pieces.

    Parameters
    ----------
    identities, clusters : sequence, length n
        True identity and group of each face.

    Raises
    ------
    ValueError
        If the lengths differ or are zero.

    >>> corrections(["a", "a", "b", "b"], [0, 0, 0, 1])
    Corrections(n_splits=1, n_merges=1)
    """
    cells = _contingency(identities, clusters)
    n_pieces = len(cells.counts)
    return Corrections(n_pieces - len(cells.of_cluster), n_pieces - len(cells.of_identity))


class _Cells(NamedTuple):
    """The cells of the contingency table that are not empty, and the table's margins."""

    identity: NDArray[np.integer]
    cluster: NDArray[np.integer]
    counts: NDArray[np.int64]
    of_identity: NDArray[np.int64]
    of_cluster: NDArray[np.int64]


def _contingency(identities: Any, clusters: Any) -> _Cells:
    if len(identities) != len(clusters) or not len(identities):
        raise InputError(
            "`identities` and `clusters` must have one entry per face and at least one face, "
            f"got {len(identities)} and {len(clusters)}"
        )
    # Here, because a clustering without true identities goes without scikit-learn, and loading it takes time.
    from sklearn.metrics.cluster import contingency_matrix

    table = contingency_matrix(np.asarray(identities), np.asarray(clusters), sparse=True)
    cells = table.tocoo()
    of_identity, of_cluster = (np.asarray(table.sum(axis=axis)).ravel() for axis in (1, 0))
    return _Cells(cells.row, cells.col, cells.data, of_identity, of_cluster)


def _n_pairs(counts: NDArray[np.int64]) -> int:
    return int((counts * (counts - 1) // 2).sum())


def _with_f(precision: float, recall: float) -> PrecisionRecall:
    total = precision + recall
    return PrecisionRecall(precision, recall, 2 * precision * recall / total if total else 0.0)
