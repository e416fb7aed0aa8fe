"""Damage files, have a process read them, and count what becomes of them."""

import json
import os
import random
import select
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from embedder.runtime.cache import CACHE_VARIABLE, cache_folder
from experiments.fuzz.kinds import KINDS, write_damaged

MOST_SECONDS = 20.0
MOST_BYTES = 2 * 2**30

ACCEPTED, IN_PART, REFUSED = "read", "read but for what is listed", "refused in one line"
FINE = (ACCEPTED, IN_PART, REFUSED)

_PROJECT = Path(__file__).resolve().parents[2]

# A process may hold memory of files before, which is not the next file's fault.
_FILES_A_PROCESS = 500


@dataclass
class Counts:
    """What became of the damaged files of one kind.

    Attributes
    ----------
    outcomes : Counter
        How many files had each outcome.
    failures : list of str
        One line for each file whose outcome is not one of `FINE`.
    slowest, largest : float
        Most seconds and most bytes that one file took.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    largest: float = 0.0

    def add(self, name: str, answer: dict[str, Any] | None, path: Path) -> str:
        """Count one file's answer (None: there was none) and return its outcome."""
        outcome = "hung or crashed" if answer is None else judge(answer, path)
        self.outcomes[outcome] += 1
        if answer is not None:
            self.slowest = max(self.slowest, answer["seconds"])
            self.largest = max(self.largest, answer["bytes"])
        if outcome not in FINE:
            said = "" if answer is None else answer["broken"] or answer["errors"].strip()[-300:]
            self.failures.append(f"{name}: {outcome}: {' '.join(said.split())}")
        return outcome


def judge(answer: dict[str, Any], path: Path) -> str:
    """Return the outcome of one file, from what a process that read it answered."""
    errors = [line for line in answer["errors"].splitlines() if "error: " in line or f"{path}" in line]
    if "Traceback" in answer["errors"]:
        return "traceback"
    if "unexpected " in answer["errors"] and "report it" in answer["errors"]:
        return "unexpected error"
    if answer["seconds"] > MOST_SECONDS:
        return "too slow"
    if answer["bytes"] > MOST_BYTES:
        return "too large"
    if answer["code"] == 0:
        return f"breaks a rule: {answer['broken']}" if answer["broken"] else ACCEPTED
    if answer["code"] == 1 and answer["errors"] and not errors:
        return IN_PART
    return REFUSED if errors and all(path.name in line for line in errors) else "does not name the file"


class Reader:
    """Process that reads damaged files, started again where one of them hangs or ends it."""

    def __init__(self, whole: Path) -> None:
        self._whole = whole
        self._process: subprocess.Popen[str] | None = None
        self._n_read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def read(self, kind: str, path: Path) -> dict[str, Any] | None:
        """Return what the process answers about a file, None if it hangs or dies."""
        if self._n_read >= _FILES_A_PROCESS:
            self._stop()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "experiments.fuzz.child", str(self._whole)],
                cwd=_PROJECT,
                env=os.environ | {CACHE_VARIABLE: str(make_cache(self._whole.with_name("cache")))},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            self._n_read = 0
        assert self._process.stdin is not None and self._process.stdout is not None
        self._n_read += 1
        self._process.stdin.write(f"{kind}\t{path}\n")
        self._process.stdin.flush()
        # The first file of a process waits for its imports, too.
        patience = MOST_SECONDS + (60.0 if self._n_read == 1 else 5.0)
        ready, _, _ = select.select([self._process.stdout], [], [], patience)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            self._stop()
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def make_cache(folder: Path) -> Path:
    """Make a cache folder of the study's own, with the user's converted networks but not the tables of `verify`.

    `audit` and `forget` look into the cache: what they find must not depend on, or come into, that of the user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in cache_folder().glob("*.*"):
        target = folder / file.name
        if not file.is_file() or target.exists():
            continue
        try:
            os.link(file, target)
        except OSError:  # on another file system, or of another owner
            shutil.copy(file, target)
    return folder


def make_whole_files(folder: Path, kinds: Sequence[str]) -> dict[str, list[Path]]:
    """Write whole files of these kinds and return them by kind; tables and photos come with them."""
    return {name: KINDS[name].make_seeds(folder / name) for name in dict.fromkeys((*kinds, "tables", "photos"))}


def run_study(
    folder: Path, kinds: Sequence[str], *, share: float = 1.0, seed: int = 0, keep: Path | None = None
) -> Iterator[tuple[str, Counts]]:
    """Yield, kind by kind, what became of its damaged files.

    Parameters
    ----------
    folder : Path
        Of whole and of damaged files; each damaged one is deleted when it has been read.
    kinds : sequence of str
        Of `experiments.fuzz.kinds.KINDS`.
    share : float
        Which share of the whole study's files is tried.
    seed : int
        The same files come of the same seed.
    keep : Path, optional
        Folder that takes the files whose outcome is not fine.
    """
    whole = make_whole_files(folder / "whole", kinds)
    with Reader(folder / "whole") as reader:
        for name in kinds:
            counts = Counts()
            for number in range(round(KINDS[name].n_files * share)):
                own = folder / "damaged" / f"{number}"
                path = write_damaged(KINDS[name], whole[name], own / "in", random.Random(f"{seed} {name} {number}"))
                outcome = counts.add(f"{name} {number} {path.name}", reader.read(name, path), path)
                if keep is not None and outcome not in FINE:
                    keep.mkdir(parents=True, exist_ok=True)
                    (shutil.copytree if path.is_dir() else shutil.copy)(path, keep / f"{name}-{number}-{path.name}")
                shutil.rmtree(own)
            yield name, counts
