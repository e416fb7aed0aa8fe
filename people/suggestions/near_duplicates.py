"""Faces that are nearly the same picture, as in a series of shots, but bear different names."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

LEAST_COSINE = 0.95
"""From here on two vectors are taken for nearly the same picture: so alike are 40 of the 217,636 pairs of one person
in LFW's View 1 training photos (``facenet-casia-20180408``; 72 with ``mobilefacenet-ms1m``), and two of two people."""

_MOST_COMPARED = 4_000
"""So many faces are all compared with each other; of more, those that share a key of signs."""

_N_SIGNS = 18
_N_KEYS = 16
"""Signs of projections on random directions in a key, and keys. Two vectors of cosine 0.95 are 18.2 degrees apart, so
that a sign is equal with a probability of 0.9 and one of the keys with 0.93; of cosine 0.98 with 0.997
(Charikar, Similarity estimation techniques from rounding algorithms, STOC 2002)."""

_MOST_IN_BLOCK = 2_000


def near_duplicates(
    embeddings: NDArray[np.float32], labels: NDArray[np.int64], *, least: float = LEAST_COSINE
) -> list[tuple[int, int, float]]:
    """Return pairs of rows with other labels that are nearly the same, the most alike first; each row once.

    Parameters
    ----------
    embeddings : numpy.ndarray
        float32 (n, d), unit length.
    labels : numpy.ndarray
        int64 (n,).
    least : float
        Cosine from which a pair counts.

    Returns
    -------
    list of (int, int, float)
        The lesser row, the greater one, their cosine.
    """
    found: dict[tuple[int, int], float] = {}
    for rows in _buckets(embeddings, labels):
        for start in range(0, len(rows), _MOST_IN_BLOCK):
            block = rows[start : start + _MOST_IN_BLOCK]
            cosines = embeddings[block] @ embeddings[rows].T
            is_pair = (cosines >= least) & (labels[block][:, None] != labels[rows]) & (block[:, None] < rows)
            for one, two in zip(*np.nonzero(is_pair), strict=True):
                found[int(block[one]), int(rows[two])] = min(float(cosines[one, two]), 1.0)
    taken: set[int] = set()
    pairs = []
    for (one, two), cosine in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])):
        if taken.isdisjoint((one, two)):
            taken |= {one, two}
            pairs.append((one, two, cosine))
    return pairs


def _buckets(embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield sets of rows with several labels that have to be compared."""
    n, length = embeddings.shape
    if n <= _MOST_COMPARED:
        if n:
            yield np.arange(n)
        return
    generator = np.random.default_rng(0)
    for _ in range(_N_KEYS):
        directions = generator.standard_normal((length, _N_SIGNS)).astype(np.float32)
        keys = (embeddings @ directions > 0) @ (1 << np.arange(_N_SIGNS))
        order = np.argsort(keys, kind="stable")
        starts = np.concatenate([[0], np.flatnonzero(np.diff(keys[order])) + 1])
        ordered = labels[order]
        is_mixed = np.minimum.reduceat(ordered, starts) != np.maximum.reduceat(ordered, starts)
        ends = np.append(starts[1:], n)
        for start, end in zip(starts[is_mixed].tolist(), ends[is_mixed].tolist(), strict=True):
            yield order[start:end]
