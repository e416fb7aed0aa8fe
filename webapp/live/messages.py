"""Messages of a camera's process: a header as JSON and perhaps a picture; and texts without a camera's password."""

import json
import re
import struct
from typing import Any

MOST_BYTES = 16 << 20
"""Of a message."""

_LENGTH = struct.Struct(">I")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*(?:[/?#][^\s@]*)?@")


def pack(header: dict[str, Any], jpeg: bytes = b"") -> bytes:
    """Return a message: length of the header as uint32, big-endian, the header as JSON, the picture."""
    text = json.dumps(header).encode()
    return _LENGTH.pack(len(text)) + text + jpeg


def unpack(message: bytes) -> tuple[dict[str, Any], bytes]:
    """Return header and picture of a message.

    >>> unpack(pack({"state": "picture"}, b"jpeg"))
    ({'state': 'picture'}, b'jpeg')
    """
    end = _LENGTH.size + _LENGTH.unpack_from(message)[0]
    header: dict[str, Any] = json.loads(message[_LENGTH.size : end])
    return header, message[end:]


def picture_of(message: bytes) -> bytes:
    """Return the picture of a message, empty where it has none."""
    return message[_LENGTH.size + _LENGTH.unpack_from(message)[0] :]


def frame(message: bytes) -> bytes:
    """Return a message as it goes through a pipe: its length before it."""
    return _LENGTH.pack(len(message)) + message


def without_credentials(text: str, address: str = "") -> str:
    """Return a line that may hold addresses of cameras, without users and passwords.

    Parameters
    ----------
    text : str
    address : str
        Of the camera, whose secrets may also stand in its path or query.

    >>> without_credentials("rtsp://me:12/34@10.0.0.7/live: lost")
    'rtsp://10.0.0.7/live: lost'
    """
    from recognition.sources.source import redact_url

    if "://" in address:
        text = text.replace(address, redact_url(address))
    return _CREDENTIALS.sub("", text)
