"""Events in a file, one JSON object a line."""

import errno
import json
import logging
import os
from collections import deque
from pathlib import Path

from foundation.atomic import NO_ROOM_ERRORS, PRIVATE_MODE
from foundation.paths import display_path
from recognition.errors import SaveError
from recognition.events.event import EVENT_KINDS, Event

logger = logging.getLogger(__name__)

MOST_WAITING = 100_000
"""Events that wait for room on the disk at most: 40 MB of memory."""

_LONGEST_LINE = 100_000
"""Bytes an event takes at most; the longest source names that file systems allow take a third."""


class EventFile:
    """Write events as lines of a file, each flushed as soon as it is written.

    Parameters
    ----------
    path : path
    append : bool
        Append to an existing file, as a service does after a restart; otherwise replace it. A service goes on while the
        disk is full: that is logged once, and the events wait until there is room.

    Raises
    ------
    SaveError
        If a file that holds no events would be replaced, such as the head or a photo.
    OSError
        If the file cannot be opened; a missing folder is created. New files and folders are their owner's alone.
    """

    def __init__(self, path: str | os.PathLike[str], *, append: bool = False) -> None:
        self._path = Path(path)
        refuse_other_file(self._path)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if append:
            _mend_end(self._path)
        self._waits = append
        self._waiting: deque[bytes] = deque()
        self._n_dropped = 0
        self._has_warned = False
        # Unbuffered: what a full disk did not take must not be tried again when the file is closed.
        self._file = open(self._path, "ab" if append else "wb", buffering=0, opener=_open_privately)  # noqa: SIM115

    def write(self, event: Event) -> None:
        """Write an event as a line.

        Raises
        ------
        OSError
            If the line cannot be written completely, as on a full disk where it does not wait; the lines before it
            stay.
        """
        line = f"{event.to_json()}\n".encode()
        if not self._waits:
            self._write_line(line)
            return
        self._waiting.append(line)
        self._write_waiting()
        if len(self._waiting) > MOST_WAITING:
            self._waiting.pop()
            self._n_dropped += 1

    def close(self) -> None:
        """Close the file.

        Raises
        ------
        OSError
            If the disk is still full, so that events are lost.
        """
        try:
            self._write_waiting()
        finally:
            self._file.close()
        n_lost = len(self._waiting) + self._n_dropped
        self._waiting.clear()
        self._n_dropped = 0
        if n_lost:
            raise OSError(
                errno.ENOSPC,
                f"{n_lost:,} events could not be written, the disk was full; the others are whole; free some space",
                str(self._path),
            )

    def _write_waiting(self) -> None:
        """Write the lines that wait, as far as there is room."""
        while self._waiting:
            try:
                self._write_line(self._waiting[0])
            except OSError as error:
                if error.errno not in NO_ROOM_ERRORS:
                    raise
                if not self._has_warned:
                    self._has_warned = True
                    logger.warning("%s: %s; they wait in memory", display_path(self._path), error.strerror)
                return
            self._waiting.popleft()
        self._has_warned = False

    def _write_line(self, line: bytes) -> None:
        n_written = 0
        try:
            while n_written < len(line):
                n_written += self._file.write(line[n_written:])
        except OSError as error:
            if n_written:
                self._file.truncate(self._file.tell() - n_written)
            raise OSError(
                error.errno,
                f"the events cannot be written ({error.strerror}); those before are whole; free "
                "some space or name another file for --events",
                str(self._path),
            ) from error


def _open_privately(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_MODE)


def refuse_other_file(path: Path) -> None:
    """Refuse to replace a file that holds anything but events.

    Raises
    ------
    SaveError
        If `path` is such a file.
    """
    if not path.is_file():
        return
    with path.open("rb") as stream:
        first_line = stream.readline(_LONGEST_LINE)
    if first_line and not _is_event(first_line):
        raise SaveError(
            f"{path}: expected a file of events or nothing here to replace, found a file of another kind; "
            "give another name for --events, or delete the file first"
        )


def refuse_other_run(path: Path, *, is_photos: bool) -> None:
    """Refuse to replace the events of another run, which may be all that is left of it.

    Parameters
    ----------
    path : Path
    is_photos : bool
        Whether the events to write are those of photos, which may replace others of photos: the photos are still there.

    Raises
    ------
    SaveError
        If `path` holds such events.
    """
    if not path.is_file():
        return
    with path.open("rb") as stream:
        first_line = stream.readline(_LONGEST_LINE)
    if not _is_event(first_line) or (is_photos and json.loads(first_line).get("time_s") is None):
        return
    raise SaveError(
        f"{path}: expected nothing here to replace, found the events of another run; give another name for --events, "
        "or add --overwrite to replace them"
    )


def _mend_end(path: Path) -> None:
    """Remove an incomplete last line, as after a power cut; end a complete one that has no line feed."""
    if not path.is_file():
        return
    with path.open("rb+") as stream:
        start = max(0, stream.seek(0, os.SEEK_END) - _LONGEST_LINE)
        stream.seek(start)
        lines, _, last = stream.read().rpartition(b"\n")
        if _is_event(last):
            stream.write(b"\n")
        elif last:
            stream.truncate(start + len(lines) + bool(lines))


def _is_event(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.get("event") in EVENT_KINDS
