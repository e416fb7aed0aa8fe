"""Events in a file, one JSON object a line."""

import json
import os
from pathlib import Path

from recognition.errors import SaveError
from recognition.events.event import EVENT_KINDS, Event

_LONGEST_LINE = 100_000
"""Bytes an event takes at most; the longest source names that file systems allow take a third."""


class EventFile:
    """Write events as lines of a file, each flushed as soon as it is written.

    Parameters
    ----------
    path : path
    append : bool
        Append to an existing file, as a service does after a restart; otherwise replace it.

    Raises
    ------
    SaveError
        If a file that holds no events would be replaced, such as the head or a photo.
    OSError
        If the file cannot be opened; a missing folder is created.
    """

    def __init__(self, path: str | os.PathLike[str], *, append: bool = False) -> None:
        self._path = Path(path)
        refuse_other_file(self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if append:
            _mend_end(self._path)
        # Unbuffered: what a full disk did not take must not be tried again when the file is closed.
        self._file = self._path.open("ab" if append else "wb", buffering=0)

    def write(self, event: Event) -> None:
        """Write an event as a line.

        Raises
        ------
        OSError
            If the line cannot be written completely, as on a full disk; the lines before it stay.
        """
        line = f"{event.to_json()}\n".encode()
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

    def close(self) -> None:
        """Close the file."""
        self._file.close()


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
