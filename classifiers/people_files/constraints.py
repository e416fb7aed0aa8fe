"""Read and combine constraints on groups: the user's must-links and cannot-links, faces of one photo, given names."""

import logging
from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.people_files.cannot_links import CannotLinks, Rows
from foundation.csv_rows import parse_index, read_rows
from foundation.errors import InputError
from foundation.text import pluralize

logger = logging.getLogger(__name__)

KINDS = ("must", "cannot")
COLUMNS = ("kind", "path_a", "face_index_a", "path_b", "face_index_b")

_MAX_LISTED = 3

FaceKey = tuple[str, int]
"""Path and face index: what names a row of a table."""


class Constraint(NamedTuple):
    """Must-link or cannot-link between two rows.

    Attributes
    ----------
    must : bool
        Whether they must be in one group, or must not.
    first, second : int
        The rows.
    line : int
        Line of the file that says so.
    """

    must: bool
    first: int
    second: int
    line: int


def read_constraints(path: str | Path, row_of: Mapping[FaceKey, int]) -> list[Constraint]:
    """Read a CSV file with the columns `COLUMNS`; faces that are not in the table are left out with a warning.

    Parameters
    ----------
    path : path
    row_of : mapping
        Row of each face of the table.

    Raises
    ------
    ValueError
        If the file is not such a list, or no face of it is in the table.
    OSError
        If it cannot be read.
    """
    rows = read_rows(path, COLUMNS)
    constraints, absent = [], []
    for line, row in rows:
        where = f"{path}, line {line}"
        kind = row["kind"].strip().lower()
        if kind not in KINDS:
            raise InputError(f"{where}: `kind` must be one of {', '.join(KINDS)}, got {row['kind']!r}")
        one, two = (
            (row[f"path_{side}"], parse_index(row[f"face_index_{side}"], f"{where}: `face_index_{side}`"))
            for side in "ab"
        )
        if one in row_of and two in row_of:
            constraints.append(Constraint(kind == "must", row_of[one], row_of[two], line))
        else:
            absent.append(
                f"line {line}: face {(one if one not in row_of else two)[1]} of "
                f"{(one if one not in row_of else two)[0]}"
            )
    if absent and not constraints:
        raise InputError(
            f"{path}: expected faces of the table, found none of them in it ({absent[0]}); "
            "these constraints are for another table"
        )
    if absent:
        logger.warning(
            "%s: left out %d of %s, because of faces that are not in the table (%s)",
            path,
            len(absent),
            pluralize(len(rows), "constraint"),
            absent[0],
        )
    return constraints


def combine_constraints(
    paths: Sequence[str] | NDArray[np.object_],
    constraints: Sequence[Constraint] = (),
    *,
    names: Sequence[str] | NDArray[np.object_] | None = None,
    refused: Mapping[int, Collection[str]] | None = None,
    source: str | Path = "constraints",
) -> tuple[Rows, CannotLinks]:
    """Return must-links, as a number ``(n,)`` that is equal for rows which must be together, and cannot-links.

    Parameters
    ----------
    paths : (n,) str
        Photo of each row: two faces of one photo are never one person.
    constraints : sequence of Constraint
    names : (n,) str, optional
        Names given by the user, "" for none: faces of different names are never one person.
    refused : mapping, optional
        Row to the names that the user has taken from it: it is never one person with faces of these names.
    source : path
        Where the constraints come from, for messages.

    Raises
    ------
    ValueError
        If constraints contradict each other, a photo, or names; the lines are listed.
    """
    must_link = _must_link_components(len(paths), constraints)
    pairs = _pairs_of_one_photo(np.asarray(paths, dtype=object))
    cannot = [constraint for constraint in constraints if not constraint.must]
    contradictions = [
        *_contradicted_cannots(cannot, constraints, must_link),
        *_contradicted_photos(pairs, paths, constraints, must_link=must_link),
    ]
    name_ids, refusals = None, np.empty((0, 2), np.int64)
    if names is not None:
        distinct, inverse = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
        name_ids = np.where(distinct[inverse] == "", -1, inverse).astype(np.int64)
        contradictions += _contradicted_names(constraints, names, must_link)
        number_of = {str(name): number for number, name in enumerate(distinct) if name}
        pairs_with_names = [
            (row, number_of[name]) for row, taken in (refused or {}).items() for name in taken if name in number_of
        ]
        refusals = np.asarray(pairs_with_names, np.int64).reshape(-1, 2)
        contradictions += _contradicted_refusals(constraints, names, must_link, refused=refused or {})
    if contradictions:
        listed, more = "; ".join(contradictions[:_MAX_LISTED]), len(contradictions) - _MAX_LISTED
        raise InputError(
            f"{source}: constraints must not contradict each other, got {listed}"
            + (f"; and {more} more" if more > 0 else "")
            + "; remove one of each"
        )
    by_user = np.asarray([(c.first, c.second) for c in cannot], np.int64).reshape(-1, 2)
    return must_link, CannotLinks(np.concatenate([pairs, by_user]), name_ids, refusals)


def _must_link_components(n_rows: int, constraints: Sequence[Constraint]) -> Rows:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    must = np.asarray([(c.first, c.second) for c in constraints if c.must], np.int64).reshape(-1, 2)
    links = coo_array((np.ones(len(must)), (must[:, 0], must[:, 1])), shape=(n_rows, n_rows))
    return connected_components(links, directed=False)[1].astype(np.int64) if n_rows else np.empty(0, np.int64)


def _pairs_of_one_photo(paths: NDArray[np.object_]) -> Rows:
    _, photo = np.unique(paths.astype(str), return_inverse=True)
    order = np.argsort(photo, kind="stable")
    pairs = [np.empty((0, 2), np.int64)]
    # The k-th row after each, as long as it is of the same photo: few rounds, however many photos.
    distance = 1
    while distance < len(order):
        same = photo[order[distance:]] == photo[order[:-distance]]
        if not same.any():
            break
        pairs.append(np.stack([order[:-distance][same], order[distance:][same]], axis=1))
        distance += 1
    return np.concatenate(pairs)


def _contradicted_cannots(
    cannot: Sequence[Constraint], constraints: Sequence[Constraint], must_link: Rows
) -> list[str]:
    return [
        f"line {constraint.line} (cannot) and {_why(constraints, constraint.first, constraint.second)}"
        if constraint.first != constraint.second
        else f"line {constraint.line} keeps a face from itself"
        for constraint in cannot
        if must_link[constraint.first] == must_link[constraint.second]
    ]


def _contradicted_photos(
    pairs: Rows, paths: Sequence[str] | NDArray[np.object_], constraints: Sequence[Constraint], *, must_link: Rows
) -> list[str]:
    violated = pairs[must_link[pairs[:, 0]] == must_link[pairs[:, 1]]]
    return [f"{_why(constraints, one, two)} and two faces of one photo, {paths[one]}" for one, two in violated.tolist()]


def _contradicted_names(
    constraints: Sequence[Constraint], names: Sequence[str] | NDArray[np.object_], must_link: Rows
) -> list[str]:
    named: dict[int, int] = {}
    found = []
    touched = sorted({row for constraint in constraints if constraint.must for row in constraint[1:3]})
    for row in touched:
        if names[row]:
            other = named.setdefault(int(must_link[row]), row)
            if names[other] != names[row]:
                found.append(f"{_why(constraints, other, row)} and the names {names[other]!r} and {names[row]!r}")
    return found


def _contradicted_refusals(
    constraints: Sequence[Constraint],
    names: Sequence[str] | NDArray[np.object_],
    must_link: Rows,
    *,
    refused: Mapping[int, Collection[str]],
) -> list[str]:
    touched = sorted({row for constraint in constraints if constraint.must for row in constraint[1:3]})
    named: dict[int, dict[str, int]] = defaultdict(dict)
    for row in touched:
        if names[row]:
            named[int(must_link[row])].setdefault(names[row], row)
    return [
        f"{_why(constraints, row, of_group[name])} and a face that is not {name!r}"
        for row in touched
        for of_group in (named[int(must_link[row])],)
        for name in sorted(set(refused.get(row, ())) & set(of_group))[:1]
    ]


def _why(constraints: Sequence[Constraint], one: int, two: int) -> str:
    """The shortest chain of must lines from row `one` to row `two`, in words."""
    neighbors = defaultdict(list)
    for constraint in constraints:
        if constraint.must:
            neighbors[constraint.first].append((constraint.second, constraint.line))
            neighbors[constraint.second].append((constraint.first, constraint.line))
    came_from: dict[int, tuple[int, int]] = {one: (one, 0)}
    waiting = deque([one])
    while two not in came_from:
        row = waiting.popleft()
        for neighbor, line in neighbors[row]:
            if neighbor not in came_from:
                came_from[neighbor] = (row, line)
                waiting.append(neighbor)
    lines = []
    while two != one:
        two, line = came_from[two]
        lines.append(line)
    plural = "s" if len(lines) > 1 else ""
    return f"line{plural} {', '.join(map(str, sorted(lines)))} (must)"
