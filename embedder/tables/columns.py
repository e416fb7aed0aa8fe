"""The table's columns: what each is called, what it holds, and how its values go into HDF5 and come out.

Version 1 kept every text in HDF5's heap. Version 2 keeps text of known or even length in the dataset itself
(`embedder.tables.size`); both are text of HDF5, and either is read wherever it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from embedder.errors import TableError
from embedder.images.photo import KINDS, STATUSES

VERSION = 2
"""Of the tables that are written; all from 1 on are read."""

Columns = Mapping[str, np.ndarray]

EMBEDDING_LENGTH = -1
"""Stands in a shape for the length of the table's embeddings."""

ORIGINS = ("detected", "drawn", "imported")
"""Where a face's box comes from: the detector, a person, another program."""

TURNS = (0, 90, 180, 270)

N_HASH_DIGITS = 64
"""Of a SHA-256 in hexadecimal."""

_TEXT = h5py.string_dtype("utf-8")
_HASH = h5py.string_dtype("utf-8", N_HASH_DIGITS)
_TIME = h5py.string_dtype("utf-8", 32)  # ISO 8601 takes 25 letters, 29 with milliseconds


@dataclass(frozen=True)
class Column:
    """One dataset of a table file.

    Attributes
    ----------
    name : str
    dtype : numpy.dtype
        As it is written.
    shape : tuple of int
        Of one entry; `EMBEDDING_LENGTH` is the table's.
    words : tuple of str
        The only texts it may hold; empty for others.
    since : int
        The version of the format that it came with.
    default : object
        What files of earlier versions have in its place.
    is_optional : bool
        Whether files without it are whole: it is written where one value at least is another than the default.
    """

    name: str
    dtype: np.dtype
    shape: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    since: int = 1
    default: Any = None
    is_optional: bool = False

    @property
    def is_text(self) -> bool:
        """Return whether it holds text, of whatever length."""
        return h5py.check_string_dtype(self.dtype) is not None

    @property
    def memory_dtype(self) -> np.dtype:
        """Return the type its values have in memory; text is objects of type `str`."""
        return np.dtype(object) if self.is_text else self.dtype

    @property
    def is_varying(self) -> bool:
        """Return whether it holds text of any length."""
        return self.dtype == _TEXT

    def from_file(self, values: np.ndarray, *, first_row: int) -> np.ndarray:
        """Return what a dataset gave, of any width that its kind of number or text has, as in memory.

        Raises
        ------
        TableError
            If a text is not UTF-8, or a number does not fit.
        """
        if not self.is_text:
            return self._narrowed(values, first_row)
        texts = np.empty(values.shape, dtype=object)
        is_left = np.ones(values.shape, np.bool_)
        for word in self.words:
            is_word = values == word.encode()
            texts[is_word] = word
            is_left &= ~is_word
        found = values[is_left].tolist() if self.words else values.tolist()
        try:
            texts[is_left] = list(map(bytes.decode, found))
        except UnicodeDecodeError:
            row = next(row for row, text in enumerate(values.tolist()) if not _is_utf8(text))
            raise TableError(
                f"expected UTF-8 text in `{self.name}`, found {values.tolist()[row]!r:.60} in row {first_row + row}"
            ) from None
        return texts

    def _narrowed(self, values: np.ndarray, first_row: int) -> np.ndarray:
        if values.dtype == self.dtype:
            return values
        with np.errstate(over="ignore", invalid="ignore"):
            narrowed = values.astype(self.dtype)
        if self.dtype.kind == "i":
            bad = np.flatnonzero(narrowed != values)
            if bad.size:
                raise TableError(
                    f"expected {self.dtype.name} in `{self.name}`, found {values[bad[0]]} in row {first_row + bad[0]}"
                )
        return narrowed


def _words(*words: str) -> np.dtype:
    return h5py.string_dtype("utf-8", max(map(len, words)))


SECOND_SCORE = "second_score"

_FLOAT, _INTEGER, _LONG = np.dtype("<f4"), np.dtype("<i4"), np.dtype("<i8")

ROW_COLUMNS = (
    Column("embeddings", _FLOAT, (EMBEDDING_LENGTH,)),
    Column("identity", _TEXT),
    Column("path", _TEXT),
    Column("face_index", _INTEGER),
    Column("box", _FLOAT, (4,)),
    Column("landmarks", _FLOAT, (5, 2)),
    Column("detection_score", _FLOAT),
    Column("image_sha256", _HASH),
    Column("origin", _words(*ORIGINS), words=ORIGINS, since=2, default=ORIGINS[0]),
    Column("time_s", np.dtype("<f8"), since=2, default=np.nan),
    Column(SECOND_SCORE, _FLOAT, since=2, default=np.nan, is_optional=True),
)
IMAGE_COLUMNS = (
    Column("path", _TEXT),
    Column("status", _words(*STATUSES), words=STATUSES),
    Column("message", _TEXT),
    Column("n_faces", _INTEGER),
    Column("width", _INTEGER),
    Column("height", _INTEGER),
    Column("image_sha256", _HASH),
    Column("size", _LONG),
    Column("mtime_ns", _LONG),
    Column("turned", _INTEGER, since=2, default=TURNS[0]),
    Column("taken", _TIME, since=2, default=""),
    Column("kind", _words(*KINDS), words=KINDS, since=2, default=KINDS[0]),
)


def columns_of_version(columns: tuple[Column, ...], version: int) -> tuple[Column, ...]:
    """Return those of `columns` that files of a version have."""
    return tuple(column for column in columns if column.since <= version)


def put(group: h5py.Group, columns: tuple[Column, ...], values: Columns, start: int) -> int:
    """Write the next entries, from entry `start` on, and return where the one after them goes.

    Optional columns that the file was made without are left out.
    """
    stop = start + len(values[columns[0].name])
    if stop > start:
        for column in (column for column in columns if column.name in group):
            dataset = group[column.name]
            dataset[start:stop] = (
                _encoded(values[column.name], dataset.dtype) if column.is_text else values[column.name]
            )
    return stop


def get(group: h5py.Group, columns: tuple[Column, ...], rows: slice) -> dict[str, np.ndarray]:
    """Return entries as in memory; a column that the file is too old to have has its default.

    Raises
    ------
    TableError
        If a text is not UTF-8, or a number does not fit.
    """
    start, stop, _ = rows.indices(len(group[columns[0].name]))
    values = {}
    for column in columns:
        if column.name in group:
            values[column.name] = column.from_file(group[column.name][rows], first_row=start)
        else:
            values[column.name] = np.full(max(stop - start, 0), column.default, dtype=column.memory_dtype)
    return values


def _encoded(texts: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "O":
        return texts
    return np.array([text.encode() for text in texts.tolist()], dtype=dtype)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
