"""How large a JPEG XL picture is, read from its header: the package that decodes it looks at nothing before it decodes.

The header's fields are those of ISO/IEC 18181-1 (SizeHeader), the boxes around it those of ISO/IEC 18181-2.
"""

import os
from typing import BinaryIO

from foundation.errors import InputError

CODESTREAM = b"\xff\x0a"
_BOX_HEADER = 8
_LARGE_BOX_HEADER = 16
_MAX_BOXES = 1000
_HEADER_BYTES = 16

_SIZE_BITS = (9, 13, 18, 30)
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
"""Width to height, by the three bits of the field `ratio`; 0 says that the width is stored."""


def read_size(stream: BinaryIO) -> tuple[int, int]:
    """Return width and height of the JPEG XL picture in `stream`, from its start; where it is left does not matter.

    Raises
    ------
    ValueError
        If the header is cut short or there is none.
    """
    stream.seek(0)
    if stream.read(len(CODESTREAM)) != CODESTREAM:
        stream.seek(_find_codestream(stream))
        if stream.read(len(CODESTREAM)) != CODESTREAM:
            raise InputError("no JPEG XL codestream in it")
    return parse_size(stream.read(_HEADER_BYTES))


def parse_size(header: bytes) -> tuple[int, int]:
    """Return width and height from the bytes behind the codestream's signature.

    Raises
    ------
    ValueError
        If they are too few.

    >>> parse_size(bytes([0b0111_1111, 0]))  # small, height (31 + 1) * 8, as wide as high
    (256, 256)
    """
    bits = _Bits(header)
    is_small = bits.take(1)
    height = _take_side(bits, is_small)
    ratio = bits.take(3)
    if ratio == 0:
        return _take_side(bits, is_small), height
    numerator, denominator = _RATIOS[ratio]
    return height * numerator // denominator, height


def _take_side(bits: "_Bits", is_small: int) -> int:
    if is_small:
        return (bits.take(5) + 1) * 8
    return bits.take(_SIZE_BITS[bits.take(2)]) + 1


class _Bits:
    """The bits of some bytes, each byte's lowest first."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")
        self._n_left = 8 * len(data)

    def take(self, n: int) -> int:
        """Return the next `n` bits as a number, the first one its lowest."""
        if n > self._n_left:
            raise InputError("its header is cut short")
        value = self._left & ((1 << n) - 1)
        self._left >>= n
        self._n_left -= n
        return value


def _find_codestream(stream: BinaryIO) -> int:
    """Return where the codestream begins in a file of boxes."""
    end = stream.seek(0, os.SEEK_END)
    position = 0
    for _ in range(_MAX_BOXES):
        stream.seek(position)
        header = stream.read(_LARGE_BOX_HEADER)
        if len(header) < _BOX_HEADER:
            break
        length, kind, start = int.from_bytes(header[:4], "big"), header[4:8], _BOX_HEADER
        if length == 1:
            length, start = int.from_bytes(header[8:16], "big"), _LARGE_BOX_HEADER
        if kind == b"jxlc":
            return position + start
        if kind == b"jxlp":
            return position + start + 4  # behind the number of the part
        position = end if length == 0 else position + max(length, start)
    raise InputError("no JPEG XL codestream in it")
