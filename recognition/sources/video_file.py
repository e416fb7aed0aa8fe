"""The frames of video files as frames of any other source: `embedder.videos.reading` with numbers and clock times."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from embedder.errors import VideoError
from embedder.videos.reading import VideoReader
from recognition.errors import SourceError


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


class VideoFile(VideoReader):
    """Read all frames of a video file; see `VideoReader`.

    Raises
    ------
    SourceError
        If the file is no video that can be opened.
    OSError
        If the file may not be read.
    """

    def __init__(self, path: str, name: str) -> None:
        try:
            super().__init__(path, name)
        except VideoError as error:
            raise SourceError(str(error)) from error

    def share_at(self, frame: Frame) -> float | None:
        """Return how much of the video is over at the end of a frame, about 1 for the last; None if that is unknown."""
        return (frame.time_s + 1 / self.frames_per_second) / self.duration_s if self.n_expected else None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order.

        Raises
        ------
        SourceError
            If there is none.
        """
        captured_s = time.monotonic()
        try:
            for time_s in self.times():
                image = self.pixels()
                if image is not None:
                    yield Frame(image, self.n_read - 1, time_s, captured_s)
                captured_s = time.monotonic()
        except VideoError as error:
            raise SourceError(str(error)) from error
