"""Read the frames of video files in order, each with the file's own timestamp."""

import math
import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from embedder.errors import VideoError
from embedder.videos.container import read_container
from foundation.text import pluralize, sanitize_for_terminal

# How much earlier than stated the picture may end: the length of the picture itself is exact but for the last frame,
# another is that of the longest track, and sound often lasts longer.
_STATED_TOLERANCE, _GUESSED_TOLERANCE = 0.03, 0.1
_FALLBACK_FRAMES_PER_SECOND = 25.0

_LEVEL_LOCK = Lock()
"""OpenCV's level of what it writes is one for all threads."""
# Files that claim more, as WebM files do, give the ticks of their clock, and a number of frames computed from them.
_MOST_FRAMES_PER_SECOND = 480.0


class VideoReader:
    """Reads the frames of a video file, upright by the file's mark of rotation.

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
        Number of frames according to OpenCV, in most formats a guess; 0 where there is none.
    n_read : int
        Frames read so far.

    Raises
    ------
    VideoError
        If the file is no video that can be opened.
    OSError
        If the file may not be read.
    """

    def __init__(self, path: str, name: str) -> None:
        self.name = name
        self._path = path
        self._capture = _open(path)
        if not self._capture.isOpened():
            raise VideoError(f"{name}: expected a video or an image, found {_describe_unopened(path)}")
        self._claimed_rate = self._capture.get(cv2.CAP_PROP_FPS)
        is_rate = math.isfinite(self._claimed_rate) and 0 < self._claimed_rate <= _MOST_FRAMES_PER_SECOND
        self.frames_per_second = self._claimed_rate if is_rate else _FALLBACK_FRAMES_PER_SECOND
        self.n_expected = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))) if is_rate else 0
        self.n_read = 0
        self._has_moved = False
        self._reached_s = 0.0
        self._longest_gap_s = 1 / self.frames_per_second

    @property
    def duration_s(self) -> float:
        """Seconds that the video lasts according to OpenCV, sound included; 0 where it does not say."""
        return self.n_expected / self.frames_per_second

    @property
    def is_truncated(self) -> bool:
        """Whether the frames read so far are fewer than the file holds, as far as it tells."""
        return self.describe_shortfall() is not None

    def describe_shortfall(self) -> str | None:
        """Return what is missing after the last frame that could be read; None if nothing is, as far as the file tells.

        The evidence is the time stamps of the frames: where they end before the picture does, the rest is missing. A
        number of frames says nothing where the frame rate varies, unless the file lists every frame.
        """
        container = read_container(self._path)
        if container.counts_frames and self.n_read >= self.n_expected > 0:
            return None
        length_s = self.duration_s if container.picture_s is None else container.picture_s
        tolerance = _GUESSED_TOLERANCE if container.picture_s is None else _STATED_TOLERANCE
        # The last frame may be shown for as long as any frame before.
        ends_early = self._reached_s + max(self._longest_gap_s, tolerance * length_s) < length_s
        if ends_early and not container.is_stream:
            return (
                f"ends after {self._reached_s:.1f} of {length_s:.1f} seconds ({pluralize(self.n_read, 'frame')}); "
                "it may be truncated"
            )
        return None

    def times(self) -> Iterator[float]:
        """Yield the second of each frame in order; `pixels` returns the frame that was reached.

        Raises
        ------
        VideoError
            If the file holds none.
        """
        last_time_s = -math.inf
        while self._capture.grab():
            time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Raw streams carry no timestamps, and some files repeat one.
            if not math.isfinite(time_s) or time_s <= last_time_s:
                time_s = max(last_time_s, (self.n_read - 1) / self.frames_per_second) + 1 / self.frames_per_second
            if self.n_read:
                self._longest_gap_s = max(self._longest_gap_s, time_s - last_time_s)
            last_time_s = time_s
            self._reached_s = max(time_s, self._time_in_file_s())
            self.n_read += 1
            yield time_s
        if not self.n_read and not self._has_moved:
            code = int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
            codec = code.to_bytes(4, "little").decode("ascii", "replace").strip()
            raise VideoError(
                f"{self.name}: a video without frames; it may be damaged, still being written, or of a codec that "
                f"OpenCV cannot decode ({sanitize_for_terminal(codec)}): convert it, as by "
                "ffmpeg -i FILE -c:v libx264 FILE.mp4"
            )

    def pixels(self) -> np.ndarray | None:
        """Return the frame that `times` has reached, uint8 (height, width, 3), RGB; None where it cannot be shown."""
        is_there, pixels = self._capture.retrieve()
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if is_there and pixels is not None else None

    def go_to(self, time_s: float) -> None:
        """Go on at the last key frame before a second, or at some frame near it, as the format allows."""
        self._has_moved = True
        self._capture.set(cv2.CAP_PROP_POS_MSEC, max(0.0, time_s) * 1000)

    def _time_in_file_s(self) -> float:
        """Return the time of the newest frame from the beginning of the file; OpenCV counts from the first frame."""
        time_s = self._capture.get(cv2.CAP_PROP_PTS) / self._claimed_rate if self._claimed_rate > 0 else 0.0
        return time_s if math.isfinite(time_s) else 0.0

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


def _open(path: str) -> cv2.VideoCapture:
    """Return the reader of a file without a word on standard error, where FFmpeg and OpenCV write by themselves."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    with _LEVEL_LOCK:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            return cv2.VideoCapture(path, cv2.CAP_FFMPEG)
        finally:
            cv2.utils.logging.setLogLevel(level)


def _describe_unopened(path: str) -> str:
    """Return what a file is that OpenCV does not open as a video."""
    container = read_container(path)  # raises what OpenCV does not report, such as a missing permission
    if Path(path).stat().st_size == 0:
        return "an empty file; it may be damaged, or still being written"
    is_sound = (mimetypes.guess_type(path)[0] or "").startswith("audio/")
    if not container.has_picture and (container.has_sound or is_sound):
        return "sound without a picture"
    return "no video that can be read; it may be damaged, or still being written"
