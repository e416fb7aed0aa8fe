"""The line that says how the loop is doing."""

import logging
import sys
import time
from typing import TextIO

from foundation.text import pluralize
from recognition.sources.grabber import LiveCounts
from recognition.tracking.detection_interval import Speed

logger = logging.getLogger(__name__)

_ON_SCREEN_S = 1.0
_IN_LOG_S = 60.0


def describe(speed: Speed, n_faces: int, *, counts: LiveCounts | None = None, share: float | None = None) -> str:
    """Return the status as one line.

    Parameters
    ----------
    counts : LiveCounts, optional
        Of a live source; only there does the time from capture to label mean anything.
    share : float, optional
        Of the file that is done.

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
    """Shows the status on a terminal every second, or logs it every minute for a service.

    Parameters
    ----------
    is_service : bool
    """

    def __init__(self, *, is_service: bool) -> None:
        self._is_service = is_service
        self._on_screen = not is_service and _is_terminal(sys.stderr)
        self._every_s = _IN_LOG_S if is_service else _ON_SCREEN_S
        self._last_s = time.monotonic()
        self._width = 0

    @property
    def is_due(self) -> bool:
        """Whether it is time for another line."""
        return (self._is_service or self._on_screen) and time.monotonic() - self._last_s >= self._every_s

    def show(self, text: str) -> None:
        """Show a line in place of the one before."""
        self._last_s = time.monotonic()
        if self._is_service:
            logger.info("%s", text)
            return
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def clear(self) -> None:
        """Make room for other output."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()  # a caller may have closed it
