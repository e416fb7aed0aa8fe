"""When a photo was taken, as its EXIF data say.

EXIF (Exif 2.32, CIPA DC-008) has the camera's local time in tag 0x9003, and since version 2.31 the offset from UTC in
tag 0x9011, which many cameras leave out.
"""

import re
from datetime import datetime
from typing import Any

from PIL import Image

_EXIF_IFD = 0x8769
_TIME, _OFFSET = 0x9003, 0x9011
_TIME_FORMAT = "%Y:%m:%d %H:%M:%S"
_OFFSET_PATTERN = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d")


def capture_time(exif: Image.Exif) -> str:
    """Return when a photo was taken: ISO 8601, local time, with the offset from UTC where the camera knew it.

    Nothing is returned where the data do not say, or say no time, such as the zeros of a camera whose clock was never
    set.

    >>> exif = Image.Exif()
    >>> exif.get_ifd(0x8769).update({0x9003: "2024:05:31 18:30:00", 0x9011: "+02:00"})
    >>> capture_time(exif)
    '2024-05-31T18:30:00+02:00'
    """
    tags = exif.get_ifd(_EXIF_IFD)
    try:
        time = datetime.strptime(_text(tags.get(_TIME)), _TIME_FORMAT)
    except ValueError:
        return ""
    offset = _text(tags.get(_OFFSET))
    return time.isoformat() + (offset if _OFFSET_PATTERN.fullmatch(offset) else "")


def _text(value: Any) -> str:
    return value.strip("\0 ") if isinstance(value, str) else ""
