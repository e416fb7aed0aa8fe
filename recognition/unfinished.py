"""Files in the making under names of their own, and what killed runs left of such."""

import logging
import os
import re
import secrets
import sys
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)


class UnfinishedFile:
    """A new empty file beside its later place, locked for as long as its process lives.

    The lock tells it from what a killed process left, also to other containers and computers that share the folder.
    Windows has no such locks; there nothing is ever taken for left.

    Parameters
    ----------
    place : Path
        Where the finished file will be.

    Attributes
    ----------
    path : Path
        Where it is meanwhile; another library may write to it by this name.

    Raises
    ------
    OSError
        If it cannot be made, naming `place`.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        while True:
            self.path = place.with_name(f".{place.stem}.{secrets.token_hex(4)}.part{place.suffix.lower()}")
            self._descriptor = _make(self.path, place)
            _lock(self._descriptor)
            if self.path.exists():
                break
            os.close(self._descriptor)  # it was taken for left before it was locked
        if sys.platform == "win32":
            os.close(self._descriptor)  # what is open cannot be renamed there

    def finish(self) -> None:
        """Give it its name, in the place of what had it before."""
        self.path.replace(self._place)
        self._unlock()

    def discard(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self._unlock()

    def _unlock(self) -> None:
        if sys.platform != "win32":
            os.close(self._descriptor)


def remove_left(place: Path) -> None:
    """Remove what killed processes left unfinished for `place`; not what another one is writing."""
    name = re.compile(rf"\.{re.escape(place.stem)}\.[0-9a-f]+\.part{re.escape(place.suffix.lower())}")
    left: list[Path] = []
    # Who may not look into the folder, or remove from it, can do without.
    with suppress(OSError):
        left += [path for path in place.parent.iterdir() if name.fullmatch(path.name)]
    for path in left:
        with suppress(OSError):
            _remove_unlocked(path)


def _make(path: Path, place: Path) -> int:
    try:
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    except OSError as error:
        # The user knows the file by its own name alone.
        raise OSError(error.errno, error.strerror, str(place)) from error


def _remove_unlocked(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        if _lock(descriptor):
            path.unlink()
            logger.info("%s: removed, left by a run that was killed", path)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock a file until its descriptor is closed, and return whether that could be had."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
