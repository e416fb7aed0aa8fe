"""Annotated video of a source whose frames come when they come."""

from pathlib import Path

import numpy as np

from recognition.video_writer import VideoWriter

_LONGEST_STILL_S = 2.0


class Recorder:
    """Writes frames into a video that plays at the speed of the source.

    Of a file every frame is written once. Of a live source frames are repeated or left out, so that the video lasts
    as long as what it shows; a gap while the source was away is shortened to two seconds.

    Parameters
    ----------
    path : Path
    frames_per_second : float
        Of the video.
    is_live : bool
    """

    def __init__(self, path: Path, frames_per_second: float, *, is_live: bool) -> None:
        self._path = path
        self._rate = frames_per_second
        self._is_live = is_live
        self._writer: VideoWriter | None = None
        self._last_s = 0.0
        self._owed = 0.0

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Write a frame, uint8 (h, w, 3) RGB, of the source's time `time_s`.

        Raises
        ------
        SaveError
            If the disk is full, or the file cannot be written.
        """
        if self._writer is None:
            self._writer = VideoWriter(self._path, self._rate, (image.shape[0], image.shape[1]))
            self._owed = 1.0
        elif self._is_live:
            self._owed += min(_LONGEST_STILL_S, max(0.0, time_s - self._last_s)) * self._rate
        else:
            self._owed = 1.0
        self._last_s = time_s
        while self._owed >= 1.0:
            self._writer.write(image)
            self._owed -= 1.0

    def close(self) -> None:
        """Finish the video.

        Raises
        ------
        SaveError
            If it does not hold all frames, as on a full disk.
        """
        if self._writer is not None:
            self._writer.close()
