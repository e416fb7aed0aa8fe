"""When a photo was taken, according to its EXIF data."""

import logging
import os
import re
from datetime import datetime
from pathlib import Path

from PIL import ExifTags, Image

from embedder.images.reading import open_picture
from foundation.paths import display_path

logger = logging.getLogger(__name__)

# Exif 3.0, section 4.6.5: when the picture was taken, else when it was digitized, each with what belongs to it. The
# date of the first directory (tag DateTime) is that of the last change, by whatever program.
_TAGS = (
    (ExifTags.Base.DateTimeOriginal, ExifTags.Base.SubsecTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
    (ExifTags.Base.DateTimeDigitized, ExifTags.Base.SubsecTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
)
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")


def read_taken(image: Image.Image) -> str:
    """Return when a picture was taken, as ISO 8601: local time, with its offset from UTC where the file has it.

    Parameters
    ----------
    image : PIL.Image.Image
        Open; its pixels need not be loaded.

    Returns
    -------
    str
        Such as ``2024-05-01T14:00:00+02:00``; ``""`` where the file does not say.
    """
    try:
        exif = image.getexif().get_ifd(ExifTags.IFD.Exif)
        found = (_combine(*(_text(exif.get(tag)) for tag in tags)) for tags in _TAGS)
        return next((taken for taken in found if taken), "")
    except Exception as error:  # noqa: BLE001 - damaged metadata raises anything; the picture is whole all the same
        logger.debug("the time a picture was taken cannot be read (%s)", error)
        return ""


def read_time_taken(path: str | os.PathLike[str]) -> str:
    """Return what `read_taken` does of an image file; ``""`` also where it is missing or no image."""
    try:
        with Path(path).open("rb") as stream:
            return read_taken(open_picture(stream, display_path(path)))
    except Exception as error:  # noqa: BLE001 - as above; who needs the pixels is told what is wrong with the file
        logger.debug("%s: the time it was taken cannot be read (%s)", display_path(path), error)
        return ""


def _combine(date: str, fraction: str, offset: str) -> str:
    parts = _DATE.match(date)
    if parts is None:
        return ""
    try:
        moment = datetime(*(int(part) for part in parts.groups()))  # type: ignore[arg-type]
    except ValueError:  # 0000:00:00 and the like are written by cameras whose clock was never set
        return ""
    digits = fraction[:6].ljust(6, "0") if fraction.isascii() and fraction.isdigit() else "0"
    timespec = "seconds" if int(digits) == 0 else "milliseconds"
    text = moment.replace(microsecond=int(digits)).isoformat(timespec=timespec)
    offset = "+00:00" if offset == "Z" else offset  # not Exif's way, but some programs'
    return text + (offset if _OFFSET.fullmatch(offset) else "")


def _text(value: object) -> str:
    return value.strip("\0 ") if isinstance(value, str) else ""
