"""Video files of annotated frames, written atomically and checked to be complete."""

import shutil
from pathlib import Path

import cv2
import numpy as np

from foundation.atomic import PRIVATE_MODE, PartialFile, remove_stale
from recognition.errors import SaveError
from recognition.outputs.image_files import same_file
from recognition.sources.source import Source, SourceKind

CODECS = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG", ".webm": "vp08"}
"""Codec of each video suffix, of those that OpenCV's wheels bring: MPEG-4 plays in players, VP8 in browsers too."""

# OpenCV does not report a failed write, so free space is checked before the disk is full.
_SMALLEST_FREE_BYTES = 16_000_000
_FRAMES_BETWEEN_CHECKS = 32


class VideoWriter:
    """Write frames into a video file, which gets its name only when it is complete.

    Parameters
    ----------
    path : Path
        Its suffix, one of `CODECS`, decides the format; missing folders are created.
    frames_per_second : float
    size_hw : tuple of int
        Height and width in pixels; frames of another size are scaled to fit, with black bars.

    Raises
    ------
    SaveError
        If the suffix is not known, or the file cannot be opened.
    """

    def __init__(self, path: Path, frames_per_second: float, size_hw: tuple[int, int]) -> None:
        suffix = path.suffix.lower()
        if suffix not in CODECS:
            raise SaveError(f"{path}: cannot write a video of this format; use one of {', '.join(CODECS)}")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # MPEG-4 and VP8 halve the colours' resolution, so sides are even.
        self._size_hw = (max(2, size_hw[0] // 2 * 2), max(2, size_hw[1] // 2 * 2))
        self._path = path
        remove_stale(path)
        self._part = PartialFile(path)
        # For its owner alone, as all pictures are; whoever shares a video that is replaced goes on doing so.
        self._part.path.chmod(path.stat().st_mode & 0o777 if path.exists() else PRIVATE_MODE)
        self._n_frames = 0
        self._writer = cv2.VideoWriter(
            str(self._part.path),
            cv2.CAP_FFMPEG,
            cv2.VideoWriter.fourcc(*CODECS[suffix]),
            frames_per_second,
            (self._size_hw[1], self._size_hw[0]),
        )
        if not self._writer.isOpened():
            self._part.discard()
            raise SaveError(f"{path}: cannot be written; check that the folder is writable and the disk has room")

    def write(self, image: np.ndarray) -> None:
        """Add a frame, uint8 (height, width, 3) RGB.

        Raises
        ------
        SaveError
            If the disk is nearly full; what was written so far is kept under the file's name.
        """
        if self._n_frames % _FRAMES_BETWEEN_CHECKS == 0:
            self._check_room()
        if image.shape[:2] != self._size_hw:
            image = fit(image, self._size_hw)
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self._n_frames += 1

    def close(self) -> None:
        """Finish the file and rename it to its final name.

        Raises
        ------
        SaveError
            If it does not hold all frames, as on a full disk.
        """
        if not self._writer.isOpened():
            return
        self._writer.release()
        if not self._n_frames:
            self._part.discard()
            return
        if not _is_whole(self._part.path, self._n_frames):
            self._part.discard()
            raise SaveError(
                f"{self._path}: not written, the disk or a limit left no room for {self._n_frames} frames; "
                "free some space and run again"
            )
        self._part.finish()

    def _check_room(self) -> None:
        free = shutil.disk_usage(self._path.parent).free
        if free < _SMALLEST_FREE_BYTES:
            self.close()
            raise SaveError(
                f"{self._path}: no room for more, {free // 1_000_000} MB are free on its disk; the first "
                f"{self._n_frames} frames are kept; free some space and run again"
            )


def video_target(source: Source, save: str) -> Path:
    """Return the path of the annotated video of `source`: the file `save`, or a file in the folder `save`.

    Raises
    ------
    SaveError
        If the suffix is not known, or the path is the video itself.
    """
    target = Path(save)
    if target.is_dir() or save.endswith(("/", "\\")):
        name = Path(source.address) if source.kind is SourceKind.VIDEO else Path(source.name.replace("/", "_"))
        target = target / (name.name if name.suffix.lower() in CODECS else f"{name.name}.mp4")
    elif target.suffix.lower() not in CODECS:
        raise SaveError(
            f"{save}: expected a video file, one of {', '.join(CODECS)}, or a folder; "
            "end a new folder's name with a slash"
        )
    if source.kind is SourceKind.VIDEO and same_file(source.address, target):
        raise SaveError(f"{save}: is the video itself; save the annotated copy somewhere else")
    return target


def fit(image: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Return `image` scaled to fit into ``size_hw`` with its aspect ratio, the rest black.

    >>> fit(np.full((10, 40, 3), 9, np.uint8), (20, 20))[:, 10, 0].tolist()
    [0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0]
    """
    height, width = size_hw
    if image.shape[0] - height in (0, 1) and image.shape[1] - width in (0, 1):
        return np.ascontiguousarray(image[:height, :width])
    scale = min(height / image.shape[0], width / image.shape[1])
    inner_hw = max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))
    fitted = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner_hw[0]) // 2, (width - inner_hw[1]) // 2
    fitted[top : top + inner_hw[0], left : left + inner_hw[1]] = cv2.resize(
        image, (inner_hw[1], inner_hw[0]), interpolation=cv2.INTER_AREA
    )
    return fitted


def _is_whole(path: Path, n_frames: int) -> bool:
    """Whether a video holds `n_frames`, one more or less, and its last frames can be read."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened() or abs(capture.get(cv2.CAP_PROP_FRAME_COUNT) - n_frames) > 1:
            return False
        capture.set(cv2.CAP_PROP_POS_FRAMES, max(0, n_frames - 2))
        return bool(capture.grab())
    finally:
        capture.release()
