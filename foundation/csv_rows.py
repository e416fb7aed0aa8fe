"""CSV files: read those that people edit, whatever program wrote them; replace them in one step."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foundation.atomic import atomic_writer
from foundation.errors import InputError
from foundation.formats import describe_kind

# What spreadsheet programs put between fields.
_DELIMITERS = (",", ";", "\t")

# Faces and groups are counted in 64 bits.
_MOST_DIGITS = 18


def read_rows(path: str | Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Return the line number and the fields, by column, of each row of a CSV file with a header.

    Spreadsheet programs may have put a byte-order mark in front, or semicolons or tabs between the fields. Empty rows
    are left out; spaces around a field are kept, because a file name may end in one.

    Raises
    ------
    ValueError
        If the file is not text, or lacks one of `columns`.
    OSError
        If it cannot be read.
    """
    with _open_csv(Path(path)) as reader:
        found = reader.fieldnames or []
        missing = [column for column in columns if column not in found]
        if missing:
            raise InputError(
                f"{path}: expected the columns {', '.join(columns)} in the first line, found "
                + (f"no {missing[0]!r} in {','.join(found)[:60]!r}" if found else "an empty file")
                + "; name a file with these columns"
            )
        return [(reader.line_num, row) for row in reader if any(row[column] for column in columns)]


def read_columns(path: str | Path) -> list[str]:
    """Return the columns that the first line of a CSV file names, none for an empty file.

    Raises
    ------
    ValueError
        If the file is not text.
    OSError
        If it cannot be read.
    """
    with _open_csv(Path(path)) as reader:
        return list(reader.fieldnames or [])


@contextmanager
def _open_csv(path: Path) -> "Iterator[csv.DictReader[str]]":
    with path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            header = stream.readline()
            stream.seek(0)
            delimiter = max(_DELIMITERS, key=header.count)
            yield csv.DictReader(stream, delimiter=delimiter, restval="", restkey="")
        except (UnicodeDecodeError, csv.Error) as error:
            kind = describe_kind(path)
            found = "text that is not" if kind == "text" else kind
            raise InputError(f"{path}: expected a CSV file in UTF-8, found {found}; save it as CSV UTF-8") from error


def parse_index(text: str, where: str) -> int:
    """Return the whole number of at least 0 that `text` holds.

    Raises
    ------
    ValueError
        If it holds none, or one of more than 18 digits; `where` names the place.

    >>> parse_index("3", "people.csv, line 2: `cluster`")
    3
    """
    # str.isdecimal takes digits of every script, which is what int does.
    digits = text.strip()
    if not digits.isdecimal():
        raise InputError(f"{where} must be a whole number of at least 0, got {_shortened(text)}")
    if len(digits) > _MOST_DIGITS:
        raise InputError(f"{where} must be a whole number of at most {_MOST_DIGITS} digits, got {_shortened(text)}")
    return int(digits)


def _shortened(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:40]!r}... of {len(text):,} characters"


def write_rows(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file with a header, replacing it in one step: it is whole at any moment.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    # A link is followed, so that it stays a link.
    target = Path(path).resolve()
    with atomic_writer(target, is_private=True) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        text.detach()


def check_csv_folder(folder: Path | None, columns: Mapping[str, Sequence[str]]) -> None:
    """Refuse a folder of results in which one of them would replace a file that is something else.

    Parameters
    ----------
    folder : Path or None
        None is no output.
    columns : mapping of str to sequence of str
        Of each file that will be written, by its name without suffix.

    Raises
    ------
    NotADirectoryError
        If `folder` is a file.
    ValueError
        If a file of such a name has other columns.
    OSError
        If one cannot be read.
    """
    if folder is None or not folder.exists():
        return
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected a folder for --csv, found a file; name a folder")
    for name, expected in columns.items():
        path = folder / f"{name}.csv"
        if path.exists() and path.stat().st_size and read_columns(path) != list(expected):
            raise InputError(
                f"{path}: expected the columns {', '.join(expected)} or no such file, found others; name another "
                "folder with --csv"
            )


def write_csv_folder(folder: Path, columns: Mapping[str, Sequence[str]], rows: Mapping[str, Iterable[Any]]) -> None:
    """Write the results of a command as CSV files into a folder, both readable by their owner alone.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    columns : mapping of str to sequence of str
        Of each file, by its name without suffix.
    rows : mapping of str to iterable of sequences
        The same for its rows; None is an empty field.

    Raises
    ------
    OSError
        If one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, of_file in rows.items():
        write_rows(folder / f"{name}.csv", columns[name], of_file)
