"""Cluster unknown faces: the same person together, nobody else with them."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.groups.agglomeration import Agglomeration
from classifiers.groups.candidate_pairs import ClusteringLimits, TooManyPairsError, neighbor_pairs, pairs_above
from classifiers.groups.similarity import SimilaritySpace, as_unit_rows, default_threshold, plain_space
from classifiers.people_files.cannot_links import POOR, CannotLinks, Rows
from classifiers.scores.neighbors import check_vectors
from foundation.errors import InputError

logger = logging.getLogger(__name__)

Method = Literal["auto", "average", "graph", "dbscan", "hdbscan"]
Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""

METHODS: tuple[Method, ...] = ("auto", "average", "graph", "dbscan", "hdbscan")

# Most sweeps over the groups' means; they end sooner when one merges nothing.
_MAX_SWEEPS = 4

# Most times a threshold falls with the number of groups that it leaves.
_MAX_THRESHOLD_STEPS = 5

# DBSCAN chains single faces, so two of them must be that much more alike than two groups; measured as the curves were.
_DBSCAN_EXTRA = 0.11

# More than any distance between faces.
_FAR = 4.0

# Share of the work of `graph` that is done after its first merges and after each sweep, most of it in the first two.
_SWEPT = (0.6, 0.8, 0.9, 0.95, 1.0)

# Rows at once, so that what is computed beside the result stays small.
_BLOCK = 100_000


def _no_progress(share: float) -> None:
    """Tell nobody."""


class Clustering(NamedTuple):
    """Result of `cluster_faces`.

    Attributes
    ----------
    labels : (n,) int64
        Group of each face, numbered by size, largest 0; `POOR` for a face too poor to be told apart.
    method : str
        The method that was used: never ``auto``.
    threshold : float
        The similarity that was needed to merge.
    scores : (n,) float32
        Cosine of each face with the mean direction of the others in its group, 1 for a lone face, 0 for one that is
        too poor.
    normalized : bool
        Whether similarities were normalized by a background.
    """

    labels: Rows
    method: str
    threshold: float
    scores: NDArray[np.float32]
    normalized: bool


def cluster_faces(
    embeddings: ArrayLike,
    *,
    method: Method = "auto",
    threshold: float | None = None,
    must_link: Rows | None = None,
    cannot_links: CannotLinks | None = None,
    space: SimilaritySpace | None = None,
    poor: NDArray[np.bool_] | None = None,
    threads: int | None = None,
    limits: ClusteringLimits | None = None,
    progress: Progress | None = None,
) -> Clustering:
    """Cluster faces by person.

    Parameters
    ----------
    embeddings : array_like, shape (n, d)
    method : {"auto", "average", "graph", "dbscan", "hdbscan"}
        ``average`` is average linkage on all pairs, ``graph`` the same on each face's nearest neighbours, for large
        tables; ``auto`` takes ``average`` up to ``limits.max_average`` faces.
    threshold : float, optional
        Mean similarity that two groups need to be merged; with ``dbscan`` the similarity of two neighbouring faces. By
        default `default_threshold` decides.
    must_link : (n,) int, optional
        Rows of one number must be in one group.
    cannot_links : CannotLinks, optional
        Rows that must not be in one group.
    space : SimilaritySpace, optional
        Where to compare the faces; by default the embeddings themselves.
    poor : (n,) bool, optional
        Faces too poor to be told apart, see `classifiers.scores.clarity`: they come into no group. Those that have a
        name, or must be in a group with others, count as good.
    threads : int, optional
        Threads of the approximate search; by default what OpenMP takes.
    limits : ClusteringLimits, optional
        How many faces and pairs the methods take.
    progress : callable, optional
        Called with the share of the work that is done, 0 to 1.

    Returns
    -------
    Clustering
        The groups, the largest first.

    Raises
    ------
    ValueError
        If an embedding is not finite, the method is unknown or the table too large for it, or `must_link` and
        `cannot_links` contradict.
    """
    vectors = check_vectors("embeddings", embeddings)
    if method not in METHODS:
        raise InputError(f"`method` must be one of {', '.join(METHODS)}, got {method!r}")
    if threshold is not None and not -2 <= threshold <= 2:
        raise InputError(f"`threshold` must be a similarity between -1 and 1, got {threshold}; for example 0.5")
    unit = as_unit_rows(vectors)
    where = plain_space(unit) if space is None else space
    start = np.arange(len(unit)) if must_link is None else np.unique(must_link, return_inverse=True)[1].astype(np.int64)
    task = _Task(
        where,
        start,
        CannotLinks() if cannot_links is None else cannot_links,
        threshold,
        threads,
        ClusteringLimits() if limits is None else limits,
        _no_progress if progress is None else progress,
    )
    if task.cannot_links.violated(start).any():
        raise InputError(
            "`must_link` and `cannot_links` must not contradict, got rows that are in both; "
            "see `classifiers.people_files.constraints.check_consistent`"
        )
    apart = np.zeros(len(unit), bool) if poor is None else poor & (np.bincount(start, minlength=1)[start] == 1)
    if task.cannot_links.names is not None:
        apart = apart & (task.cannot_links.names < 0)
    name, labels, used = _run_without(task, apart, method)
    labels = _number_by_size(labels)
    result = Clustering(labels, name, used, group_scores(unit, labels), where.is_normalized)
    task.progress(1.0)
    return result


def _run_without(task: "_Task", apart: NDArray[np.bool_], method: Method) -> tuple[str, Rows, float]:
    """Group the rows that are not `apart`; those get the label `POOR`."""
    if not apart.any():
        return _run(task, method)
    name, found, threshold = _run(task.subset(np.flatnonzero(~apart)), method)
    labels = np.full(len(apart), POOR)
    labels[~apart] = found
    return name, labels, threshold


def group_scores(unit: NDArray[np.float32], labels: Rows, *, block_size: int = _BLOCK) -> NDArray[np.float32]:
    """Return ``(n,)`` float32: the cosine of each row with the mean of the others of its label, 1 where it is alone.

    Rows of the label `POOR` have no group, and 0.

    Parameters
    ----------
    unit : (n, d) float32 of unit length
    labels : (n,) int64
    block_size : int
        Rows at once: more take more memory, fewer more time.
    """
    n_groups = int(labels.max(initial=-1)) + 1
    order = np.argsort(labels, kind="stable")
    order = order[np.searchsorted(labels[order], 0) :]
    sums = np.zeros((n_groups, unit.shape[1]), np.float32)
    for begin in range(0, len(order), block_size):
        rows = order[begin : begin + block_size]
        starts = np.flatnonzero(np.diff(labels[rows], prepend=-1))
        sums[labels[rows[starts]]] += np.add.reduceat(unit[rows], starts, axis=0)
    sizes = np.bincount(labels[order], minlength=n_groups)
    scores: NDArray[np.float32] = (labels != POOR).astype(np.float32)
    grouped = np.flatnonzero(labels >= 0)
    for begin in range(0, len(grouped), block_size):
        rows = grouped[begin : begin + block_size]
        rows = rows[sizes[labels[rows]] > 1]
        others = sums[labels[rows]] - unit[rows]
        lengths = np.linalg.norm(others, axis=1)
        products = np.einsum("ij,ij->i", others, unit[rows])
        scores[rows] = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return scores


class _Task(NamedTuple):
    space: SimilaritySpace
    start: Rows
    cannot_links: CannotLinks
    threshold: float | None
    threads: int | None
    limits: ClusteringLimits
    progress: Progress

    def subset(self, rows: Rows) -> "_Task":
        """Return the task of some rows, numbered by their places."""
        return self._replace(
            space=replace(self.space, vectors=self.space.vectors[rows], offsets=self.space.offsets[rows]),
            start=np.unique(self.start[rows], return_inverse=True)[1].astype(np.int64),
            cannot_links=self.cannot_links.subset(rows),
        )


def _run(task: _Task, method: Method) -> tuple[str, Rows, float]:
    n_faces = len(task.start)
    limit = task.limits.max_faces(method)
    if limit is not None and n_faces > limit:
        raise InputError(
            f"`method` {method} compares every pair and takes {limit:,} faces at most, got {n_faces:,}; use graph"
        )
    functions: dict[str, Callable[[_Task], tuple[Rows, float]]] = {
        "average": _average,
        "graph": _graph,
        "dbscan": _dbscan,
        "hdbscan": _hdbscan,
    }
    if method != "auto":
        return method, *functions[method](task)
    if n_faces <= task.limits.max_average:
        try:
            return "average", *_average(task)
        except TooManyPairsError:
            logger.info("so many faces are alike that only nearest neighbours are compared")
    return "graph", *_graph(task)


def _average(task: _Task) -> tuple[Rows, float]:
    lowest = default_threshold(1, task.space.curve) if task.threshold is None else task.threshold
    pairs = _pairs_above(task, lowest)
    groups = Agglomeration(task.space.vectors, task.space.offsets, start=task.start, cannot_links=task.cannot_links)
    threshold = _merge_down(groups, pairs, task)
    return groups.labels, threshold


def _graph(task: _Task) -> tuple[Rows, float]:
    lowest = default_threshold(1, task.space.curve) if task.threshold is None else task.threshold
    # First the neighbours, then the groups: the index and the vector sums need not be in memory together.
    space = task.space
    pairs = _neighbor_pairs(
        task, np.arange(len(task.start)), space.vectors, offsets=space.offsets, lowest=lowest, share=(0.0, 0.5)
    )
    groups = Agglomeration(space.vectors, space.offsets, start=task.start, cannot_links=task.cannot_links)
    threshold = _merge_down(groups, pairs, task)
    # Groups that are alike though none of their faces are nearest neighbours: found through their means.
    for sweep in range(_MAX_SWEEPS):
        n_before = groups.n_groups
        rows, centroids, offsets = groups.centroids()
        share = _SWEPT[sweep], _SWEPT[sweep + 1]
        pairs = _neighbor_pairs(task, rows, centroids, offsets=offsets, lowest=threshold, share=share)
        threshold = _merge_down(groups, pairs, task)
        if groups.n_groups == n_before:
            break
    return groups.labels, threshold


def _pairs_above(task: _Task, threshold: float) -> tuple[Rows, Rows]:
    return pairs_above(
        task.space.vectors,
        task.space.offsets,
        threshold,
        max_pairs=task.limits.max_exact_pairs,
        progress=task.progress,
    )


def _neighbor_pairs(
    task: _Task,
    rows: Rows,
    vectors: NDArray[np.float32],
    *,
    offsets: NDArray[np.float32],
    lowest: float,
    share: tuple[float, float],
) -> tuple[Rows, Rows]:
    """Return the pairs among the nearest neighbours; `share` is where this work begins and ends in the whole."""
    begin, end = share
    return neighbor_pairs(
        rows,
        vectors,
        offsets,
        lowest=lowest,
        threads=task.threads,
        max_exact=task.limits.max_exact_neighbors,
        progress=lambda done: task.progress(begin + done * (end - begin)),
    )


def _merge_down(groups: Agglomeration, pairs: tuple[Rows, Rows], task: _Task) -> float:
    """Merge at the given threshold, or lower it until it is the one for the number of groups it leaves."""
    if task.threshold is not None:
        groups.merge(*pairs, threshold=task.threshold)
        return task.threshold
    threshold = np.inf
    for _ in range(_MAX_THRESHOLD_STEPS):
        lower = default_threshold(groups.n_groups, task.space.curve)
        if lower >= threshold:
            break
        threshold = lower
        groups.merge(*pairs, threshold=threshold)
    return threshold


def _dbscan(task: _Task) -> tuple[Rows, float]:
    from scipy.sparse import coo_array
    from sklearn.cluster import DBSCAN

    n_faces = len(task.start)
    threshold = task.threshold
    if threshold is None:
        threshold = default_threshold(n_faces, task.space.curve) + _DBSCAN_EXTRA
    first, second = _pairs_above(task, threshold)
    # Only who is near whom matters to DBSCAN: a stored distance is near, one that is not stored is far.
    near = coo_array(
        (np.full(2 * len(first), 0.5), (np.append(first, second), np.append(second, first))), shape=(n_faces, n_faces)
    ).tocsr()
    found = DBSCAN(eps=1.0, min_samples=2, metric="precomputed").fit_predict(near) if n_faces else np.empty(0, int)
    return _enforce_constraints(task, _outliers_as_singletons(found)), threshold


def _hdbscan(task: _Task) -> tuple[Rows, float]:
    from sklearn.cluster import HDBSCAN

    n_faces, offsets = len(task.start), task.space.offsets
    # Two faces like nobody else: beside them a table of one person is a group, not all noise.
    distances = np.full((n_faces + 2, n_faces + 2), _FAR)
    distances[:n_faces, :n_faces] = 1 + offsets[:, None] + offsets[None, :] - task.space.vectors @ task.space.vectors.T
    distances[n_faces:, n_faces:] = 0
    np.maximum(distances, 0, out=distances)
    np.fill_diagonal(distances, 0)
    # The product of a matrix with its own transpose is symmetric only up to rounding, and HDBSCAN insists.
    distances = np.minimum(distances, distances.T)
    found = _outliers_as_singletons(
        HDBSCAN(min_cluster_size=2, metric="precomputed", copy=False).fit_predict(distances)[:-2]
    )
    # HDBSCAN sees only contrasts, and finds groups among strangers too: within each the threshold still holds.
    lowest = default_threshold(1, task.space.curve) if task.threshold is None else task.threshold
    first, second = _pairs_above(task, lowest)
    inside = found[first] == found[second]
    groups = Agglomeration(task.space.vectors, offsets, start=np.arange(n_faces), cannot_links=task.cannot_links)
    threshold = _merge_down(groups, (first[inside], second[inside]), task)
    return _enforce_constraints(task, groups.labels), threshold


def _outliers_as_singletons(found: NDArray[np.signedinteger]) -> Rows:
    labels = found.astype(np.int64)
    alone = labels < 0
    labels[alone] = labels.max(initial=-1) + 1 + np.arange(alone.sum())
    return labels


def _enforce_constraints(task: _Task, labels: Rows) -> Rows:
    """Join the groups of rows that must be together, then split those that hold rows that must be apart."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_groups = int(labels.max(initial=-1)) + 1
    _, first = np.unique(task.start, return_index=True)
    link = coo_array((np.ones(len(labels)), (labels, labels[first][task.start])), shape=(n_groups, n_groups))
    labels = connected_components(link, directed=False)[1].astype(np.int64)[labels]
    n_groups = int(labels.max(initial=-1)) + 1
    for group in np.flatnonzero(task.cannot_links.violated(labels)):
        rows = np.flatnonzero(labels == group)
        part = Agglomeration(
            task.space.vectors[rows],
            task.space.offsets[rows],
            cannot_links=task.cannot_links.subset(rows),
            start=np.unique(task.start[rows], return_inverse=True)[1].astype(np.int64),
        )
        part.merge(*(pairs.astype(np.int64) for pairs in np.triu_indices(len(rows), 1)), threshold=-np.inf)
        labels[rows] = n_groups + part.labels
        n_groups += part.n_groups
    return labels


def _number_by_size(labels: Rows) -> Rows:
    """Number the groups from 0, the largest first, among equals the one whose first row comes first."""
    grouped = labels >= 0
    _, first, inverse, counts = np.unique(labels[grouped], return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.int64)
    rank[np.lexsort((first, -counts))] = np.arange(len(counts))
    result = labels.copy()
    result[grouped] = rank[inverse]
    return result
