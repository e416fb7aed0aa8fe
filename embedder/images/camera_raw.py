"""Camera raw photos, by the package `rawpy` (LibRaw): the camera's own picture in the file, or the sensor's data.

Cameras store a finished JPEG picture in their raw files, as they would have saved it: reading that one is fast, and the
face looks as on other photos. Where it is too small to find faces on, the sensor's data are developed.
"""

import re
from typing import Any, BinaryIO

import numpy as np

from embedder.errors import MissingReaderError
from embedder.images.kinds import RAW_SUFFIXES, RAWPY

MIN_PREVIEW_SIDE = 1600
"""Longer side of the smallest preview that is taken, in pixels: Sony stores 1616, Adobe's converter 1024."""

MAX_FULL_PIXELS = 50_000_000
"""Sensors of more pixels are developed at half the width and height: LibRaw needs some 12 bytes a pixel."""

_OWN_FORMATS = re.compile(
    rb"II\*\0....CR|....ftypcrx |FUJIFILMCCD-RAW|IIRO|IIRS|MMOR|IIU\0|\0MRM|II\x1a\0\0\0HEAPCCDR|FOVb", re.DOTALL
)
"""How raw formats begin that are no TIFF files: Canon's three, Fujifilm, Olympus, Panasonic, Minolta, Sigma."""

_TIFF = re.compile(rb"II\*\0|MM\0\*")

_EXIF_ORIENTATION_OF_FLIP = {0: 1, 3: 3, 5: 8, 6: 6}
"""LibRaw's `flip` to the value of EXIF's orientation tag that turns a picture likewise."""


def is_camera_raw(first_bytes: bytes, suffix: str) -> bool:
    """Return whether a file that begins with `first_bytes` is a camera raw photo.

    Some formats begin like a TIFF file and are one in part; of these the name's `suffix` decides.
    """
    if _OWN_FORMATS.match(first_bytes):
        return True
    return suffix.lower() in RAW_SUFFIXES and _TIFF.match(first_bytes) is not None


class CameraRaw:
    """An open camera raw file; a context manager.

    Parameters
    ----------
    stream : binary stream
        The file, from its start.
    name : str
        What it is called in errors.

    Raises
    ------
    MissingReaderError
        If `rawpy` is not installed.
    rawpy.LibRawError
        If it is damaged, or of a camera that LibRaw does not know.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        try:
            import rawpy
        except ImportError:
            raise MissingReaderError(
                f"{name}: expected a photo that can be read here, found a camera raw photo; run: pip install {RAWPY}, "
                "or export it as JPEG"
            ) from None
        self._rawpy: Any = rawpy
        self._file: Any = rawpy.imread(stream)

    def __enter__(self) -> "CameraRaw":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height of the developed picture in pixels, not turned."""
        return self._file.sizes.iwidth, self._file.sizes.iheight

    @property
    def orientation(self) -> int:
        """Return the value of EXIF's orientation tag that turns the sensor's picture upright."""
        return _EXIF_ORIENTATION_OF_FLIP.get(self._file.sizes.flip, 1)

    def preview(self) -> bytes | None:
        """Return the camera's own JPEG picture, None if there is none."""
        try:
            thumbnail = self._file.extract_thumb()
        except (self._rawpy.LibRawNoThumbnailError, self._rawpy.LibRawUnsupportedThumbnailError):
            return None
        return bytes(thumbnail.data) if thumbnail.format == self._rawpy.ThumbFormat.JPEG else None

    def develop(self) -> np.ndarray:
        """Return the sensor's data as an upright picture, uint8 (h, w, 3) sRGB, in the camera's white balance."""
        width, height = self.size
        return np.ascontiguousarray(
            self._file.postprocess(use_camera_wb=True, output_bps=8, half_size=width * height > MAX_FULL_PIXELS)
        )
