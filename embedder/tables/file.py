"""The table's file format, version 2: HDF5 datasets in and out, nothing taken on trust when reading.

A file holds the rows (one a face) and the group ``images`` (one entry an input file). Rows follow their photos: the
rows of the ledger's first photo come first, then those of the second, each photo ``n_faces`` of them. At its end stands
the checksum of all before it (`embedder.hdf5.checksum`), written last. Version 1 had fewer columns
(`embedder.tables.columns`) and no checksum; it is read as well.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import h5py
import numpy as np

from embedder.errors import TableError
from embedder.hdf5.checksum import append_checksum
from embedder.hdf5.examination import WRONG_CHECKSUM, examine
from embedder.tables.columns import (
    IMAGE_COLUMNS,
    ROW_COLUMNS,
    VERSION,
    Columns,
    columns_of_version,
    get,
    put,
)
from embedder.tables.content import check_images, check_rows
from embedder.tables.size import TableSize, file_dtype
from embedder.tables.structure import check_columns, open_group
from foundation.fingerprint import Fingerprint
from foundation.formats import N_FIRST_BYTES, describe_bytes
from foundation.paths import display_path

FORMAT = "facetable"
IMAGES_GROUP = "images"
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_ROWS_A_CHECK = 16_384


@dataclass(frozen=True)
class Header:
    """What a table file says of itself.

    Attributes
    ----------
    photo_root : str
        Absolute path of the photo folder when the table was written.
    fingerprint : Fingerprint
    created : str
        ISO 8601 time, UTC.
    more_roots : tuple of str
        Absolute paths of the other photo folders, where there were several; attribute ``photo_roots`` of the file.
    """

    photo_root: str
    fingerprint: Fingerprint
    created: str
    more_roots: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", Fingerprint.of(self.fingerprint))

    @property
    def all_roots(self) -> tuple[str, ...]:
        """Return the photo folders, at least one."""
        return (self.photo_root, *self.more_roots)


def more_roots(roots: Sequence[Path]) -> tuple[str, ...]:
    """Return all photo folders but the first as they are stored."""
    return tuple(display_path(root) for root in roots[1:])


def now() -> str:
    """Return the current time as ISO 8601 text, UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def fingerprint_text(fingerprint: Fingerprint) -> str:
    """Return a fingerprint as JSON with sorted keys; equal fingerprints give equal text."""
    return json.dumps(fingerprint.to_json(), sort_keys=True, ensure_ascii=False, allow_nan=False)


class TableFileWriter:
    """Writes a table of known size into a stream, block by block; a context manager that writes the checksum last.

    Parameters
    ----------
    stream : binary stream
        Empty, seekable, readable and writable.
    header : Header
        The file's attributes.
    size : TableSize
        Of the whole table.
    """

    def __init__(self, stream: IO[bytes], header: Header, size: TableSize) -> None:
        self._stream = stream
        self._file = h5py.File(stream, "w")
        self._images = self._file.create_group(IMAGES_GROUP)
        self._n_rows = self._n_images = 0
        for group, columns, n, text in (
            (self._file, ROW_COLUMNS, size.n_rows, size.row_text),
            (self._images, IMAGE_COLUMNS, size.n_images, size.image_text),
        ):
            for column in (one for one in columns if not one.is_optional or one.name in size.optional):
                group.create_dataset(column.name, size.shape(column, n), file_dtype(column, n, text))
        self._file.attrs["format"] = FORMAT
        self._file.attrs["version"] = VERSION
        self._file.attrs["photo_root"] = header.photo_root
        if header.more_roots:
            self._file.attrs["photo_roots"] = json.dumps(header.all_roots, ensure_ascii=False)
        self._file.attrs["fingerprint"] = fingerprint_text(header.fingerprint)
        self._file.attrs["created"] = header.created

    def __enter__(self) -> "TableFileWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if error is None:
            append_checksum(self._stream)

    def append(self, rows: Columns, images: Columns) -> None:
        """Write the next photos and their rows: columns by dataset name."""
        self._n_rows = put(self._file, ROW_COLUMNS, rows, self._n_rows)
        self._n_images = put(self._images, IMAGE_COLUMNS, images, self._n_images)


class TableFileReader:
    """A checked, open table file; a context manager.

    Opening refuses anything but a whole table of a known version: damaged files, before HDF5 opens them, other files,
    missing or unexpected datasets, links, data kept outside the file, columns of Python objects.

    Parameters
    ----------
    path : Path
    is_changed : bool
        Take a table whose checksum no longer fits, because another program changed it on purpose.

    Attributes
    ----------
    header : Header
    version, n_rows, n_images, embedding_length : int

    Raises
    ------
    TableError
        If the file is not such a table, in one sentence naming it.
    OSError
        If it is missing, a folder, or may not be read.
    """

    def __init__(self, path: Path, *, is_changed: bool = False) -> None:
        self.path = path
        with path.open("rb") as file:  # h5py's own errors for these are not for people
            first_bytes = file.read(N_FIRST_BYTES)
        if not first_bytes.startswith(_HDF5_SIGNATURE):
            raise TableError(
                f"{path}: expected an embedding table, found {describe_bytes(first_bytes)}; name a table "
                "made by `facetable embed`, or a new file to write one"
            )
        examination = examine(path, trust_checksum=not is_changed)
        if examination.damage:
            raise damaged_error(path, examination.damage)
        with _reading(path):
            # Finished files never change, and some network file systems have no locks.
            self._file = h5py.File(path, "r", locking=False)
        try:
            with _reading(path):
                self.version, self.header = _read_header(self._file, path)
                if self.version > 1 and not examination.has_checksum and not is_changed:
                    raise damaged_error(path, WRONG_CHECKSUM)
                self._images = open_group(self._file, IMAGES_GROUP, path)
                rows, images = (columns_of_version(columns, self.version) for columns in (ROW_COLUMNS, IMAGE_COLUMNS))
                self.n_rows = check_columns(self._file, rows, path, also=(IMAGES_GROUP,))
                self.n_images = check_columns(self._images, images, path)
                self.embedding_length: int = self._file["embeddings"].shape[1]
                _check_length(self.header.fingerprint, self.embedding_length)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "TableFileReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def everything(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return all row columns and the ledger's as they are, for `EmbeddingTable`, which checks them itself."""
        with _reading(self.path):
            images = get(self._images, IMAGE_COLUMNS, slice(None))
            self._check_count(images)
            return get(self._file, ROW_COLUMNS, slice(None)), images

    def rows(self, start: int = 0, stop: int | None = None) -> dict[str, np.ndarray]:
        """Return the row columns from row `start` to before `stop`, checked but for the embeddings' length.

        Text comes as object arrays of `str`.

        Raises
        ------
        TableError
            If a value is none that a table may hold, naming column and row.
        """
        with _reading(self.path):
            rows = get(self._file, ROW_COLUMNS, slice(start, stop))
            check_rows(rows, first_row=start)
            return rows

    def blocks(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield all row columns as `rows` does, some thousand rows at a time."""
        for start in range(0, self.n_rows, _ROWS_A_CHECK):
            yield self.rows(start, start + _ROWS_A_CHECK)

    def embeddings(self, start: int, stop: int) -> np.ndarray:
        """Return the embeddings, float32 (n, d), from row `start` to before `stop`, without the other columns."""
        with _reading(self.path):
            return np.asarray(self._file["embeddings"][start:stop], dtype=np.float32)

    def images(self) -> dict[str, np.ndarray]:
        """Return the ledger's columns, checked; text as object arrays of `str`.

        Raises
        ------
        TableError
            If a value is none that a table may hold, or the rows are not as many as the ledger says.
        """
        with _reading(self.path):
            images = get(self._images, IMAGE_COLUMNS, slice(None))
            check_images(images)
            self._check_count(images)
            return images

    def _check_count(self, images: Columns) -> None:
        n_rows = int(images["n_faces"].sum(dtype=np.int64))
        if n_rows != self.n_rows:
            raise TableError(f"expected {n_rows:,} rows as its ledger says, found {self.n_rows:,}")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with it, and turn what h5py raises on a damaged one into a `TableError`."""
    try:
        yield
    except TableError as error:
        if str(error).startswith(f"{path}: "):
            raise
        raise TableError(f"{path}: {error}; restore it or embed the photos again") from error
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise damaged_error(path, " ".join(str(error).split())) from error


def damaged_error(path: Path, reason: str) -> TableError:
    """Return the error that says why a file must not be opened, and what to do."""
    if reason == WRONG_CHECKSUM:
        return TableError(
            f"{path}: expected the content that its checksum stands for, found another: it is damaged, or another "
            "program changed it; restore it or embed the photos again, or, if it was changed on purpose, run "
            f"`facetable info {path} --renew-checksum`"
        )
    reason = "it is cut short" if "truncated file" in reason else reason
    return TableError(
        f"{path}: expected a whole table, found a damaged one ({reason}); restore it or embed the photos again"
    )


def _check_length(fingerprint: Fingerprint, embedding_length: int) -> None:
    said = fingerprint.space.get("embedding_length", embedding_length)
    if said != embedding_length:
        raise TableError(
            f"expected embeddings of length {said!r:.40} as its fingerprint says, found {embedding_length}"
        )


def _read_header(file: h5py.File, path: Path) -> tuple[int, Header]:
    attributes = dict(file.attrs)
    if attributes.get("format") != FORMAT:
        raise TableError(
            f"{path}: expected an embedding table (`format` {FORMAT!r}), found HDF5 data of another kind; "
            "name a file made by `facetable embed`"
        )
    version = attributes.get("version")
    if not isinstance(version, (int, np.integer)) or not 1 <= version <= VERSION:
        raise TableError(
            f"{path}: expected a table of version 1 to {VERSION}, found version {version}; read it with the "
            "Facetable that wrote it or embed the photos again"
        )
    for name in ("photo_root", "fingerprint", "created"):
        if not isinstance(attributes.get(name), str):
            raise TableError(
                f"{path}: expected text in the attribute `{name}`, found {attributes.get(name)!r}; embed "
                "the photos again"
            )
    if not _is_time(attributes["created"]):
        raise TableError(
            f"{path}: expected an ISO 8601 time in the attribute `created`, found {attributes['created']!r:.60}; embed "
            "the photos again"
        )
    fingerprint = json.loads(attributes["fingerprint"])
    if not (
        isinstance(fingerprint, dict)
        and all(isinstance(fingerprint.get(part), dict) for part in ("space", "provenance"))
    ):
        raise TableError(
            f"{path}: expected a `fingerprint` with `space` and `provenance`, found "
            f"{attributes['fingerprint']:.80}; embed the photos again"
        )
    more = _read_more_roots(attributes, path)
    return int(version), Header(attributes["photo_root"], Fingerprint.of(fingerprint), attributes["created"], more)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _read_more_roots(attributes: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    if "photo_roots" not in attributes:
        return ()
    try:
        first, *others = json.loads(attributes["photo_roots"])
    except (TypeError, ValueError):
        first, others = None, []
    if first != attributes["photo_root"] or not all(isinstance(root, str) for root in others):
        raise TableError(
            f"{path}: expected a list of folders that begins with `photo_root` in the attribute `photo_roots`, found "
            f"{attributes['photo_roots']!r:.80}; embed the photos again"
        )
    return tuple(others)
