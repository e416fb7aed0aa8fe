"""Files that are either whole or not there: written under another name, synced, then renamed."""

import errno
import io
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

NO_ROOM_ERRORS = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Error numbers of a full disk, a file-size limit and a quota."""

TEMPORARY_SUFFIX = ".tmp"
"""Ends the name of every unfinished file, so that what a killed process left can be told from finished files."""


def write_durably(
    path: Path, fill: Callable[[IO[bytes]], None], *, reserve: int = 0, temporary_folder: Path | None = None
) -> None:
    """Write a file that is whole or not there, whatever happens meanwhile.

    Parameters
    ----------
    path : Path
        The file; one that is there already is replaced in one step, or stays as it is.
    fill : callable
        Writes the content into the binary stream it is given.
    reserve : int
        Bytes of space to take before `fill` is called; what it does not use is given back.
    temporary_folder : Path, optional
        Where the unfinished file lives, on the same file system; default: beside `path`.

    Raises
    ------
    OSError
        If the file cannot be written, naming `path`; `errno` is in `NO_ROOM_ERRORS` if there is no room for it.
    """
    name = f".{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
    temporary = (path.parent if temporary_folder is None else temporary_folder) / name
    try:
        with temporary.open("xb+") as stream:
            if reserve > 0:
                _reserve(stream, reserve)
            growing = _GrowingStream(stream)
            fill(growing)  # type: ignore[arg-type]
            stream.truncate(growing.length)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno in NO_ROOM_ERRORS:
            raise OSError(
                error.errno,
                f"no room to write it ({error.strerror}); what was there before is untouched; "
                "free some space and run the same command again",
                str(path),
            ) from error
        if error.filename == str(temporary) and error.filename2 is None:
            # The user knows the file by its own name alone.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        with suppress(OSError):  # where it could not be made, it cannot be removed either
            temporary.unlink()


class _GrowingStream(io.RawIOBase):
    """A file with reserved space, shown as the empty file it is until something is written.

    HDF5 takes a file that has a length for one to be read, so the reserved length must not be seen.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream: Any = stream
        self.length = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_END:
            offset, whence = self.length + offset, os.SEEK_SET
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Any, /) -> int:
        return self._stream.readinto(buffer)

    def write(self, data: Any, /) -> int:
        n_bytes = self._stream.write(data)
        self.length = max(self.length, self._stream.tell())
        return n_bytes

    def truncate(self, size: int | None = None, /) -> int:
        self.length = self.tell() if size is None else size
        return self.length


def _reserve(stream: IO[bytes], n_bytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(stream.fileno(), 0, n_bytes)
    elif shutil.disk_usage(Path(stream.name).parent).free < n_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut; only POSIX lets a folder be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
