"""Folder of crops of unknown faces, with a retention period."""

import logging
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundation.text import sanitize_for_terminal
from recognition.outputs.background_writer import BackgroundWriter
from recognition.outputs.image_files import write_image

logger = logging.getLogger(__name__)

_DAY_S = 86_400.0
_SWEEP_EVERY_S = 3_600.0
_LARGEST_JUMP_S = 3_600.0
# File systems take names of 255 bytes; a letter may take four, and addresses of streams are long.
_LONGEST_STEM = 50
MAX_PENDING = 100
"""Faces that may wait to be written; of a live source more are dropped."""

_REPORT_INTERVAL_S = 60.0
_NAME = re.compile(r"unknown-[^/]*-track\d+-frame\d+\.jpg")


@dataclass(frozen=True)
class Clock:
    """The two clocks of a machine, in seconds: wall-clock time, which may jump, and monotonic time."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic


class UnknownFaces:
    """Save crops of unknown faces in a folder and remove those that are too old.

    A background thread writes and removes, so that a slow disk delays no frame.

    Parameters
    ----------
    folder : Path
        Created where missing. Only files with names as they are made here are ever removed.
    keep_days : float
        Days for which a crop is kept.
    stem : str
        Part of the file names: the video's name, or a live source's and the time it was opened.
    may_drop : bool
        Drop faces, and log it now and then, where the disk is slower than they arrive; otherwise wait for it.
    clock : Clock
    max_pending : int
        Faces that may wait to be written.
    """

    def __init__(
        self,
        folder: Path,
        keep_days: float,
        stem: str,
        *,
        may_drop: bool = False,
        clock: Clock = Clock(),
        max_pending: int = MAX_PENDING,
    ) -> None:
        self._folder = folder
        self._keep_s = keep_days * _DAY_S
        self._stem = re.sub(r"[^\w.+-]+", "_", stem)[-_LONGEST_STEM:]
        self._may_drop = may_drop
        self._n_unreported, self._reported_s = 0, -math.inf
        self._clock = clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._swept_s = self._clock.steady()
        self._offset_s = self._clock.wall() - self._swept_s
        self._sweep()
        self._writer = BackgroundWriter(max_pending)

    def save(self, crop: np.ndarray, track: int, frame: int) -> Path:
        """Save a crop, uint8 (s, s, 3) RGB, of an unknown track, and return its path; it is written soon after.

        Raises
        ------
        OSError
            If an earlier crop could not be written.
        """
        self._writer.check()
        path = self._folder / f"unknown-{self._stem}-track{track}-frame{frame}.jpg"
        if not self._writer.submit(lambda: write_image(path, crop, is_private=True), wait=not self._may_drop):
            self._n_unreported += 1
            if self._clock.steady() - self._reported_s >= _REPORT_INTERVAL_S:
                self._report_dropped()
        return path

    def close(self) -> None:
        """Wait until all crops are written.

        Raises
        ------
        OSError
            If a crop could not be written.
        """
        self._report_dropped()
        self._writer.close()

    def tidy(self) -> None:
        """Remove crops that are too old, at most once an hour, however often it is called.

        Raises
        ------
        OSError
            If a crop could not be written.
        """
        self._writer.check()
        now_s = self._clock.steady()
        if now_s - self._swept_s < _SWEEP_EVERY_S:
            return
        self._swept_s = now_s
        offset_s = self._clock.wall() - now_s
        jumped_s, self._offset_s = abs(offset_s - self._offset_s), offset_s
        if jumped_s > _LARGEST_JUMP_S:
            # After the clock was set new files seem old; at the next sweep all times are of one clock again.
            logger.warning("the clock has jumped by %.0f s: unknown faces are not removed this time", jumped_s)
            return
        self._writer.submit(self._sweep, wait=False)

    def _report_dropped(self) -> None:
        if self._n_unreported:
            logger.warning(
                "%s: %d unknown faces were left out, for the disk is too slow", self._folder, self._n_unreported
            )
            self._n_unreported, self._reported_s = 0, self._clock.steady()

    def _sweep(self) -> None:
        now_s = self._clock.wall()
        # The folder may have been removed meanwhile: the next crop creates it again.
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            try:
                if _NAME.fullmatch(path.name) and now_s - path.stat().st_mtime > self._keep_s:
                    path.unlink()
            except OSError as error:
                logger.warning("%s", sanitize_for_terminal(f"{path} could not be removed: {error}"))
