"""What happened, one JSON object a line: the same keys on every line, whatever the source."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from recognition.errors import SaveError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EVENT_KINDS = ("face", "started", "identified", "changed", "ended")

_LONGEST_LINE = 100_000
"""Bytes in which an event ends; the longest source names that file systems allow take a third."""


@dataclass(frozen=True)
class Event:
    """One thing that happened to a face; the fields are the keys of the JSON line, in this order.

    Attributes
    ----------
    event : str
        One of `EVENT_KINDS`.
    source : str
        The photo, video or stream, without credentials.
    frame : int
        Counts from 0; 0 for a photo.
    time_s : float or None
        The file's timestamp, or seconds since a live source was opened; None for a photo.
    track : int or None
        Number of the track; None while the face belongs to none.
    box : (x_min, y_min, x_max, y_max)
        Pixels of the frame, max exclusive.
    identity : str
        ``unknown`` until accepted.
    score : float
        Similarity to the nearest exemplar of the best identity, higher is more alike.
    accepted : bool
    """

    event: str
    source: str
    frame: int
    time_s: float | None
    track: int | None
    box: tuple[float, float, float, float]
    identity: str
    score: float
    accepted: bool

    def to_json(self) -> str:
        """Return the event as one line of JSON, without the line's end."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)


def make_event(
    event: str,
    source: str,
    *,
    frame: int = 0,
    time_s: float | None = None,
    track: int | None = None,
    box: "Sequence[float] | NDArray[np.floating]",
    identity: str,
    score: float,
    accepted: bool,
) -> Event:
    """Return an event with plain rounded numbers: milliseconds, tenths of a pixel, four digits of the score.

    Raises
    ------
    ValueError
        If `event` is none of `EVENT_KINDS`.

    >>> make_event("face", "a.jpg", box=[1, 2.04, 3, 4], identity="ann", score=0.71234, accepted=True).to_json()
    '{"event": "face", "source": "a.jpg", "frame": 0, "time_s": null, "track": null, "box": [1.0, 2.0, 3.0, 4.0], \
"identity": "ann", "score": 0.7123, "accepted": true}'
    """
    if event not in EVENT_KINDS:
        raise ValueError(f"`event` must be one of {', '.join(EVENT_KINDS)}, got {event!r}")
    x_min, y_min, x_max, y_max = (round(float(edge), 1) for edge in box)
    return Event(
        event=event,
        source=source,
        frame=int(frame),
        time_s=None if time_s is None else round(float(time_s), 3),
        track=None if track is None else int(track),
        box=(x_min, y_min, x_max, y_max),
        identity=str(identity),
        score=round(float(score), 4),
        accepted=bool(accepted),
    )


class EventSink(Protocol):
    """What events are handed to."""

    def write(self, event: Event) -> None:
        """Take one event."""

    def close(self) -> None:
        """Take no more events, and finish what was taken."""


class EventFile:
    """Events as lines of a file, each line whole on disk as soon as it is written.

    Parameters
    ----------
    path : path
    append : bool
        Go on with an existing file, as a service does after a restart; otherwise it is replaced.

    Raises
    ------
    SaveError
        If a file that holds no events would be replaced, such as the head or a photo.
    OSError
        If the file cannot be opened; its folder is made where missing.
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
        """Write one event as a line.

        Raises
        ------
        OSError
            If the line cannot be written whole, as on a full disk, naming the file; the lines before it stay.
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
        If it does.
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
    """Remove a last line that a power cut has torn, which the next event would continue; end one that is whole."""
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
    except ValueError:
        return False
    return isinstance(record, dict) and record.get("event") in EVENT_KINDS
