"""Folder of pictures of faces, written in the background, with a retention period."""

import logging
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundation.text import sanitize_for_terminal
from recognition.outputs.background_writer import BackgroundWriter
from recognition.outputs.image_files import write_image
from recognition.sources.clock import Clock

logger = logging.getLogger(__name__)

_DAY_S = 86_400.0
_SWEEP_EVERY_S = 3_600.0
_LARGEST_JUMP_S = 3_600.0
# File systems take names of 255 bytes; a letter may take four, and addresses of streams are long.
_LONGEST_STEM = 50
MAX_PENDING = 100
"""Pictures of faces that may wait to be written; of a live source more are dropped."""

MAX_PENDING_SCENES = 8
"""Whole frames that may wait: one of 1080p takes 6 MB of memory."""

_REPORT_INTERVAL_S = 60.0


@dataclass(frozen=True)
class PictureKind:
    """What a folder's pictures are of: the first word of their names, what messages call them, and how names look."""

    word: str
    plural: str
    name: re.Pattern[str]
    max_pending: int = MAX_PENDING


UNKNOWN = PictureKind("unknown", "unknown faces", re.compile(r"unknown-[^/]*-track\d+-frame\d+\.jpg"))
CROP = PictureKind("crop", "faces", re.compile(r"crop-[^/]*-(?:track\d+-frame\d+|[0-9a-f]{8}-face\d+)\.jpg"))
SCENE = PictureKind("scene", "scenes", re.compile(r"scene-[^/]*-frame\d+\.jpg"), MAX_PENDING_SCENES)


class PictureFolder:
    """Save pictures in a folder and remove those that are too old.

    A background thread writes and removes, so that a slow disk delays no frame. A picture that cannot be written ends
    no run and loses no event: of a live source it is logged, once until pictures can be written again; of a file the
    end of the run tells it, as an error.

    Parameters
    ----------
    folder : Path
        Created where missing, for its owner alone. Only files with names as they are made here are ever removed.
    kind : PictureKind
    keep_days : float
        Days for which a picture is kept.
    is_live : bool
        Drop pictures, and log it now and then, where the disk is slower than they arrive; otherwise wait for it.
    clock : Clock
    """

    def __init__(
        self,
        folder: Path,
        kind: PictureKind,
        keep_days: float,
        *,
        is_live: bool = False,
        clock: Clock = Clock(),  # noqa: B008
    ) -> None:
        self._folder = folder
        self._kind = kind
        self._keep_s = keep_days * _DAY_S
        self._is_live = is_live
        self._n_unreported, self._reported_s = 0, -math.inf
        self._clock = clock
        self._error: OSError | None = None
        self._is_failing = False
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._swept_s = self._clock.steady()
        self._offset_s = self._clock.wall() - self._swept_s
        self._sweep()
        self._writer = BackgroundWriter(kind.max_pending)

    def save(self, image: np.ndarray, stem: str, place: str) -> Path | None:
        """Save a picture, uint8 (h, w, 3) RGB, and return its path; it is written soon after.

        None is returned where it is not: the disk is too slow, or is full.

        Parameters
        ----------
        image : numpy.ndarray
            Must not be changed afterwards.
        stem : str
            Part of the file's name: the video's name, or a live source's and the time it was opened.
        place : str
            The end of its name, such as ``track1-frame20``.
        """
        stem = re.sub(r"[^\w.+-]+", "_", stem)[-_LONGEST_STEM:]
        path = self._folder / f"{self._kind.word}-{stem}-{place}.jpg"
        was_failing = self._is_failing
        if not self._writer.submit(self._writing(path, image), wait=not self._is_live):
            self._n_unreported += 1
            if self._clock.steady() - self._reported_s >= _REPORT_INTERVAL_S:
                self._report_dropped()
            return None
        return None if was_failing else path

    def close(self) -> None:
        """Wait until all pictures are written.

        Raises
        ------
        OSError
            If a picture of a file could not be written.
        """
        self._report_dropped()
        self._writer.close()
        error, self._error = self._error, None
        if error is not None and not self._is_live:
            raise error

    def tidy(self) -> None:
        """Remove pictures that are too old, at most once an hour, however often it is called."""
        now_s = self._clock.steady()
        if now_s - self._swept_s < _SWEEP_EVERY_S:
            return
        self._swept_s = now_s
        offset_s = self._clock.wall() - now_s
        jumped_s, self._offset_s = abs(offset_s - self._offset_s), offset_s
        if jumped_s > _LARGEST_JUMP_S:
            # After the clock was set new files seem old; at the next sweep all times are of one clock again.
            logger.warning("the clock has jumped by %.0f s: %s are not removed this time", jumped_s, self._kind.plural)
            return
        self._writer.submit(self._sweep, wait=False)

    def _writing(self, path: Path, image: np.ndarray) -> Callable[[], None]:
        """Return the job that writes a picture; it keeps a failure for itself."""

        def write() -> None:
            try:
                write_image(path, image, is_private=True)
            except OSError as error:
                if self._is_live and not self._is_failing:
                    logger.warning(
                        "%s",
                        sanitize_for_terminal(
                            f"{self._folder}: {self._kind.plural} cannot be written ({error.strerror or error}); "
                            "events go on without them; free some space"
                        ),
                    )
                self._error = error if self._error is None else self._error
                self._is_failing = True
            else:
                self._is_failing = False

        return write

    def _report_dropped(self) -> None:
        if self._n_unreported:
            logger.warning(
                "%s: %d %s were left out, for the disk is too slow",
                self._folder,
                self._n_unreported,
                self._kind.plural,
            )
            self._n_unreported, self._reported_s = 0, self._clock.steady()

    def _sweep(self) -> None:
        now_s = self._clock.wall()
        # The folder may have been removed meanwhile: the next picture creates it again.
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            try:
                if self._kind.name.fullmatch(path.name) and now_s - path.stat().st_mtime > self._keep_s:
                    path.unlink()
            except OSError as error:
                logger.warning("%s", sanitize_for_terminal(f"{path} could not be removed: {error}"))
