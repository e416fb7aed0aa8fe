"""Read the frames of video files in order, each with the file's own timestamp."""

import math
import mimetypes
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from foundation.text import pluralize, sanitize_for_terminal
from recognition.errors import SourceError
from recognition.sources.container import read_container

# How much earlier than stated the picture may end: the length of the picture itself is exact but for the last frame,
# another is that of the longest track, and sound often lasts longer.
_STATED_TOLERANCE, _GUESSED_TOLERANCE = 0.03, 0.1
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
        Number of frames according to OpenCV, in most formats a guess; 0 where there is none.
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
        self._path = path
        self._capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise SourceError(f"{name}: expected a video or an image, found {_describe_unopened(path)}")
        self._claimed_rate = self._capture.get(cv2.CAP_PROP_FPS)
        is_rate = math.isfinite(self._claimed_rate) and 0 < self._claimed_rate <= _MOST_FRAMES_PER_SECOND
        self.frames_per_second = self._claimed_rate if is_rate else _FALLBACK_FRAMES_PER_SECOND
        self.n_expected = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))) if is_rate else 0
        self.n_read = 0
        self._reached_s = 0.0
        self._longest_gap_s = 1 / self.frames_per_second

    @property
    def duration_s(self) -> float:
        """Seconds that the video lasts according to OpenCV, sound included; 0 where it does not say."""
        return self.n_expected / self.frames_per_second

    def share_at(self, frame: Frame) -> float | None:
        """Return how much of the video is over at the end of a frame, about 1 for the last; None if that is unknown."""
        return (frame.time_s + 1 / self.frames_per_second) / self.duration_s if self.n_expected else None

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
            if self.n_read:
                self._longest_gap_s = max(self._longest_gap_s, time_s - last_time_s)
            last_time_s = time_s
            self._reached_s = max(time_s, self._time_in_file_s())
            self.n_read += 1
            yield Frame(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), self.n_read - 1, time_s, captured_s)
        if not self.n_read:
            code = int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
            codec = code.to_bytes(4, "little").decode("ascii", "replace").strip()
            raise SourceError(
                f"{self.name}: a video without frames; it may be damaged, still being written, or of a codec that "
                f"OpenCV cannot decode ({sanitize_for_terminal(codec)}): convert it, as by "
                "ffmpeg -i FILE -c:v libx264 FILE.mp4"
            )

    def _time_in_file_s(self) -> float:
        """Return the time of the newest frame from the beginning of the file; OpenCV counts from the first frame."""
        time_s = self._capture.get(cv2.CAP_PROP_PTS) / self._claimed_rate if self._claimed_rate > 0 else 0.0
        return time_s if math.isfinite(time_s) else 0.0

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


def _describe_unopened(path: str) -> str:
    """Return what a file is that OpenCV does not open as a video."""
    container = read_container(path)  # raises what OpenCV does not report, such as a missing permission
    if Path(path).stat().st_size == 0:
        return "an empty file; it may be damaged, or still being written"
    is_sound = (mimetypes.guess_type(path)[0] or "").startswith("audio/")
    if not container.has_picture and (container.has_sound or is_sound):
        return "sound without a picture"
    return "no video that can be read; it may be damaged, or still being written"
