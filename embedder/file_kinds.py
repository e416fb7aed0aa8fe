"""What a file is, told from its first bytes: for messages about a file of another kind than expected."""

import codecs
import re
from pathlib import Path

N_FIRST_BYTES = 64
ZIP_ARCHIVE = "a zip archive, such as a head"

_KINDS = tuple(
    (re.compile(first_bytes, re.DOTALL), kind)
    for first_bytes, kind in (
        (rb"\x89HDF\r\n\x1a\n", "HDF5 data, such as a table or weights"),
        (rb"PK\x03\x04|PK\x05\x06", ZIP_ARCHIVE),
        (rb"\xff\xd8\xff", "a JPEG image"),
        (rb"\x89PNG\r\n", "a PNG image"),
        (rb"GIF8|BM.{12}\x28\0|II[*+]\0|MM\0[*+]|RIFF....WEBP|....ftyp(?:hei|hev|mif|msf|avi)", "an image"),
        (rb"....ftyp|RIFF....AVI|\x1aE\xdf\xa3", "a video"),
        (rb"%PDF", "a PDF document"),
        (rb"\x93NUMPY", "a NumPy array"),
        (rb"\x80[\x02-\x05]", "a pickle, which is never read"),
    )
)


def describe_kind(path: Path) -> str:
    """Return what the file at `path` is, in a few words.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        return describe_bytes(file.read(N_FIRST_BYTES))


def describe_bytes(first_bytes: bytes) -> str:
    """Return what a file is that begins with `first_bytes`.

    >>> describe_bytes(b""), describe_bytes("Zoë".encode()), describe_bytes(b"%PDF-1.7")
    ('an empty file', 'text', 'a PDF document')
    """
    if not first_bytes:
        return "an empty file"
    for pattern, kind in _KINDS:
        if pattern.match(first_bytes):
            return kind
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(first_bytes)  # its last letter may be cut in two
    except UnicodeDecodeError:
        text = "\0"
    if re.search(r"[\0-\x08\x0e-\x1f]", text) is None:
        return "text"
    return f"other data (it begins with {first_bytes[:8].hex(' ')})"
