"""Read the header of an array in NumPy's format without evaluating it: its type, its shape, where its data begin."""

import math
import re
import struct
from typing import NamedTuple

from foundation.errors import InputError

# NumPy writes at most this much by itself (``numpy.lib.format``, ``_MAX_HEADER_SIZE``); records of many fields take
# some hundred bytes.
MAX_HEADER_BYTES = 10_000

_MAGIC = b"\x93NUMPY"
_LENGTH = {1: struct.Struct("<H"), 2: struct.Struct("<I"), 3: struct.Struct("<I")}

# Numbers, truth values, bytes and text of fixed length; ``V`` fills gaps between the fields of a record. Objects, which
# would be pickles, and types of no length are not among them.
_TYPE = r"[<>|=](?:[biufcSU]\d{1,9}|V[1-9]\d{0,8})"
_FIELDS = rf"\[(?:\('[^'\\]*', '{_TYPE}'\)(?:, )?)+\]"
_HEADER = re.compile(
    rf"\{{'descr': (?:'({_TYPE})'|({_FIELDS})), 'fortran_order': (True|False), "
    r"'shape': \(((?:\d{1,18}(?:, |,)?)*)\),? ?\} *\n?"
)


class ArrayHeader(NamedTuple):
    """What an array's header says.

    Attributes
    ----------
    type : str
        Kind and size of an item without its byte order, such as ``f4`` or ``S64``; ``record`` for one of several
        fields.
    shape : tuple of int
    start : int
        Where the data begin, in bytes.
    n_bytes : int
        Length of header and data.
    """

    type: str
    shape: tuple[int, ...]
    start: int
    n_bytes: int


def parse_array_header(beginning: bytes) -> ArrayHeader:
    """Return the header of an array in NumPy's format, from the first `MAX_HEADER_BYTES` of it or more.

    Raises
    ------
    InputError
        If it is none that NumPy writes for numbers and text.

    >>> import io, numpy
    >>> stream = io.BytesIO()
    >>> numpy.save(stream, numpy.zeros((2, 3), numpy.float32))
    >>> parse_array_header(stream.getvalue())
    ArrayHeader(type='f4', shape=(2, 3), start=128, n_bytes=152)
    """
    major = beginning[len(_MAGIC)] if len(beginning) > len(_MAGIC) + 2 and beginning.startswith(_MAGIC) else 0
    if major not in _LENGTH:
        raise InputError("it does not begin as one")
    first = len(_MAGIC) + 2 + _LENGTH[major].size
    (length,) = _LENGTH[major].unpack(beginning[first - _LENGTH[major].size : first].ljust(_LENGTH[major].size, b"\0"))
    start = first + length
    if start > len(beginning) or start > MAX_HEADER_BYTES:
        raise InputError(f"its header of {length:,} bytes is cut or too long")
    match = _HEADER.fullmatch(beginning[first:start].decode("latin-1"))
    if match is None:
        raise InputError("its header holds no plain numbers and text")
    plain, fields, _, dimensions = match.groups()
    shape = tuple(int(size) for size in dimensions.replace(" ", "").split(",") if size)
    item = sum(_item_bytes(kind) for kind in ([plain] if plain else re.findall(rf"'({_TYPE})'", fields)))
    if item == 0:
        raise InputError("its items have no length")
    return ArrayHeader(plain[1:] if plain else "record", shape, start, start + item * math.prod(shape))


def _item_bytes(kind: str) -> int:
    """Return the length of an item, such as 4 for ``<f4`` and 20 for ``<U5``."""
    return int(kind[2:]) * (4 if kind[1] == "U" else 1)
