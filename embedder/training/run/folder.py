"""The folder of a run: who may write it, its settings, its checkpoints, its history.

::

    RUN/config.json            every setting, git commit, data hash, versions
    RUN/identities.txt         the classes in order
    RUN/faces.csv              every input file: size, hash, or why it was left out
    RUN/left_out.tsv           files and identities that are not trained on, with the reason
    RUN/history.csv            the metrics of every step
    RUN/evaluations.csv        verification figures of every evaluated epoch
    RUN/checkpoints/           step-N.safetensors (the last two) and best.safetensors: weights and optimizer
    RUN/weights-N.safetensors  the network alone, named by RUN/preset.json
    RUN/logs/                  TensorBoard
"""

import csv
import io
import json
import logging
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from filelock import FileLock, Timeout

from foundation.atomic import TEMPORARY_SUFFIX, atomic_path, write_bytes_atomically
from foundation.errors import FacetableError, InputError

logger = logging.getLogger(__name__)

KEPT_CHECKPOINTS = 2
_BEFORE_CONFIG = frozenset({"checkpoints", "faces.csv", "identities.txt", "left_out.tsv"})
"""What a run that was killed early may leave."""

CONFIG_FILE = "config.json"
RUN_FORMAT = "facetable-run"
"""What `CONFIG_FILE` says it is."""

CHECKPOINT_NAME = re.compile(r"step-(\d{9})\.safetensors")
_BEST = "best.safetensors"


class RunFolderError(FacetableError, ValueError):
    """A run folder that cannot be used: other settings, other data, other files, or damaged."""


class RunLockedError(FacetableError, OSError):
    """Another process is training in this folder."""


class CheckpointError(FacetableError, OSError):
    """A checkpoint that could not be written; the one before it is still there."""


class RunFolder:
    """Hold a run's folder, one process at a time; a context manager.

    Parameters
    ----------
    path : Path
        Made if it is not there.
    writes : bool
        False for workers that only read it: they hold nothing.

    Raises
    ------
    RunLockedError
        If another process holds it.
    RunFolderError
        If the folder holds something else than a run.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self.path = path
        self._checkpoints = path / "checkpoints"
        self._writes = writes
        self._lock = FileLock(path / ".lock")

    def __enter__(self) -> Self:
        if not self._writes:
            return self
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunLockedError(
                f"{self.path}: another process is training in this folder; wait for it, or choose another -o"
            ) from None
        foreign = sorted({path.name for path in self.path.iterdir() if not path.name.startswith(".")} - _BEFORE_CONFIG)
        if foreign and not self.config_path.is_file():
            self._lock.release()
            raise RunFolderError(
                f"{self.path}: expected an empty folder or that of a run, found {foreign[0]} without "
                "config.json; choose another -o"
            )
        self._checkpoints.mkdir(exist_ok=True)
        for folder in (self.path, self._checkpoints):
            for leftover in folder.glob(f".*{TEMPORARY_SUFFIX}"):
                leftover.unlink()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writes:
            self._lock.release()

    @property
    def config_path(self) -> Path:
        """The file with every setting."""
        return self.path / CONFIG_FILE

    def read_config(self) -> dict[str, Any] | None:
        """Return the settings the run was started with, None before it was.

        Raises
        ------
        RunFolderError
            If the file is damaged.
        """
        if not self.config_path.is_file():
            return None
        try:
            config = json.loads(self.config_path.read_text(encoding="utf-8"))
            if not isinstance(config["settings"], dict) or not isinstance(config["data_sha256"], str):
                raise InputError("no settings in it")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RunFolderError(
                f"{self.config_path}: expected the settings of a run, found a damaged file ({error}); choose another -o"
            ) from None
        return dict(config)

    def write_text(self, name: str, text: str) -> None:
        """Write a small file into the folder in one step."""
        write_bytes_atomically(self.path / name, text.encode("utf-8", "surrogateescape"))

    def save_checkpoint(self, arrays: dict[str, np.ndarray], *, step: int, is_best: bool) -> Path:
        """Write the state after `step` steps; keep the last two and the best.

        Raises
        ------
        CheckpointError
            If there is no room, or the file cannot be written; the message names the last good one.
        """
        from safetensors.numpy import save

        path = self._checkpoints / f"step-{step:09d}.safetensors"
        content = save({name: np.asarray(array, order="C") for name, array in arrays.items()}, {"step": str(step)})
        try:
            write_bytes_atomically(path, content)
            if is_best:
                self._keep_as_best(path)
        except OSError as error:
            raise CheckpointError(
                error.errno,
                f"step {step}: could not be written ({os.strerror(error.errno or 0)}); the last good "
                f"checkpoint is {self.describe_last()}; free some space and run the same command again",
                str(path),
            ) from error
        for old in self._all_checkpoints()[:-KEPT_CHECKPOINTS]:
            old.unlink()
        return path

    def read_last_checkpoint(self) -> tuple[int, dict[str, np.ndarray]] | None:
        """Return step and state of the last readable checkpoint, None if there is none.

        Raises
        ------
        RunFolderError
            If there are checkpoints but none can be read.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        checkpoints = self._all_checkpoints()
        for path in reversed(checkpoints):
            try:
                return _step_of(path), load_file(path)
            except (SafetensorError, OSError) as error:
                logger.warning("%s is damaged (%s); going back to the checkpoint before it", path, error)
        if checkpoints:
            raise RunFolderError(
                f"{self._checkpoints}: expected a readable checkpoint, found {len(checkpoints)} damaged; "
                "start again in another -o"
            )
        return None

    def describe_last(self) -> str:
        """Return the path of the last checkpoint, or that there is none."""
        checkpoints = self._all_checkpoints()
        return str(checkpoints[-1]) if checkpoints else "none (the run begins anew)"

    def _keep_as_best(self, path: Path) -> None:
        best = self._checkpoints / _BEST
        with atomic_path(best) as temporary:
            try:
                temporary.hardlink_to(path)
            except OSError:
                # A file system without hard links.
                temporary.write_bytes(path.read_bytes())

    def _all_checkpoints(self) -> list[Path]:
        if not self._checkpoints.is_dir():
            return []
        return sorted(path for path in self._checkpoints.iterdir() if CHECKPOINT_NAME.fullmatch(path.name))


class CsvLog:
    """Append rows to a CSV file, one a step; rows from `first_step` on, left by a run that was killed, are cut off.

    Each row is flushed, so that a killed run shows how far it came.

    Parameters
    ----------
    path : Path
    columns : tuple of str
        After ``step``, which is the first.
    first_step : int
        Step the run goes on with, from 0.
    """

    def __init__(self, path: Path, columns: tuple[str, ...], *, first_step: int) -> None:
        rows = _rows_before(path, first_step)
        self._columns = columns
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(("step", *columns))
        writer.writerows(rows)
        write_bytes_atomically(path, text.getvalue().encode("utf-8"))
        self._file = path.open("a", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)

    def add(self, step: int, values: dict[str, float]) -> None:
        """Write one row."""
        self._writer.writerow((step, *(repr(values[column]) for column in self._columns)))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _rows_before(path: Path, step: int) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    width = max((len(row) for row in rows), default=0)
    # The last row of a killed run may be cut short.
    return [row for row in rows if len(row) == width and row[0].isdigit() and int(row[0]) < step]


def _step_of(path: Path) -> int:
    match = CHECKPOINT_NAME.fullmatch(path.name)
    return int(match[1]) if match else 0
