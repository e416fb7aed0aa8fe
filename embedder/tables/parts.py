"""Work in progress on a table: the lock, and the part files that survive a killed run.

Beside the table ``faces.h5`` lives, while it is being made, the folder ``faces.h5.parts`` of part files, each a small
table of its own that never changes. Whoever holds the lock owns the folder; its worker processes add parts to it.
"""

import hashlib
import io
import logging
from contextlib import suppress
from pathlib import Path
from typing import IO

import filelock

from embedder.errors import TableError, TableLockedError
from embedder.hdf5.examination import examine_all
from embedder.tables.columns import Columns
from embedder.tables.file import Header, TableFileReader, TableFileWriter
from embedder.tables.size import TableSize
from foundation.atomic import TEMPORARY_SUFFIX, write_atomically

logger = logging.getLogger(__name__)

_PART_SUFFIX = ".h5"


def parts_folder(table: Path) -> Path:
    """Return the folder of a table's part files."""
    return table.with_name(table.name + ".parts")


def write_part(folder: Path, header: Header, rows: Columns, images: Columns) -> Path:
    """Write photos and their rows as an immutable part file into `folder` and return its path.

    The name follows from the photos, so that doing a piece of work again replaces its part.

    Raises
    ------
    OSError
        If it cannot be written; no part file is left then.
    """
    name = hashlib.sha256("\0".join(images["path"]).encode()).hexdigest()[:16]
    path = folder / (name + _PART_SUFFIX)
    # Built in memory: h5py can crash the interpreter when the disk it writes to is full.
    buffer = io.BytesIO()
    with TableFileWriter(buffer, header, TableSize.of(rows, images)) as file:
        file.append(rows, images)

    def fill(stream: IO[bytes]) -> None:
        stream.write(buffer.getbuffer())

    write_atomically(path, fill, is_private=True)
    return path


class PartsFolder:
    """The parts folder of one table, locked against a second writer; a context manager.

    The lock is advisory and bound to the process (`filelock`): it ends with its holder, however that dies. It is held
    on ``<table>.lock``, whose existence means nothing.

    Parameters
    ----------
    table : Path
        The finished table's path; its folder must exist.

    Raises
    ------
    TableLockedError
        If another process is writing this table.
    OSError
        If the folder cannot be made or the lock not be tried.
    """

    def __init__(self, table: Path) -> None:
        self.table = table
        self.path = parts_folder(table)
        self._lock_path = table.with_name(table.name + ".lock")
        self._lock = filelock.FileLock(self._lock_path, timeout=0, thread_local=False, fallback_to_soft=False)

    def __enter__(self) -> "PartsFolder":
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise TableLockedError(
                f"{self.table}: expected to be its only writer, but another process is writing it; "
                "wait for that one or give another -o"
            ) from None
        except OSError as error:
            raise OSError(
                error.errno,
                f"expected to write here, the lock beside it cannot be made ({error.strerror}); "
                "change the folder's permissions or give another -o",
                str(self.table),
            ) from error
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            for path in self.path.glob(".*" + TEMPORARY_SUFFIX):
                path.unlink(missing_ok=True)
        except BaseException:
            self._unlock()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.path.rmdir()  # unless parts are left for the next run
        self._unlock()

    def _unlock(self) -> None:
        # Whoever has opened this file meanwhile finds, once the lock is theirs, that it lost its name (filelock looks).
        with suppress(OSError):
            self._lock_path.unlink()
        self._lock.release()

    def parts(self) -> list[Path]:
        """Return the part files that are whole, the oldest first; damaged ones are removed with a warning."""
        created = []
        paths = sorted(self.path.glob("*" + _PART_SUFFIX))
        examine_all(paths)  # those without checksum together: one process instead of one for each
        for path in paths:
            try:
                with TableFileReader(path) as part:
                    part.images()
                    for _ in part.blocks():
                        pass
                    created.append((part.header.created, path))
            except TableError as error:
                logger.warning("%s; its photos are embedded again", error)
                path.unlink()
        return [path for _, path in sorted(created)]

    def clear(self) -> None:
        """Delete all part files: they are in the finished table."""
        for part in self.path.glob("*" + _PART_SUFFIX):
            part.unlink()
