"""Let faces that are too poor to be told apart join a group that they are clearly like."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.similarity import SimilaritySpace
from classifiers.people_files.cannot_links import POOR, CannotLinks, Rows
from classifiers.scores.neighbors import row_blocks

# How much more alike than two groups a poor face must be to one; measured by ``python -m experiments.poor_faces``.
JOIN_EXTRA = 0.1

# Rows at once, so that what is computed beside the result stays small.
_BLOCK = 100_000


def group_sums(
    vectors: NDArray[np.float32], labels: Rows, *, block_size: int = _BLOCK
) -> tuple[NDArray[np.float32], Rows]:
    """Return the sum of each group's vectors ``(g, d)`` and how many they are ``(g,)``.

    Parameters
    ----------
    vectors : (n, d) float32
    labels : (n,) int64
        Rows with a label below 0 are in no group.
    block_size : int
        Rows at once: more take more memory, fewer more time.
    """
    n_groups = int(labels.max(initial=-1)) + 1
    order = np.argsort(labels, kind="stable")
    order = order[np.searchsorted(labels[order], 0) :]
    sums = np.zeros((n_groups, vectors.shape[1]), np.float32)
    for begin in range(0, len(order), block_size):
        rows = order[begin : begin + block_size]
        starts = np.flatnonzero(np.diff(labels[rows], prepend=-1))
        sums[labels[rows[starts]]] += np.add.reduceat(vectors[rows], starts, axis=0)
    return sums, np.bincount(labels[order], minlength=n_groups)


def join_poor_faces(space: SimilaritySpace, labels: Rows, *, threshold: float, cannot_links: CannotLinks) -> Rows:
    """Return `labels` (n,) with the group of each poor face that is clearly like one; the others stay `POOR`.

    Faces join in the order of their similarity to the groups as they are without them, so that poor faces never hold
    each other in a group.

    Parameters
    ----------
    space : SimilaritySpace
        Of all rows.
    labels : (n,) int64
        Group of each row, `POOR` for the poor ones.
    threshold : float
        Mean similarity that two groups need to be merged; a poor face needs `JOIN_EXTRA` more.
    cannot_links : CannotLinks
        Rows that never come into one group.
    """
    sums, sizes = group_sums(space.vectors, labels)
    if not len(sizes):
        return labels
    means = sums / sizes[:, None]
    grouped = labels >= 0
    offsets = np.bincount(labels[grouped], weights=space.offsets[grouped], minlength=len(sizes)) / sizes
    poor = np.flatnonzero(labels == POOR)
    rows, groups, similarities = [], [], []
    for block in row_blocks(len(poor), 8 * len(sizes)):
        alike = space.vectors[poor[block]] @ means.T
        alike -= space.offsets[poor[block], None] + offsets[None].astype(np.float32)
        near = np.nonzero(alike >= threshold + JOIN_EXTRA)
        rows.append(poor[block][near[0]])
        groups.append(near[1])
        similarities.append(alike[near])
    best_first = np.argsort(-np.concatenate(similarities), kind="stable") if rows else np.empty(0, np.int64)
    found = np.concatenate(rows)[best_first] if rows else np.empty(0, np.int64)
    of_found = np.concatenate(groups)[best_first] if rows else np.empty(0, np.int64)
    return _join_best_first(labels, found, of_found, cannot_links=cannot_links)


def _join_best_first(labels: Rows, rows: Rows, groups: Rows, *, cannot_links: CannotLinks) -> Rows:
    """Put each of `rows`, which may come several times, into the first of its `groups` that it may be in."""
    result = labels.copy()
    apart: dict[int, list[int]] = defaultdict(list)
    for one, two in cannot_links.pairs[np.isin(cannot_links.pairs, rows).any(axis=1)].tolist():
        apart[one].append(two)
        apart[two].append(one)
    names = np.full(len(labels), -1) if cannot_links.names is None else cannot_links.names
    named = np.flatnonzero((names >= 0) & (labels >= 0))
    name_of = dict(zip(labels[named].tolist(), names[named].tolist(), strict=True))
    refused = set(map(tuple, cannot_links.refusals.tolist()))
    for row, group in zip(rows.tolist(), groups.tolist(), strict=True):
        is_refused = (row, name_of.get(group, -1)) in refused
        if result[row] == POOR and not is_refused and all(result[other] != group for other in apart[row]):
            result[row] = group
    return result
