"""Any image file to upright RGB pixels, and the image files of a folder in a fixed order.

What a file is, its first bytes decide, never its name. Pictures with transparency are laid on white, as browsers and
printers show them; what lies hidden under transparent pixels is not part of the photo. Pictures deeper than 8 bits
are scaled to 8. Of animations and multi-page files the first picture is read.
"""

import errno
import importlib
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import cv2
import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from embedder.errors import ImageError
from foundation.formats import N_FIRST_BYTES, describe_bytes
from foundation.paths import describe_missing, display_path
from foundation.text import pluralize

logger = logging.getLogger(__name__)

DEFAULT_MAX_PIXELS = 200_000_000
"""Largest picture read unless the caller says otherwise: the sensors of today's phones have 200 megapixels."""

IMAGE_SUFFIXES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".webp",
        ".heic",
        ".heif",
        ".hif",
        ".avif",
        ".jp2",
        ".j2k",
        ".pbm",
        ".pgm",
        ".ppm",
        ".pnm",
    }
)
"""Lower-case file suffixes that `list_images` takes for images without looking inside."""


class _Format(NamedTuple):
    name: str
    first_bytes: re.Pattern[bytes]
    module: str
    reader: str


def _format(name: str, first_bytes: bytes, module: str, reader: str) -> _Format:
    return _Format(name, re.compile(first_bytes, re.DOTALL), module, reader)


# The readers are called directly: `PIL.Image.open` would refuse 179 megapixels whatever `max_pixels` says, would try
# formats that run other programs (EPS), and knows HEIC only after a registration that changes the whole process.
_FORMATS = (
    _format("JPEG", rb"\xff\xd8\xff", "PIL.JpegImagePlugin", "JpegImageFile"),
    _format("PNG", rb"\x89PNG\r\n\x1a\n", "PIL.PngImagePlugin", "PngImageFile"),
    _format("HEIC", rb"....ftyp(?:hei[cmsx]|hev[cmsx]|(?:mif1|msf1)(?!.*avi[fs]))", "pillow_heif", "HeifImageFile"),
    _format("AVIF", rb"....ftyp(?:avi[fs]|mif1|msf1)", "PIL.AvifImagePlugin", "AvifImageFile"),
    _format("WebP", rb"RIFF....WEBP", "PIL.WebPImagePlugin", "WebPImageFile"),
    _format("TIFF", rb"II[*+]\0|MM\0[*+]", "PIL.TiffImagePlugin", "TiffImageFile"),
    _format("GIF", rb"GIF8[79]a", "PIL.GifImagePlugin", "GifImageFile"),
    _format("BMP", rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", "PIL.BmpImagePlugin", "BmpImageFile"),
    _format("JPEG 2000", rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n", "PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    _format("PNM", rb"P[1-6]\s+[\d#]", "PIL.PpmImagePlugin", "PpmImageFile"),
)

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


@dataclass(frozen=True)
class ImageListing:
    """The image files of a folder.

    Attributes
    ----------
    root : Path
        The folder.
    paths : tuple of Path
        Image files relative to `root`, in path order.
    n_hidden : int
        Files and folders left out because their name begins with a dot.
    n_other : int
        Files that are no images by suffix or, where they have no suffix, by their first bytes.
    unreadable_folders : tuple of Path
        Folders, relative to `root`, that could not be listed; each is logged as a warning too.
    """

    root: Path
    paths: tuple[Path, ...]
    n_hidden: int
    n_other: int
    unreadable_folders: tuple[Path, ...] = ()

    @property
    def left_out(self) -> str:
        """Return how many files were left out, for people."""
        return f"{pluralize(self.n_hidden, 'hidden file')}, {self.n_other:,} that are no images"


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
    if max_pixels < 1:
        raise ValueError(f"`max_pixels` must be at least 1, got {max_pixels}; leave it out for {DEFAULT_MAX_PIXELS:,}")
    name = display_path(path)
    with _open_file(path, name) as stream, _decoding(name):
        picture = _open_picture(stream, name)
        _check_size(picture, name, max_pixels)
        pixels = _decode_plain_jpeg(picture, stream)
        if pixels is None:
            picture.load()
            pixels = _to_rgb(picture)
        orientation = _orientation(picture, name)
    turn = _UPRIGHT.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def list_images(root: str | os.PathLike[str]) -> ImageListing:
    """List the image files of a folder and of all folders in it, each real folder once.

    A file is an image if its suffix is in `IMAGE_SUFFIXES`, or if it has no suffix and begins like an image. Links to
    folders are followed; a folder that can be reached in several ways is listed where it really is, if that is inside
    `root`. A link that leads nowhere is listed like the file it promises, so that its failure is seen.

    Raises
    ------
    OSError
        If `root` is missing, is not a folder, or may not be listed.
    """
    folder = Path(root)
    if not folder.exists():
        raise FileNotFoundError(
            errno.ENOENT, f"expected a folder of photos, found {describe_missing(folder)}", str(folder)
        )
    if not folder.is_dir():
        raise NotADirectoryError(
            errno.ENOTDIR, "expected a folder of photos, found a file; name the folder it is in", str(folder)
        )
    walk = _Walk(folder)
    walk.visit(Path(), os.scandir(folder))
    # Real folders first, links to folders last: a person's folder keeps its own name even if a link to it sorts first.
    while walk.links:
        walk.links.sort(reverse=True)
        walk.enter(walk.links.pop())
    return ImageListing(
        folder, tuple(sorted(walk.paths)), walk.n_hidden, walk.n_other, tuple(sorted(walk.unreadable_folders))
    )


class _Walk:
    """What has been found so far in one folder tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: list[Path] = []
        self.links: list[Path] = []
        self.unreadable_folders: list[Path] = []
        self.n_hidden = 0
        self.n_other = 0
        self._seen: set[tuple[int, int]] = {_identity_of(root)}

    def enter(self, folder: Path) -> None:
        """List `folder` (relative to the root) unless that has been done under another path."""
        try:
            identity = _identity_of(self.root / folder)
            if identity in self._seen:
                return
            self._seen.add(identity)
            entries = os.scandir(self.root / folder)
        except OSError as error:
            logger.warning(
                "%s: folder cannot be read (%s); its photos are left out", display_path(folder), error.strerror
            )
            self.unreadable_folders.append(folder)
            return
        self.visit(folder, entries)

    def visit(self, folder: Path, entries: Iterator[os.DirEntry[str]]) -> None:
        """Sort the `entries` of `folder` into images, others and folders; go into the folders that are no links."""
        subfolders: list[Path] = []
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith("."):
                self.n_hidden += 1
            elif entry.is_symlink() and _leads_nowhere(entry):
                if Path(entry.name).suffix.lower() in IMAGE_SUFFIXES:
                    self.paths.append(path)
                else:
                    self.n_other += 1
            elif entry.is_dir():
                (self.links if entry.is_symlink() else subfolders).append(path)
            elif _is_image_file(entry):
                self.paths.append(path)
            else:
                self.n_other += 1
        for subfolder in subfolders:
            self.enter(subfolder)


def _identity_of(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _leads_nowhere(link: os.DirEntry[str]) -> bool:
    try:
        link.stat()
    except OSError:
        return True
    return False


def _is_image_file(entry: os.DirEntry[str]) -> bool:
    if not entry.is_file():
        return False  # a pipe, socket or device: reading it could wait forever
    suffix = Path(entry.name).suffix
    if suffix:
        return suffix.lower() in IMAGE_SUFFIXES
    try:
        with Path(entry.path).open("rb") as stream:
            return _format_of(stream.read(N_FIRST_BYTES)) is not None
    except OSError:
        return False


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


def _format_of(first_bytes: bytes) -> _Format | None:
    return next((known for known in _FORMATS if known.first_bytes.match(first_bytes)), None)


def _open_picture(stream: BinaryIO, name: str) -> ImageFile:
    """Read the header; no pixel is decoded yet."""
    first_bytes = stream.read(N_FIRST_BYTES)
    known = _format_of(first_bytes)
    if known is None:
        names = ", ".join(entry.name for entry in _FORMATS)
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
