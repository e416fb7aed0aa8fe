"""Read short people files: one row a group, for tables in which naming a group is all there is to do."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from classifiers.people_files.edits import PeopleRow, names_in
from classifiers.people_files.people_file import parse_name
from foundation.csv_rows import parse_index, read_columns, read_rows
from foundation.errors import InputError

logger = logging.getLogger(__name__)

_COLUMNS = ("cluster", "name")


def is_list_of_groups(path: str | Path) -> bool:
    """Return whether a file names groups and no faces: it has the columns `cluster` and `name`, and no `path`.

    Raises
    ------
    ValueError
        If the file is not text.
    OSError
        If it cannot be read.
    """
    columns = read_columns(path)
    return "path" not in columns and set(_COLUMNS) <= set(columns)


def read_group_names(path: str | Path) -> dict[int, str]:
    """Read a short people file of one row a group, with the columns `cluster` and `name`.

    Returns
    -------
    dict
        Group to name, without those whose name is empty.

    Raises
    ------
    ValueError
        If the file is not such a list, or a group has two names or one that nobody may have.
    OSError
        If it cannot be read.
    """
    names: dict[int, str] = {}
    for line, row in read_rows(path, _COLUMNS):
        where = f"{path}, line {line}"
        name = parse_name(row["name"], f"{where}: `name`")
        cluster = parse_index(row["cluster"], f"{where}: `cluster`")
        if name and names.setdefault(cluster, name) != name:
            raise InputError(
                f"{where}: expected each group once, got {name!r} for group {cluster}, which has the name "
                f"{names[cluster]!r} above; leave one of them"
            )
    return names


def check_groups(path: str | Path, rows: Sequence[PeopleRow], group_names: Mapping[int, str]) -> None:
    """Refuse to name groups of a people file that have several names, and warn of those that it does not have.

    Raises
    ------
    ValueError
        If a group has several names, or the file has none of the groups.
    """
    there = {row.cluster for row in rows}
    absent = sorted(set(group_names) - there)
    if absent and len(absent) == len(group_names):
        raise InputError(
            f"{path}: expected the groups that are to be named, found none of {len(absent)}, the first {absent[0]}; "
            "take the numbers from this file"
        )
    if absent:
        logger.warning("%s: has no group %s; the names given to such groups are left out", path, absent[0])
    for cluster in sorted(set(group_names) & there):
        names = names_in(rows, cluster)
        if len(names) > 1:
            raise InputError(
                f"{path}: expected a group with at most one name to be called {group_names[cluster]!r}, found "
                f"{', '.join(map(repr, names[:3]))} in group {cluster}; write the names into its rows"
            )
