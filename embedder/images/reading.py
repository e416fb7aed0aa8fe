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
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from embedder.errors import ImageError
from embedder.images.formats import FORMATS, format_of
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
        A JPEG, PNG, HEIC, AVIF, WebP, TIFF, GIF, BMP, JPEG 2000 or PNM file, whatever its name.
    max_pixels : int
        Largest width times height to decode; a larger file is refused from its header.

    Returns
    -------
    numpy.ndarray
        uint8 (height, width, 3), RGB, C-contiguous, turned upright by the file's orientation tag.

    Raises
    ------
    ImageError
        If the file is no image, is damaged or truncated, or has more than `max_pixels` pixels.
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
        picture = open_picture(stream, name)
        _check_size(picture, name, max_pixels)
        pixels = _decode_plain_jpeg(picture, stream)
        if pixels is None:
            picture.load()
            pixels = _to_rgb(picture)
        orientation, taken = _exif(picture, name)
    turn = _UPRIGHT.get(orientation)
    return Picture(pixels if turn is None else np.ascontiguousarray(turn(pixels)), taken)


def read_time_taken(path: str | os.PathLike[str]) -> str:
    """Return when a photo was taken, see `embedder.images.taken`; "" also where it is missing or no image."""
    name = display_path(path)
    try:
        with Path(path).open("rb") as stream:
            return _exif(open_picture(stream, name), name)[1]
    except Exception as error:  # noqa: BLE001 - who needs the pixels is told what is wrong with the file
        logger.debug("%s: the time it was taken cannot be read (%s)", name, error)
        return ""


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


def open_picture(stream: BinaryIO, name: str) -> ImageFile:
    """Open a picture from the beginning of a stream: its header is read, no pixel is decoded yet.

    Parameters
    ----------
    stream : binary stream
        At its beginning; must stay open as long as the picture is used.
    name : str
        The file's name, for the message.

    Raises
    ------
    ImageError
        If it begins like none of the formats that are read.
    Exception
        Whatever a decoder raises on damaged data.
    """
    first_bytes = stream.read(N_FIRST_BYTES)
    known = format_of(first_bytes)
    if known is None:
        names = ", ".join(entry.name for entry in FORMATS)
        raise ImageError(
            f"{name}: expected an image ({names}), found {describe_bytes(first_bytes)}; remove the file "
            "or convert it to JPEG"
        )
    stream.seek(0)
    return getattr(importlib.import_module(known.module), known.reader)(stream)


def _check_size(picture: ImageFile, name: str, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: expected at most {max_pixels:,} pixels, found {width:,} x {height:,} = "
            f"{width * height:,}; reduce the picture or raise --max-pixels"
        )


def _exif(picture: ImageFile, name: str) -> tuple[int, str]:
    """Return orientation and time of a picture; upright and nothing where its metadata cannot be read."""
    orientation, taken = 1, ""
    try:
        exif = picture.getexif()
        orientation = exif.get(_EXIF_ORIENTATION, 1)
        taken = read_taken(exif)
    except Exception as error:  # noqa: BLE001 - damaged metadata raises anything; the pixels are whole all the same
        logger.debug("%s: orientation or time cannot be read (%s); taken as upright, of no time", name, error)
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


def _to_rgb(picture: Image.Image) -> np.ndarray:
    """Return the pixels of a loaded picture of any mode as uint8 (h, w, 3)."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        grey = _scale_to_8_bits(np.asarray(picture), picture.mode, picture.format)
        return np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if picture.has_transparency_data:
        picture = _on_white(picture.convert("RGBA"))
    return np.array(picture.convert("RGB"))


def _on_white(picture: Image.Image) -> Image.Image:
    lowest_alpha, _ = picture.getchannel("A").getextrema()
    if lowest_alpha == 255:
        return picture
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    white.alpha_composite(picture)
    return white


def _scale_to_8_bits(values: np.ndarray, mode: str, file_format: str | None) -> np.ndarray:
    """Scale grey values of more than 8 bits to 0..255.

    16-bit values keep their upper 8 bits, as Pillow and OpenCV do for 16-bit colour. 32-bit integers and floats carry
    no range: the smallest of the usual ones (1 for floats, 255, 65,535, the largest 32-bit value) that holds the
    brightest pixel is theirs.
    """
    if mode.startswith("I;16"):
        return (values >> 8).astype(np.uint8)
    values = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if file_format == "PPM":
        white = 65535.0  # Pillow has scaled by the maximum the file declares
    else:
        ranges = ([1.0] if mode == "F" else []) + [255.0, 65535.0, 2.0**32 - 1]
        brightest = float(values.max())
        white = next((limit for limit in ranges if brightest <= limit), brightest)
    return np.clip(np.rint(values * (255.0 / white)), 0, 255).astype(np.uint8)
