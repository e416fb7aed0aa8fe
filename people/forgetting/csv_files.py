"""CSV files: people files, one row a group or a face, constraints, aligned faces, what `find` lists, results."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from classifiers.members.audit import Finding
from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from foundation.text import pluralize
from people.forgetting.holder import MENTIONED, Outcome, finding
from people.forgetting.person import Person

_BYTE_ORDER_MARK = "\ufeff"
_DELIMITERS = (",", ";", "\t")
_ROW_OF = re.compile(r"\s*(\d{1,12}) of (\d{1,12})\s*")

_COLUMN_SETS = (
    {"cluster", "name"},
    {"kind", "path_a", "face_index_a", "path_b", "face_index_b"},
    {"crop", "photo", "face_index"},
    {"path", "face_index", "name", "state"},
    {"name", "with", "n_photos"},
    {"identity", "path", "face_index", "image_sha256"},
)
# What `--csv` of verify, evaluate, compare-heads and cluster writes of photos and people.
_RESULT_COLUMN_SETS = (
    {"photo_a", "photo_b", "identity_a", "identity_b", "score"},
    {"photo", "kind", "identity", "named", "score", "is_right"},
    {"photo", "face", "cluster", "cluster_name", "identity"},
    {"cluster", "cluster_name", "n_faces", "n_identities"},
)
_NAME_COLUMNS = ("identity", "identity_a", "identity_b", "named", "cluster_name")
_PATH_COLUMNS = ("path", "path_a", "path_b", "crop", "photo")

Row = dict[str, str]


@dataclass
class _Sheet:
    """A CSV file as it is: its columns and the cells of each row, by column."""

    columns: list[str]
    rows: list[Row]
    delimiter: str
    line_end: str
    has_mark: bool

    def to_bytes(self) -> bytes:
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=self.delimiter, lineterminator=self.line_end)
        writer.writerow(self.columns)
        writer.writerows([[row[column] for column in self.columns] for row in self.rows])
        return ((_BYTE_ORDER_MARK if self.has_mark else "") + stream.getvalue()).encode()


class CsvFiles:
    """People files, constraints and lists of aligned faces; see `people.forgetting.holder.Holder`."""

    noun = "people file"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file's first line names the columns of one of them."""
        if path.suffix.lower() not in (".csv", ".tsv", ".txt") or b"\0" in beginning:
            return False
        return _has_columns(path, _COLUMN_SETS)

    def learn(self, path: Path, person: Person) -> None:
        """Remember which faces a people file says are the person's."""
        rows = _read(path).rows
        faces = {_face(row): row for row in rows if _face(row) is not None}
        theirs = {face for face, row in faces.items() if person.is_name(row.get("name", row.get("identity", "")))}
        if theirs:
            person.listed[path] = ({face for face in theirs if face}, {face for face in faces if face})

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return ``rows`` that name the person or a photo called like them, and ``refusals`` (`is_not`, `before`)."""
        rows = _read(path).rows
        theirs = [row for row in rows if _is_theirs(row, person)]
        refusals = [row for row in rows if row not in theirs and _cleaned(row, person) != row]
        return [
            *finding("rows", [row.get("path", "") for row in theirs]),
            *finding("refusals", [row.get("path", "") for row in refusals]),
            *finding("paths that mention them", [row.get("path", "") for row in rows if _mentions(row, person)]),
        ]

    def forget(self, path: Path, person: Person) -> Outcome:
        """Write the file anew without the person's rows and without their name in other people's."""
        sheet = _read(path)
        kept = [row for row in sheet.rows if not _is_theirs(row, person)]
        cleaned = [_cleaned(row, person) for row in kept]
        n_removed, n_changed = (
            len(sheet.rows) - len(kept),
            sum(old != new for old, new in zip(kept, cleaned, strict=True)),
        )
        sheet.rows = _numbered(cleaned, sheet.rows)
        write_bytes_atomically(path, sheet.to_bytes(), is_private=True)
        by_hand = [MENTIONED] * any(_mentions(row, person) for row in cleaned)
        changed = f", {n_changed:,} changed" if n_changed else ""
        return Outcome(f"{pluralize(n_removed, 'row')} removed{changed}", by_hand)


class ResultSheets:
    """What was measured, pair by pair, probe by probe, face by face; see `people.forgetting.holder.Holder`."""

    noun = "table of results"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file's first line names the columns of one of them."""
        return path.suffix.lower() == ".csv" and b"\0" not in beginning and _has_columns(path, _RESULT_COLUMN_SETS)

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: results say nothing that tables do not."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return the ``rows`` in which the person is named."""
        rows = [row for row in _read(path).rows if _redacted(row, person) != row]
        return finding("rows", [next(iter(row.values())) for row in rows])

    def forget(self, path: Path, person: Person) -> Outcome:
        """Write the file anew with ``[name]`` in the name's place, so that its figures stay what they are."""
        sheet = _read(path)
        redacted = [_redacted(row, person) for row in sheet.rows]
        n_changed = sum(old != new for old, new in zip(sheet.rows, redacted, strict=True))
        sheet.rows = redacted
        write_bytes_atomically(path, sheet.to_bytes(), is_private=True)
        return Outcome(f"the name replaced in {pluralize(n_changed, 'row')}")


def _has_columns(path: Path, column_sets: tuple[set[str], ...]) -> bool:
    """Return whether a file's first line names all columns of one of the sets."""
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        line = stream.readline(1_000).rstrip("\r\n")
    cells = {cell.strip('"') for delimiter in _DELIMITERS for cell in line.split(delimiter)}
    return any(columns <= cells for columns in column_sets)


def _read(path: Path) -> _Sheet:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            text = stream.read()
        has_mark = text.startswith(_BYTE_ORDER_MARK)
        text = text.removeprefix(_BYTE_ORDER_MARK)
        header = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=header.count)
        cells = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: expected a CSV file in UTF-8, found another ({error}); save it as CSV UTF-8"
        ) from error
    columns = cells[0]
    if any(len(row) > len(columns) for row in cells) or len(set(columns)) < len(columns):
        raise InputError(f"{path}: expected {len(columns)} different columns in each line, found others; mend it first")
    rows = [dict(zip(columns, row + [""] * (len(columns) - len(row)), strict=True)) for row in cells[1:]]
    return _Sheet(columns, rows, delimiter, "\r\n" if header.endswith("\r") else "\n", has_mark)


def _face(row: Row) -> tuple[str, int] | None:
    index = row.get("face_index", "").strip()
    return (row["path"], int(index)) if "path" in row and index.isdecimal() else None


def _is_theirs(row: Row, person: Person) -> bool:
    named = _named(row)
    return any(map(person.is_name, named)) or any(
        person.has_place(row[column], named) for column in _PATH_COLUMNS if column in row
    )


def _named(row: Row) -> list[str]:
    return [row.get(column, "") for column in ("name", "with", "identity")]


def _redacted(row: Row, person: Person) -> Row:
    """Return a row of results without the name: cells of names are compared as a whole."""
    return {
        column: person.redacted_name(cell) if column in _NAME_COLUMNS else person.redacted(cell)
        for column, cell in row.items()
    }


def _mentions(row: Row, person: Person) -> bool:
    paths = [row.get(column, "") for column in _PATH_COLUMNS]
    return not _is_theirs(row, person) and any(person.is_mentioned(path, _named(row)) for path in paths)


def _cleaned(row: Row, person: Person) -> Row:
    """Return somebody else's row without what it says of the person."""
    cleaned = dict(row)
    if person.is_name(row.get("before", "")):
        cleaned["before"] = row["name"]
    if row.get("is_not"):
        names = next(csv.reader([row["is_not"]], delimiter="|"), [])
        left = [name for name in names if not person.is_name(name)]
        if len(left) < len(names):
            stream = io.StringIO()
            csv.writer(stream, delimiter="|", lineterminator="").writerow(left)
            cleaned["is_not"] = stream.getvalue() if left else ""
    return cleaned


def _number_of(row: Row) -> int:
    """Return which of the file's rows it says it is, 0 where it does not."""
    match = _ROW_OF.fullmatch(row.get("row", ""))
    return int(match[1]) if match else 0


def _numbered(rows: list[Row], before: list[Row]) -> list[Row]:
    """Return rows numbered anew, as if those that were removed had never been; rows lost earlier stay noticed."""
    totals = [int(match[2]) for row in before if (match := _ROW_OF.fullmatch(row.get("row", "")))]
    if not totals:
        return rows
    kept = {_number_of(row) for row in rows}
    gone = sorted({_number_of(row) for row in before} - kept - {0})
    numbered = []
    for row in rows:
        number = _number_of(row)
        if number:
            row = {**row, "row": f"{number - sum(one < number for one in gone)} of {max(totals) - len(gone)}"}
        numbered.append(row)
    return numbered
