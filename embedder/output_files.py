"""What a command may write over: nothing, or an older result of the same kind, but never what it reads.

It loads nothing but the standard library, so that an output is refused before any work is done.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

_LONGEST_BEGINNING = 64
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
        raise ValueError(f"{path}: expected another file than those that are read; give another name for {flag}")
    if not path.is_file():
        return
    with path.open("rb") as stream:
        beginning = stream.read(_LONGEST_BEGINNING)
    if beginning and not _BEGINNINGS[kind].match(beginning):
        raise ValueError(
            f"{path}: expected {_NAMES[kind]} or nothing here to replace, found a file of another kind; "
            f"give another name for {flag}, or delete the file first"
        )
