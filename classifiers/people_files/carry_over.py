"""Carry numbers and names of an earlier people file over to new groups, and say what changed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.people_files.cannot_links import POOR, Rows
from classifiers.people_files.known_people import KnownPeople


def keep_numbers(labels: Rows, known: KnownPeople) -> Rows:
    """Return the groups ``(n,)`` renumbered, each with the number of the earlier group it shares most faces with.

    Largest overlaps choose first, each number is given once, and the rest get new numbers in the order of `labels`.

    Parameters
    ----------
    labels : (n,) int64
        The groups, counted from 0 without gaps; `cannot_links.POOR` stays what it is.
    known : KnownPeople
        The earlier people file.
    """
    n_groups = int(labels.max(initial=-1)) + 1
    seen = (known.clusters >= 0) & (labels >= 0)
    keys, counts = np.unique(np.stack([labels[seen], known.clusters[seen]]), axis=1, return_counts=True)
    number = np.full(n_groups, -1, np.int64)
    taken = set()
    for at in np.lexsort((keys[1], keys[0], -counts)):
        group, old = keys[:, at].tolist()
        if number[group] < 0 and old not in taken:
            number[group] = old
            taken.add(old)
    fresh = number < 0
    number[fresh] = known.next_cluster + np.arange(fresh.sum())
    result = labels.copy()
    result[labels >= 0] = number[labels[labels >= 0]]
    return result


def propagate_names(labels: Rows, names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the name ``(n,)`` of each row: its own or, where it has none, the only one in its group; "" for none.

    Parameters
    ----------
    labels : (n,) int64
        Group of each row.
    names : (n,) str
        Name of each row, "" for none.
    """
    result = names.copy()
    given: dict[int, set[str]] = {}
    for row in np.flatnonzero((names != "") & (labels != POOR)):
        given.setdefault(int(labels[row]), set()).add(names[row])
    for row in np.flatnonzero(names == ""):
        of_group = given.get(int(labels[row]), set())
        result[row] = next(iter(of_group)) if len(of_group) == 1 else ""
    return result


def drop_separated_names(labels: Rows, names: NDArray[np.object_], separated: Rows) -> NDArray[np.object_]:
    """Return `names` (n,) without those that the user's constraints take away.

    Where two rows of one name must be apart, one of them is somebody else: the name stays with the group that has more
    rows of that name, the first row's among equals.

    Parameters
    ----------
    labels : (n,) int64
        Group of each row.
    names : (n,) str
        Name of each row, "" for none.
    separated : (p, 2) int64
        Rows that a user put apart.
    """
    result = names.copy()
    for one, two in separated.tolist():
        name = result[one]
        if name and name == result[two] and labels[one] != labels[two]:
            groups = [(labels == labels[row]) & (result == name) for row in (one, two)]
            result[groups[0] if groups[1].sum() > groups[0].sum() else groups[1]] = ""
    return result


def describe_changes(labels: Rows, names: Sequence[str] | NDArray[np.object_], known: KnownPeople) -> dict[str, Any]:
    """Return what a clustering changes of an earlier one, as counts and lists ready for JSON.

    Newly named is a face that has a name and none of its own in the earlier file, whatever its group was called there.

    Parameters
    ----------
    labels : (n,) int
        As `keep_numbers` returns them.
    names : (n,) str
        As `propagate_names` returns them.
    known : KnownPeople
        The earlier people file.
    """
    new = known.clusters == -1
    moved = ~new & (labels != known.clusters)
    both = (known.clusters >= 0) & (labels >= 0)
    pairs = np.unique(np.stack([known.clusters[both], labels[both]]), axis=1).T.tolist()
    grown = new & (labels >= 0) & np.isin(labels, known.clusters)
    split, merged = _several(pairs, 0), _several(pairs, 1)
    newly_named = np.asarray(names, dtype=object) != ""
    newly_named[sorted(known.rows_with_name)] = False
    return {
        "n_new_faces": int(new.sum()),
        "n_gone_faces": known.n_missing,
        "n_moved_faces": int(moved.sum()),
        "n_newly_named_faces": int(newly_named.sum()),
        "n_refused_faces": len(known.refused),
        "new_groups": sorted(set(labels[labels >= 0].tolist()) - set(known.clusters.tolist())),
        "split_groups": split,
        "merged_groups": merged,
        "grown_groups": {
            int(group): int(count) for group, count in zip(*np.unique(labels[grown], return_counts=True), strict=True)
        },
    }


def _several(pairs: list[list[int]], side: int) -> dict[int, list[int]]:
    """Partners of each number on `side` (0: earlier group, 1: new group) that has more than one."""
    partners: dict[int, list[int]] = {}
    for pair in pairs:
        partners.setdefault(pair[side], []).append(pair[1 - side])
    return {number: others for number, others in partners.items() if len(others) > 1}
