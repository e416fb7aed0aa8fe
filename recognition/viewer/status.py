"""Status line: frame rate, latency, faces, dropped frames."""

import logging
import sys
import time
from typing import TextIO

from foundation.text import pluralize
from recognition.sources.grabber import LiveCounts
from recognition.tracking.detection_interval import Speed

logger = logging.getLogger(__name__)

_TERMINAL_INTERVAL_S = 1.0
_LOG_INTERVAL_S = 60.0


def describe(speed: Speed, n_faces: int, *, counts: LiveCounts | None = None, share: float | None = None) -> str:
    """Return the status as one line.

    Parameters
    ----------
    speed : Speed
    n_faces : int
        Faces on the newest frame.
    counts : LiveCounts, optional
        Counts of a live source; only there does latency mean anything.
    share : float, optional
        Share of the file that is done.

    Examples
    --------

    >>> describe(Speed(29.97, 12.3, 40.0), 2, counts=LiveCounts(100, 3, 0))
    '30.0 frames/s, p50 12 ms, p95 40 ms, 2 faces, 3 dropped, 0 reconnects'
    """
    parts = [] if share is None else [f"{min(1.0, share):.0%}"]
    parts.append(f"{speed.frames_per_second:.1f} frames/s")
    if counts is not None:
        parts += [f"p50 {speed.p50_ms:.0f} ms", f"p95 {speed.p95_ms:.0f} ms"]
    parts.append(pluralize(n_faces, "face"))
    if counts is not None:
        parts += [f"{counts.n_dropped} dropped", f"{counts.n_reconnects} reconnects"]
    return ", ".join(parts)


class StatusLine:
    """Show the status on a terminal every second, or log it every minute for a service.

    Parameters
    ----------
    is_service : bool
    interval_s : float, optional
        Another interval, in seconds.
    """

    def __init__(self, *, is_service: bool, interval_s: float | None = None) -> None:
        self._is_service = is_service
        self._on_screen = not is_service and _is_terminal(sys.stderr)
        default_s = _LOG_INTERVAL_S if is_service else _TERMINAL_INTERVAL_S
        self._interval_s = default_s if interval_s is None else interval_s
        self._last_s = time.monotonic()
        self._width = 0

    @property
    def is_due(self) -> bool:
        """Whether the next line is due."""
        return (self._is_service or self._on_screen) and time.monotonic() - self._last_s >= self._interval_s

    def show(self, text: str) -> None:
        """Show a line in place of the last one."""
        self._last_s = time.monotonic()
        if self._is_service:
            logger.info("%s", text)
            return
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def clear(self) -> None:
        """Remove the line, before other output."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()  # a caller may have closed it
