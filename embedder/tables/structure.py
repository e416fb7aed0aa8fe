"""What the HDF5 structure of a table file must be, checked before anything is read: nothing from outside the file,
nothing larger than the file, exactly the columns of its version.
"""

import math
from pathlib import Path

import h5py

from embedder.errors import TableError
from embedder.tables.columns import EMBEDDING_LENGTH, Column

_MOST_COMPRESSION = 16
"""How many times its size a file may hold where another program compressed it; embeddings hardly shrink at all."""


def open_group(file: h5py.File, name: str, path: Path) -> h5py.Group:
    """Return a group of the file.

    Raises
    ------
    TableError
        If it is missing, or a link.
    """
    if not isinstance(file.get(name, getlink=True), h5py.HardLink) or not isinstance(file[name], h5py.Group):
        raise TableError(
            f"{path}: expected the group `{name}`, found none or a link to elsewhere; embed the photos again"
        )
    return file[name]


def check_columns(group: h5py.Group, columns: tuple[Column, ...], path: Path, *, also: tuple[str, ...] = ()) -> int:
    """Refuse whatever is not one of `columns`, or in `also`; return the number of entries.

    Raises
    ------
    TableError
        In one sentence naming the file and the dataset.
    """
    names = [column.name for column in columns]
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise TableError(
                f"{path}: expected the data inside the file, found a link at `{name}`; copy the linked "
                "data into it or embed the photos again"
            )
        if name not in names and name not in also:
            raise TableError(f"{path}: expected the datasets {', '.join(names)}, found `{name}` too; remove it")
    lengths, there = [], []
    for column in columns:
        if column.is_optional and column.name not in group:
            continue
        if column.name not in group or not isinstance(group[column.name], h5py.Dataset):
            raise TableError(f"{path}: expected the dataset `{column.name}`, found none; embed the photos again")
        _check_dataset(group[column.name], column, path)
        lengths.append(len(group[column.name]))
        there.append(column.name)
    if len(set(lengths)) > 1:
        found = ", ".join(f"{name} {n}" for name, n in zip(there, lengths, strict=True))
        raise TableError(f"{path}: expected columns of one length, found {found}; embed the photos again")
    return lengths[0]


def _check_dataset(dataset: h5py.Dataset, column: Column, path: Path) -> None:
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
        expected not in (size, EMBEDDING_LENGTH) for size, expected in zip(shape[1:], column.shape, strict=True)
    ):
        expected_shape = ", ".join(["n", *("d" if size == EMBEDDING_LENGTH else str(size) for size in column.shape)])
        raise TableError(
            f"{path}: expected the shape ({expected_shape}) of `{column.name}`, found {shape}; embed the photos again"
        )
    _check_size(dataset, column, path)


def _check_size(dataset: h5py.Dataset, column: Column, path: Path) -> None:
    n_bytes = math.prod(dataset.shape) * dataset.id.get_type().get_size()
    file_bytes = path.stat().st_size
    factor = _MOST_COMPRESSION if dataset.id.get_create_plist().get_nfilters() else 1
    if n_bytes > factor * file_bytes:
        raise TableError(
            f"{path}: expected a whole table, found a damaged one (`{column.name}` has the shape {dataset.shape}, "
            f"{n_bytes:,} bytes, more than the {file_bytes:,} of the file); restore it or embed the photos again"
        )
