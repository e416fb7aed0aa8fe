"""The faces of a video file's frames, found ahead of the loop that follows them."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from recognition.sources.video_file import Frame

if TYPE_CHECKING:
    from embedder.detection.faces import Faces

_MOST_BYTES = 128 * 2**20
"""What the frames that wait may hold in memory, however large they are; two may always wait."""


def prefetch_detections(
    frames: Iterable[Frame], detect: Callable[[np.ndarray], "Faces"], *, every: int, n_threads: int
) -> Generator[tuple[Frame, "Faces | None"]]:
    """Yield each frame with the faces on it, None where none are looked for.

    Which faces a frame shows hangs on no other frame. So the frames are read ahead of whoever takes them, and faces are
    looked for on several at once, one thread a frame: that leaves no core idle, which several threads on one frame,
    whose stages wait for each other, do.

    Parameters
    ----------
    frames : iterable of Frame
        Read by the thread that takes what is yielded. An error ends it after the frames before.
    detect : callable
        Finds the faces of an image, uint8 (h, w, 3); called by several threads.
    every : int
        Look for faces on each frame whose index this divides.
    n_threads : int
        Frames looked at at the same time.
    """
    errors: list[Exception] = []
    reading = _until_error(frames, errors)
    waiting: deque[tuple[Frame, Future[Faces] | None]] = deque()
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="find-ahead")
    try:
        most = 1
        while True:
            while len(waiting) < most and (frame := next(reading, None)) is not None:
                most = min(every * n_threads + 1, max(2, _MOST_BYTES // frame.image.nbytes))
                waiting.append((frame, pool.submit(detect, frame.image) if frame.index % every == 0 else None))
            if not waiting:
                break
            frame, found = waiting.popleft()
            yield frame, None if found is None else found.result()
    finally:
        pool.shutdown(cancel_futures=True)
    if errors:
        raise errors[0]


def _until_error(frames: Iterable[Frame], errors: list[Exception]) -> Iterator[Frame]:
    """Yield `frames`; an error that ends them goes to `errors`."""
    try:
        yield from frames
    except Exception as error:  # noqa: BLE001 - raised again once the frames before it are done
        errors.append(error)
