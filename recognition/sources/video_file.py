"""Read the frames of video files in order, each with the file's own timestamp."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from recognition.errors import SourceError

# A container's frame count is an estimate in some formats; fewer frames than this share of it is a truncated file.
_COMPLETE_SHARE = 0.9
_FALLBACK_FRAMES_PER_SECOND = 25.0
# Files that claim more, as WebM files do, give the ticks of their clock, and a number of frames computed from them.
_MOST_FRAMES_PER_SECOND = 480.0


@dataclass(frozen=True)
class Frame:
    """A frame of a video or live source.

    Attributes
    ----------
    image : numpy.ndarray
        uint8 (height, width, 3), RGB.
    index : int
        Number of the frame in its source, from 0; dropped frames count.
    time_s : float
        Timestamp of the file, or seconds since the live source was first opened.
    captured_s : float
        ``time.monotonic()`` when the frame was read.
    connection : int
        How often the live source had been opened by then; tracks do not outlive a connection.
    """

    image: np.ndarray
    index: int
    time_s: float
    captured_s: float
    connection: int = 1


class VideoFile:
    """Read all frames of a video file.

    Parameters
    ----------
    path : str
        The file.
    name : str
        Name of the file in messages.

    Attributes
    ----------
    frames_per_second : float
    n_expected : int
        Number of frames according to the file; 0 where it does not say.
    n_read : int
        Frames read so far.

    Raises
    ------
    SourceError
        If the file is no video that can be opened.
    OSError
        If the file may not be read.
    """

    def __init__(self, path: str, name: str) -> None:
        self.name = name
        self._capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            Path(path).open("rb").close()  # raises what OpenCV does not report, such as a missing permission
            kind = "an empty file" if Path(path).stat().st_size == 0 else "no video that can be read"
            raise SourceError(
                f"{name}: expected a video or an image, found {kind}; it may be damaged, or still being written"
            )
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        is_rate = math.isfinite(rate) and 0 < rate <= _MOST_FRAMES_PER_SECOND
        self.frames_per_second = rate if is_rate else _FALLBACK_FRAMES_PER_SECOND
        self.n_expected = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))) if is_rate else 0
        self.n_read = 0

    @property
    def is_truncated(self) -> bool:
        """Whether fewer frames were read than the file claims to hold."""
        return self.n_read < _COMPLETE_SHARE * self.n_expected

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order.

        Raises
        ------
        SourceError
            If there is none.
        """
        last_time_s = -math.inf
        while True:
            captured_s = time.monotonic()
            read, pixels = self._capture.read()
            if not read:
                break
            time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Raw streams carry no timestamps, and some files repeat one.
            if not math.isfinite(time_s) or time_s <= last_time_s:
                time_s = max(last_time_s, (self.n_read - 1) / self.frames_per_second) + 1 / self.frames_per_second
            last_time_s = time_s
            self.n_read += 1
            yield Frame(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), self.n_read - 1, time_s, captured_s)
        if not self.n_read:
            raise SourceError(f"{self.name}: a video without frames; it may be damaged, or still being written")

    def close(self) -> None:
        """Close the file."""
        self._capture.release()
