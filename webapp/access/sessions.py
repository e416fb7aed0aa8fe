"""Sessions of browsers, which outlive a restart of the server: digests in a file that its owner alone may read."""

import hashlib
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from foundation.atomic import write_bytes_atomically

LONGEST_S = 30 * 24 * 3600.0
"""How long a session lasts from its sign-in, seconds."""

MOST_SESSIONS = 1_000
"""The oldest go first, so that nobody can fill the memory."""


class Sessions:
    """Who has signed in.

    The file holds digests: who reads it can open nothing. Where it cannot be written, sessions end with the server.

    Parameters
    ----------
    path : path, optional
        The file; none keeps them in memory alone.
    opened_by : str
        What opened them, such as a password's hash: those that something else opened before count no more.
    clock : callable
        Seconds since 1970.
    """

    def __init__(
        self, path: Path | None = None, *, opened_by: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self._path, self._clock = path, clock
        self._opened_by = _digest(opened_by)
        self._lock = Lock()
        self._opened: OrderedDict[str, float] = self._read()

    def open(self) -> str:
        """Return the secret of a new session, for a browser's cookie."""
        session = secrets.token_urlsafe(32)
        with self._lock:
            self._opened[_digest(session)] = self._clock()
            while len(self._opened) > MOST_SESSIONS:
                self._opened.popitem(last=False)
            self._write()
        return session

    def close(self, session: str) -> None:
        """End a session; nothing happens where there is none."""
        with self._lock:
            if self._opened.pop(_digest(session), None) is not None:
                self._write()

    def has(self, session: str) -> bool:
        """Return whether a session is open."""
        opened = self._opened.get(_digest(session))
        return opened is not None and self._clock() - opened < LONGEST_S

    def _read(self) -> "OrderedDict[str, float]":
        found: OrderedDict[str, float] = OrderedDict()
        if self._path is None:
            return found
        with suppress(OSError, ValueError, RecursionError, TypeError, AttributeError):  # damaged: sign in again
            if self._path.stat().st_mode & 0o077:
                self._path.unlink()  # or its successor would be as open as it
                return found
            kept = json.loads(self._path.read_bytes())
            if kept["opened_by"] == self._opened_by:
                found.update((str(digest), float(opened)) for digest, opened in kept["sessions"].items())
        return found

    def _write(self) -> None:
        if self._path is None:
            return
        content = json.dumps({"opened_by": self._opened_by, "sessions": self._opened}).encode()
        with suppress(OSError):  # a workspace that cannot be written
            write_bytes_atomically(self._path, content, is_private=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
