"""The clocks of a machine, and when something was, in UTC."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Clock:
    """The two clocks of a machine, in seconds: wall-clock time, which may jump, and monotonic time."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic


def format_utc(moment: datetime) -> str:
    """Return an aware time as ISO 8601 in UTC, to the millisecond.

    >>> format_utc(datetime.fromisoformat("2024-05-01T14:00:00.5+02:00"))
    '2024-05-01T12:00:00.500Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Timeline:
    """When the moments of a source were, by the wall clock.

    Parameters
    ----------
    begun : callable
        Returns when the source's time 0 was, aware; None where nobody knows.
    """

    def __init__(self, begun: Callable[[], datetime | None]) -> None:
        self._begun = begun

    @classmethod
    def of_file(cls, created: datetime | None) -> "Timeline":
        """Return the timeline of a file that begins at `created`, its own creation time; None where it has none."""
        return cls(lambda: created)

    @classmethod
    def of_live(cls, opened_s: float, clock: Clock = Clock()) -> "Timeline":
        """Return the timeline of a live source that was opened at `opened_s` of the monotonic clock.

        The wall clock is looked at anew for each event: a small computer begins with a wrong one and sets it later.
        """
        return cls(lambda: datetime.fromtimestamp(clock.wall() - (clock.steady() - opened_s), UTC))

    def at(self, time_s: float | None) -> str | None:
        """Return the time `time_s` seconds after time 0, as ISO 8601 in UTC; None where it is not known."""
        begun = self._begun()
        if begun is None or time_s is None:
            return None
        try:
            return format_utc(begun + timedelta(seconds=time_s))
        except OverflowError:  # a damaged file may claim the last day there is
            return None
