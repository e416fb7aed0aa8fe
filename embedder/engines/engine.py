"""Execution backends for shards: processes of this machine, or the workers of a Dask or Ray cluster."""

import contextlib
import importlib.util
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar, get_args

import joblib

from embedder.engines.clusters import Cluster, connect_dask, connect_ray
from foundation.errors import InputError
from foundation.threads import THREADS_VARIABLE, thread_count

EngineName = Literal["local", "dask", "ray"]

ENGINES = get_args(EngineName)

ALL_WORKERS = -1

_PACKAGES = {"dask": "distributed", "ray": "ray"}
_EXAMPLES = {"dask": "tcp://HOST:8786", "ray": "auto"}

_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")

_IDLE_SECONDS = 10
"""How long a local worker process with nothing to do stays. A run begun in that time finds it ready; loky's own five
minutes would hold its memory as long."""

_PARENT_CHECK_S = 0.5


@dataclass(frozen=True)
class EngineConfig:
    """Where shards run, and how many at once.

    Attributes
    ----------
    engine : {"local", "dask", "ray"}
        ``local``: new processes of this machine (loky), never forks, that end with this process and need no main guard
        in the caller's script.
    address : str or None
        Where the Dask scheduler (``tcp://host:8786``) or the Ray cluster (``auto``, ``host:6379``) is.
    n_jobs : int
        Shards done at once, at least 1; -1: one a core of this machine, or as many as the cluster has workers.
    connect_timeout_s : float
        Seconds until nobody is taken to be at `address`; a longer wait helps only where the network is slow.
    worker_check_s : float
        Seconds between two looks at whether Dask still has workers; each asks the scheduler.
    max_pending_shards : int
        Shards that wait at a cluster where `n_jobs` is -1. Enough that a cluster sees the need for more workers, few
        enough that a hundred million photos fit into the scheduler's memory.

    Raises
    ------
    ValueError
        If `engine` is unknown, `address` is missing or given for ``local``, or `n_jobs` is 0 or below -1.
    """

    engine: EngineName
    address: str | None
    n_jobs: int
    connect_timeout_s: float = 10.0
    worker_check_s: float = 10.0
    max_pending_shards: int = 1000

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise InputError(f"`engine` must be one of {', '.join(ENGINES)}, got {self.engine!r}")
        if self.engine == "local" and self.address is not None:
            raise InputError(
                f"`address` is the cluster's for --engine dask or ray, got {self.address!r} for local; "
                "leave it out or name the engine"
            )
        if self.engine != "local" and self.address is None:
            raise InputError(
                f"`engine` {self.engine} needs the cluster's address, such as --address {_EXAMPLES[self.engine]}"
            )
        if self.n_jobs < 1 and self.n_jobs != ALL_WORKERS:
            raise InputError(f"`n_jobs` (--jobs) must be at least 1, or -1 for one a core, got {self.n_jobs}")
        if self.engine == "local" and self.n_jobs == ALL_WORKERS:
            object.__setattr__(self, "n_jobs", thread_count())

    @property
    def is_this_process(self) -> bool:
        """Whether no other process is needed."""
        return self.engine == "local" and self.n_jobs == 1

    @property
    def threads_a_job(self) -> int:
        """Threads of each job: this machine's are shared out; elsewhere one, or what the user says."""
        if self.engine == "local":
            return max(1, thread_count() // self.n_jobs)
        return thread_count() if THREADS_VARIABLE in os.environ else 1

    def concurrency(self, n_workers: int) -> int:
        """Return how many shards a cluster of `n_workers` does at once."""
        return n_workers if self.n_jobs == ALL_WORKERS else self.n_jobs

    def max_pending(self, n_workers: int) -> int:
        """Return how many shards are submitted to a cluster of `n_workers` and not yet done, at most."""
        return max(self.max_pending_shards, 2 * n_workers) if self.n_jobs == ALL_WORKERS else self.n_jobs


@dataclass(frozen=True)
class Engine:
    """Workers that are ready.

    Attributes
    ----------
    n_workers : int
        How many shards are done at once, as far as is known when the run begins.
    """

    n_workers: int
    _workers: Cluster

    def run(self, function: Callable[[_Shard], _Result], shards: Sequence[_Shard]) -> Iterator[_Result]:
        """Yield ``function(shard)`` for each of `shards`, in any order, as they get done.

        Raises
        ------
        ChildProcessError
            If a worker was killed and nobody else could do its shard, or workers cannot import this package.
        ConnectionError
            If the connection to the cluster is lost.
        Exception
            What `function` raises.
        """
        with _worker_errors():
            yield from self._workers.map_unordered(function, shards)


class LocalProcesses:
    """Processes of this machine, started as they are needed."""

    def __init__(self, config: EngineConfig) -> None:
        self.n_workers = config.n_jobs
        self._threads = config.threads_a_job

    def map_unordered(self, function: Callable[[_Shard], _Result], shards: Sequence[_Shard]) -> Iterator[_Result]:
        """Yield ``function(shard)`` for each of `shards`, in any order, as they get done."""
        with (
            joblib.parallel_config(
                backend="loky",
                n_jobs=self.n_workers,
                inner_max_num_threads=self._threads,
                idle_worker_timeout=_IDLE_SECONDS,
            ),
            joblib.Parallel(batch_size=1, return_as="generator_unordered", pre_dispatch=self.n_workers) as parallel,
        ):
            yield from parallel(joblib.delayed(function)(shard) for shard in shards)


@contextlib.contextmanager
def open_engine(config: EngineConfig) -> Iterator[Engine]:
    """Connect to the workers that `config` names; disconnect at the end.

    Raises
    ------
    ValueError
        If the engine's package is not installed.
    ConnectionError
        If nobody answers at the address, or no worker is there.
    ChildProcessError
        If workers cannot import this package.
    """
    if config.engine == "local":
        yield Engine(config.n_jobs, LocalProcesses(config))
        return
    package = _PACKAGES[config.engine]
    if importlib.util.find_spec(package) is None:
        raise InputError(
            f"`engine` {config.engine} needs the package `{package}`, which is not installed; run: pip "
            "install -r requirements-distributed.txt"
        )
    connectors: dict[str, Callable[[EngineConfig], contextlib.AbstractContextManager[Cluster]]]
    connectors = {"dask": connect_dask, "ray": connect_ray}
    with contextlib.ExitStack() as stack:
        with _worker_errors():
            cluster = stack.enter_context(connectors[config.engine](config))
        yield Engine(cluster.n_workers, cluster)


_DEAD_WORKER_ERRORS = (
    "TerminatedWorkerError",
    "KilledWorker",
    "WorkerCrashedError",
    "NodeDiedError",
    "OutOfMemoryError",
)
"""Of loky, Dask and Ray; by name, because two of the three need not be installed."""

_LOST_SCHEDULER_ERRORS = ("FutureCancelledError", "ClosedClientError")
"""Of Dask."""


@contextlib.contextmanager
def _worker_errors() -> Iterator[None]:
    """Turn what the backends raise for dead or unfit workers into a `ChildProcessError` that says what to do."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ChildProcessError(
            f"the cluster has no module `{error.name}`; install this package and its requirements "
            "on all workers, and Dask's scheduler"
        ) from error
    except Exception as error:
        if "deserialization of the task graph" in str(error):
            raise ChildProcessError(
                "Dask's scheduler cannot read a task; install there the packages that are here, of the same versions"
            ) from error
        if type(error).__name__ in _LOST_SCHEDULER_ERRORS:
            raise ConnectionError(
                "the connection to Dask's scheduler was lost; run the same command again to go on"
            ) from error
        if type(error).__name__ not in _DEAD_WORKER_ERRORS:
            raise
        raise ChildProcessError(
            "a worker process was killed, perhaps for lack of memory; run the same command again "
            "to go on, with fewer --jobs"
        ) from error


@lru_cache(maxsize=1)
def exit_with_parent(parent: int) -> None:
    """Make this worker process exit soon after its parent, process `parent`, has; only POSIX tells."""
    if os.name == "posix":
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True, name="parent-watch").start()


def _watch_parent(parent: int, *, check_s: float = _PARENT_CHECK_S) -> None:
    while os.getppid() == parent:
        time.sleep(check_s)
    os._exit(1)
