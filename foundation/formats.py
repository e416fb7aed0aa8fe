"""What a file is, told from its first bytes; its hash; and which file an output may replace."""

import codecs
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from foundation.errors import InputError

# Bytes that are enough to recognize a file.
N_FIRST_BYTES = 64

ZIP_ARCHIVE = "a zip archive, such as a head"

HDF5_DATA = "HDF5 data, such as a table or weights"

_KINDS = tuple(
    (re.compile(first_bytes, re.DOTALL), kind)
    for first_bytes, kind in (
        (rb"\x89HDF\r\n\x1a\n", HDF5_DATA),
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


# How files of the kinds begin that `check_output` knows, and what the kinds are called.
_BEGINNINGS = {
    "picture": re.compile(
        rb"\xff\xd8\xff|\x89PNG\r\n|GIF8|RIFF....WEBP|II\*\0|MM\0\*|BM|%PDF-|%!PS|\s*<(\?xml|svg)", re.DOTALL
    ),
    "page": re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html)", re.IGNORECASE),
}
_NAMES = {"picture": "a picture", "page": "an HTML page"}


def check_output(
    path: Path | None, flag: str, *, kind: Literal["picture", "page"], inputs: Iterable[Path] = ()
) -> None:
    """Refuse an output that would replace one of `inputs` or a file of another kind.

    Parameters
    ----------
    path : Path or None
        The file to write; None is no output.
    flag : str
        The option that names it, for the message.
    kind : {"picture", "page"}
    inputs : iterable of Path
        What the command reads.

    Raises
    ------
    ValueError
        If it would.
    IsADirectoryError
        If it is a folder.
    OSError
        If it is there and may not be read.
    """
    if path is None or not path.exists():
        return
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected a file for {flag}, found a folder; name a file in it")
    if any(other.exists() and path.samefile(other) for other in inputs):
        raise InputError(f"{path}: expected another file than those that are read; give another name for {flag}")
    if not path.is_file():
        return
    with path.open("rb") as stream:
        beginning = stream.read(N_FIRST_BYTES)
    if beginning and not _BEGINNINGS[kind].match(beginning):
        raise InputError(
            f"{path}: expected {_NAMES[kind]} or nothing here to replace, found a file of another kind; "
            f"give another name for {flag}, or delete the file first"
        )


def check_inputs(*paths: str | Path | None) -> None:
    """Refuse input files and folders that are missing, before a command spends seconds on loading what reads them.

    Parameters
    ----------
    *paths : path or None
        None is an input that was not asked for.

    Raises
    ------
    FileNotFoundError
        Naming the first that is missing.
    """
    for path in paths:
        if path is not None:
            Path(path).stat()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
