"""Read any image file as upright RGB pixels: colour spaces such as CMYK, bit depths, orientation.

What a file is, its first bytes decide, never its name. Pictures with transparency are laid on white, as browsers and
printers show them; what lies hidden under transparent pixels is not part of the photo. Pictures deeper than 8 bits
are scaled to 8. Of animations and multi-page files the first picture is read.
"""

import errno
import importlib
import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL.ImageFile import ImageFile

from embedder.errors import ImageError
from embedder.images.formats import BYTES_A_PIXEL, FORMATS, ImageFormat, format_of
from embedder.images.pixels import to_rgb
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


def read_image(path: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> np.ndarray:
    """Read an image file as upright RGB pixels.

    Parameters
    ----------
    path : path
        A JPEG, PNG, HEIC, AVIF, WebP, TIFF, GIF, BMP, JPEG 2000 or PNM file, whatever its name.
    max_pixels : int
        Largest width times height to decode; a larger file is refused from its header. Decoding takes at most 10 bytes
        of memory for each: of formats that take more, such as AVIF, WebP and JPEG 2000, fewer pixels are read.

    Returns
    -------
    numpy.ndarray
        uint8 (height, width, 3), RGB, C-contiguous, turned upright by the file's orientation tag.

    Raises
    ------
    ImageError
        If the file is no image, is damaged or truncated, or has more than `max_pixels` pixels or takes more memory.
    OSError
        If the file is missing or may not be read.
    ValueError
        If `max_pixels` is less than 1.
    """
    if max_pixels < 1:
        raise InputError(f"`max_pixels` must be at least 1, got {max_pixels}; leave it out for {DEFAULT_MAX_PIXELS:,}")
    name = display_path(path)
    with _open_file(path, name) as stream, _decoding(name):
        pixels, orientation = _decode(stream, name, max_pixels)
    turn = _UPRIGHT.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def _decode(stream: BinaryIO, name: str, max_pixels: int) -> tuple[np.ndarray, int]:
    """Return the pixels as they are stored, and how to turn them upright; the decoder's own memory is given back."""
    picture, known = _open_picture(stream, name)
    _check_size(picture, known, name=name, max_pixels=max_pixels)
    pixels = _decode_plain_jpeg(picture, stream)
    if pixels is None:
        picture.load()
        pixels = to_rgb(picture)
    return pixels, _orientation(picture, name)


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
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(
            f"{name}: expected a whole image, found damaged or truncated data ({reason}); copy the file "
            "again or export it anew"
        ) from error


def _open_picture(stream: BinaryIO, name: str) -> tuple[ImageFile, ImageFormat]:
    """Read the header; no pixel is decoded yet."""
    first_bytes = stream.read(N_FIRST_BYTES)
    known = format_of(first_bytes)
    if known is None:
        names = ", ".join(entry.name for entry in FORMATS)
        raise ImageError(
            f"{name}: expected an image ({names}), found {describe_bytes(first_bytes)}; remove the file "
            "or convert it to JPEG"
        )
    stream.seek(0)
    return getattr(importlib.import_module(known.module), known.reader)(stream), known


def _check_size(picture: ImageFile, known: ImageFormat, *, name: str, max_pixels: int) -> None:
    """Refuse a picture with too many pixels, or whose planes and tiles take far more memory than its pixels."""
    width, height = picture.size
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: expected at most {max_pixels:,} pixels, found {width:,} x {height:,} = "
            f"{width * height:,}; reduce the picture or raise --max-pixels"
        )
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


def _orientation(picture: ImageFile, name: str) -> int:
    try:
        return picture.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception as error:  # noqa: BLE001 - damaged metadata raises anything; the pixels are whole all the same
        logger.debug("%s: orientation tag cannot be read (%s); taken as upright", name, error)
        return 1


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
