"""The checksum at the end of a file: 64 bytes of ASCII text after the HDF5 data, which HDF5 itself never looks at.

The line says ``facetable checksum crc32 XXXXXXXX of NNNNNNNNNNNNNNNNNNN bytes``; the CRC-32 (ISO 3309, as in zip and
gzip files) is that of all bytes before the line. It finds damage, not forgery. CRC-32 is the fastest check of the
standard library on every machine: measured at 2.0 GB/s, where SHA-256 in hardware comes to 0.6 GB/s and without
hardware to a third of that.
"""

import os
import re
import zlib
from enum import Enum
from pathlib import Path
from typing import IO

CHECKSUM_BYTES = 64
"""How much longer it makes a file."""

_LINE = "\nfacetable checksum crc32 {crc:08x} of {n_bytes:019d} bytes\n"
_PATTERN = re.compile(rb"\nfacetable checksum crc32 ([0-9a-f]{8}) of ([0-9]{19}) bytes\n")
_BLOCK_BYTES = 1 << 20  # stays in the processor's cache


class Checksum(Enum):
    """What a file's checksum says of it."""

    MISSING = "missing"
    RIGHT = "right"
    WRONG = "wrong"


def append_checksum(stream: IO[bytes]) -> None:
    """Write the checksum of all that `stream` holds at its end.

    Parameters
    ----------
    stream : binary stream
        Seekable, readable and writable.

    Raises
    ------
    OSError
        If it cannot be read or written.
    """
    n_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    line = _LINE.format(crc=_crc(stream, n_bytes), n_bytes=n_bytes).encode("ascii")
    stream.seek(n_bytes)
    stream.write(line)


def verify_checksum(path: Path) -> Checksum:
    """Compare a file with the checksum at its end.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb", buffering=0) as stream:
        n_bytes = stream.seek(0, os.SEEK_END) - CHECKSUM_BYTES
        if n_bytes < 0:
            return Checksum.MISSING
        stream.seek(n_bytes)
        found = _PATTERN.fullmatch(stream.read(CHECKSUM_BYTES))
        if found is None:
            return Checksum.MISSING
        stream.seek(0)
        is_right = int(found[2]) == n_bytes and int(found[1], 16) == _crc(stream, n_bytes)
        return Checksum.RIGHT if is_right else Checksum.WRONG


def _crc(stream: IO[bytes], n_bytes: int) -> int:
    """Return the CRC-32 of the next `n_bytes` of `stream`, or of as many as there are."""
    buffer = memoryview(bytearray(min(_BLOCK_BYTES, max(n_bytes, 1))))
    crc, left = 0, n_bytes
    while left > 0:
        n_read = stream.readinto(buffer[: min(left, len(buffer))])  # type: ignore[attr-defined]
        if not n_read:
            break
        crc = zlib.crc32(buffer[:n_read], crc)
        left -= n_read
    return crc
