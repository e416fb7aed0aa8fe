"""Atomic, durable file writes: a file is whole or not there, whatever happens while it is written.

Content goes to a temporary file in the same folder, is synced, and takes its name in one step.
"""

import errno
import io
import logging
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

logger = logging.getLogger(__name__)

NO_ROOM_ERRORS = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Error numbers of a full disk, a file-size limit and a quota."""

TEMPORARY_SUFFIX = ".tmp"
"""Ends the name of every temporary file, so that what a killed process left can be told from finished files."""

PRIVATE_MODE = 0o600
"""Of files that only their owner shall read."""

_N_LETTERS_KEPT = 40  # of the file's name in that of its temporary file, which must not grow too long for a name


@contextmanager
def atomic_path(path: Path, *, temporary_folder: Path | None = None, is_private: bool = False) -> Iterator[Path]:
    """Yield a temporary path; the file written there takes the place of `path` when the block ends without an error.

    For libraries that write by name; where a stream will do, `atomic_writer` is simpler. A link stays a link: the file
    it leads to is replaced.

    Parameters
    ----------
    path : Path
        The file; one that is there already is replaced in one step, or stays as it is.
    temporary_folder : Path, optional
        Where the temporary file lives, on the same file system; default: beside `path`.
    is_private : bool
        Let only its owner read a new file (mode 0600), for what tells who is on whose photos. A file that is replaced
        keeps the mode somebody gave it.

    Raises
    ------
    OSError
        If the file cannot be written, naming `path`; `errno` is in `NO_ROOM_ERRORS` if there is no room for it.
    """
    place = path.resolve() if path.is_symlink() else path
    folder = place.parent if temporary_folder is None else temporary_folder
    temporary = folder / f".{place.name[:_N_LETTERS_KEPT]}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
    try:
        if is_private:
            mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else PRIVATE_MODE
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_MODE))
        yield temporary
        if is_private:
            temporary.chmod(mode)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(place)
        _sync_folder(place.parent)
    except OSError as error:
        if error.errno in NO_ROOM_ERRORS:
            raise OSError(
                error.errno,
                f"no room to write it ({error.strerror}); what was there before is untouched; "
                "free some space and run the same command again",
                str(path),
            ) from error
        if error.filename in (temporary, str(temporary)) and error.filename2 is None:
            # The user knows the file by its own name alone.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        with suppress(OSError):  # where it could not be made, it cannot be removed either
            temporary.unlink()


@contextmanager
def atomic_writer(
    path: Path, *, reserve: int = 0, temporary_folder: Path | None = None, is_private: bool = False
) -> Iterator[IO[bytes]]:
    """Yield a binary stream whose content takes the place of `path` when the block ends without an error.

    Parameters
    ----------
    path, temporary_folder, is_private
        As in `atomic_path`.
    reserve : int
        Bytes of disk space to take first; what is not written is given back.

    Raises
    ------
    OSError
        As `atomic_path`.
    """
    with (
        atomic_path(path, temporary_folder=temporary_folder, is_private=is_private) as temporary,
        temporary.open("wb+") as stream,
    ):
        if reserve <= 0:
            yield stream
            return
        _reserve(stream, reserve)
        growing = _GrowingStream(stream)
        yield growing  # type: ignore[misc]
        stream.truncate(growing.length)


def write_atomically(
    path: Path,
    fill: Callable[[IO[bytes]], None],
    *,
    reserve: int = 0,
    temporary_folder: Path | None = None,
    is_private: bool = False,
) -> None:
    """Write a file with ``fill(stream)``, as `atomic_writer` does.

    Parameters
    ----------
    path, reserve, temporary_folder, is_private
        As in `atomic_writer`.
    fill : callable
        Writes the content to the binary stream that it is given.

    Raises
    ------
    OSError
        As `atomic_path`.
    """
    with atomic_writer(path, reserve=reserve, temporary_folder=temporary_folder, is_private=is_private) as stream:
        fill(stream)


def write_bytes_atomically(path: Path, content: bytes, *, is_private: bool = False) -> None:
    """Write `content`, as `atomic_writer` does, its space reserved first.

    Raises
    ------
    OSError
        As `atomic_path`.
    """
    with atomic_writer(path, reserve=len(content), is_private=is_private) as stream:
        stream.write(content)


class _GrowingStream(io.RawIOBase):
    """A file with reserved space, shown as the empty file it is until something is written.

    HDF5 takes a file that has a length for one to be read, so the reserved length must not be seen.
    """

    def __init__(self, stream: io.BufferedRandom) -> None:
        self._stream = stream
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


class PartialFile:
    """Create an empty file beside its final place, locked for as long as its process lives.

    The lock tells it from what a killed process left, also to other containers and computers that share the folder.
    Windows has no such locks; there nothing is ever taken for left.

    Parameters
    ----------
    place : Path
        Where the finished file will be.

    Attributes
    ----------
    path : Path
        Where it is meanwhile; another library may write to it by this name.

    Raises
    ------
    OSError
        If it cannot be made, naming `place`.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        while True:
            self.path = place.with_name(f".{place.stem}.{secrets.token_hex(4)}.part{place.suffix.lower()}")
            self._descriptor = _make(self.path, place)
            _lock(self._descriptor)
            if self.path.exists():
                break
            os.close(self._descriptor)  # it was taken for left before it was locked
        if sys.platform == "win32":
            os.close(self._descriptor)  # what is open cannot be renamed there

    def finish(self) -> None:
        """Rename it to its final name, replacing a file of that name."""
        self.path.replace(self._place)
        self._unlock()

    def discard(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self._unlock()

    def _unlock(self) -> None:
        if sys.platform != "win32":
            os.close(self._descriptor)


def remove_stale(place: Path) -> None:
    """Remove the partial files of `place` that killed processes left; not those that another one is writing."""
    name = re.compile(rf"\.{re.escape(place.stem)}\.[0-9a-f]+\.part{re.escape(place.suffix.lower())}")
    left: list[Path] = []
    # Who may not look into the folder, or remove from it, can do without.
    with suppress(OSError):
        left += [path for path in place.parent.iterdir() if name.fullmatch(path.name)]
    for path in left:
        with suppress(OSError):
            _remove_unlocked(path)


def _make(path: Path, place: Path) -> int:
    try:
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    except OSError as error:
        # The user knows the file by its own name alone.
        raise OSError(error.errno, error.strerror, str(place)) from error


def _remove_unlocked(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        if _lock(descriptor):
            path.unlink()
            logger.info("%s: removed, left by a run that was killed", path)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock a file until its descriptor is closed, and return whether that could be had."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
