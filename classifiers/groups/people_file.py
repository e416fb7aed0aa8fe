"""Read and write people files: one CSV row a face, which a user names and the next clustering keeps."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.agglomeration import Rows
from classifiers.groups.constraints import FaceKey
from classifiers.scores.gallery import UNKNOWN
from foundation.csv_rows import parse_index, read_rows, write_rows
from foundation.errors import InputError
from foundation.text import MAX_NAME_LENGTH, normalize_name, pluralize

logger = logging.getLogger(__name__)

COLUMNS = ("path", "face_index", "cluster", "name", "score")


@dataclass(frozen=True)
class KnownPeople:
    """Groups and names that an earlier people file gives to the rows of a table.

    Attributes
    ----------
    clusters : (n,) int64
        The group each row was in, -1 for a row the file does not have.
    names : (n,) str
        The name given to each row or, where it has none, to its group; "" for none.
    n_gone : int
        Faces of the file that the table does not have.
    next_cluster : int
        The lowest number that no group of the file has, nor any below.
    """

    clusters: Rows
    names: NDArray[np.object_]
    n_missing: int
    next_cluster: int


def read_people(path: str | Path, row_of: Mapping[FaceKey, int]) -> KnownPeople:
    """Read a people file that a user may have edited.

    A name in any row of a group is the name of the group's unnamed rows too, unless the group holds several names:
    then only the rows that have one keep it.

    Parameters
    ----------
    path : path
    row_of : mapping
        Row of each face of the table.

    Raises
    ------
    ValueError
        If the file is not such a list, has a face twice or the reserved name, or none of its faces is in the table.
    OSError
        If it cannot be read.
    """
    lines: dict[FaceKey, int] = {}
    clusters = np.full(len(row_of), -1, np.int64)
    names = np.full(len(row_of), "", object)
    names_of_group: dict[int, set[str]] = {}
    highest = -1
    for line, row in read_rows(path, COLUMNS[:4]):
        where = f"{path}, line {line}"
        face = row["path"], parse_index(row["face_index"], f"{where}: `face_index`")
        cluster, name = parse_index(row["cluster"], f"{where}: `cluster`"), normalize_name(row["name"])
        if face in lines:
            raise InputError(
                f"{where}: expected each face once, got face {face[1]} of {face[0]} again, see line {lines[face]}"
            )
        if "\0" in name or len(name) > MAX_NAME_LENGTH:
            raise InputError(
                f"{where}: `name` must be text of at most {MAX_NAME_LENGTH:,} characters, got {name[:40]!r}; shorten it"
            )
        if name == UNKNOWN:
            raise InputError(f"{where}: `name` must not be {UNKNOWN!r}, which means a stranger; leave it empty")
        lines[face] = line
        highest = max(highest, cluster)
        names_of_group.setdefault(cluster, set()).update({name} - {""})
        if face in row_of:
            clusters[row_of[face]], names[row_of[face]] = cluster, name
    n_found = int((clusters >= 0).sum())
    if lines and not n_found and len(row_of):
        raise InputError(
            f"{path}: expected faces of the table, found none of {pluralize(len(lines), 'face')}, the first "
            f"of {next(iter(lines))[0]}; this file is for another table"
        )
    _propagate_within_groups(names, clusters, names_of_group)
    _warn_of_mixed_groups(path, names_of_group)
    if len(lines) > n_found:
        logger.warning(
            "%s: left out %d of %s, which the table no longer holds",
            path,
            len(lines) - n_found,
            pluralize(len(lines), "face"),
        )
    return KnownPeople(clusters, names, len(lines) - n_found, highest + 1)


def _propagate_within_groups(names: NDArray[np.object_], clusters: Rows, of_group: Mapping[int, set[str]]) -> None:
    """Give the unnamed rows of each group its name, in place."""
    name_of = {cluster: next(iter(given)) for cluster, given in of_group.items() if len(given) == 1}
    for row in np.flatnonzero((names == "") & (clusters >= 0)):
        names[row] = name_of.get(int(clusters[row]), "")


def _warn_of_mixed_groups(path: str | Path, of_group: Mapping[int, set[str]]) -> None:
    mixed = sorted(cluster for cluster, given in of_group.items() if len(given) > 1)
    if mixed:
        logger.warning(
            "%s: group %d%s several names (%s); its faces without one stay unnamed, the others keep theirs",
            path,
            mixed[0],
            f" and {len(mixed) - 1} more have" if len(mixed) > 1 else " has",
            ", ".join(sorted(of_group[mixed[0]])[:3]),
        )


def keep_numbers(labels: Rows, known: KnownPeople) -> Rows:
    """Return the groups ``(n,)`` renumbered, each with the number of the earlier group it shares most faces with.

    Largest overlaps choose first, each number is given once, and the rest get new numbers in the order of `labels`.

    Parameters
    ----------
    labels : (n,) int64
        The groups, counted from 0 without gaps.
    known : KnownPeople
        The earlier people file.
    """
    n_groups = int(labels.max(initial=-1)) + 1
    seen = known.clusters >= 0
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
    return number[labels]


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
    for row in np.flatnonzero(names != ""):
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

    Parameters
    ----------
    labels : (n,) int
        As `keep_numbers` returns them.
    names : (n,) str
        As `propagate_names` returns them.
    known : KnownPeople
        The earlier people file.
    """
    new = known.clusters < 0
    moved = ~new & (labels != known.clusters)
    pairs = np.unique(np.stack([known.clusters[~new], labels[~new]]), axis=1).T.tolist()
    split, merged = _several(pairs, 0), _several(pairs, 1)
    named = np.asarray(names, dtype=object)
    return {
        "n_new_faces": int(new.sum()),
        "n_gone_faces": known.n_missing,
        "n_moved_faces": int(moved.sum()),
        "n_newly_named_faces": int(((named != "") & (known.names == "")).sum()),
        "new_groups": sorted(set(labels.tolist()) - set(known.clusters.tolist())),
        "split_groups": split,
        "merged_groups": merged,
        "grown_groups": {
            int(group): int(count)
            for group, count in zip(
                *np.unique(labels[new & np.isin(labels, known.clusters)], return_counts=True), strict=True
            )
        },
    }


def write_people(
    path: str | Path,
    faces: Sequence[FaceKey],
    labels: Rows,
    *,
    names: NDArray[np.object_],
    scores: NDArray[np.floating],
) -> None:
    """Write a people file, replacing it in one step.

    Parameters
    ----------
    path : path
    faces : sequence, length n
        Path and face index of each row.
    labels : (n,) int64
        Group of each row.
    names : (n,) str
        Name of each row, "" for none.
    scores : (n,) float
        Cosine of each face with the mean direction of the others in its group.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    write_rows(
        path,
        COLUMNS,
        (
            (*face, label, name, f"{score:.4f}")
            for face, label, name, score in zip(faces, labels.tolist(), names.tolist(), scores.tolist(), strict=True)
        ),
    )


def _several(pairs: list[list[int]], side: int) -> dict[int, list[int]]:
    """Partners of each number on `side` (0: earlier group, 1: new group) that has more than one."""
    partners: dict[int, list[int]] = {}
    for pair in pairs:
        partners.setdefault(pair[side], []).append(pair[1 - side])
    return {number: others for number, others in partners.items() if len(others) > 1}
