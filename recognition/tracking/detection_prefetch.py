"""Detect the faces of a video file's frames ahead of the loop that tracks them."""

from collections.abc import Callable, Generator, Iterable
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from foundation.prefetch import prefetch
from recognition.sources.video_file import Frame

if TYPE_CHECKING:
    from embedder.detection.faces import Faces

MAX_BYTES_WAITING = 128 * 2**20
"""Bytes of frames that may wait in memory; two frames may always wait, however large they are."""


def prefetch_detections(
    frames: Iterable[Frame],
    detect: Callable[[np.ndarray], "Faces"],
    *,
    every: int,
    n_threads: int,
    max_bytes: int = MAX_BYTES_WAITING,
) -> Generator[tuple[Frame, "Faces | None"]]:
    """Yield each frame with its detected faces, None where detection does not run.

    The faces of a frame depend on no other frame, so several frames are searched at once, one thread a frame. That
    leaves no core idle; several threads on one frame do, since its stages wait for each other.

    Parameters
    ----------
    frames : iterable of Frame
        Read in the thread of whoever takes the results. An error ends it after the frames before.
    detect : callable
        Finds the faces of an image, uint8 (h, w, 3); called by several threads.
    every : int
        Run detection on each frame whose index is a multiple of this.
    n_threads : int
        Frames searched at the same time.
    max_bytes : int
        Bytes of frames that may wait.
    """

    def detect_on(frame: Frame) -> "tuple[Frame, Faces | None]":
        return frame, detect(frame.image) if frame.index % every == 0 else None

    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        return
    # Of so many frames in a row `n_threads` are searched; the others take no time. One more frame waits unsearched.
    depth = max(1, min(every * n_threads, max_bytes // first.image.nbytes - 1))
    yield from prefetch(
        detect_on,
        chain([first], remaining),
        threads=depth,
        depth=depth,
        n_bytes=lambda result: result[0].image.nbytes,
        max_bytes=max_bytes,
    )
