"""HDF5 files read in a process of their own, with a deadline and a memory bound, before anybody else opens them.

The process is a fresh interpreter: no fork, whose copies of locks may never be released, and no `multiprocessing`,
which needs a main module that can be imported.
"""

import json
import logging
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import IO, Any, cast

from embedder.hdf5.reading_process import READY

logger = logging.getLogger(__name__)

_COMPUTING_S = 0.5
_BYTES_A_COMPUTING_S = 4e6
"""What reading may cost: half a second, and one for each 4 MB. A table of 50 KB takes 0.01 s, one of 100 MB 0.3 s."""

_WAITING_S = 8.0
_BYTES_A_WAITING_S = 1e6
"""How long it may take by the clock, where the system bounds no computing time; slow disks and shares have time."""

_STARTING_S = 60.0

_ENDLESS = "reading it does not come to an end"
_CRASH = "it crashes the HDF5 library"


def read_isolated(paths: Sequence[Path], *, outline_only: bool) -> dict[Path, dict[str, Any]]:
    """Return what the reading process answers for each of `paths`; it is started again after a file that ends it.

    Parameters
    ----------
    paths : sequence of Path
    outline_only : bool
        Read the root's own attributes and names, not all data.

    Returns
    -------
    dict
        Path to ``{"attributes": ..., "members": ...}`` of the root; for a file that must not be opened to ``{"damage":
        reason}``; where no other process can be had to ``{}``.

    Raises
    ------
    OSError
        If a file is missing.
    """
    answers: dict[Path, dict[str, Any]] = {}
    left = list(paths)
    while left:
        lines, reason = _run(left, outline_only=outline_only)
        if lines[:1] != [READY]:
            # No other process can be had, or it lacks what this one has: no file's fault.
            logger.debug("HDF5 files are opened unexamined: %s", reason)
            return answers | {path: {} for path in left}
        answered = [json.loads(line) for line in lines[1:]]
        answers |= dict(zip(left, answered, strict=False))
        left = left[len(answered) :]
        if left:
            answers[left.pop(0)] = {"damage": reason}
    return answers


def _run(paths: Sequence[Path], *, outline_only: bool) -> tuple[list[str], str]:
    """Return the lines that the reading process printed, and what it ended by."""
    interpreter = _interpreter()
    if interpreter is None:
        return [], "no Python interpreter is known here"
    sizes = [path.stat().st_size for path in paths]
    files = [
        (os.fsencode(path.absolute()).hex(), _COMPUTING_S + size / _BYTES_A_COMPUTING_S)
        for path, size in zip(paths, sizes, strict=True)
    ]
    request = json.dumps({"sys_path": sys.path, "files": files, "outline_only": outline_only})
    try:
        process = _start(interpreter)
    except OSError as error:
        return [], str(error)
    waits = [_STARTING_S, *(_WAITING_S + size / _BYTES_A_WAITING_S for size in sizes)]
    try:
        lines, is_late = _ask(process, request, waits)
    finally:
        process.kill()
        process.wait()
    is_out_of_time = is_late or process.returncode == -getattr(signal, "SIGPROF", 0) != 0
    return lines, _ENDLESS if is_out_of_time else _CRASH


def _interpreter() -> str | None:
    """Return a Python interpreter like this one; None in a frozen program or another that embeds Python without one.

    There `sys.executable` may be the program itself, which must not be started a second time.
    """
    if getattr(sys, "frozen", False):
        return None
    beside = Path(sys.prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    candidates = (sys.executable, getattr(sys, "_base_executable", None), os.fspath(beside))
    named = (name for name in candidates if name and re.match(r"python|pypy", Path(name).name, re.IGNORECASE))
    return next((name for name in named if os.access(name, os.X_OK)), None)


def _start(interpreter: str) -> "subprocess.Popen[str]":
    # By its text, since a package may be in an archive, and by no main module, since that may be a notebook.
    source = resources.files("embedder.hdf5").joinpath("reading_process.py").read_text("utf-8")
    return subprocess.Popen(
        [interpreter, "-I", "-S", "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Threads that it has no use for would take their time to start, and address space.
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        text=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _ask(process: "subprocess.Popen[str]", request: str, waits: Sequence[float]) -> tuple[list[str], bool]:
    """Return the lines the process prints, one in each of `waits` (seconds), and whether it was too late with one."""
    asking, answering = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
    printed: queue.SimpleQueue[str] = queue.SimpleQueue()

    def collect() -> None:
        for line in answering:
            printed.put(line)
        printed.put("")

    reader = threading.Thread(target=collect, daemon=True, name="hdf5-examination")
    reader.start()
    lines: list[str] = []
    is_late = False
    with suppress(BrokenPipeError):  # it could not even start; what it printed says so
        asking.write(request + "\n")
        asking.close()
    try:
        for wait in waits:
            line = printed.get(timeout=wait)
            if not line.endswith("\n"):
                break
            lines.append(line.rstrip("\n"))
    except queue.Empty:
        is_late = True
        process.kill()
    process.wait()
    reader.join()
    answering.close()
    return lines, is_late
