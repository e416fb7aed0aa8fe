"""Video of annotated frames at a constant rate, from frames that arrive at any time."""

import math
from pathlib import Path

import numpy as np

from recognition.outputs.video_writer import VideoWriter

_LONGEST_STILL_S = 2.0
# The rate is measured on the first frames: few, since they are kept in memory until then, and two seconds at most.
_N_MEASURED = 9
_MEASURED_S = 2.0
_USUAL_RATE = 25.0
_LOWEST_RATE, _HIGHEST_RATE = 1.0, 120.0
# A claimed rate that is this near to the measured one is exact, such as 29.97.
_TOLERANCE = 0.1


class Recorder:
    """Write frames into a video that lasts as long as its source.

    The video has the rate of the source's first frames, and each frame is placed by its time: frames of a constant rate
    are written once each, others are repeated or dropped. A gap, as while a camera was lost, is shortened to two
    seconds.

    Parameters
    ----------
    path : Path
    claimed_rate : float, optional
        Frames a second according to the source; used where the times of its frames agree.
    """

    def __init__(self, path: Path, claimed_rate: float | None = None) -> None:
        self._path = path
        self._claimed_rate = claimed_rate
        self._first: list[tuple[np.ndarray, float]] = []
        self._writer: VideoWriter | None = None
        self._rate = _USUAL_RATE
        self._last: np.ndarray | None = None
        self._last_s = self._played_s = 0.0
        self._n_written = 0

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Write a frame, uint8 (h, w, 3) RGB, with its time in seconds.

        Raises
        ------
        SaveError
            If the disk is full, or the file cannot be written.
        """
        if self._writer is not None:
            self._place(self._writer, image, time_s)
            return
        self._first.append((image, time_s))
        if len(self._first) == _N_MEASURED or time_s - self._first[0][1] >= _MEASURED_S:
            self._begin()

    def close(self) -> None:
        """Finish the video.

        Raises
        ------
        SaveError
            If it does not hold all frames, as on a full disk.
        """
        if self._first:
            self._begin()
        if self._writer is not None:
            self._writer.close()

    def _begin(self) -> None:
        """Choose the rate and write the frames so far."""
        first, self._first = self._first, []
        self._rate = choose_rate([time_s for _, time_s in first], self._claimed_rate)
        image, self._last_s = first[0]
        self._writer = VideoWriter(self._path, self._rate, (image.shape[0], image.shape[1]))
        for image, time_s in first:
            self._place(self._writer, image, time_s)

    def _place(self, writer: VideoWriter, image: np.ndarray, time_s: float) -> None:
        """Write a frame at the position of its time, and repeat the one before up to there."""
        longest_s = max(_LONGEST_STILL_S, 1 / self._rate)
        self._played_s += min(longest_s, max(0.0, time_s - self._last_s))
        self._last_s = time_s
        place = round(self._played_s * self._rate)
        if self._last is not None:
            while self._n_written < place:
                writer.write(self._last)
                self._n_written += 1
        if self._n_written <= place:
            writer.write(image)
            self._n_written += 1
        self._last = image


def choose_rate(times_s: list[float], claimed: float | None) -> float:
    """Return the frame rate of a source whose first frames have these times, in seconds.

    Where they contradict `claimed`, the times count: WebM files often claim 1,000 frames a second, the ticks of their
    clock.

    >>> choose_rate([0.0, 0.033, 0.067, 0.1], 29.97), choose_rate([0.0, 0.04, 0.08], 1000.0), choose_rate([0.0], None)
    (29.97, 25.0, 25.0)
    """
    intervals_s = np.diff(times_s)
    interval_s = float(np.median(intervals_s)) if len(intervals_s) else 0.0
    if interval_s <= 0:
        return claimed if claimed is not None and claimed <= _HIGHEST_RATE else _USUAL_RATE
    if claimed is not None and math.isclose(claimed * interval_s, 1.0, abs_tol=_TOLERANCE):
        return claimed
    return float(np.clip(round(1 / interval_s), _LOWEST_RATE, _HIGHEST_RATE))
