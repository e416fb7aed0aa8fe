"""Frames of live sources: a thread keeps the newest one, and opens the source again when it goes away."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2

from foundation.text import sanitize_for_terminal
from recognition.errors import SourceError
from recognition.sources.connections import Connection, EncodedFrame, decode
from recognition.sources.video_file import Frame

logger = logging.getLogger(__name__)

MIN_PAUSE_S = 0.25
MAX_PAUSE_S = 1.0
"""Seconds from the start of one attempt to open a lost source to the next: doubled from the first to the longest, so
that a camera that is back is seen within two seconds, however long it was away."""

_INITIAL_INTERVAL_S = 1 / 25
_MIN_INTERVAL_S = 1 / 120
_INTERVAL_SMOOTHING = 0.05
_JOIN_S = 2.0


@dataclass(frozen=True)
class LiveCounts:
    """How a live source went so far: frames that came, that nobody took, and times it was opened again."""

    n_frames: int
    n_dropped: int
    n_reconnects: int


class FrameGrabber:
    """The newest frame of a live source.

    Lag never grows: frames that come while the last one is worked on are dropped and counted.

    Parameters
    ----------
    name : str
        What to call the source in messages.
    connect : callable
        Opens the source; raises `SourceError` if that fails.
    reopen : bool
        Open the source again when it ends or fails; otherwise its end is the end.
    wait_for_source : bool
        Wait for a source that cannot be opened at first, instead of failing.
    """

    def __init__(
        self, name: str, connect: Callable[[], Connection], *, reopen: bool = True, wait_for_source: bool = False
    ) -> None:
        self.name = sanitize_for_terminal(name)
        self._connect = connect
        self._reopen = reopen
        self._wait_for_source = wait_for_source
        self._condition = threading.Condition()
        self._stopping = threading.Event()
        self._newest: tuple[EncodedFrame, int, float, int] | None = None
        self._n_frames = self._n_read = self._n_connections = 0
        self._interval_s = _INITIAL_INTERVAL_S
        self._opened_s = 0.0
        self._error: Exception | None = None
        self._is_over = False
        self._is_lost = False
        self._logged_reasons: set[str] = set()
        self._tried_s = -math.inf
        self._pause_s = MIN_PAUSE_S
        self._first: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="grabber", daemon=True)

    @property
    def counts(self) -> LiveCounts:
        """How it went so far."""
        with self._condition:
            waiting = 0 if self._newest is None else 1
            return LiveCounts(self._n_frames, self._n_frames - self._n_read - waiting, max(0, self._n_connections - 1))

    @property
    def frame_interval_s(self) -> float:
        """Seconds between two frames of the source, lately."""
        return self._interval_s

    @property
    def is_lost(self) -> bool:
        """Whether the source is away at the moment."""
        return self._is_lost

    @property
    def is_over(self) -> bool:
        """Whether no frame will come any more, and no error either."""
        with self._condition:
            return self._is_over and self._newest is None and self._error is None

    def start(self) -> None:
        """Open the source and begin to take frames.

        Raises
        ------
        SourceError
            If it cannot be opened and is not waited for.
        """
        try:
            self._first = self._connect()
        except SourceError as error:
            if not self._wait_for_source:
                raise
            self._log_once(error, "waiting for it")
        self._opened_s = time.monotonic()
        self._thread.start()

    def read_latest(self, timeout_s: float) -> Frame | None:
        """Return the newest frame that was not taken yet; None if none comes within `timeout_s`.

        Raises
        ------
        SourceError
            If the source ended with an error and is not opened again.
        Exception
            What else ended it.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._newest is not None or self._is_over, timeout_s)
            if self._newest is None:
                if self._error is not None:
                    raise self._error
                return None
            encoded, index, captured_s, connection = self._newest
            self._newest = None
            self._n_read += 1
        image = decode(encoded)
        if image is None:
            logger.debug("%s: frame %d is damaged", self.name, index)
            return None
        return Frame(image, index, captured_s - self._opened_s, captured_s, connection)

    def stop(self) -> None:
        """Take no more frames, and give the source back."""
        self._stopping.set()
        if self._thread.is_alive():
            # A read that hangs ends by its own time-out; nobody waits for one that does not.
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            connection = self._first
            while not self._stopping.is_set():
                if connection is None:
                    connection = self._open_again()
                    continue
                self._read_until_lost(connection)
                connection = None
                if not self._reopen:
                    break
                if not self._n_frames:
                    self._on_no_picture(
                        SourceError(
                            f"{self.name}: opens, but sends no picture; check the path, and that the camera is on"
                        )
                    )
        except Exception as error:  # noqa: BLE001 - whoever takes frames is told, whatever it is
            self._error = error
        finally:
            with self._condition:
                self._is_over = True
                self._condition.notify_all()

    def _read_until_lost(self, connection: Connection) -> None:
        try:
            self._drain(connection)
        except (OSError, cv2.error) as error:
            # A driver or decoder that gives up is a source that is lost, where it is opened again.
            if not self._reopen:
                raise SourceError(f"{self.name}: cannot be read: {' '.join(str(error).split())}") from error
            logger.debug("%s: %s", self.name, error)

    def _on_no_picture(self, error: SourceError) -> None:
        """Tell why there is no picture yet, or give up."""
        if not self._wait_for_source:
            raise error
        self._log_once(error, "waiting for it")

    def _open_again(self) -> Connection | None:
        """Return a connection once it can be had; None when asked to stop."""
        if not self._is_lost:
            self._is_lost, self._pause_s = True, MIN_PAUSE_S
            if self._n_frames:
                logger.warning("%s: lost; trying to open it again", self.name)
        while not self._stopping.wait(max(0.0, self._tried_s + self._pause_s - time.monotonic())):
            self._tried_s = time.monotonic()
            self._pause_s = min(2 * self._pause_s, MAX_PAUSE_S)
            try:
                return self._connect()
            except (SourceError, OSError, cv2.error) as error:
                self._log_once(error, "still trying")
        return None

    def _log_once(self, error: Exception, what_now: str) -> None:
        """Say why a source is away: each reason once until it is there again."""
        text = sanitize_for_terminal(str(error))
        if text not in self._logged_reasons:
            self._logged_reasons.add(text)
            logger.warning("%s; %s", text, what_now)

    def _on_connected(self) -> None:
        """Note the first picture of a connection."""
        self._n_connections += 1
        self._logged_reasons.clear()
        if self._is_lost:
            self._is_lost = False
            logger.info("%s: there %s", self.name, "again" if self._n_connections > 1 else "now")

    def _drain(self, connection: Connection) -> None:
        """Keep the newest picture of a connection until it ends."""
        try:
            last_s: float | None = None
            while not self._stopping.is_set():
                frames = connection.read()
                now_s = time.monotonic()
                if not frames:
                    return
                if last_s is None:
                    self._on_connected()
                else:
                    interval_s = max(_MIN_INTERVAL_S, (now_s - last_s) / len(frames))
                    self._interval_s += _INTERVAL_SMOOTHING * (interval_s - self._interval_s)
                last_s = now_s
                with self._condition:
                    self._n_frames += len(frames)
                    self._newest = (frames[-1], self._n_frames - 1, now_s, self._n_connections)
                    self._condition.notify_all()
        finally:
            connection.close()
