"""Finished tables put together from part files and the table from before."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from embedder.errors import TableError
from embedder.tables.columns import IMAGE_COLUMNS, SECOND_SCORE, Columns
from embedder.tables.content import is_unit
from embedder.tables.file import Header, TableFileReader, TableFileWriter
from embedder.tables.size import TableSize, TextSize
from foundation.atomic import write_atomically
from foundation.fingerprint import SECOND_DETECTOR, Fingerprint
from foundation.text import pluralize

logger = logging.getLogger(__name__)

_PHOTOS_A_BLOCK = 512
_OPEN_FILES = 16

IdentityRule = Callable[[str, tuple[int, int], Columns], Sequence[str]]
"""Photo's path, its size (height, width) and its row columns -> the identities of its rows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry and where its rows are: in file `source`, from row `row` on.

    `stored_path` is the path it has in that file; `path` the one it shall have.
    """

    path: str
    status: str
    message: str
    n_faces: int
    width: int
    height: int
    image_sha256: str
    size: int
    mtime_ns: int
    turned: int
    taken: str
    kind: str
    source: Path
    row: int
    stored_path: str


_LEDGER_FIELDS = tuple(column.name for column in IMAGE_COLUMNS)  # the first fields of `Entry`


def path_order(path: str) -> list[str]:
    """Return the sort key of a stored path: folder by folder, so that a folder's files stay together."""
    return path.split("/")


def read_entries(source: Path) -> tuple[Header, list[Entry]]:
    """Return the header and the ledger entries of a table or part file.

    Raises
    ------
    TableError
        If the file is damaged or its rows are not as many as its ledger says.
    """
    with TableFileReader(source) as file:
        images = file.images()
        first_rows = np.cumsum(images["n_faces"]) - images["n_faces"]
        columns = [images[name].tolist() for name in _LEDGER_FIELDS]
        columns += [[source] * file.n_images, first_rows.tolist(), columns[0]]
        return file.header, [Entry(*values) for values in zip(*columns, strict=True)]


def without_damaged(source: Path, entries: Sequence[Entry]) -> list[Entry]:
    """Return the `entries` of a table or part file whose vectors are finite and of unit length.

    The others are logged as one warning; no program of this project writes them, but disks and other programs may.

    Raises
    ------
    TableError
        If the file is damaged, or another value is one that no table may hold.
    """
    with TableFileReader(source) as file:
        blocks = [is_unit(rows["embeddings"]) for rows in file.blocks()]
    is_sound = np.concatenate([np.empty(0, np.bool_), *blocks])
    sound = [entry for entry in entries if is_sound[entry.row : entry.row + entry.n_faces].all()]
    if len(sound) < len(entries):
        kept = {entry.path for entry in sound}
        first = next(entry.path for entry in entries if entry.path not in kept)
        logger.warning(
            "%s: expected finite vectors of unit length, found others for %s, the first is %s; embedded "
            "again, or dropped where the photo is deleted",
            source,
            pluralize(len(entries) - len(sound), "photo"),
            first,
        )
    return sound


def write_table(
    table: Path,
    header: Header,
    entries: Sequence[Entry],
    *,
    identity_rule: IdentityRule,
    temporary_folder: Path,
    rename_all: bool = False,
) -> None:
    """Write a finished table of `entries`, in path order, replacing `table` in one step.

    Rows are copied block by block, so that memory does not grow with the table. The identities of photos whose path
    changed follow from the new path; with `rename_all`, for another identity rule, those of all photos do.

    Raises
    ------
    TableError
        If a source is damaged or holds a vector that is not finite and of unit length.
    OSError
        If there is no room, or the file cannot be written; `table` stays as it was.
    """
    entries = sorted(entries, key=lambda entry: path_order(entry.path))
    size = _size(entries, header.fingerprint)

    def fill(stream: IO[bytes]) -> None:
        with TableFileWriter(stream, header, size) as file, _Sources() as sources:
            for block in _blocks(entries):
                rows = sources.rows(block)
                _follow_paths(rows, block, identity_rule, rename_all=rename_all)
                file.append(rows, _ledger_columns(block))

    write_atomically(table, fill, temporary_folder=temporary_folder, is_private=True, reserve=size.file_bytes)


def _size(entries: Sequence[Entry], fingerprint: Fingerprint) -> TableSize:
    paths = [entry.path for entry in entries for _ in range(entry.n_faces)]
    of_rows = TextSize.of(paths)
    # Identities are known once the rows are read; one is part of its path.
    row_text = {"path": of_rows, "identity": TextSize(of_rows.total, longest=None)}
    image_text = {
        "path": TextSize.of(entry.path for entry in entries),
        "message": TextSize.of(entry.message for entry in entries),
    }
    # Which values rows have is known once they are read; whether a second detector was asked is said before.
    optional = frozenset({SECOND_SCORE} if SECOND_DETECTOR in fingerprint.provenance else ())
    length = fingerprint.space.embedding_length
    return TableSize(len(paths), len(entries), length, row_text, image_text, optional)


def _blocks(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Cut `entries` into runs whose rows follow each other in one file."""
    block: list[Entry] = []
    for entry in entries:
        if block:
            last = block[-1]
            follows = entry.source == last.source and entry.row == last.row + last.n_faces
            if not follows or len(block) == _PHOTOS_A_BLOCK:
                yield block
                block = []
        block.append(entry)
    if block:
        yield block


class _Sources:
    """The files rows come from, a few of them open at a time."""

    def __init__(self) -> None:
        self._open: dict[Path, TableFileReader] = {}

    def __enter__(self) -> "_Sources":
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._open.values():
            reader.close()

    def rows(self, block: Sequence[Entry]) -> dict[str, np.ndarray]:
        """Return the row columns of entries that follow each other in one file."""
        source = block[0].source
        if source not in self._open:
            if len(self._open) == _OPEN_FILES:
                self._open.pop(next(iter(self._open))).close()
            self._open[source] = TableFileReader(source)
        rows = self._open[source].rows(block[0].row, block[-1].row + block[-1].n_faces)
        stored_paths = [path for entry in block for path in [entry.stored_path] * entry.n_faces]
        if rows["path"].tolist() != stored_paths or not is_unit(rows["embeddings"]).all():
            raise TableError(
                f"{source}: expected the rows of {block[0].stored_path} and the photos after it, of unit "
                "length, found others; restore it, or remove it and embed the photos again"
            )
        return rows


def _follow_paths(
    rows: dict[str, np.ndarray], block: Sequence[Entry], identity_rule: IdentityRule, *, rename_all: bool
) -> None:
    """Give the rows of moved photos, or of all photos, their new path and the identity that follows from it."""
    start = 0
    for entry in block:
        stop = start + entry.n_faces
        rows["image_sha256"][start:stop] = entry.image_sha256
        if entry.n_faces and (rename_all or entry.path != entry.stored_path):
            rows["path"][start:stop] = entry.path
            photo = {name: values[start:stop] for name, values in rows.items()}
            rows["identity"][start:stop] = identity_rule(entry.path, (entry.height, entry.width), photo)
        start = stop


def _ledger_columns(block: Iterable[Entry]) -> Mapping[str, np.ndarray]:
    columns = {name: [getattr(entry, name) for entry in block] for name in _LEDGER_FIELDS}
    return {
        name: np.array(values, dtype=object if isinstance(values[0], str) else np.int64)
        for name, values in columns.items()
    }
