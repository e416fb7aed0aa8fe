"""What is wrong with HDF5 files, found out before this process opens them.

The HDF5 library believes what it reads: on damaged data it can loop for ever inside C, where no signal reaches, ask
for any amount of memory, or crash. So a file whose checksum is right may be opened at once; any other is first read
whole in a process of its own (`embedder.hdf5.isolation`), which has a deadline and a memory bound.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedder.hdf5 import reading_process
from embedder.hdf5.checksum import Checksum, verify_checksum

_RACY_NS = 2_000_000_000
"""A file changed so short a time ago may change again without a new time: the coarsest clocks of file systems step by
2 s (FAT)."""

_MOST_REMEMBERED = 10_000

_SMALL_BYTES = 64 << 20
"""Up to this size a file is read whole where its outline is asked for: whoever asks will want the rest."""


@dataclass(frozen=True)
class Examination:
    """What was found out about a file.

    Attributes
    ----------
    damage : str
        Why HDF5 must not open it; empty where it may.
    has_checksum : bool
        Whether it has a checksum, which is right.
    """

    damage: str = ""
    has_checksum: bool = False


@dataclass(frozen=True)
class Outline:
    """What the root of an HDF5 file holds.

    Attributes
    ----------
    damage : str
        What is wrong with it, else empty.
    attributes : dict
        Its attributes; None is a value that is neither text nor a number.
    members : tuple of str
        The names of its groups and datasets.
    """

    damage: str = ""
    attributes: dict[str, str | int | None] = field(default_factory=dict)
    members: tuple[str, ...] = ()


WRONG_CHECKSUM = "its content is not what its checksum stands for"
_known: dict[str, tuple[tuple[int, ...], Examination]] = {}


def examine(path: Path, *, trust_checksum: bool = True) -> Examination:
    """Return what is wrong with one file, as `examine_all` does; or whatever its checksum says."""
    if trust_checksum:
        return examine_all([path])[path]
    return Examination(_read_isolated([path], outline_only=False)[path].get("damage", ""))


def examine_all(paths: Sequence[Path]) -> dict[Path, Examination]:
    """Return what is wrong with files, those without checksum all read by one other process.

    A file that was examined and has not changed since is not examined again.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    """
    states = {path: _state(path) for path in paths}
    begun = time.time_ns()
    found: dict[Path, Examination] = {}
    for path in paths:
        known = _recall(path, states[path]) or _by_checksum(path)
        if known is not None:
            found[path] = known
    unknown = [path for path in paths if path not in found]
    for path, answer in _read_isolated(unknown, outline_only=False).items():
        found[path] = Examination(answer.get("damage", ""))
    for path, examination in found.items():
        _remember(path, states[path], examination, begun_ns=begun)
    return found


def read_outline(path: Path) -> Outline:
    """Return what the root of an HDF5 file holds; a file without checksum is looked at by another process.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    """
    state, begun = _state(path), time.time_ns()
    examination = _recall(path, state) or _by_checksum(path)
    if examination is not None and examination.damage:
        return Outline(examination.damage)
    if examination is not None and examination.has_checksum:
        _remember(path, state, examination, begun_ns=begun)
        answer = reading_process.answer(os.fsencode(path), state[2], outline_only=True)
    else:
        answer = _read_isolated([path], outline_only=state[2] > _SMALL_BYTES)[path]
    damage = answer.get("damage", "")
    has_checksum = examination is not None and examination.has_checksum
    if damage or (state[2] <= _SMALL_BYTES and not has_checksum):
        _remember(path, state, Examination(damage), begun_ns=begun)
    return Outline(damage, answer.get("attributes", {}), tuple(answer.get("members", ())))


def _by_checksum(path: Path) -> Examination | None:
    """Return what the checksum says, None where there is none."""
    checksum = verify_checksum(path)
    if checksum is Checksum.MISSING:
        return None
    is_right = checksum is Checksum.RIGHT
    return Examination("" if is_right else WRONG_CHECKSUM, has_checksum=is_right)


def _recall(path: Path, state: tuple[int, ...]) -> Examination | None:
    before, examination = _known.get(os.fspath(path.absolute()), ((), None))
    return examination if before == state else None


def _remember(path: Path, state: tuple[int, ...], examination: Examination, *, begun_ns: int) -> None:
    if state[-1] < begun_ns - _RACY_NS and len(_known) < _MOST_REMEMBERED:
        _known[os.fspath(path.absolute())] = state, examination


def _state(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, max(status.st_mtime_ns, status.st_ctime_ns)


def _read_isolated(paths: Sequence[Path], *, outline_only: bool) -> dict[Path, dict[str, Any]]:
    if not paths:
        return {}
    # What it needs to start processes takes time to load, and most files have a checksum.
    from embedder.hdf5.isolation import read_isolated

    return read_isolated(paths, outline_only=outline_only)
