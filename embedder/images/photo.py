"""Reader: photo files to pixels, decoded by a few threads ahead of whoever needs them."""

import errno
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embedder.errors import ImageError, MissingReaderError
from embedder.images.listing import PhotoFile
from foundation.formats import hash_file
from foundation.paths import describe_dangling, display_path

if TYPE_CHECKING:
    from embedder.images.reading import Picture

logger = logging.getLogger(__name__)


PictureReader = Callable[[Path], "Picture"]
"""File -> pixels and when they were taken; raises `ImageError` or `OSError`."""

STATUSES = ("ok", "no_face", "unreadable", "error")
"""What became of an input file: faces found, none found, not a readable image, failed on the way."""

FAILED_STATUSES = ("unreadable", "error")
"""Those of `STATUSES` that make a run end with exit code 1."""

KINDS = ("photo", "video")
"""What an input file can be."""


@dataclass(frozen=True)
class Photo:
    """An input file: its ledger columns and, where it could be read, its pixels.

    Attributes
    ----------
    path : str
        As stored: relative, ``/`` between folders.
    image : numpy.ndarray or None
        uint8 (h, w, 3), or None if `status` says why not, or it is a video.
    status : str
        ``ok``, ``unreadable`` or ``error``.
    taken : str
        When, as its EXIF data say; see `embedder.images.taken`.
    kind : str
        One of `KINDS`.
    """

    path: str
    image: np.ndarray | None = None
    status: str = "ok"
    message: str = ""
    image_sha256: str = ""
    size: int = 0
    mtime_ns: int = 0
    taken: str = ""
    kind: str = KINDS[0]


def read_photo(photo: PhotoFile, read_picture: PictureReader) -> Photo:
    """Read a photo; a failure is its `status` and `message`, never raised."""
    name, file = photo.name, photo.path
    sha256, size, mtime_ns = "", 0, 0
    try:
        status = file.stat()  # before its content: what changes meanwhile is seen as changed by the next run
        size, mtime_ns = status.st_size, status.st_mtime_ns
        sha256 = hash_file(file)
        picture = read_picture(file)
        return Photo(name, picture.pixels, image_sha256=sha256, size=size, mtime_ns=mtime_ns, taken=picture.taken)
    except MissingReaderError as error:  # tried again by the next run, when the reader may be there
        return Photo(name, None, "error", failure_reason(error, file), sha256, size, mtime_ns)
    except (ImageError, OSError) as error:
        return Photo(name, None, "unreadable", failure_reason(error, file), sha256, size, mtime_ns)
    except Exception as error:  # one photo that breaks its decoder must not end the run
        logger.debug("%s", name, exc_info=True)
        return Photo(name, None, "error", failure_reason(error, file), sha256, size, mtime_ns)


def failure_reason(error: Exception, file: str | Path) -> str:
    """Return why as one line of storable text, without the name of `file` in front: the ledger has it already."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    if isinstance(error, FileNotFoundError) and text == os.strerror(errno.ENOENT):
        link = describe_dangling(file)
        text = text if link is None else link
    text = " ".join(text.replace("\0", " ").split()).encode("utf-8", "backslashreplace").decode()
    text = text.removeprefix(f"{display_path(file)}: ")
    if isinstance(error, (ImageError, OSError)) and text:
        return text
    return f"{type(error).__name__}: {text}"
