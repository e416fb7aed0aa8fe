"""Watch the head's file and load the head again when it changes."""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.text import sanitize_for_terminal

if TYPE_CHECKING:
    from classifiers.heads.head import Head

logger = logging.getLogger(__name__)

POLL_INTERVAL_S = 0.3

FileVersion = tuple[int, int, int]
"""Modification time of a file in nanoseconds, its size in bytes, and its inode number."""


class HeadWatcher:
    """Watch a head file on a thread of its own and load it when it changes.

    A file that is no head, or incomplete, changes nothing: the current head stays in use, a warning is logged once, and
    the file is loaded again when it changes; or at every poll, where it could not even be opened.

    Parameters
    ----------
    path : Path
        The file.
    load : callable
        Loads it.
    fingerprint : mapping
        Fingerprint of the embeddings in use; a head for others is refused like an unreadable one.
    known : FileVersion or None
        The `file_version` before the head in use was loaded.
    """

    def __init__(
        self, path: Path, load: Callable[[Path], "Head"], fingerprint: Mapping[str, Any], *, known: FileVersion | None
    ) -> None:
        self._path = path
        self._load = load
        self._fingerprint = fingerprint
        self._version = known
        self._refused: FileVersion | None = None
        self._new: Head | None = None
        self._has_warned = False
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="head", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopping.set()
        self._thread.join()

    def poll_new_head(self) -> "Head | None":
        """Return a newly loaded head, once; None if there is none."""
        with self._lock:
            new, self._new = self._new, None
        return new

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_INTERVAL_S):
            self.poll()

    def poll(self) -> None:
        """Check the file once, and load it if it has changed."""
        version = file_version(self._path)
        if version is None:
            self._refused = None  # another file may get the version of the one before
            return
        if version in (self._version, self._refused):
            return
        try:
            head = self._load(self._path)
            head.check_fingerprint(self._fingerprint)
        except (ValueError, OSError) as error:
            # A file that could not be opened may be readable later without a change.
            self._refused = version if isinstance(error, ValueError) else None
            if not self._has_warned:
                self._has_warned = True
                logger.warning("the head before stays in use: %s", sanitize_for_terminal(str(error)))
            return
        # A file that was replaced while it was read is read again by the next poll.
        self._version = version
        self._has_warned = False
        with self._lock:
            self._new = head
        logger.info("%s: changed, %d people are known now", self._path, len(head.labels))


def file_version(path: Path) -> FileVersion | None:
    """Return what distinguishes the versions of a file; None while there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None  # removed, perhaps to be replaced: the head in memory stays in use
    return found.st_mtime_ns, found.st_size, found.st_ino
