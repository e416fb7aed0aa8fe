"""When a photo was taken, according to its EXIF data."""

import re
from datetime import datetime

from PIL import ExifTags, Image

# Exif 3.0, section 4.6.5: when the picture was taken, else when it was digitized, each with what belongs to it. The
# date of the first directory (tag DateTime) is that of the last change, by whatever program.
_TAGS = (
    (ExifTags.Base.DateTimeOriginal, ExifTags.Base.SubsecTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
    (ExifTags.Base.DateTimeDigitized, ExifTags.Base.SubsecTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
)
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")


def read_taken(exif: Image.Exif) -> str:
    """Return when a photo was taken: ISO 8601, local time, with its offset from UTC where the file has it.

    Nothing is returned where the data do not say, or say no time, such as the zeros of a camera whose clock was never
    set.

    >>> exif = Image.Exif()
    >>> exif.get_ifd(0x8769).update({0x9003: "2024:05:31 18:30:00", 0x9011: "+02:00"})
    >>> read_taken(exif)
    '2024-05-31T18:30:00+02:00'
    """
    tags = exif.get_ifd(ExifTags.IFD.Exif)
    found = (_combine(*(_text(tags.get(tag)) for tag in group)) for group in _TAGS)
    return next((taken for taken in found if taken), "")


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
