"""The cache of converted networks: files named by everything that decides their content, checked when used."""

import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from foundation.atomic import TEMPORARY_SUFFIX, atomic_path, write_bytes_atomically
from foundation.formats import hash_file

_logger = logging.getLogger(__name__)


CACHE_VARIABLE = "FACETABLE_CACHE"


def cache_folder() -> Path:
    """Return the folder of converted networks: ``FACETABLE_CACHE``, else the platform's cache folder of the user."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("facetable", appauthor=False)


def cached_file(name: str, settings: Sequence[str], produce: Callable[[Path], None], *, suffix: str = ".onnx") -> Path:
    """Return the file that `produce` makes from `settings`, from the cache where it is whole.

    Of several processes that need the same file one makes it and the others wait. The file appears in one step.

    Parameters
    ----------
    name : str
        Beginning of the file's name.
    settings : sequence of str
        All that decides the file's content.
    produce : callable
        Writes the file to the path it is given.
    suffix : str
        End of the file's name.

    Raises
    ------
    OSError
        If the file has to be made and the cache folder cannot be written.
    """
    key = hashlib.sha256("\0".join(settings).encode()).hexdigest()
    folder = cache_folder()
    safe_name = re.sub(r"[^\w.-]", "_", name)  # a name that a training run chose must not lead out of the folder
    target = folder / f"{safe_name}-{key[:16]}{suffix}"
    if _is_whole(target):
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make_locked(target, produce)
    except OSError as error:
        raise OSError(
            f"cannot write the cache folder {folder} ({error.strerror or error}); "
            f"set {CACHE_VARIABLE} to a folder with room that you may write to"
        ) from error
    return target


def _make_locked(target: Path, produce: Callable[[Path], None]) -> None:
    import filelock

    lock = filelock.FileLock(target.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0.2)
    except filelock.Timeout:
        _logger.info("waiting for another process that makes %s ...", target.name)
        lock.acquire()
    try:
        if not _is_whole(target):
            _make(target, produce)
    finally:
        lock.release()


def _make(target: Path, produce: Callable[[Path], None]) -> None:
    if target.exists():
        _logger.warning("%s is damaged and is made again", target)
    for leftover in target.parent.glob(f".{target.stem}.*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)  # of a run that was killed; whoever makes this file now holds the lock
    with atomic_path(target) as temporary:
        produce(temporary)
    write_bytes_atomically(_record_path(target), json.dumps({"sha256": hash_file(target)}).encode())


def _is_whole(path: Path) -> bool:
    try:
        record = json.loads(_record_path(path).read_text(encoding="utf-8"))
        return bool(record["sha256"] == hash_file(path))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _record_path(path: Path) -> Path:
    return path.with_suffix(".json")
