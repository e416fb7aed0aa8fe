"""Newest frame of a live source: a thread reads frames, keeps the last one and opens a lost source again."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2

from foundation.text import sanitize_for_terminal
from recognition.errors import SourceError
from recognition.sources.connections import Connection, EncodedFrame, decode
from recognition.sources.retries import RetrySettings
from recognition.sources.video_file import Frame

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GrabberSettings:
    """How a lost source is opened again, and how the frame rate is estimated.

    Attributes
    ----------
    retries : RetrySettings
        Seconds from the start of one attempt to open a lost source to the next. With the defaults a camera that is back
        is used within two seconds, however long it was away.
    initial_interval_s : float
        Assumed seconds between two frames, until they are measured.
    min_interval_s : float
        Smallest interval that is believed: frames that were buffered somewhere arrive at once.
    interval_smoothing : float
        Weight of the newest interval in the running mean. Higher adapts faster to a camera that changes its rate and
        varies more.
    stop_timeout_s : float
        Seconds to wait for a read that hangs when the grabber is stopped. Longer releases more devices properly; it
        delays the end of the program.
    """

    retries: RetrySettings = field(default_factory=lambda: RetrySettings(0.25, 1.0))
    initial_interval_s: float = 1 / 25
    min_interval_s: float = 1 / 120
    interval_smoothing: float = 0.05
    stop_timeout_s: float = 2.0


@dataclass(frozen=True)
class LiveCounts:
    """Counts of a live source so far: frames that arrived, frames nobody read, and times it was opened again."""

    n_frames: int
    n_dropped: int
    n_reconnects: int


class FrameGrabber:
    """Read a live source on a thread of its own and keep its newest frame.

    Lag never grows: frames that arrive while the last one is processed are dropped and counted.

    Parameters
    ----------
    name : str
        Name of the source in messages.
    connect : callable
        Opens the source; raises `SourceError` if that fails.
    reopen : bool
        Open the source again when it ends or fails; otherwise its end is the end.
    wait_for_source : bool
        Wait for a source that cannot be opened at first, instead of failing.
    settings : GrabberSettings
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Connection],
        *,
        reopen: bool = True,
        wait_for_source: bool = False,
        settings: GrabberSettings = GrabberSettings(),
    ) -> None:
        self.name = sanitize_for_terminal(name)
        self._connect = connect
        self._reopen = reopen
        self._settings = settings
        self._wait_for_source = wait_for_source
        self._condition = threading.Condition()
        self._stopping = threading.Event()
        self._newest: tuple[EncodedFrame, int, float, int] | None = None
        self._n_frames = self._n_read = self._n_connections = 0
        self._interval_s = settings.initial_interval_s
        self._opened_s = 0.0
        self._error: Exception | None = None
        self._is_over = False
        self._is_lost = False
        self._logged_reasons: set[str] = set()
        self._tried_s = -math.inf
        self._pause_s = settings.retries.min_pause_s
        self._first: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="grabber", daemon=True)

    @property
    def counts(self) -> LiveCounts:
        """Return the counts so far."""
        with self._condition:
            waiting = 0 if self._newest is None else 1
            return LiveCounts(self._n_frames, self._n_frames - self._n_read - waiting, max(0, self._n_connections - 1))

    @property
    def frame_interval_s(self) -> float:
        """Return the running mean of the seconds between two frames."""
        return self._interval_s

    @property
    def opened_s(self) -> float:
        """Return when the source was first opened, by the monotonic clock: time 0 of its frames."""
        return self._opened_s

    @property
    def is_lost(self) -> bool:
        """Whether the source is lost at the moment."""
        return self._is_lost

    @property
    def is_over(self) -> bool:
        """Whether no frame will arrive any more, and no error either."""
        with self._condition:
            return self._is_over and self._newest is None and self._error is None

    def start(self) -> None:
        """Open the source and start reading frames.

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
        """Return the newest frame, once; None if none arrives within `timeout_s` seconds.

        Raises
        ------
        SourceError
            If the source ended with an error and is not opened again.
        Exception
            Whatever else ended the thread.
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
        """Stop reading and release the source."""
        self._stopping.set()
        if self._thread.is_alive():
            # A read that hangs ends by its own time-out; one that has none is not waited for.
            self._thread.join(self._settings.stop_timeout_s)

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
        except Exception as error:  # noqa: BLE001 - raised again by `read_latest`
            self._error = error
        finally:
            with self._condition:
                self._is_over = True
                self._condition.notify_all()

    def _read_until_lost(self, connection: Connection) -> None:
        try:
            self._drain(connection)
        except (OSError, cv2.error) as error:
            # A driver or decoder that fails is a lost source, where it is opened again.
            if not self._reopen:
                raise SourceError(f"{self.name}: cannot be read: {' '.join(str(error).split())}") from error
            logger.debug("%s: %s", self.name, error)

    def _on_no_picture(self, error: SourceError) -> None:
        """Log why no frame has arrived yet, or raise `error`."""
        if not self._wait_for_source:
            raise error
        self._log_once(error, "waiting for it")

    def _open_again(self) -> Connection | None:
        """Return a connection as soon as the source can be opened; None when asked to stop."""
        if not self._is_lost:
            self._is_lost, self._pause_s = True, self._settings.retries.min_pause_s
            if self._n_frames:
                logger.warning("%s: lost; trying to open it again", self.name)
        while not self._stopping.wait(max(0.0, self._tried_s + self._pause_s - time.monotonic())):
            self._tried_s = time.monotonic()
            self._pause_s = self._settings.retries.after(self._pause_s)
            try:
                return self._connect()
            except (SourceError, OSError, cv2.error) as error:
                self._log_once(error, "still trying")
        return None

    def _log_once(self, error: Exception, what_now: str) -> None:
        """Log why a source is lost: each reason once until it is back."""
        text = sanitize_for_terminal(str(error))
        if text not in self._logged_reasons:
            self._logged_reasons.add(text)
            logger.warning("%s; %s", text, what_now)

    def _on_connected(self) -> None:
        """Count a connection and log it, with its first frame."""
        self._n_connections += 1
        self._logged_reasons.clear()
        if self._is_lost:
            self._is_lost = False
            logger.info("%s: there %s", self.name, "again" if self._n_connections > 1 else "now")

    def _drain(self, connection: Connection) -> None:
        """Keep the newest frame of a connection until it ends."""
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
                    interval_s = max(self._settings.min_interval_s, (now_s - last_s) / len(frames))
                    self._interval_s += self._settings.interval_smoothing * (interval_s - self._interval_s)
                last_s = now_s
                with self._condition:
                    self._n_frames += len(frames)
                    self._newest = (frames[-1], self._n_frames - 1, now_s, self._n_connections)
                    self._condition.notify_all()
        finally:
            connection.close()
