"""What can be seen of a file that a scan could not read: the whole picture, the part that is there, or nothing."""

import asyncio
import io
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.errors import FacetableError
from webapp.pictures.photos import encode, render_photo

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_BYTES = 100_000_000
_MOST_PIXELS = 25_000_000
_ONE_AT_A_TIME = threading.Lock()
"""Whoever opens the list of failures asks for many of these at once, and each may take long or much memory."""

_SECONDS_BETWEEN_LOOKS = 0.02


async def render_damaged_in_turn(place: Path, max_side: int) -> bytes | None:
    """Do `render_damaged` for one file at a time; who waits holds none of the threads that answer other requests."""
    while not _ONE_AT_A_TIME.acquire(blocking=False):
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
    try:
        return await asyncio.to_thread(render_damaged, place, max_side)
    finally:
        _ONE_AT_A_TIME.release()


def render_damaged(place: Path, max_side: int) -> bytes | None:
    """Return a file that may be damaged as JPEG, no side longer than `max_side` pixels; None where nothing is seen.

    A photo may be whole and have failed later. Of JPEG and PNG files that are cut off, the part before is shown.

    Raises
    ------
    OSError
        If the file is gone or may not be read.
    """
    with suppress(FacetableError):
        return render_photo(place, max_side, max_pixels=_MOST_PIXELS)
    return _render_part(place, max_side)


def _render_part(place: Path, max_side: int) -> bytes | None:
    import PIL.Image
    import PIL.ImageOps

    with place.open("rb") as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        return None
    try:
        part = _decode_part(content, max_side)
        if part.getbbox(alpha_only=False) is None:  # the first colour all over: no row was there
            return None
        picture = PIL.ImageOps.exif_transpose(part.convert("RGB"))
    except Exception:  # noqa: BLE001 - readers raise what they like at damaged content
        return None
    picture.thumbnail((max_side, max_side), PIL.Image.Resampling.LANCZOS)
    return encode(picture, "JPEG")


def _decode_part(content: bytes, max_side: int) -> "Image":
    """Return a picture with the rows that could be decoded; the others are black."""
    import PIL.Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
        picture = PIL.Image.open(io.BytesIO(content), formats=("JPEG", "PNG"))
    if picture.width * picture.height > _MOST_PIXELS:
        raise ValueError("too large")
    picture.draft("RGB", (max_side, max_side))
    with suppress(OSError, SyntaxError):
        picture.load()
    picture.tile = []  # what is not there is not asked for again
    return picture
