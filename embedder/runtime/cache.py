"""The cache of converted networks: files named by everything that decides their content, checked when used.

Whoever writes into the folder decides who is recognized, so a folder that others may write to is refused.
"""

import glob
import hashlib
import json
import logging
import os
import re
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from embedder.errors import CacheError
from foundation.atomic import TEMPORARY_SUFFIX, atomic_path, write_bytes_atomically
from foundation.formats import hash_file

_logger = logging.getLogger(__name__)

CACHE_VARIABLE = "FACETABLE_CACHE"

_PRIVATE_FOLDER = 0o700
_ROOT = 0

_KEY_LENGTH = 16
"""Hexadecimal digits in a file's name."""


def cache_folder() -> Path:
    """Return the folder of converted networks: ``FACETABLE_CACHE``, else the platform's cache folder of the user."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("facetable", appauthor=False)


def open_cache_folder() -> Path:
    """Return `cache_folder`, made if it is not there.

    Raises
    ------
    CacheError
        If it cannot be made, or somebody other than this user and root owns it or may write to it.
    """
    folder = cache_folder()
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        others = "" if sys.platform == "win32" else describe_others(folder.stat(), os.getuid())
    except OSError as error:
        raise _unwritable(folder, error) from error
    if others:
        raise CacheError(
            f"{folder}: expected a cache folder that only you may write to, found that {others}, and who writes there "
            f"decides who is recognized; run chmod go-w {folder} after emptying it, or set {CACHE_VARIABLE} to a "
            "folder of your own"
        )
    return folder


def cached_file(name: str, settings: Sequence[str], produce: Callable[[Path], None], *, suffix: str = ".onnx") -> Path:
    """Return the file that `produce` makes from `settings`, from the cache where it is whole.

    Of several processes that need the same file one makes it and the others wait. The file appears in one step, and
    what earlier versions of this program made of the same source goes.

    Parameters
    ----------
    name : str
        Beginning of the file's name.
    settings : sequence of str
        All that decides the file's content; the first one is its source.
    produce : callable
        Writes the file to the path it is given.
    suffix : str
        End of the file's name.

    Raises
    ------
    CacheError
        If the file has to be made and the cache folder cannot be written, or as `open_cache_folder`.
    """
    key = hashlib.sha256("\0".join(settings).encode()).hexdigest()
    folder = open_cache_folder()
    safe_name = re.sub(r"[^\w.-]", "_", name)  # a name that a training run chose must not lead out of the folder
    target = folder / f"{safe_name}-{key[:_KEY_LENGTH]}{suffix}"
    if _is_whole(target):
        return target
    try:
        _make_locked(target, produce, source=settings[0])
    except OSError as error:
        raise _unwritable(folder, error) from error
    return target


def _unwritable(folder: Path, error: OSError) -> CacheError:
    return CacheError(
        f"cannot write the cache folder {folder} ({error.strerror or error}); "
        f"set {CACHE_VARIABLE} to a folder with room that you may write to"
    )


def _make_locked(target: Path, produce: Callable[[Path], None], *, source: str) -> None:
    import filelock

    lock = filelock.FileLock(target.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0.2)
    except filelock.Timeout:
        _logger.info("waiting for another process that makes %s ...", target.name)
        lock.acquire()
    try:
        if not _is_whole(target):
            _make(target, produce, source=source)
            _remove_superseded(target, source)
    finally:
        lock.release()


def _make(target: Path, produce: Callable[[Path], None], *, source: str) -> None:
    if target.exists():
        _logger.warning("%s is damaged and is made again", target)
    for leftover in target.parent.glob(f".{target.stem}.*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)  # of a run that was killed; whoever makes this file now holds the lock
    with atomic_path(target) as temporary:
        produce(temporary)
    write_bytes_atomically(_record_path(target), json.dumps({"sha256": hash_file(target), "source": source}).encode())


def _remove_superseded(target: Path, source: str) -> None:
    """Remove what other versions made under the name of `target` of the same source, with all that hangs on it.

    Versions before 0.3 did not note the source. What they converted nobody uses any more.
    """
    name = target.stem[: -_KEY_LENGTH - 1]
    entry = re.compile(rf"{re.escape(name)}-[0-9a-f]{{{_KEY_LENGTH}}}")
    for old in target.parent.glob(f"{glob.escape(name)}-*{target.suffix}"):
        if old == target or not entry.fullmatch(old.stem) or _read_record(old).get("source", source) != source:
            continue
        for file in [old, *target.parent.glob(f"{glob.escape(old.stem)}[.-]*")]:
            with suppress(OSError):  # another process may have removed it, or holds it open
                file.unlink()
        _logger.info("%s: removed, made by another version", old.name)


def _is_whole(path: Path) -> bool:
    try:
        expected = _read_record(path)["sha256"]
        return _is_ours(path) and bool(expected == hash_file(path))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_ours(path: Path) -> bool:
    """Return whether nobody else has put the file into the folder, when it was still open to all."""
    return sys.platform == "win32" or path.lstat().st_uid in (os.getuid(), _ROOT)


def _read_record(path: Path) -> dict[str, Any]:
    """Return what is noted beside a file, nothing if there is no note or a damaged one."""
    try:
        record = json.loads(_record_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _record_path(path: Path) -> Path:
    return path.with_suffix(".json")


def describe_others(folder: os.stat_result, user: int) -> str:
    """Return who beside `user` and root owns a folder or may write to it, in a few words; nothing if nobody.

    A group may write if it is root's or the user's own, whose name is the user's: many systems make one for every user
    and let it write.
    """
    if folder.st_uid not in (user, _ROOT):
        return f"user {_name_of_user(folder.st_uid)} owns it"
    if folder.st_mode & stat.S_IWOTH:
        return "everybody may write to it"
    if folder.st_mode & stat.S_IWGRP and folder.st_gid != _ROOT and not _is_own_group(folder.st_gid, user):
        return f"group {_name_of_group(folder.st_gid)} may write to it"
    return ""


def _is_own_group(group: int, user: int) -> bool:
    import grp

    name = _name_of_user(user)
    try:
        found = grp.getgrgid(group)
    except KeyError:
        return group == user  # in containers neither need have a name
    return found.gr_name == name and set(found.gr_mem) <= {name}


def _name_of_user(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _name_of_group(group: int) -> str:
    import grp

    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
