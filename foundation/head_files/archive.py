"""Read zip archives of uncompressed entries whose directory agrees with the file it stands in."""

import errno
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from foundation.errors import InputError

# The records of a zip that are read here, as PKWARE's APPNOTE 6.3.10 lays them out: the end of the directory (4.3.16),
# its 64-bit form (4.3.14) with the locator that points to it (4.3.15), and the header of an entry (4.3.7).
_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_MAGIC = b"PK\x06\x07"
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"

# Flags of an entry (4.4.4) that change nothing about its bytes: sizes that follow them, and a name in UTF-8.
_HARMLESS_FLAGS = 0x0008 | 0x0800

# A directory takes some 80 bytes an entry; the largest heads, forests of a thousand trees, have ten thousand entries.
_MAX_DIRECTORY_BYTES = 16 * 1024 * 1024


class StoredArchive:
    """Zip archive of uncompressed entries, each within the file, beside the others, under a name of its own.

    Parameters
    ----------
    stream : binary file
        Open for reading, and kept open by the caller.

    Attributes
    ----------
    sizes : dict
        Length in bytes of each entry, by name.

    Raises
    ------
    InputError
        If it is no such archive; the message says in a few words what is wrong.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        with _as_damage():
            self.n_bytes = stream.seek(0, 2)
            _check_directory_size(stream, self.n_bytes)
            self._zip = zipfile.ZipFile(stream)
            entries = self._zip.infolist()
            self.sizes = {entry.filename: entry.file_size for entry in entries}
            if len(self.sizes) != len(entries):
                raise InputError("two of its entries have one name")
            self._check_places(entries)

    def read(self, name: str) -> bytes:
        """Return an entry's bytes.

        Raises
        ------
        InputError
            If there is no such entry, or its bytes are not those its checksum was made of.
        """
        if name not in self.sizes:
            raise InputError(f"it lacks {name!r}")
        with _as_damage():
            return self._zip.read(name)

    def read_start(self, name: str, n_bytes: int) -> bytes:
        """Return the first `n_bytes` of an entry, not held against its checksum.

        Raises
        ------
        InputError
            If there is no such entry.
        """
        if name not in self.sizes:
            raise InputError(f"it lacks {name!r}")
        with _as_damage(), self._zip.open(name) as stream:
            return stream.read(n_bytes)

    def _check_places(self, entries: list[zipfile.ZipInfo]) -> None:
        """Refuse entries that are not stored as they are, or do not lie one after the other before the directory."""
        free = 0
        for entry in sorted(entries, key=lambda entry: entry.header_offset):
            if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
                raise InputError("its entries are compressed")
            if entry.flag_bits & ~_HARMLESS_FLAGS:
                raise InputError(f"its entry {entry.filename!r} is encrypted")
            if entry.header_offset < 0:
                raise InputError("an entry lies outside of it")
            if entry.header_offset < free:
                raise InputError(f"its entry {entry.filename!r} overlaps another one")
            self._stream.seek(entry.header_offset)
            magic, *_, n_name, n_extra = _LOCAL.unpack(self._stream.read(_LOCAL.size))
            if magic != _LOCAL_MAGIC:
                raise InputError(f"its entry {entry.filename!r} is not where its directory says")
            free = entry.header_offset + _LOCAL.size + n_name + n_extra + entry.file_size
            if free > self._zip.start_dir:
                raise InputError(f"its entry {entry.filename!r} is longer than the file")


def first_entry_name(stream: BinaryIO, n_bytes: int) -> bytes:
    """Return up to `n_bytes` of the name of a zip's first entry, ``b""`` if the file does not begin as a zip."""
    stream.seek(0)
    header = stream.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(_LOCAL_MAGIC):
        return b""
    return stream.read(min(n_bytes, _LOCAL.unpack(header)[-2]))


def _check_directory_size(stream: BinaryIO, n_bytes: int) -> None:
    """Refuse a directory that is larger than any head's: it is read whole before anything of it can be checked."""
    stream.seek(max(0, n_bytes - _LOCATOR.size - _END.size))
    tail = stream.read()
    if len(tail) < _END.size or tail[-_END.size :][:4] != _END_MAGIC:
        raise InputError("it has no directory at its end")
    *_, n_directory, _, _ = _END.unpack(tail[-_END.size :])
    if tail.startswith(_LOCATOR_MAGIC) and len(tail) == _LOCATOR.size + _END.size:
        _, _, place, _ = _LOCATOR.unpack(tail[: _LOCATOR.size])
        stream.seek(place)
        *_, n_directory, _ = _END_64.unpack(stream.read(_END_64.size))
    if n_directory > min(n_bytes, _MAX_DIRECTORY_BYTES):
        raise InputError(f"its directory of {n_directory:,} bytes is too large")


@contextmanager
def _as_damage() -> Iterator[None]:
    """Turn what reading a damaged zip raises into an `InputError`; real I/O errors stay what they are."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # A damaged entry points before the file's first byte.
        raise InputError("an entry lies outside of it") from error
    except (zipfile.BadZipFile, EOFError, KeyError, RuntimeError, ValueError, OverflowError, struct.error) as error:
        raise InputError(" ".join(str(error.args[0] if error.args else error).split())) from error
