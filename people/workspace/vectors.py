"""FaceVectors: the vectors of some faces of a workspace, without its whole table in memory."""

from collections.abc import Iterator, Sequence
from threading import Lock
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embedder.tables.file import TableFileReader
from foundation.fingerprint import Fingerprint
from people.workspace.workspace import Workspace

_BLOCK = 4_096
"""Rows that are read at once where all are asked for."""

_GAP = 16
"""Rows that are read and left out rather than read one by one."""


class FaceVectors:
    """Reads rows of a workspace's table, which stays open and is checked once.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        self._path = workspace.table
        self._lock = Lock()
        self._reader: TableFileReader | None = None
        self._file = (0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def version(self) -> tuple[int, int]:
        """What changes whenever a scan writes the table anew; (0, 0) before the first."""
        try:
            state = self._path.stat()
        except FileNotFoundError:
            return 0, 0
        return state.st_ino, state.st_mtime_ns

    def of_rows(self, rows: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the vectors of rows, float32 (n, d), in the order given.

        Raises
        ------
        TableError
            If the table is damaged, or has no such row.
        OSError
            If it is not there.
        """
        wanted = np.asarray(rows, np.int64)
        order = np.argsort(wanted, kind="stable")
        found: NDArray[np.float32]
        with self._lock:
            reader = self._open()
            found = np.empty((len(wanted), reader.embedding_length), np.float32)
            for run in np.split(order, np.flatnonzero(np.diff(wanted[order]) > _GAP) + 1):
                if len(run):
                    first = int(wanted[run[0]])
                    block = reader.embeddings(first, int(wanted[run[-1]]) + 1)
                    found[run] = block[wanted[run] - first]
        return found

    @property
    def fingerprint(self) -> Fingerprint:
        """How the vectors were made."""
        with self._lock:
            return self._open().header.fingerprint

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield all vectors, float32 (n, d), some thousand rows at a time.

        Raises as `of_rows`.
        """
        with self._lock:
            n_rows = self._open().n_rows
        for start in range(0, n_rows, _BLOCK):
            with self._lock:
                block = self._open().embeddings(start, min(start + _BLOCK, n_rows))
            yield block

    def close(self) -> None:
        """Close the table."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
            self._reader = None

    def _open(self) -> TableFileReader:
        now = self.version
        if self._reader is None or self._file != now:
            if self._reader is not None:
                self._reader.close()
            self._reader, self._file = TableFileReader(self._path), now
        return self._reader
