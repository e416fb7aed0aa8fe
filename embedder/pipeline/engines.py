"""Who does the shards of a run: worker processes of this machine, or those of a Dask or Ray cluster.

Every engine is joblib's backend of that name: scheduling, moving tasks off dead workers and scaling are theirs.
"""

import asyncio
import contextlib
import importlib.util
import itertools
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args

import joblib

from foundation.threads import THREADS_VARIABLE, thread_count

logger = logging.getLogger(__name__)

EngineName = Literal["local", "dask", "ray"]

ENGINES = get_args(EngineName)

ALL_WORKERS = -1

_PACKAGES = {"dask": "distributed", "ray": "ray"}
_EXAMPLES = {"dask": "tcp://HOST:8786", "ray": "auto"}

_AS_THEY_GET_DONE = {"return_as": "generator_unordered"}

_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")

_SECONDS_TO_CONNECT = 10
_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_BETWEEN_COLLECTIONS = 0.01
_SECONDS_BETWEEN_COUNTS = 10
_IDLE_SECONDS = 10

# What waits at Dask's scheduler: enough that it can add workers, few enough that 100 million photos fit into memory.
_SHARDS_AT_THE_SCHEDULER = 1000
_SHARDS_A_WORKER_AND_WAVE = 16


@dataclass(frozen=True)
class EngineConfig:
    """Where shards run: the engine, its address and how many at once.

    Attributes
    ----------
    engine : {"local", "dask", "ray"}
        ``local``: new processes of this machine (loky), never forks, that end with this process and need no main guard
        in the caller's script.
    address : str or None
        Where the Dask scheduler (``tcp://host:8786``) or the Ray cluster (``auto``, ``host:6379``) is.
    n_jobs : int
        Shards done at once, at least 1; -1: one a core of this machine, or as many as the cluster has workers.

    Raises
    ------
    ValueError
        If `engine` is unknown, `address` is missing or given for ``local``, or `n_jobs` is 0 or below -1.
    """

    engine: EngineName
    address: str | None
    n_jobs: int

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ValueError(f"`engine` must be one of {', '.join(ENGINES)}, got {self.engine!r}")
        if self.engine == "local" and self.address is not None:
            raise ValueError(
                f"`address` is the cluster's for --engine dask or ray, got {self.address!r} for local; "
                "leave it out or name the engine"
            )
        if self.engine != "local" and self.address is None:
            raise ValueError(
                f"`engine` {self.engine} needs the cluster's address, such as --address {_EXAMPLES[self.engine]}"
            )
        if self.n_jobs < 1 and self.n_jobs != ALL_WORKERS:
            raise ValueError(f"`n_jobs` (--jobs) must be at least 1, or -1 for one a core, got {self.n_jobs}")
        if self.engine == "local" and self.n_jobs == ALL_WORKERS:
            object.__setattr__(self, "n_jobs", thread_count())

    @property
    def is_this_process(self) -> bool:
        """Return whether no other process is needed."""
        return self.engine == "local" and self.n_jobs == 1

    @property
    def threads_a_job(self) -> int:
        """Return the threads of each job: this machine's are shared out; elsewhere one, or what the user says."""
        if self.engine == "local":
            return max(1, thread_count() // self.n_jobs)
        return thread_count() if THREADS_VARIABLE in os.environ else 1


@dataclass(frozen=True)
class Engine:
    """An open connection to workers.

    Attributes
    ----------
    name : {"local", "dask", "ray"}
    n_workers : int
        How many shards are done at once, as far as is known when the run begins.
    """

    name: EngineName
    n_workers: int
    _options: dict[str, Any] = field(default_factory=dict)

    def run(self, function: Callable[[_Shard], _Result], shards: Sequence[_Shard]) -> Iterator[_Result]:
        """Yield ``function(shard)`` for each of `shards`, in any order, as they get done.

        Raises
        ------
        ChildProcessError
            If a worker was killed and nobody else could do its shard, or workers cannot import this package.
        Exception
            What `function` raises.
        """
        tasks = (joblib.delayed(function)(shard) for shard in shards)
        with _worker_errors(), joblib.Parallel(batch_size=1, **self._options) as parallel:
            if self.name != "ray":
                yield from parallel(tasks)
                return
            # Ray's backend gives nothing back before all is done, so it gets the shards in waves.
            while wave := list(itertools.islice(tasks, _SHARDS_A_WORKER_AND_WAVE * self.n_workers)):
                yield from parallel(wave)


@contextlib.contextmanager
def open_engine(config: EngineConfig) -> Iterator[Engine]:
    """Connect to the workers that `config` names; disconnect at the end.

    Raises
    ------
    ValueError
        If the engine's package is not installed.
    ConnectionError
        If nobody answers at the address, or no worker is there.
    """
    if config.engine == "local":
        with joblib.parallel_config(
            backend="loky",
            n_jobs=config.n_jobs,
            inner_max_num_threads=config.threads_a_job,
            idle_worker_timeout=_IDLE_SECONDS,
        ):
            yield Engine("local", config.n_jobs, {**_AS_THEY_GET_DONE, "pre_dispatch": config.n_jobs})
        return
    package = _PACKAGES[config.engine]
    if importlib.util.find_spec(package) is None:
        raise ValueError(
            f"`engine` {config.engine} needs the package `{package}`, which is not installed; run: pip "
            "install -r requirements-distributed.txt"
        )
    connect = _dask if config.engine == "dask" else _ray
    with connect(str(config.address), config.n_jobs) as engine:
        yield engine


@contextlib.contextmanager
def _dask(address: str, n_jobs: int) -> Iterator[Engine]:
    from distributed import Client

    try:
        client = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(_no_answer("a Dask scheduler", address, error)) from error
    with contextlib.closing(client), _quiet("distributed"):
        n_workers = sum(client.ncores().values())
        if not n_workers:
            raise ConnectionError(
                f"{address}: expected Dask workers at this scheduler, found none; start some with "
                f"`dask worker {address} --nthreads 1`"
            )
        with _worker_errors():
            # A worker that cannot unpickle a task dies of it, so this is found out before.
            client.run_on_scheduler(importlib.import_module, __package__)
            client.run(importlib.import_module, __package__)
        at_once = max(_SHARDS_AT_THE_SCHEDULER, 2 * n_workers) if n_jobs == ALL_WORKERS else n_jobs
        with joblib.parallel_config(backend=_dask_backend(client), n_jobs=at_once):
            yield Engine(
                "dask", n_workers if n_jobs == ALL_WORKERS else n_jobs, {**_AS_THEY_GET_DONE, "pre_dispatch": at_once}
            )


def _dask_backend(client: Any) -> Any:
    """Return joblib's Dask backend, mended: it waits for ever for a task that fails outside of its own code.

    Such are tasks whose workers were killed again and again, and those that a worker or the scheduler cannot unpickle.
    """
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):
        def effective_n_jobs(self, n_jobs: int) -> int:
            # For 1 joblib would do everything in this process instead of the one worker.
            return max(2, super().effective_n_jobs(n_jobs))

        def start_call(self) -> None:
            super().start_call()
            self.client.loop.add_callback(self._watch_workers)

        async def _watch_workers(self) -> None:
            while self._continue:
                await asyncio.sleep(_SECONDS_BETWEEN_COUNTS)
                with contextlib.suppress(OSError, AttributeError):  # the connection is lost: said elsewhere
                    if self._continue and not await self.client.scheduler.ncores():
                        logger.warning("no Dask worker is left, waiting for new ones; Ctrl-C keeps what is done")
                        return

        async def _collect(self) -> None:
            while self._continue:
                async for future, result in self.waiting_futures:
                    self._results.pop(future).set_result(None)
                    failed = future.status != "finished"
                    self._callbacks.pop(future)(_TaskError(result) if failed else result)
                await asyncio.sleep(_SECONDS_BETWEEN_COLLECTIONS)

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, _TaskError):
                raise out.error
            return super().retrieve_result_callback(out)

    return Backend(client=client)


class _TaskError:
    """What Dask says of a task that failed outside of its own code."""

    def __init__(self, result: Any) -> None:
        error = result[1] if isinstance(result, tuple) else result
        self.error = error if isinstance(error, BaseException) else ConnectionError(f"a shard was lost ({error})")


@contextlib.contextmanager
def _ray(address: str, n_jobs: int) -> Iterator[Engine]:
    import ray
    from ray.util.joblib import register_ray

    try:
        _check_answers(address)  # Ray itself goes on trying for minutes
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConnectionError(_no_answer("a Ray cluster", address, error)) from error
    try:
        n_workers = int(ray.cluster_resources().get("CPU", 0)) if n_jobs == ALL_WORKERS else n_jobs
        if not n_workers:
            raise ConnectionError(
                f"{address}: expected CPUs in this Ray cluster, found none; start a worker with "
                "`ray start --address=HEAD:6379`"
            )
        register_ray()
        # Without these a dead worker's shard is lost: Ray's joblib backend does not begin it again by itself.
        restarts = {"max_restarts": -1, "max_task_retries": -1}
        # What its daemon reports would go to standard output, where only results belong.
        with (
            contextlib.redirect_stdout(sys.stderr),
            joblib.parallel_config(backend="ray", n_jobs=n_workers, ray_remote_args=restarts),
        ):
            yield Engine("ray", n_workers)
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _quiet(package: str) -> Iterator[None]:
    """Keep a package from logging tracebacks of what is raised here in one line anyway."""
    names = [name for name in logging.root.manager.loggerDict if f"{name}.".startswith(f"{package}.")]
    levels = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _check_answers(address: str) -> None:
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_SECONDS_TO_CONNECT).close()


def _no_answer(what: str, address: str, error: Exception) -> str:
    return (
        f"{address}: expected {what}, got no answer ({' '.join(str(error).split())}); check the address and that "
        "it is running"
    )


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
        if type(error).__name__ == "FutureCancelledError":
            raise ConnectionError(
                "the connection to Dask's scheduler was lost; run the same command again to go on"
            ) from error
        if type(error).__name__ not in _DEAD_WORKER_ERRORS:
            raise
        raise ChildProcessError(
            "a worker process was killed, perhaps for lack of memory; run the same command again "
            "to go on, with fewer --jobs"
        ) from error


_DEAD_WORKER_ERRORS = ("TerminatedWorkerError", "KilledWorker", "ActorDiedError", "RayActorError")
"""Of loky, Dask and Ray; by name, because two of the three need not be installed."""


@lru_cache(maxsize=1)
def exit_with_parent(parent: int) -> None:
    """Make this worker process end soon after process `parent`, its parent, has; only POSIX tells."""
    if os.name == "posix":
        threading.Thread(target=_watch, args=(parent,), daemon=True, name="parent-watch").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os._exit(1)
