"""Display file names as they are stored and printed, describe links that lead nowhere, and refuse what is no folder."""

import errno
import os
import re
from pathlib import Path

from foundation.errors import InputError

# Media Fragments URI 1.0 (W3C 2012), section 4.2.1: a moment in seconds.
_MOMENT = re.compile(r"#t=(\d+(?:\.\d+)?)$")


def describe_dangling(path: str | os.PathLike[str]) -> str | None:
    """Return which link on the way to `path` leads nowhere, and where to; None if there is no such link.

    >>> describe_dangling("no such folder/a.jpg") is None
    True
    """
    for place in (Path(path), *Path(path).parents):
        if place.is_symlink() and not place.exists():
            where = "" if place == Path(path) else f"at {display_path(place)} "
            return f"a dangling link {where}to {display_path(place.readlink())}"
    return None


def describe_missing(path: str | os.PathLike[str]) -> str:
    """Return what is found at `path` where no file or folder is, with the remedy.

    >>> describe_missing("no such folder/a.jpg")
    'nothing; check the path'
    """
    link = describe_dangling(path)
    return "nothing; check the path" if link is None else f"{link}; mend the link or check the path"


def check_folder(path: str | os.PathLike[str] | None, flag: str) -> None:
    """Refuse a folder that an option names and that is not there; None is no folder named.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    NotADirectoryError
        If a file is.
    """
    if path is None or Path(path).is_dir():
        return
    if Path(path).exists():
        raise NotADirectoryError(
            errno.ENOTDIR, f"expected a folder for {flag}, found a file; name the folder it is in", str(path)
        )
    raise FileNotFoundError(errno.ENOENT, f"expected a folder for {flag}, found {describe_missing(path)}", str(path))


def check_folder_of(path: str | os.PathLike[str]) -> None:
    """Refuse a file to write whose folder is not there or takes no files, before the work and not after it.

    Raises
    ------
    InputError
        If the folder is not there.
    PermissionError
        If nothing may be written to it.
    """
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        if folder.exists():
            raise InputError(f"{path}: expected a file in a folder, {folder} is a file; name another place")
        raise InputError(f"{path}: expected a folder that exists, {folder} does not; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def path_at(path: str, time_s: float) -> str:
    """Return the stored path of a moment in a clip, in seconds.

    >>> path_at("clips/ann.mp4", 12.4)
    'clips/ann.mp4#t=12.4'
    """
    return f"{path}#t={time_s:.3f}".rstrip("0").removesuffix(".")


def split_moment(path: str) -> tuple[str, float | None]:
    """Return the path of a clip and the moment in it, in seconds; None for paths without one.

    >>> split_moment("clips/ann.mp4#t=12.4"), split_moment("ann.jpg")
    (('clips/ann.mp4', 12.4), ('ann.jpg', None))
    """
    moment = _MOMENT.search(path)
    return (path, None) if moment is None else (path[: moment.start()], float(moment[1]))


def storable_text(text: str) -> str:
    r"""Return `text` from the command line or a file's name, bytes that are not UTF-8 escaped.

    >>> storable_text("caf\udce9")
    'caf\\xe9'
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def display_path(path: str | os.PathLike[str]) -> str:
    r"""Return `path` as text that can be stored and printed: ``/`` between folders, bytes that are not UTF-8 escaped.

    >>> display_path(Path("album") / "caf\udce9.jpg")
    'album/caf\\xe9.jpg'
    """
    return storable_text(Path(path).as_posix())
