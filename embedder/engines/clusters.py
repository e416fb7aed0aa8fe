"""Dask and Ray clusters that run shards, over the clients these packages publish.

A bounded number of shards is submitted at a time, and each result is handed back as soon as it is there, in any order.
Which worker gets a shard, and who does those of a dead worker again, the cluster decides; a worker that joins during a
run gets its share at once. Where a run's code or data cannot be read is an error of its shard like any other.
"""

import contextlib
import importlib
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from distributed import Client

    from embedder.engines.engine import EngineConfig

logger = logging.getLogger(__name__)

Shard = TypeVar("Shard")
Result = TypeVar("Result")

_RAY_RETRIES = 3
"""How often a shard whose worker died is begun again: as often as Dask's scheduler does unless it is configured
otherwise. A photo that kills every worker then ends the run instead of going round for ever."""


_LOST_CONNECTION = (OSError, RuntimeError, AttributeError, CancelledError)
"""What a Dask client raises whose connection is lost or being closed."""


class Cluster(Protocol):
    """Workers that are connected."""

    n_workers: int

    def map_unordered(self, function: Callable[[Shard], Result], shards: Sequence[Shard]) -> Iterator[Result]:
        """Yield ``function(shard)`` for each of `shards`, in any order, as they get done."""
        ...


class DaskCluster:
    """The workers of a Dask scheduler."""

    def __init__(self, client: "Client", n_workers: int, *, max_pending: int, worker_check_s: float) -> None:
        self.n_workers = n_workers
        self._client = client
        self._max_pending = max_pending
        self._worker_check_s = worker_check_s

    def map_unordered(self, function: Callable[[Shard], Result], shards: Sequence[Shard]) -> Iterator[Result]:
        """Yield ``function(shard)`` for each of `shards`, in any order, as they get done."""
        from distributed import as_completed

        # Not `pure`: the same shard may be done in another run, and then it is to be done again.
        submit = partial(self._client.submit, function, pure=False)
        waiting = iter(shards)
        completed = as_completed([submit(shard) for shard in islice(waiting, self._max_pending)], self._client.loop)
        with self._warning_without_workers():
            for future in completed:
                completed.update([submit(shard) for shard in islice(waiting, 1)])
                yield future.result()

    @contextlib.contextmanager
    def _warning_without_workers(self) -> Iterator[None]:
        """Log once, while this is entered, that no worker is left."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(self._worker_check_s):
                try:
                    if self._client.ncores():
                        continue
                except _LOST_CONNECTION:  # whoever waits for results is told
                    return
                if not ended.is_set():
                    logger.warning("no Dask worker is left, waiting for new ones; Ctrl-C keeps what is done")
                return

        threading.Thread(target=watch, daemon=True, name="dask-worker-check").start()
        try:
            yield
        finally:
            ended.set()


@contextlib.contextmanager
def connect_dask(config: "EngineConfig") -> Iterator[DaskCluster]:
    """Connect to the Dask scheduler at `config.address`; disconnect at the end.

    Raises
    ------
    ConnectionError
        If nobody answers, or the scheduler has no worker.
    ModuleNotFoundError
        If this package is not installed on the scheduler or on a worker.
    """
    from distributed import Client

    address = str(config.address)
    try:
        client = Client(address, timeout=config.connect_timeout_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(_no_answer("a Dask scheduler", address, error)) from error
    with contextlib.closing(client), _quiet("distributed"):
        n_workers = sum(client.ncores().values())
        if not n_workers:
            raise ConnectionError(
                f"{address}: expected Dask workers at this scheduler, found none; start some with "
                f"`dask worker {address} --nthreads 1`"
            )
        # A worker that cannot unpickle a task dies of it, so this is found out before.
        client.run_on_scheduler(importlib.import_module, __package__)
        client.run(importlib.import_module, __package__)
        n_workers = config.concurrency(n_workers)
        yield DaskCluster(
            client, n_workers, max_pending=config.max_pending(n_workers), worker_check_s=config.worker_check_s
        )


class RayCluster:
    """The workers of a Ray cluster that this process is connected to."""

    def __init__(self, n_workers: int, *, max_pending: int) -> None:
        self.n_workers = n_workers
        self._max_pending = max_pending

    def map_unordered(self, function: Callable[[Shard], Result], shards: Sequence[Shard]) -> Iterator[Result]:
        """Yield ``function(shard)`` for each of `shards`, in any order, as they get done."""
        import ray
        from ray import cloudpickle

        # A nested function is sent as its code, so that it runs on a worker that lacks this package or cannot read the
        # shard: the error is then raised inside of the task and says what is missing.
        def run_pickled(function: bytes, shard: bytes) -> Any:
            import pickle

            return pickle.loads(function)(pickle.loads(shard))

        task = ray.remote(run_pickled).options(name="facetable-shard", num_cpus=1, max_retries=_RAY_RETRIES)
        pickled = cloudpickle.dumps(function)

        def submit(shard: Shard) -> Any:
            return task.remote(pickled, cloudpickle.dumps(shard))

        waiting = iter(shards)
        pending = [submit(shard) for shard in islice(waiting, self._max_pending)]
        while pending:
            (done, *_), pending = ray.wait(pending, num_returns=1)
            pending += [submit(shard) for shard in islice(waiting, 1)]
            try:
                yield ray.get(done)
            except ray.exceptions.RayTaskError as error:
                # Ray's own error shows the worker's whole traceback as its message.
                raise (error.cause if isinstance(error.cause, Exception) else error) from error


@contextlib.contextmanager
def connect_ray(config: "EngineConfig") -> Iterator[RayCluster]:
    """Connect to the Ray cluster at `config.address`; disconnect at the end.

    Raises
    ------
    ConnectionError
        If nobody answers, or the cluster has no CPU.
    """
    import ray

    address = str(config.address)
    try:
        _check_answers(address, timeout_s=config.connect_timeout_s)  # Ray itself goes on trying for minutes
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConnectionError(_no_answer("a Ray cluster", address, error)) from error
    try:
        n_workers = config.concurrency(int(ray.cluster_resources().get("CPU", 0)))
        if not n_workers:
            raise ConnectionError(
                f"{address}: expected CPUs in this Ray cluster, found none; start a worker with "
                "`ray start --address=HEAD:6379`"
            )
        # What its daemon reports would go to standard output, where only results belong.
        with contextlib.redirect_stdout(sys.stderr):
            yield RayCluster(n_workers, max_pending=config.max_pending(n_workers))
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


def _check_answers(address: str, *, timeout_s: float) -> None:
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=timeout_s).close()


def _no_answer(what: str, address: str, error: Exception) -> str:
    return (
        f"{address}: expected {what}, got no answer ({' '.join(str(error).split())}); check the address and that "
        "it is running"
    )
