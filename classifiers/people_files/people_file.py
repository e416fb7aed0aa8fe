"""Read and write people files: one CSV row a face, which a user names and the next clustering keeps."""

import csv
import io
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.people_files.cannot_links import POOR, Rows
from classifiers.people_files.constraints import FaceKey
from classifiers.people_files.edits import PeopleRow
from classifiers.scores.gallery import UNKNOWN
from foundation.csv_rows import parse_index, read_rows, write_rows
from foundation.errors import InputError
from foundation.text import MAX_NAME_LENGTH, has_letter_or_digit, normalize_name

logger = logging.getLogger(__name__)

COLUMNS = ("path", "face_index", "cluster", "name", "score", "before", "is_not", "row")
_NEEDED = COLUMNS[:4]

# What the cells of the column `cluster` hold for faces too poor to be told apart.
POOR_CELL = "poor"

# Of these a program that writes people files leaves none empty, so that a last line without one was cut off.
_NEVER_EMPTY = ("score", "row")

_ROW_OF = re.compile(r"\s*(\d{1,12}) of (\d{1,12})\s*")


def read_people_rows(path: Path, faces: Collection[FaceKey]) -> tuple[list[PeopleRow], int | None]:
    """Return the rows of a people file as they stand, and how many it has lost since it was written.

    Parameters
    ----------
    path : Path
    faces : collection
        Faces of the table.

    Returns
    -------
    list of PeopleRow, int or None
        None where the file does not say how many rows it had.

    Raises
    ------
    ValueError
        If the file is not such a list, has a face twice or a name that nobody may have.
    OSError
        If it cannot be read.
    """
    rows: list[PeopleRow] = []
    lines: dict[FaceKey, int] = {}
    counted: list[tuple[int, int]] = []
    cells = read_rows(path, _NEEDED)
    for line, row in cells:
        where = f"{path}, line {line}"
        last_column, last_cell = list(row.items())[-1]
        if line == cells[-1][0] and last_column in _NEVER_EMPTY and not last_cell:
            logger.warning("%s: left out, because the line is cut off; expected an entry in each column", where)
            break
        face = row["path"], parse_index(row["face_index"], f"{where}: `face_index`")
        if face in lines:
            raise InputError(
                f"{where}: expected each face once, got face {face[1]} of {face[0]} again, see line {lines[face]}"
            )
        lines[face] = line
        is_poor = row["cluster"].strip().lower() == POOR_CELL
        cluster = POOR if is_poor else parse_index(row["cluster"], f"{where}: `cluster`")
        rows.append(
            PeopleRow(
                line,
                *face,
                cluster,
                parse_name(row["name"], f"{where}: `name`"),
                normalize_name(row["before"]) if "before" in row else None,
                _parse_names(row.get("is_not", "")),
                is_present=face in faces,
            )
        )
        numbers = _ROW_OF.fullmatch(row.get("row", ""))
        if numbers is not None:
            counted.append((int(numbers[1]), int(numbers[2])))
    if not counted:
        return rows, None
    return rows, max(total for _, total in counted) - len({number for number, _ in counted})


def parse_name(text: str, where: str) -> str:
    """Return the name in a cell, "" for none; `where` names the cell.

    Raises
    ------
    ValueError
        If nobody can be called that.
    """
    name = normalize_name(text)
    if name == UNKNOWN:
        raise InputError(f"{where} must not be {UNKNOWN!r}, which means a stranger; leave it empty")
    if "\0" in name or len(name) > MAX_NAME_LENGTH:
        raise InputError(
            f"{where} must be text of at most {MAX_NAME_LENGTH:,} characters, got {name[:40]!r}; shorten it"
        )
    if name and not has_letter_or_digit(name):
        raise InputError(
            f"{where} must hold a letter or digit, got {name!r}; leave it empty, which takes the face out of its group"
        )
    return name


def _parse_names(text: str) -> tuple[str, ...]:
    """Return the names in a cell of the column `is_not`: one CSV row with `|` between the fields."""
    names = next(csv.reader([text.replace("\n", " ").replace("\r", " ")], delimiter="|"), [])
    return tuple(sorted({normalize_name(name) for name in names} - {""}))


def _format_names(names: Collection[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter="|", lineterminator="").writerow(sorted(names))
    return stream.getvalue()


def write_people(
    path: str | Path,
    faces: Sequence[FaceKey],
    labels: Rows,
    *,
    names: NDArray[np.object_],
    scores: NDArray[np.floating],
    refused: Mapping[int, Collection[str]] | None = None,
    gone: Sequence[PeopleRow] = (),
) -> None:
    """Write a people file, replacing it in one step: the largest group first, in it the most typical face first.

    Parameters
    ----------
    path : path
    faces : sequence, length n
        Path and face index of each row.
    labels : (n,) int64
        Group of each row, `cannot_links.POOR` for the faces too poor to be told apart.
    names : (n,) str
        Name of each row, "" for none.
    scores : (n,) float
        Cosine of each face with the mean direction of the others in its group.
    refused : mapping, optional
        Row to the names that its face is known not to have.
    gone : sequence of PeopleRow
        Rows to keep of faces that are not among `faces`; they come last.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    n_rows = len(faces) + len(gone)
    refusals = {} if refused is None else refused
    groups, given = [_cluster_cell(label) for label in labels.tolist()], names.tolist()
    cells = [
        (*faces[row], groups[row], given[row], f"{scores[row]:.4f}", given[row], refusals.get(row, ()))
        for row in sort_by_group(labels, scores).tolist()
    ]
    cells += [
        (row.path, row.face_index, _cluster_cell(row.cluster), row.name, "", row.name, row.is_not) for row in gone
    ]
    write_rows(
        path,
        COLUMNS,
        ((*row[:-1], _format_names(row[-1]), f"{number} of {n_rows}") for number, row in enumerate(cells, start=1)),
    )


def sort_by_group(labels: Rows, scores: NDArray[np.floating]) -> Rows:
    """Return the rows ``(n,)`` with the largest group first and in it the highest score; poor faces come last.

    Parameters
    ----------
    labels : (n,) int64
    scores : (n,) float
    """
    _, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order: Rows = np.lexsort((-scores, labels, -sizes[inverse], labels == POOR)).astype(np.int64)
    return order


def _cluster_cell(label: int) -> str:
    return POOR_CELL if label == POOR else str(label)
