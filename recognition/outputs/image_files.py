"""Image files of annotated photos, written atomically."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from recognition.errors import SaveError

_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WebP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_JPEG_QUALITY = 92


def can_write(path: Path) -> bool:
    """Whether `path` has the suffix of an image format that can be written."""
    return path.suffix.lower() in _FORMATS


def annotated_name(name: str) -> str:
    """Return the name of a photo's annotated copy: its own, with ``.jpg`` appended if that format cannot be written.

    >>> annotated_name("a/b.png"), annotated_name("a/c.heic")
    ('a/b.png', 'a/c.heic.jpg')
    """
    return name if can_write(Path(name)) else f"{name}.jpg"


def write_image(path: Path, image: np.ndarray, *, is_private: bool = False) -> None:
    """Write `image`, uint8 (height, width, 3) RGB, in the format of the suffix; missing folders are created.

    With `is_private` only its owner may read a new file, and look into a new folder.

    Raises
    ------
    SaveError
        If the suffix is that of no format that can be written.
    OSError
        If the file cannot be written; an existing one stays as it is.
    """
    from foundation.atomic import write_atomically

    if not can_write(path):
        raise SaveError(f"{path}: cannot write a picture of this format; use one of {', '.join(_FORMATS)}")
    path.parent.mkdir(0o700 if is_private else 0o777, parents=True, exist_ok=True)
    encoded = Image.fromarray(image)
    options = {"quality": _JPEG_QUALITY} if _FORMATS[path.suffix.lower()] in ("JPEG", "WebP") else {}
    write_atomically(
        path, lambda stream: encoded.save(stream, _FORMATS[path.suffix.lower()], **options), is_private=is_private
    )


def encode_jpeg(image: np.ndarray) -> bytes:
    """Return `image`, uint8 (height, width, 3) RGB, as the bytes of a JPEG file."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def same_file(first: str | os.PathLike[str], second: str | os.PathLike[str]) -> bool:
    """Whether two paths are one existing file."""
    return Path(first).exists() and Path(second).exists() and Path(first).samefile(second)
