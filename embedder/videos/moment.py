"""The picture a face is on: the photo itself, or the frame of a video at the second where the face was seen."""

import math
import os
from pathlib import Path

import numpy as np

from embedder.errors import ImageError, VideoError
from embedder.images.reading import DEFAULT_MAX_PIXELS, read_image
from embedder.videos.reading import VideoReader
from foundation.paths import display_path, split_moment

# How long before the second wanted reading begins: FFmpeg goes on at a key frame, which may lie a little after.
_BEFORE_S = 2.0
_SAME_S = 1e-3


def read_moment(
    path: str | os.PathLike[str], time_s: float = math.nan, *, max_pixels: int = DEFAULT_MAX_PIXELS
) -> np.ndarray:
    """Return a photo, or the frame of a video that is shown at a second: uint8 (height, width, 3), RGB, upright.

    Parameters
    ----------
    path : path
    time_s : float
        Second in the video, as a table's column `time_s` has it; NaN for photos.
    max_pixels : int
        Larger pictures are refused.

    Raises
    ------
    ImageError
        If it is no photo or video that can be read, the video has no such second, or the picture is too large.
    OSError
        If the file is missing or may not be read.
    """
    if math.isnan(time_s):
        return read_image(path, max_pixels=max_pixels)
    name = display_path(path)
    Path(path).stat()  # OpenCV says of a missing file only that it cannot be opened
    video = open_video(path)
    try:
        frame = _frame_at(video, time_s, start_s=time_s - _BEFORE_S) if time_s > _BEFORE_S else None
    finally:
        video.close()
    if frame is None:  # near the beginning, or a format in which seconds cannot be gone to
        video = open_video(path)
        try:
            frame = _frame_at(video, time_s)
        finally:
            video.close()
    if frame is None:
        raise VideoError(f"{name}: expected a frame at {time_s:.3f} s, found none; the video may have been cut")
    check_size(frame, name, max_pixels)
    return frame


def read_shown(path: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> np.ndarray:
    """Return a photo or, of a path that names a moment (`foundation.paths.path_at`), that frame of the video.

    Raises
    ------
    ImageError, OSError
        As `read_moment`.
    """
    video, time_s = split_moment(os.fspath(path))
    if time_s is None or Path(path).is_file():  # photos may be called so, too
        return read_image(path, max_pixels=max_pixels)
    return read_moment(video, time_s, max_pixels=max_pixels)


def open_video(path: str | os.PathLike[str]) -> VideoReader:
    """Open a video file, which messages name as it is shown.

    Raises
    ------
    VideoError, OSError
        As `VideoReader`.
    """
    return VideoReader(str(path), display_path(path))


def check_size(frame: np.ndarray, name: str, max_pixels: int) -> None:
    """Refuse frames of more than `max_pixels` pixels.

    Raises
    ------
    ImageError
        If it has more.
    """
    height, width = frame.shape[:2]
    if height * width > max_pixels:
        raise ImageError(
            f"{name}: expected at most {max_pixels:,} pixels a frame, found {width} x {height}; raise --max-pixels"
        )


def _frame_at(video: VideoReader, time_s: float, *, start_s: float | None = None) -> np.ndarray | None:
    """Return the first frame at or after a second; None where the video ends before, or begins after it."""
    if start_s is not None:
        video.go_to(start_s)
    is_first = True
    for reached_s in video.times():
        if reached_s >= time_s - _SAME_S:
            if start_s is not None and is_first:
                return None  # it may be a later frame than the one wanted
            return video.pixels()
        is_first = False
    return None
