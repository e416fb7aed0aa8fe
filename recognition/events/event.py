"""Events about faces, one JSON object a line, with the same keys for every source."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EVENT_KINDS = ("face", "started", "identified", "changed", "ended")


@dataclass(frozen=True)
class Event:
    """An event about a face; the fields are the keys of the JSON line, in this order.

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
    at : str or None
        When the face was seen, ISO 8601 in UTC; None where nobody knows.
    source_name : str or None
        What the user calls the source.
    crop : str or None
        Path of the saved picture; None where none is saved.
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
    at: str | None = None
    source_name: str | None = None
    crop: str | None = None

    def to_json(self) -> str:
        """Return the event as one line of JSON, without a line feed."""
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
    """Return an event with rounded numbers: milliseconds, tenths of a pixel, four digits of the score.

    When it was, what its source is called and its picture are None: the run adds them, see `dataclasses.replace`.

    Raises
    ------
    ValueError
        If `event` is none of `EVENT_KINDS`.

    >>> make_event("face", "a.jpg", box=[1, 2.04, 3, 4], identity="ann", score=0.71234, accepted=True).to_json()
    '{"event": "face", "source": "a.jpg", "frame": 0, "time_s": null, "track": null, "box": [1.0, 2.0, 3.0, 4.0], \
"identity": "ann", "score": 0.7123, "accepted": true, "at": null, "source_name": null, "crop": null}'
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
    """Receiver of events."""

    def write(self, event: Event) -> None:
        """Write an event."""

    def close(self) -> None:
        """Finish writing the events so far."""
