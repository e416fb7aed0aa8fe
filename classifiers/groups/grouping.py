"""Cluster the faces of a table, and write what was found as a people file and as contact sheets."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.clustering import Clustering, Method, Progress, cluster_faces
from classifiers.groups.contact_sheet import THUMBNAIL_SIZE, Section, cut_thumbnails, render, write_page
from classifiers.groups.similarity import SimilaritySpace
from classifiers.people_files.cannot_links import POOR, Rows
from classifiers.people_files.carry_over import describe_changes, drop_separated_names, keep_numbers, propagate_names
from classifiers.people_files.constraints import Constraint, FaceKey, combine_constraints
from classifiers.people_files.group_names import is_list_of_groups, read_group_names
from classifiers.people_files.known_people import KnownPeople, read_people
from classifiers.people_files.people_file import read_people_rows, write_people
from foundation.errors import InputError
from foundation.paths import check_folder_of
from foundation.text import pluralize

logger = logging.getLogger(__name__)

# Most groups, faces of a group and lone faces on contact sheets.
_MAX_GROUPS_SHOWN = 500
_MAX_FACES_SHOWN = 30
_MAX_LONE_SHOWN = 200


class FaceTable(Protocol):
    """The columns of an embedding table that clustering needs; see `embedder.EmbeddingTable`."""

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """Vectors, (n, d)."""

    @property
    def identities(self) -> NDArray[np.object_]:
        """Identity of each row, (n,) str, "" for none."""

    @property
    def paths(self) -> NDArray[np.object_]:
        """Photo of each row, (n,) str."""

    @property
    def face_indices(self) -> NDArray[np.int32]:
        """Number of each row's face in its photo, (n,)."""

    @property
    def boxes(self) -> NDArray[np.float32]:
        """Boxes in pixels, (n, 4): x_min, y_min, x_max, y_max, max exclusive."""


class NamedGroups(NamedTuple):
    """Groups of a table's rows with their numbers and names; result of `cluster_table`.

    Attributes
    ----------
    clustering : Clustering
        The groups as they were found, and how.
    labels : (n,) int64
        Group of each row: the number it had in the earlier people file, where there is one.
    names : (n,) str
        Name of each row, "" for none.
    changes : dict or None
        What changed since the earlier people file, see `describe_changes`; None without one.
    before : KnownPeople or None
        The earlier people file.
    """

    clustering: Clustering
    labels: Rows
    names: NDArray[np.object_]
    changes: dict[str, Any] | None
    before: KnownPeople | None = None

    @property
    def poor(self) -> NDArray[np.bool_]:
        """Which rows are of faces too poor to be told apart, ``(n,)``."""
        poor: NDArray[np.bool_] = self.labels == POOR
        return poor


def face_keys(table: FaceTable) -> list[FaceKey]:
    """Return path and face index of each row."""
    return list(zip(table.paths.tolist(), table.face_indices.tolist(), strict=True))


def check_output_files(*paths: Path | None, table: Path) -> None:
    """Refuse outputs that cannot be written, before the work and not after it.

    Raises
    ------
    ValueError
        If the folder of one of `paths` does not exist, or a path is a folder or `table` itself.
    OSError
        If nothing may be written to the folder.
    """
    for path in paths:
        if path is None:
            continue
        check_folder_of(path)
        if path.is_dir():
            raise InputError(f"{path}: expected a file to write to, found a folder; name a file in it")
        if path.exists() and table.exists() and path.samefile(table):
            raise InputError(f"{path}: expected a file to write to, found the table itself; give another name")


def read_known_people(table: FaceTable, *, names: Path | None, out: Path, dry_run: bool = False) -> KnownPeople | None:
    """Return what the people file `names` says or, for a dry run without one, what `out` says now.

    `names` may also be a short list of one row a group, with the columns `cluster` and `name`: then `out` must be the
    people file whose groups it names.

    Raises
    ------
    ValueError
        If `out` holds what writing it would lose, or a file is no people file of this table.
    OSError
        If a file cannot be read.
    """
    row_of = {face: row for row, face in enumerate(face_keys(table))}
    if names is not None and is_list_of_groups(names):
        if not out.exists():
            raise InputError(
                f"{names}: expected faces, found a list of groups; such a list needs -o to be the people file whose "
                f"groups it names, and there is no {out}"
            )
        return read_people(out, row_of, group_names=read_group_names(names))
    if names is not None:
        _check_nothing_is_lost(names, out)
        return read_people(names, row_of)
    if not out.exists():
        return None
    if any(row.name or row.before or row.is_not for row in read_people_rows(out, ())[0]):
        raise InputError(f"{out}: holds names that would be lost; add --names {out} to keep them, or choose another -o")
    return read_people(out, row_of) if dry_run else None


def _check_nothing_is_lost(names: Path, out: Path) -> None:
    """Refuse to write a people file over one that says what `names` does not: a name, or what somebody wrote there."""
    if not out.exists() or out.samefile(names):
        return
    rows = read_people_rows(names, ())[0]
    there = {(row.path, row.face_index): row for row in rows}
    known = {row.name for row in rows}
    for row in read_people_rows(out, ())[0]:
        other = there.get((row.path, row.face_index))
        is_lost = row.before is not None and row.is_edited and (other is None or other.name != row.name)
        refused_there = set() if other is None else {*other.is_not, other.before if other.is_emptied else ""}
        if is_lost or row.name not in known | {""} or set(row.is_not) - refused_there:
            raise InputError(
                f"{out}, line {row.line}: holds what somebody has said of a face, and {names} does not; name it as "
                "--names to keep it, or choose another -o"
            )


def read_identities(path: str | Path, table: FaceTable) -> NDArray[np.object_]:
    """Return ``(n,)`` str: the name that a people file gives to each face of `table`, "" where it gives none.

    What the table says, such as the name of a photo's folder, does not count beside the file: one person would be
    enrolled under two names, or an album as a person.

    Raises
    ------
    ValueError
        If the file is no people file of this table, or gives no name.
    OSError
        If it cannot be read.
    """
    if is_list_of_groups(path):
        raise InputError(
            f"{path}: expected a people file, one row a face, found a list of groups; run cluster with --names {path} "
            "and -o the people file that it is for, then name that file here"
        )
    known = read_people(path, {face: row for row, face in enumerate(face_keys(table))})
    if not (known.names != "").any():
        raise InputError(f"{path}: expected names in its column `name`, found none; write one in each person's group")
    n_new = int((known.clusters == -1).sum())
    if known.n_lost_rows == 0 and n_new:
        logger.warning(
            "%s: %s of %s of the table are missing from it, their photos are new; run cluster again to name them",
            path,
            f"{n_new:,}",
            pluralize(len(known.names), "face"),
        )
    left_out = int(((known.names == "") & (table.identities != "")).sum())
    if left_out:
        logger.info(
            "%s: %s without a name in it left out; the names of folders do not count beside it",
            path,
            pluralize(left_out, "face"),
        )
    return known.names


def cluster_table(
    table: FaceTable,
    *,
    before: KnownPeople | None = None,
    constraints: Sequence[Constraint] = (),
    method: Method = "auto",
    threshold: float | None = None,
    space: SimilaritySpace | None = None,
    poor: NDArray[np.bool_] | None = None,
    threads: int | None = None,
    source: str | Path = "constraints",
    progress: Progress | None = None,
) -> NamedGroups:
    """Cluster the faces of a table; names and numbers of an earlier people file are carried over.

    Parameters
    ----------
    table : EmbeddingTable
        Or an object with its columns.
    before : KnownPeople, optional
        The earlier people file, from `read_known_people`.
    constraints : sequence of Constraint
        From `classifiers.people_files.constraints.read_constraints`.
    method, threshold, space, poor, threads, progress
        See `classifiers.groups.clustering.cluster_faces`.
    source : path
        Where the constraints come from, for messages.

    Raises
    ------
    ValueError
        If constraints contradict each other, or as `cluster_faces` does.
    """
    must_link, cannot_links = combine_constraints(
        table.paths,
        constraints,
        names=None if before is None else before.names,
        refused=None if before is None else before.refused,
        source=source,
    )
    clustering = cluster_faces(
        table.embeddings,
        method=method,
        threshold=threshold,
        space=space,
        must_link=must_link,
        cannot_links=cannot_links,
        poor=poor,
        threads=threads,
        progress=progress,
    )
    if before is None:
        return NamedGroups(clustering, clustering.labels, np.full(len(clustering.labels), "", object), None)
    labels = keep_numbers(clustering.labels, before)
    separated = np.asarray([(c.first, c.second) for c in constraints if not c.must], np.int64).reshape(-1, 2)
    names = propagate_names(labels, drop_separated_names(labels, before.names, separated))
    return NamedGroups(clustering, labels, names, describe_changes(labels, names, before), before)


def write_people_file(path: Path, table: FaceTable, groups: NamedGroups) -> None:
    """Write the people file of the rows of `table`.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    before = groups.before
    refused: Mapping[int, tuple[str, ...]] = {} if before is None else before.refused
    write_people(
        path,
        face_keys(table),
        groups.labels,
        names=groups.names,
        scores=groups.clustering.scores,
        refused=refused,
        gone=() if before is None else before.gone,
    )


def write_contact_sheet(
    path: Path,
    table: FaceTable,
    groups: NamedGroups,
    *,
    title: str,
    read_photo: Callable[[str], NDArray[np.uint8]],
    find_photo: Callable[[str], Path] | None = None,
    moments: NDArray[np.object_] | None = None,
    size: int = THUMBNAIL_SIZE,
) -> None:
    """Write the contact sheets of the groups, the largest first, named ones before the others, as one HTML page.

    Parameters
    ----------
    path : Path
    table : FaceTable
    groups : NamedGroups
    title : str
    read_photo : callable
        Path of the table, or one of `moments`, to uint8 (h, w, 3) RGB; raises OSError or ValueError.
    find_photo : callable, optional
        Path of the table to the file that a click on a face opens.
    moments : numpy.ndarray, optional
        (n,) str: what to read for each row, such as a moment of a video; the table's paths by default.
    size : int
        Side of a thumbnail, pixels.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    grouped = np.flatnonzero(~groups.poor)
    numbers, counts = np.unique(groups.labels[grouped], return_counts=True)
    by_group = grouped[np.argsort(groups.labels[grouped], kind="stable")]
    members = np.split(by_group, np.cumsum(counts)[:-1]) if len(numbers) else []
    order = sorted(range(len(numbers)), key=lambda at: (groups.names[members[at][0]] == "", -counts[at], numbers[at]))
    several = [at for at in order if counts[at] > 1]
    sections = [_section(table, groups, members[at]) for at in several[:_MAX_GROUPS_SHOWN]]
    lone = [int(members[at][0]) for at in order if counts[at] == 1]
    sections += _list_section("Lone faces", table, groups, lone)
    poor = np.flatnonzero(groups.poor).tolist()
    sections += _list_section("Too poor to be told apart", table, groups, poor)
    shown = [row for section in sections for row in section.rows]
    thumbnails = cut_thumbnails(
        shown, table.paths if moments is None else moments, table.boxes, read_photo=read_photo, size=size
    )
    if find_photo is not None:
        sections = [replace(each, photos=[find_photo(table.paths[row]) for row in each.rows]) for each in sections]
    remark = (
        f"{pluralize(len(groups.labels), 'face')}, {_shown(len(several), _MAX_GROUPS_SHOWN, 'group')} of several "
        f"faces and {pluralize(len(lone), 'lone face')}. Fill in the column name of any row of a group and run "
        "again with --names; empty it where a face is not that person."
        + (
            f" {pluralize(len(poor), 'face')} too blurred or too small to be told apart, shown last, may be anybody's: "
            "a name there counts for one face."
            if poor
            else ""
        )
    )
    write_page(path, render(title, sections, thumbnails, remark=remark, size=size))


def _list_section(title: str, table: FaceTable, groups: NamedGroups, rows: list[int]) -> list[Section]:
    """Return the section of faces that are no group, if there are any."""
    some = rows[:_MAX_LONE_SHOWN]
    captions = [
        f"{'' if groups.poor[row] else f'{groups.labels[row]}: '}{groups.names[row]} {_caption(table, row)}".strip()
        for row in some
    ]
    return [Section(title, _shown(len(rows), _MAX_LONE_SHOWN, "face"), some, captions)] if rows else []


def _section(table: FaceTable, groups: NamedGroups, rows: Rows) -> Section:
    number = int(groups.labels[rows[0]])
    best_first = rows[np.argsort(-groups.clustering.scores[rows], kind="stable")].tolist()
    if len(best_first) > _MAX_FACES_SHOWN:
        # The least alike are the ones to look at.
        best_first = best_first[: _MAX_FACES_SHOWN // 2] + best_first[-(_MAX_FACES_SHOWN // 2) :]
    names = sorted(set(groups.names[rows]) - {""})
    heading = f"Group {number}: {', '.join(names)}" if names else f"Group {number}"
    captions = [f"{groups.clustering.scores[row]:.2f} {_caption(table, row)}" for row in best_first]
    return Section(heading, _shown(len(rows), _MAX_FACES_SHOWN, "face"), best_first, captions)


def _caption(table: FaceTable, row: int) -> str:
    return f"{table.paths[row]} #{table.face_indices[row]}"


def _shown(n: int, limit: int, noun: str) -> str:
    return pluralize(n, noun) + ("" if n <= limit else f" ({limit:,} of them shown)")
