"""A table in, a people file and contact sheets out: what ``python -m classifiers cluster`` does."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.agglomeration import Rows
from classifiers.groups.clustering import FaceSpace, Groups, Method, cluster_faces
from classifiers.groups.constraints import Constraint, Face, combine
from classifiers.groups.contact_sheet import Section, cut_thumbnails, render, write_page
from classifiers.groups.metrics import bcubed, corrections, pairwise
from classifiers.groups.people_file import (
    KnownPeople,
    describe_changes,
    keep_numbers,
    part_names,
    read_people,
    spread_names,
    write_people,
)
from foundation.csv_rows import read_rows
from foundation.text import pluralize

_MAX_GROUPS_SHOWN = 500
_MAX_FACES_SHOWN = 30
_MAX_LONE_SHOWN = 200
_MAX_LISTED = 20


class FaceTable(Protocol):
    """The columns of an embedding table that clustering needs; see `embedder.EmbeddingTable`."""

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """Vectors, (n, d)."""

    @property
    def identities(self) -> NDArray[np.object_]:
        """Identity of each row, "" for none."""

    @property
    def paths(self) -> NDArray[np.object_]:
        """Photo of each row."""

    @property
    def face_indices(self) -> NDArray[np.int32]:
        """Number of the face in its photo."""

    @property
    def boxes(self) -> NDArray[np.float32]:
        """Boxes in pixels, (n, 4)."""


class People(NamedTuple):
    """The outcome of a clustering: numbers and names of the rows, and what changed since the last one."""

    groups: Groups
    labels: Rows
    names: NDArray[np.object_]
    changes: dict[str, Any] | None


def faces_of(table: FaceTable) -> list[Face]:
    """Return path and face index of each row."""
    return list(zip(table.paths.tolist(), table.face_indices.tolist(), strict=True))


def check_outputs(*paths: Path | None, table: Path) -> None:
    """Find out before the work, not after it, that a result cannot be written.

    Raises
    ------
    ValueError
        If the folder of one of `paths` does not exist, or a path is a folder or `table` itself.
    """
    for path in paths:
        if path is not None and not path.resolve().parent.is_dir():
            raise ValueError(f"{path}: expected a folder that exists, {path.resolve().parent} does not; make it first")
        if path is not None and path.is_dir():
            raise ValueError(f"{path}: expected a file to write to, found a folder; name a file in it")
        if path is not None and path.exists() and table.exists() and path.samefile(table):
            raise ValueError(f"{path}: expected a file to write to, found the table itself; give another name")


def known_people(table: FaceTable, *, names: Path | None, out: Path, dry_run: bool = False) -> KnownPeople | None:
    """Return what the people file `names` says or, for a dry run without one, what `out` says now.

    Raises
    ------
    ValueError
        If `out` holds names that writing it would lose, or a file is no people file of this table.
    OSError
        If a file cannot be read.
    """
    row_of = {face: row for row, face in enumerate(faces_of(table))}
    if names is not None:
        return read_people(names, row_of)
    if not out.exists():
        return None
    if any(row["name"].strip() for _, row in read_rows(out, ("name",))):
        raise ValueError(f"{out}: holds names that would be lost; add --names {out} to keep them, or choose another -o")
    return read_people(out, row_of) if dry_run else None


def group_people(
    table: FaceTable,
    *,
    before: KnownPeople | None = None,
    constraints: Sequence[Constraint] = (),
    method: Method = "auto",
    threshold: float | None = None,
    space: FaceSpace | None = None,
    threads: int | None = None,
    source: str | Path = "constraints",
) -> People:
    """Cluster the faces of `table`; names and numbers of an earlier people file are carried over.

    Parameters
    ----------
    table : EmbeddingTable
        Or an object with its columns.
    before : KnownPeople, optional
        The earlier people file, from `known_people`.
    constraints : sequence of Constraint
        From `classifiers.groups.constraints.read_constraints`.
    method, threshold, space, threads
        See `classifiers.groups.clustering.cluster_faces`.
    source : path
        Where the constraints come from, for messages.

    Raises
    ------
    ValueError
        If constraints contradict each other, or as `cluster_faces` does.
    """
    together, apart = combine(table.paths, constraints, names=None if before is None else before.names, source=source)
    groups = cluster_faces(
        table.embeddings,
        method=method,
        threshold=threshold,
        space=space,
        together=together,
        apart=apart,
        threads=threads,
    )
    if before is None:
        return People(groups, groups.labels, np.full(len(groups.labels), "", object), None)
    labels = keep_numbers(groups.labels, before)
    parted = np.asarray([(c.first, c.second) for c in constraints if not c.must], np.int64).reshape(-1, 2)
    names = spread_names(labels, part_names(labels, before.names, parted))
    return People(groups, labels, names, describe_changes(labels, names, before))


def summarize(table: FaceTable, people: People) -> dict[str, Any]:
    """Return the figures of a clustering, ready for JSON; those that need identities are null without any."""
    sizes = np.unique(people.labels, return_counts=True)[1]
    result: dict[str, Any] = {
        "n_faces": len(people.labels),
        "n_groups": len(sizes),
        "n_lone_faces": int((sizes == 1).sum()),
        "n_named_faces": int((people.names != "").sum()),
        "method": people.groups.method,
        "threshold": people.groups.threshold,
        "normalized": people.groups.normalized,
        "n_identified_faces": 0,
        "bcubed": None,
        "pairwise": None,
        "n_splits": None,
        "n_merges": None,
        "changes": people.changes,
    }
    identified = table.identities != ""
    if identified.any():
        truth, labels = table.identities[identified], people.labels[identified]
        needed = corrections(truth, labels)
        result |= {
            "n_identified_faces": int(identified.sum()),
            "bcubed": bcubed(truth, labels)._asdict(),
            "pairwise": pairwise(truth, labels)._asdict(),
            **needed._asdict(),
        }
    return result


def report(result: Mapping[str, Any]) -> list[str]:
    """Return the figures of `summarize` as lines of text."""
    kind = "normalized similarity" if result["normalized"] else "cosine"
    lines = [
        f"{pluralize(result['n_faces'], 'face')} in {pluralize(result['n_groups'], 'group')}, "
        f"{pluralize(result['n_lone_faces'], 'lone face')} among them "
        f"(method {result['method']}, threshold {result['threshold']:.3f} of {kind})"
    ]
    if result["bcubed"] is not None:
        lines.append(f"against the identities of {pluralize(result['n_identified_faces'], 'face')}:")
        lines += [
            f"  {title:8} precision {rates['precision']:.4f}, recall {rates['recall']:.4f}, F {rates['f']:.4f}"
            for title, rates in (("BCubed", result["bcubed"]), ("pairwise", result["pairwise"]))
        ]
        lines.append(
            f"  to put it right: {pluralize(result['n_splits'], 'split')} and {pluralize(result['n_merges'], 'merge')}"
        )
    if result["changes"] is not None:
        lines += _report_changes(result["changes"], result["n_named_faces"])
    return lines


def write_people_file(path: Path, table: FaceTable, people: People) -> None:
    """Write the people file of the rows of `table`.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    write_people(path, faces_of(table), people.labels, names=people.names, scores=people.groups.scores)


def write_sheet(
    path: Path, table: FaceTable, people: People, *, title: str, read_photo: Callable[[str], NDArray[np.uint8]]
) -> None:
    """Write the contact sheets of the groups, the largest first, named ones before the others, as one HTML page.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    numbers, counts = np.unique(people.labels, return_counts=True)
    members = np.split(np.argsort(people.labels, kind="stable"), np.cumsum(counts)[:-1]) if len(numbers) else []
    order = sorted(range(len(numbers)), key=lambda at: (people.names[members[at][0]] == "", -counts[at], numbers[at]))
    several = [at for at in order if counts[at] > 1]
    sections = [_section(table, people, members[at]) for at in several[:_MAX_GROUPS_SHOWN]]
    lone = [int(members[at][0]) for at in order if counts[at] == 1]
    if lone:
        captions = [f"{people.labels[row]}: {people.names[row]} {_caption(table, row)}" for row in lone]
        sections.append(
            Section(
                "Lone faces",
                _shown(len(lone), _MAX_LONE_SHOWN, "face"),
                lone[:_MAX_LONE_SHOWN],
                captions[:_MAX_LONE_SHOWN],
            )
        )
    shown = [row for section in sections for row in section.rows]
    thumbnails = cut_thumbnails(shown, table.paths, table.boxes, read_photo=read_photo)
    remark = (
        f"{pluralize(len(people.labels), 'face')}, {_shown(len(several), _MAX_GROUPS_SHOWN, 'group')} of several "
        f"faces and {pluralize(len(lone), 'lone face')}. Fill in the column name of any row of a group and run "
        "again with --names."
    )
    write_page(path, render(title, sections, thumbnails, remark=remark))


def _section(table: FaceTable, people: People, rows: Rows) -> Section:
    number = int(people.labels[rows[0]])
    best_first = rows[np.argsort(-people.groups.scores[rows], kind="stable")].tolist()
    if len(best_first) > _MAX_FACES_SHOWN:
        # The least alike are the ones to look at.
        best_first = best_first[: _MAX_FACES_SHOWN // 2] + best_first[-(_MAX_FACES_SHOWN // 2) :]
    names = sorted(set(people.names[rows]) - {""})
    heading = f"{number}: {', '.join(names)}" if names else str(number)
    captions = [f"{people.groups.scores[row]:.2f} {_caption(table, row)}" for row in best_first]
    return Section(heading, _shown(len(rows), _MAX_FACES_SHOWN, "face"), best_first, captions)


def _caption(table: FaceTable, row: int) -> str:
    return f"{table.paths[row]} #{table.face_indices[row]}"


def _shown(n: int, limit: int, noun: str) -> str:
    return pluralize(n, noun) + ("" if n <= limit else f", {limit:,} of them shown,")


def _report_changes(changes: Mapping[str, Any], n_named: int) -> list[str]:
    lines = [
        f"since the last run: {pluralize(changes['n_new_faces'], 'new face')}, {changes['n_gone_faces']:,} gone, "
        f"{changes['n_moved_faces']:,} in another group; with a name: {n_named:,}, "
        f"{changes['n_newly_named_faces']:,} of them newly"
    ]
    lines += [f"  group {old} falls into {_listed(new)}" for old, new in changes["split_groups"].items()]
    lines += [f"  groups {_listed(old)} come together in {new}" for new, old in changes["merged_groups"].items()]
    lines += [f"  group {group} gains {pluralize(count, 'face')}" for group, count in changes["grown_groups"].items()]
    if changes["new_groups"]:
        lines.append(f"  new groups: {_listed(changes['new_groups'])}")
    n_more = len(lines) - 1 - _MAX_LISTED
    return lines if n_more <= 0 else [*lines[: _MAX_LISTED + 1], f"  and {pluralize(n_more, 'more change')}"]


def _listed(numbers: Sequence[int]) -> str:
    more = len(numbers) - _MAX_LISTED
    return ", ".join(map(str, numbers[:_MAX_LISTED])) + (f" and {more:,} more" if more > 0 else "")
