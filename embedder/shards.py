"""Work cut into shards: idempotent tasks that any process can do, each writing its own part files."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import joblib

from embedder.part_writer import MAX_PHOTOS_A_PART

logger = logging.getLogger(__name__)

_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")

_SHARDS_A_JOB = 4
_MIN_PHOTOS_A_SHARD = 16
_SECONDS_BETWEEN_LOOKS = 0.5
_IDLE_SECONDS = 10


@dataclass(frozen=True)
class Progress:
    """What a piece of work adds to the counts: photos, faces, and photos that failed."""

    n_photos: int
    n_faces: int
    n_failed: int

    def __add__(self, other: "Progress") -> "Progress":
        return Progress(self.n_photos + other.n_photos, self.n_faces + other.n_faces, self.n_failed + other.n_failed)


def cut_into_shards(paths: Sequence[Path], n_jobs: int) -> list[tuple[Path, ...]]:
    """Cut `paths` into shards, small enough that `n_jobs` workers end together and at most one part large.

    >>> [len(shard) for shard in cut_into_shards([Path("a.jpg")] * 100, 2)]
    [16, 16, 16, 16, 16, 16, 4]
    """
    size = -(-len(paths) // (n_jobs * _SHARDS_A_JOB))
    size = min(max(size, _MIN_PHOTOS_A_SHARD), MAX_PHOTOS_A_PART)
    return [tuple(paths[start:start + size]) for start in range(0, len(paths), size)]


def run_shards(
    function: Callable[[_Shard], _Result], shards: Sequence[_Shard], *, n_jobs: int, threads_a_job: int
) -> Iterator[_Result]:
    """Yield ``function(shard)`` for each of `shards` from `n_jobs` worker processes, as they get done.

    The workers are new processes (loky), never forks, and need no main guard in the caller's script.

    Raises
    ------
    ChildProcessError
        If a worker was killed.
    Exception
        What `function` raises.
    """
    with joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=threads_a_job,
                                idle_worker_timeout=_IDLE_SECONDS):
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch=n_jobs)
        try:
            yield from parallel(joblib.delayed(function)(shard) for shard in shards)
        except joblib.externals.loky.process_executor.TerminatedWorkerError as error:
            raise ChildProcessError("a worker process was killed, perhaps for lack of memory; run the same command "
                                    "again to go on, with fewer --jobs") from error


@lru_cache(maxsize=1)
def end_with_parent(parent: int) -> None:
    """Make this worker process end soon after process `parent`, its parent, has; only POSIX tells."""
    if os.name == "posix":
        threading.Thread(target=_watch, args=(parent,), daemon=True, name="parent-watch").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os._exit(1)
