"""Group the faces of a workspace's table, heeding what people decided."""

import logging
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.clustering import cluster_faces
from classifiers.groups.similarity import normalized_space
from classifiers.people_files.constraints import Constraint, combine_constraints
from classifiers.scores.clarity import find_clarity
from classifiers.scores.normalization import Background
from embedder.tables.table import EmbeddingTable
from foundation.text import pluralize
from people.store.scanned import NO_GROUP, Links

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Decided:
    """What holds of a table's rows: the name of each, which are settled without one, and the links between them.

    Attributes
    ----------
    names : (n,) str
        "" for nobody has named it.
    settled : (n,) bool
        Nobody's faces, and what is no face: they join no group.
    links : Links
    name_of : dict
        Name of each person by number.
    """

    names: NDArray[np.object_]
    settled: NDArray[np.bool_]
    links: Links
    name_of: dict[int, str]


def group_faces(
    table: EmbeddingTable, decided: Decided, *, background: Background | None, threads: int | None = None
) -> NDArray[np.int64]:
    """Return the group of each row, int64 (n,), `NO_GROUP` for settled rows and where there is nothing to ask.

    A named row is in the group of unnamed faces like it, so that the group's likely name is at hand.

    Parameters
    ----------
    table : EmbeddingTable
    decided : Decided
    background : Background or None
        Normalizes similarities, see `classifiers.scores.normalization.choose_background`.
    threads : int, optional
        Threads of the approximate search.
    """
    groups = np.full(len(table), NO_GROUP, np.int64)
    rows = np.flatnonzero(~decided.settled)
    if not len(rows):
        return groups
    place = np.full(len(table), -1, np.int64)
    place[rows] = np.arange(len(rows))
    refused: dict[int, set[str]] = {}
    for row, person in decided.links.denied:
        if place[row] >= 0 and person in decided.name_of:
            refused.setdefault(int(place[row]), set()).add(decided.name_of[person])
    must_link, cannot_links = combine_constraints(
        table.paths[rows],
        _consistent(decided, place, table.paths),
        names=decided.names[rows],
        refused=refused,
        source="the decisions",
    )
    embeddings = table.embeddings[rows]
    clarity = find_clarity(table.fingerprint)
    found = cluster_faces(
        embeddings,
        must_link=must_link,
        cannot_links=cannot_links,
        space=None if background is None else normalized_space(embeddings, background),
        poor=None if clarity is None else clarity.are_poor(embeddings),
        threads=threads,
    ).labels
    # A group in which everybody is named, or somebody's only face, asks for nothing.
    is_open = decided.names[rows] == ""
    sizes = np.bincount(found[found >= 0], minlength=1)
    asks = (np.bincount(found[(found >= 0) & is_open], minlength=len(sizes)) > 0) & (sizes > 1)
    groups[rows] = np.where((found >= 0) & asks[np.maximum(found, 0)], found, NO_GROUP)
    return groups


def _consistent(decided: Decided, place: NDArray[np.int64], paths: NDArray[np.object_]) -> list[Constraint]:
    """Return the links among unsettled rows as constraints; what contradicts names, photos or others is left out."""
    parent: dict[int, int] = {}

    def find(row: int) -> int:
        while row in parent:
            row = parent[row]
        return row

    constraints: list[Constraint] = []
    members: dict[int, list[int]] = {}
    n_dropped = 0
    for rows in decided.links.same:
        for one, two in pairwise(rows):
            first, second = find(one), find(two)
            if place[one] < 0 or place[two] < 0 or first == second:
                continue
            group = members.get(first, [first]) + members.get(second, [second])
            names = {decided.names[row] for row in group} - {""}
            if len(names) > 1 or len({paths[row] for row in group}) < len(group):
                n_dropped += 1
                continue
            parent[first], members[second] = second, group
            constraints.append(Constraint(True, int(place[one]), int(place[two]), 0))
    for rows in decided.links.different:
        for i, one in enumerate(rows):
            for two in rows[i + 1 :]:
                if place[one] < 0 or place[two] < 0:
                    continue
                same_name = decided.names[one] != "" and decided.names[one] == decided.names[two]
                if find(one) == find(two) or same_name:
                    n_dropped += 1
                else:
                    constraints.append(Constraint(False, int(place[one]), int(place[two]), 0))
    if n_dropped:
        logger.warning(
            "%s that later decisions contradict did not count when faces were grouped",
            pluralize(n_dropped, "answer about two faces", "answers about two faces"),
        )
    return constraints
