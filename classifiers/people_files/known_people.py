"""Read what a people file says about the faces of a table."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.people_files.cannot_links import Rows
from classifiers.people_files.constraints import FaceKey
from classifiers.people_files.edits import PeopleRow, name_groups, resolve, spread_names
from classifiers.people_files.group_names import check_groups
from classifiers.people_files.people_file import read_people_rows
from foundation.errors import InputError
from foundation.text import pluralize

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownPeople:
    """Groups and names that an earlier people file gives to the rows of a table.

    Attributes
    ----------
    clusters : (n,) int64
        The group each row was in, `cannot_links.POOR` for a face too poor to be told apart, -1 for a row that the file
        does not have.
    names : (n,) str
        The name given to each row or, where it has none, to its group; "" for none.
    n_missing : int
        Faces of the file that the table does not have.
    next_cluster : int
        The lowest number that no group of the file has, nor any below.
    refused : mapping
        Row to the names that its face is known not to have.
    gone : sequence of PeopleRow
        Rows of faces that the table does not have and of which something was said.
    n_lost_rows : int or None
        Rows that the file had when it was written and has no longer; None where it does not say how many it had.
    rows_with_name : frozenset of int
        Rows whose own cell in the file holds a name, whatever the rest of their group is called.
    """

    clusters: Rows
    names: NDArray[np.object_]
    n_missing: int
    next_cluster: int
    refused: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    gone: Sequence[PeopleRow] = ()
    n_lost_rows: int | None = 0
    rows_with_name: frozenset[int] = frozenset()


def read_people(
    path: str | Path, row_of: Mapping[FaceKey, int], *, group_names: Mapping[int, str] | None = None
) -> KnownPeople:
    """Read a people file that a user may have edited.

    A name in any row of a group is the name of the group's unnamed rows too, unless the group holds several names:
    then only the rows that have one keep it. A cell that was emptied takes its face out, see `edits.resolve`.

    Parameters
    ----------
    path : path
    row_of : mapping
        Row of each face of the table.
    group_names : mapping, optional
        Names of whole groups, from `read_group_names`; they replace those of the file.

    Raises
    ------
    ValueError
        If the file is not such a list, has a face twice or a name that nobody may have, none of its faces is in the
        table, or a group to be named has several names.
    OSError
        If it cannot be read.
    """
    rows, n_lost = read_people_rows(Path(path), row_of)
    n_found = sum(row.is_present for row in rows)
    if rows and not n_found and len(row_of):
        raise InputError(
            f"{path}: expected faces of the table, found none of {pluralize(len(rows), 'face')}, the first "
            f"of {rows[0].path}; this file is for another table"
        )
    written = frozenset(row_of[row.path, row.face_index] for row in rows if row.is_present and row.name)
    if group_names:
        check_groups(path, rows, group_names)
        rows = name_groups(rows, group_names)
    rows = resolve(rows)
    given, mixed = spread_names(rows)
    _warn_of_mixed_groups(path, mixed)
    _warn_of_missing_faces(path, len(row_of), n_found=n_found, n_lost=n_lost)
    if len(rows) > n_found:
        logger.warning(
            "%s: left out %d of %s, which the table no longer holds",
            path,
            len(rows) - n_found,
            pluralize(len(rows), "face"),
        )
    rows = [replace(row, name=name) for row, name in zip(rows, given, strict=True)]
    return replace(_known_people(rows, row_of, n_lost), rows_with_name=written)


def _known_people(rows: Sequence[PeopleRow], row_of: Mapping[FaceKey, int], n_lost: int | None) -> KnownPeople:
    clusters = np.full(len(row_of), -1, np.int64)
    names = np.full(len(row_of), "", object)
    refused = {}
    for row in rows:
        if row.is_present:
            at = row_of[row.path, row.face_index]
            clusters[at], names[at] = row.cluster, row.name
            if row.is_not:
                refused[at] = row.is_not
    gone = [row for row in rows if not row.is_present]
    said = tuple(row for row in gone if row.name or row.is_not)
    highest = max((row.cluster for row in rows), default=-1)
    return KnownPeople(clusters, names, len(gone), max(highest, -1) + 1, refused, said, n_lost)


def _warn_of_missing_faces(path: str | Path, n_faces: int, *, n_found: int, n_lost: int | None) -> None:
    n_missing = n_faces - n_found
    missing = f"{n_missing:,} of {pluralize(n_faces, 'face')} of the table are missing from it"
    if n_lost:
        logger.warning(
            "%s: %s of those it was written with %s gone, filtered out or cut off; %s; restore an earlier copy if they "
            "held names",
            path,
            pluralize(n_lost, "row"),
            "is" if n_lost == 1 else "are",
            missing,
        )
    elif n_lost is None and n_missing:
        logger.warning("%s: %s: their photos are new, or rows of the file were lost", path, missing)


def _warn_of_mixed_groups(path: str | Path, mixed: Mapping[int, Sequence[str]]) -> None:
    if mixed:
        first = min(mixed)
        logger.warning(
            "%s: group %d%s several names (%s); its faces without one stay unnamed, the others keep theirs",
            path,
            first,
            f" and {len(mixed) - 1} more have" if len(mixed) > 1 else " has",
            ", ".join(mixed[first][:3]),
        )
