"""Read any image file as upright RGB pixels: colour spaces such as CMYK, bit depths, orientation.

What a file is, its first bytes decide, never its name. Pictures with transparency are laid on white, as browsers and
printers show them; what lies hidden under transparent pixels is not part of the photo. Pictures deeper than 8 bits
are scaled to 8. Of animations and multi-page files the first picture is read.
"""

import errno
import importlib
import io
import logging
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL.ImageFile import ImageFile

from embedder.errors import ImageError, MissingReaderError
from embedder.images.camera_raw import MIN_PREVIEW_SIDE, CameraRaw, is_camera_raw
from embedder.images.formats import BYTES_A_PIXEL, FORMATS, JPEG_XL, ImageFormat, format_of
from embedder.images.jpeg_xl import read_size
from embedder.images.pixels import to_rgb
from embedder.images.taken import read_taken
from foundation.errors import InputError
from foundation.formats import N_FIRST_BYTES, describe_bytes
from foundation.paths import describe_missing, display_path

logger = logging.getLogger(__name__)

DEFAULT_MAX_PIXELS = 200_000_000
"""Largest picture read unless the caller says otherwise: the sensors of today's phones have 200 megapixels."""


_EXIF_ORIENTATION = 0x0112
_UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: image[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}
"""EXIF orientation (Exif 2.32, tag 0x0112) to what turns the stored picture upright; 1 is upright already."""

# Of TIFF (revision 6.0, section 15). One tile is decoded at a time, and small ones may stand far over the edges.
_TILE_WIDTH, _TILE_LENGTH = 322, 323

# Pictures of so many pixels take little memory whatever their format.
_SMALL_PIXELS = 1_000_000

_END_OF_JPEG = b"\xff\xd9"
_JPEG_TAIL = 32


@dataclass(frozen=True, eq=False)
class Picture:
    """What a photo file holds.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8 (height, width, 3), RGB, upright.
    taken : str
        When it was taken: ISO 8601, local time; empty where the file does not say.
    """

    pixels: np.ndarray
    taken: str = ""


def read_image(path: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> np.ndarray:
    """Read an image file as upright RGB pixels.

    Parameters
    ----------
    path : path
        A JPEG, PNG, HEIC, AVIF, WebP, TIFF, GIF, BMP, JPEG 2000 or PNM file, whatever its name; a JPEG XL or camera
        raw file where `pillow-jxl-plugin` or `rawpy` is installed.
    max_pixels : int
        Largest width times height to decode; a larger file is refused from its header. Decoding takes at most 10 bytes
        of memory for each: of formats that take more, such as AVIF, WebP and JPEG 2000, fewer pixels are read.

    Returns
    -------
    numpy.ndarray
        uint8 (height, width, 3), RGB, C-contiguous, turned upright by the file's orientation tag.

    Raises
    ------
    MissingReaderError
        If the package that reads the file is not installed; an `ImageError`.
    ImageError
        If the file is no image, is damaged or truncated, or has more than `max_pixels` pixels or takes more memory.
    OSError
        If the file is missing or may not be read.
    ValueError
        If `max_pixels` is less than 1.
    """
    return read_picture(path, max_pixels=max_pixels).pixels


def read_picture(path: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """Read an image file as `read_image` does, and when it was taken.

    Raises
    ------
    ImageError, OSError, ValueError
        As `read_image`.
    """
    if max_pixels < 1:
        raise InputError(f"`max_pixels` must be at least 1, got {max_pixels}; leave it out for {DEFAULT_MAX_PIXELS:,}")
    name = display_path(path)
    with _open_file(path, name) as stream, _decoding(name):
        first_bytes = stream.read(N_FIRST_BYTES)
        stream.seek(0)
        if is_camera_raw(first_bytes, Path(path).suffix):
            return _read_camera_raw(stream, name, max_pixels)
        return _read_picture(stream, first_bytes, name, max_pixels=max_pixels)


def _read_picture(
    stream: BinaryIO, first_bytes: bytes, name: str, *, max_pixels: int, untold_orientation: int = 1
) -> Picture:
    """Read a picture that is no camera raw photo; `untold_orientation` holds where it says nothing of its own."""
    pixels, orientation, taken = _decode(stream, first_bytes, name, max_pixels, untold_orientation)
    turn = _UPRIGHT.get(orientation)
    return Picture(pixels if turn is None else np.ascontiguousarray(turn(pixels)), taken)


def read_time_taken(path: str | os.PathLike[str]) -> str:
    """Return when a photo was taken, see `embedder.images.taken`; "" also where it is missing or no image."""
    name = display_path(path)
    try:
        with Path(path).open("rb") as stream:
            first_bytes = stream.read(N_FIRST_BYTES)
            stream.seek(0)
            return _exif(_open_picture(stream, first_bytes, name, sys.maxsize), name)[1]
    except Exception as error:  # noqa: BLE001 - who needs the pixels is told what is wrong with the file
        logger.debug("%s: the time it was taken cannot be read (%s)", name, error)
        return ""


def _read_camera_raw(stream: BinaryIO, name: str, max_pixels: int) -> Picture:
    with CameraRaw(stream, name) as raw:
        preview = raw.preview()
        if preview is not None and format_of(preview) is not None:
            size = _open_picture(io.BytesIO(preview), preview, name, sys.maxsize).size
            if max(size) >= min(MIN_PREVIEW_SIDE, max(raw.size) // 2):
                return _read_picture(
                    io.BytesIO(preview), preview, name, max_pixels=max_pixels, untold_orientation=raw.orientation
                )
        _check_size(raw.size, name, max_pixels)
        return Picture(raw.develop())


def _decode(
    stream: BinaryIO, first_bytes: bytes, name: str, max_pixels: int, untold_orientation: int
) -> tuple[np.ndarray, int, str]:
    """Return the pixels as they are stored, how to turn them upright, and when they were taken.

    The decoder's own memory is given back.
    """
    picture = _open_picture(stream, first_bytes, name, max_pixels)
    pixels = _decode_plain_jpeg(picture, stream)
    if pixels is None:
        picture.load()
        pixels = to_rgb(picture)
    return pixels, *_exif(picture, name, untold_orientation)


@contextmanager
def _open_file(path: str | os.PathLike[str], name: str) -> Iterator[BinaryIO]:
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, f"expected an image file, found {describe_missing(path)}", name) from None
    if not stat.S_ISREG(mode):
        found = "a folder; name a file in it" if stat.S_ISDIR(mode) else "a pipe or device; copy it to a file first"
        raise ImageError(f"{name}: expected an image file, found {found}")
    with Path(path).open("rb") as stream:
        yield stream


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises on damaged data into an `ImageError`; real I/O errors stay what they are."""
    try:
        yield
    except ImageError:
        raise
    except MemoryError:
        raise ImageError(
            f"{name}: expected an image that fits into memory, found a larger one; reduce it or lower --max-pixels"
        ) from None
    except Exception as error:  # decoders raise anything from IndexError to zlib.error
        # EINVAL is a seek to where a damaged offset points; Pillow's own complaints have no number.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            error.filename = name
            raise
        told = str(error)
        if error.args and isinstance(error.args[0], bytes):  # LibRaw's
            told = error.args[0].decode("utf-8", "replace")
        reason = " ".join(told.split()) or type(error).__name__
        raise ImageError(
            f"{name}: expected a whole image, found damaged or truncated data ({reason}); copy the file "
            "again or export it anew"
        ) from error


def _open_picture(stream: BinaryIO, first_bytes: bytes, name: str, max_pixels: int) -> ImageFile:
    """Read the header and refuse what is too large, before a pixel is decoded."""
    known = format_of(first_bytes)
    if known is None:
        names = ", ".join(entry.name for entry in FORMATS)
        raise ImageError(
            f"{name}: expected an image ({names}), found {describe_bytes(first_bytes)}; remove the file "
            "or convert it to JPEG"
        )
    try:
        reader = getattr(importlib.import_module(known.module), known.reader)
    except ImportError:
        if not known.package:
            raise
        raise MissingReaderError(
            f"{name}: expected a photo that can be read here, found a {known.name} photo; run: pip install "
            f"{known.package}, or convert it to JPEG"
        ) from None
    if known.name == JPEG_XL:
        _check_size(read_size(stream), name, max_pixels)  # its reader decodes when it opens
    stream.seek(0)
    picture: ImageFile = reader(stream)
    _check_size(picture.size, name, max_pixels)
    _check_memory(picture, known, name=name, max_pixels=max_pixels)
    return picture


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: expected at most {max_pixels:,} pixels, found {width:,} x {height:,} = "
            f"{width * height:,}; reduce the picture or raise --max-pixels"
        )


def _check_memory(picture: ImageFile, known: ImageFormat, *, name: str, max_pixels: int) -> None:
    """Refuse a picture whose planes and tiles take far more memory than its pixels."""
    width, height = picture.size
    bytes_a_pixel = max(known.bytes_a_pixel, _planes_of_jpeg(picture))
    n_decoded = max(width * height, _tiled_pixels(picture))
    largest = max_pixels * BYTES_A_PIXEL // bytes_a_pixel
    if n_decoded > max(largest, _SMALL_PIXELS):
        raise ImageError(
            f"{name}: expected at most {largest:,} pixels of this kind of {known.name}, which takes up to "
            f"{bytes_a_pixel} bytes of memory for each, found {width:,} x {height:,}"
            f"{'' if n_decoded == width * height else f', with what its tiles hold beyond {n_decoded:,}'}; reduce the "
            "picture or raise --max-pixels"
        )


def _planes_of_jpeg(picture: ImageFile) -> int:
    """Return the bytes a pixel that a progressive JPEG takes: its coefficients are held until the last scan."""
    return 2 * len(picture.getbands()) + 5 if "progressive" in picture.info else 0


def _tiled_pixels(picture: ImageFile) -> int:
    """Return how many pixels the tiles of a TIFF file have together: what stands over the edges is decoded, too."""
    tags = getattr(picture, "tag_v2", {})
    width, height = (tags.get(tag, 0) for tag in (_TILE_WIDTH, _TILE_LENGTH))
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        return 0
    across, down = -(-picture.size[0] // width), -(-picture.size[1] // height)
    return across * width * down * height


def _exif(picture: ImageFile, name: str, untold_orientation: int = 1) -> tuple[int, str]:
    """Return orientation and time of a picture; `untold_orientation` and "" where it does not say."""
    orientation, taken = untold_orientation, ""
    try:
        exif = picture.getexif()
        orientation = exif.get(_EXIF_ORIENTATION, untold_orientation)
        taken = read_taken(exif)
    except Exception as error:  # noqa: BLE001 - damaged metadata raises anything; the pixels are whole all the same
        logger.debug("%s: orientation or time cannot be read (%s)", name, error)
    if picture.format == "JXL" and not getattr(picture, "jpeg", False):
        orientation = 1  # its decoder has turned it; the tag is what the photo had before it was converted
    return orientation, taken


def _decode_plain_jpeg(picture: ImageFile, stream: BinaryIO) -> np.ndarray | None:
    """Decode a grey or RGB JPEG with OpenCV: the same pixels as Pillow's in two thirds of the time, or None.

    OpenCV fills the missing part of a truncated file with grey, so only a file that ends as a JPEG must comes here.
    """
    if picture.format != "JPEG" or picture.mode not in ("L", "RGB"):
        return None
    stream.seek(0)
    data = stream.read()
    if _END_OF_JPEG in data[-_JPEG_TAIL:]:
        try:
            return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error as error:
            logger.debug("OpenCV refused a JPEG (%s); Pillow decodes it", error)
    return None
