"""The table's file format, version 1: HDF5 datasets in and out, nothing taken on trust when reading.

A file holds the rows (one a face) and the group ``images`` (one entry an input file). Rows follow their photos: the
rows of the ledger's first photo come first, then those of the second, each photo ``n_faces`` of them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np

from embedder.errors import TableError
from foundation.fingerprint import Fingerprint
from foundation.formats import N_FIRST_BYTES, describe_bytes
from foundation.paths import display_path

FORMAT = "facetable"
VERSION = 1
IMAGES_GROUP = "images"
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


Columns = Mapping[str, np.ndarray]

_EMBEDDING_LENGTH = -1
_TEXT = h5py.string_dtype("utf-8")


@dataclass(frozen=True)
class _Column:
    name: str
    dtype: np.dtype
    shape: tuple[int, ...] = ()

    @property
    def is_text(self) -> bool:
        return self.dtype == _TEXT


_FLOAT, _INTEGER, _LONG = np.dtype("<f4"), np.dtype("<i4"), np.dtype("<i8")

ROW_COLUMNS = (
    _Column("embeddings", _FLOAT, (_EMBEDDING_LENGTH,)),
    _Column("identity", _TEXT),
    _Column("path", _TEXT),
    _Column("face_index", _INTEGER),
    _Column("box", _FLOAT, (4,)),
    _Column("landmarks", _FLOAT, (5, 2)),
    _Column("detection_score", _FLOAT),
    _Column("image_sha256", _TEXT),
)
IMAGE_COLUMNS = (
    _Column("path", _TEXT),
    _Column("status", _TEXT),
    _Column("message", _TEXT),
    _Column("n_faces", _INTEGER),
    _Column("width", _INTEGER),
    _Column("height", _INTEGER),
    _Column("image_sha256", _TEXT),
    _Column("size", _LONG),
    _Column("mtime_ns", _LONG),
)

# Measured on tables of LFW: a text cell takes its bytes, 16 for the reference and under 50 in the heap.
_TEXT_CELL_BYTES = 80
_FILE_OVERHEAD_BYTES = 64 * 1024


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


def file_size_bound(n_rows: int, n_images: int, *, embedding_length: int, n_text_bytes: int) -> int:
    """Return a number of bytes that a table file does not exceed; `n_text_bytes` is the length of all its text."""
    n_bytes = n_text_bytes + _FILE_OVERHEAD_BYTES
    for n, columns in ((n_rows, ROW_COLUMNS), (n_images, IMAGE_COLUMNS)):
        for column in columns:
            cells = int(np.prod([embedding_length if size == _EMBEDDING_LENGTH else size for size in column.shape]))
            n_bytes += n * (_TEXT_CELL_BYTES if column.is_text else cells * column.dtype.itemsize)
    return n_bytes


class TableFileWriter:
    """Writes a table of known size into a stream, block by block; a context manager.

    Parameters
    ----------
    stream : binary stream
        Empty, seekable, readable and writable.
    header : Header
        The file's attributes.
    n_rows, n_images, embedding_length : int
        Faces, ledger entries and embedding length of the whole table.
    """

    def __init__(self, stream: IO[bytes], header: Header, *, n_rows: int, n_images: int, embedding_length: int) -> None:
        self._file = h5py.File(stream, "w")
        self._images = self._file.create_group(IMAGES_GROUP)
        self._n_rows = self._n_images = 0
        for group, columns, n in ((self._file, ROW_COLUMNS, n_rows), (self._images, IMAGE_COLUMNS, n_images)):
            for column in columns:
                shape = tuple(embedding_length if size == _EMBEDDING_LENGTH else size for size in column.shape)
                group.create_dataset(column.name, (n, *shape), column.dtype)
        self._file.attrs["format"] = FORMAT
        self._file.attrs["version"] = VERSION
        self._file.attrs["photo_root"] = header.photo_root
        if header.more_roots:
            self._file.attrs["photo_roots"] = json.dumps(header.all_roots, ensure_ascii=False)
        self._file.attrs["fingerprint"] = fingerprint_text(header.fingerprint)
        self._file.attrs["created"] = header.created

    def __enter__(self) -> "TableFileWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, rows: Columns, images: Columns) -> None:
        """Write the next photos and their rows: columns by dataset name."""
        self._n_rows = _put(self._file, ROW_COLUMNS, rows, self._n_rows)
        self._n_images = _put(self._images, IMAGE_COLUMNS, images, self._n_images)


class TableFileReader:
    """A checked, open table file; a context manager.

    Opening refuses anything but a whole table of this version: other files, missing or unexpected datasets, links,
    data kept outside the file, columns of Python objects.

    Attributes
    ----------
    header : Header
    n_rows, n_images, embedding_length : int

    Raises
    ------
    TableError
        If the file is not such a table, in one sentence naming it.
    OSError
        If it is missing, a folder, or may not be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:  # h5py's own errors for these are not for people
            first_bytes = file.read(N_FIRST_BYTES)
        if not first_bytes.startswith(_HDF5_SIGNATURE):
            raise TableError(
                f"{path}: expected an embedding table, found {describe_bytes(first_bytes)}; name a table "
                "made by `python -m embedder embed`, or a new file to write one"
            )
        with _reading(path):
            # Finished files never change, and some network file systems have no locks.
            self._file = h5py.File(path, "r", locking=False)
        try:
            with _reading(path):
                self.header = _read_header(self._file, path)
                self._images = _group(self._file, IMAGES_GROUP, path)
                self.n_rows = _check_columns(self._file, ROW_COLUMNS, path, also=(IMAGES_GROUP,))
                self.n_images = _check_columns(self._images, IMAGE_COLUMNS, path)
                self.embedding_length: int = self._file["embeddings"].shape[1]
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

    def rows(self, start: int = 0, stop: int | None = None) -> dict[str, np.ndarray]:
        """Return the row columns from row `start` to before `stop`; text as object arrays of `str`."""
        with _reading(self.path):
            return _get(self._file, ROW_COLUMNS, slice(start, stop))

    def embeddings(self, start: int, stop: int) -> np.ndarray:
        """Return the embeddings, float32 (n, d), from row `start` to before `stop`, without the other columns."""
        with _reading(self.path):
            return np.asarray(self._file["embeddings"][start:stop], dtype=_FLOAT)

    def images(self) -> dict[str, np.ndarray]:
        """Return the ledger's columns; text as object arrays of `str`."""
        with _reading(self.path):
            return _get(self._images, IMAGE_COLUMNS, slice(None))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what h5py raises on a damaged file into a `TableError` that names it."""
    try:
        yield
    except TableError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        text = " ".join(str(error).split())
        reason = "it is cut short" if "truncated file" in text else text
        raise TableError(
            f"{path}: expected a whole table, found a damaged one ({reason}); restore it or embed the photos again"
        ) from error


def _read_header(file: h5py.File, path: Path) -> Header:
    attributes = dict(file.attrs)
    if attributes.get("format") != FORMAT:
        raise TableError(
            f"{path}: expected an embedding table (`format` {FORMAT!r}), found HDF5 data of another kind; "
            "name a file made by `python -m embedder embed`"
        )
    version = attributes.get("version")
    if not isinstance(version, (int, np.integer)) or version != VERSION:
        raise TableError(
            f"{path}: expected a table of version {VERSION}, found version {version}; read it with the "
            "Facetable that wrote it or embed the photos again"
        )
    for name in ("photo_root", "fingerprint", "created"):
        if not isinstance(attributes.get(name), str):
            raise TableError(
                f"{path}: expected text in the attribute `{name}`, found {attributes.get(name)!r}; embed "
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
    return Header(
        attributes["photo_root"], Fingerprint.of(fingerprint), attributes["created"], _read_more_roots(attributes, path)
    )


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


def _group(file: h5py.File, name: str, path: Path) -> h5py.Group:
    if not isinstance(file.get(name, getlink=True), h5py.HardLink) or not isinstance(file[name], h5py.Group):
        raise TableError(
            f"{path}: expected the group `{name}`, found none or a link to elsewhere; embed the photos again"
        )
    return file[name]


def _check_columns(group: h5py.Group, columns: tuple[_Column, ...], path: Path, *, also: tuple[str, ...] = ()) -> int:
    """Refuse whatever is not one of `columns`, or in `also`; return the number of entries."""
    names = [column.name for column in columns]
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise TableError(
                f"{path}: expected the data inside the file, found a link at `{name}`; copy the linked "
                "data into it or embed the photos again"
            )
        if name not in names and name not in also:
            raise TableError(f"{path}: expected the datasets {', '.join(names)}, found `{name}` too; remove it")
    lengths = []
    for column in columns:
        if column.name not in group or not isinstance(group[column.name], h5py.Dataset):
            raise TableError(f"{path}: expected the dataset `{column.name}`, found none; embed the photos again")
        _check_dataset(group[column.name], column, path)
        lengths.append(len(group[column.name]))
    if len(set(lengths)) > 1:
        found = ", ".join(f"{name} {n}" for name, n in zip(names, lengths, strict=True))
        raise TableError(f"{path}: expected columns of one length, found {found}; embed the photos again")
    return lengths[0]


def _check_dataset(dataset: h5py.Dataset, column: _Column, path: Path) -> None:
    if dataset.external or dataset.is_virtual:
        raise TableError(
            f"{path}: expected the data inside the file, found `{column.name}` kept in another file; "
            "copy it into this one or embed the photos again"
        )
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    fits = is_text if column.is_text else (dataset.dtype.kind == column.dtype.kind)
    if not fits:
        expected = "UTF-8 text" if column.is_text else column.dtype.name
        found = "objects (pickles are never read)" if dataset.dtype.kind in "OV" else dataset.dtype.name
        raise TableError(f"{path}: expected {expected} in `{column.name}`, found {found}; embed the photos again")
    shape = dataset.shape or ()
    if len(shape) != 1 + len(column.shape) or any(
        expected not in (size, _EMBEDDING_LENGTH) for size, expected in zip(shape[1:], column.shape, strict=True)
    ):
        expected_shape = ", ".join(["n", *("d" if size == _EMBEDDING_LENGTH else str(size) for size in column.shape)])
        raise TableError(
            f"{path}: expected the shape ({expected_shape}) of `{column.name}`, found {shape}; embed the photos again"
        )


def _put(group: h5py.Group, columns: tuple[_Column, ...], values: Columns, start: int) -> int:
    stop = start + len(values[columns[0].name])
    if stop > start:
        for column in columns:
            group[column.name][start:stop] = values[column.name]
    return stop


def _get(group: h5py.Group, columns: tuple[_Column, ...], rows: slice) -> dict[str, np.ndarray]:
    values = {}
    for column in columns:
        dataset = group[column.name]
        if column.is_text:
            values[column.name] = np.asarray(dataset.asstr("utf-8", "strict")[rows], dtype=object)
        else:
            values[column.name] = np.asarray(dataset[rows], dtype=column.dtype)
    return values
