"""Events on standard output: one line for each face as soon as it is identified, or JSON; and several sinks at once."""

from collections.abc import Callable, Sequence

from foundation.text import sanitize_for_terminal
from recognition.events.event import Event, EventSink


class TextSink:
    """Print events as lines of text: source, identity, score and box, separated by tabs.

    For a track of a video or stream a line is printed when its identity is accepted or changes, and at the end if it
    stayed unknown; time and number of the track are added.
    """

    def write(self, event: Event) -> None:
        """Print the line of `event`, if it has one."""
        if event.event in ("face", "identified", "changed") or (event.event == "ended" and not event.accepted):
            print(describe_event(event), flush=True)

    def close(self) -> None:
        """Do nothing: standard output stays open."""


class JsonLinesSink:
    """Print events as JSON lines."""

    def write(self, event: Event) -> None:
        """Print an event."""
        print(event.to_json(), flush=True)

    def close(self) -> None:
        """Do nothing: standard output stays open."""


class FanOutSink:
    """Write each event to several sinks, even if one of them fails."""

    def __init__(self, sinks: Sequence[EventSink]) -> None:
        self._sinks = list(sinks)

    def write(self, event: Event) -> None:
        """Write an event to all sinks.

        Raises
        ------
        OSError, ValueError
            The first sink's that failed, as on a full disk.
        """
        self._call_all(lambda sink: sink.write(event))

    def close(self) -> None:
        """Close all sinks.

        Raises
        ------
        OSError, ValueError
            The first sink's that failed.
        """
        self._call_all(lambda sink: sink.close())

    def _call_all(self, do: Callable[[EventSink], None]) -> None:
        errors: list[Exception] = []
        for sink in self._sinks:
            try:
                do(sink)
            except (OSError, ValueError) as error:
                errors.append(error)
        if errors:
            raise errors[0]


def describe_event(event: Event) -> str:
    r"""Return an event as one line.

    >>> from recognition.events.event import make_event
    >>> describe_event(make_event("face", "a.jpg", box=[1, 2, 30, 40], identity="ann", score=0.71, accepted=True))
    'a.jpg\tann\t0.710\t1,2,30,40'
    """
    box = ",".join(str(round(edge)) for edge in event.box)
    columns = [sanitize_for_terminal(event.source), sanitize_for_terminal(event.identity), f"{event.score:.3f}", box]
    if event.time_s is not None:
        columns += [f"{event.time_s:.3f}s", "-" if event.track is None else f"track {event.track}"]
    return "\t".join(columns)


def print_no_face(source: str) -> None:
    """Print the line of a photo without a face."""
    print(f"{sanitize_for_terminal(source)}\tno face", flush=True)
