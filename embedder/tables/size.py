"""How large a table is going to be: known before its file is made, so that its space can be reserved first."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import h5py
import numpy as np

from embedder.hdf5.checksum import CHECKSUM_BYTES
from embedder.tables.columns import EMBEDDING_LENGTH, IMAGE_COLUMNS, ROW_COLUMNS, Column, Columns

# Measured on tables of LFW: a text in HDF5's heap takes its bytes, 16 for the reference and under 50 beside them.
_HEAP_BYTES = 80
_OVERHEAD_BYTES = 64 * 1024 + CHECKSUM_BYTES


@dataclass(frozen=True)
class TextSize:
    """How long the texts of a column are, in bytes of UTF-8.

    Attributes
    ----------
    total : int
        All together, at most.
    longest : int or None
        The longest one; None where it is not known yet.
    """

    total: int
    longest: int | None

    @classmethod
    def of(cls, texts: Iterable[str]) -> "TextSize":
        """Return the size of `texts`."""
        lengths = [len(text.encode()) for text in texts]
        return cls(sum(lengths), max(lengths, default=0))

    def is_even(self, n: int) -> bool:
        """Return whether `n` texts take no more room side by side, each as long as the longest, than in the heap."""
        return self.longest is not None and n * self.longest <= self.total + n * _HEAP_BYTES


@dataclass(frozen=True)
class TableSize:
    """Faces, ledger entries, embedding length and text of a whole table.

    Attributes
    ----------
    n_rows, n_images, embedding_length : int
    row_text, image_text : dict
        Column of varying text to its size.
    optional : frozenset of str
        Which optional columns of the rows are written.
    """

    n_rows: int
    n_images: int
    embedding_length: int
    row_text: dict[str, TextSize]
    image_text: dict[str, TextSize]
    optional: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rows: Columns, images: Columns) -> "TableSize":
        """Return the size of a table of these columns."""
        return cls(
            len(rows["path"]),
            len(images["path"]),
            rows["embeddings"].shape[1],
            {column.name: TextSize.of(rows[column.name]) for column in ROW_COLUMNS if column.is_varying},
            {column.name: TextSize.of(images[column.name]) for column in IMAGE_COLUMNS if column.is_varying},
            frozenset(c.name for c in ROW_COLUMNS if c.is_optional and not np.isnan(rows[c.name]).all()),
        )

    @cached_property
    def file_bytes(self) -> int:
        """Return a number of bytes that the table's file does not exceed."""
        rows = self._bytes(ROW_COLUMNS, self.n_rows, self.row_text)
        return rows + self._bytes(IMAGE_COLUMNS, self.n_images, self.image_text) + _OVERHEAD_BYTES

    def shape(self, column: Column, n: int) -> tuple[int, ...]:
        """Return the shape of a dataset of `n` entries."""
        return (n, *(self.embedding_length if size == EMBEDDING_LENGTH else size for size in column.shape))

    def _bytes(self, columns: tuple[Column, ...], n: int, text: dict[str, TextSize]) -> int:
        n_bytes = 0
        for column in columns:
            dtype = file_dtype(column, n, text)
            is_in_heap = dtype.kind == "O"
            cells = int(np.prod(self.shape(column, n)[1:]))
            n_bytes += text[column.name].total + n * _HEAP_BYTES if is_in_heap else n * cells * dtype.itemsize
        return n_bytes


def file_dtype(column: Column, n: int, text: dict[str, TextSize]) -> np.dtype:
    """Return the type of a column's dataset: text of much the same length stands side by side, as numbers do.

    HDF5 reads such text ten times faster than text in its heap, where each has its own place.
    """
    if not column.is_varying or not text[column.name].is_even(n):
        return column.dtype
    return h5py.string_dtype("utf-8", text[column.name].longest or 1)
