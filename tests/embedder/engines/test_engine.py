import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from embedder.engines import engine as engines
from embedder.engines.engine import EngineConfig, open_engine


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("spark", "host:1", 1), "`engine` must be one of local, dask, ray, got 'spark'"),
        (("local", "host:1", 1), "`address` is the cluster's for --engine dask or ray, got 'host:1' for local"),
        (("dask", None, 1), "`engine` dask needs the cluster's address, such as --address tcp://HOST:8786"),
        (("ray", None, -1), "`engine` ray needs the cluster's address, such as --address auto"),
        (("local", None, 0), r"`n_jobs` \(--jobs\) must be at least 1, or -1 for one a core, got 0"),
        (("ray", "auto", -2), r"`n_jobs` \(--jobs\) must be at least 1"),
    ],
)
def test_workers_that_cannot_be(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EngineConfig(*arguments)


def test_threads_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_THREADS", "6")
    assert EngineConfig("local", None, -1).n_jobs == 6 and EngineConfig("dask", "host:1", -1).n_jobs == -1
    assert [EngineConfig("local", None, n).threads_a_job for n in (1, 2, 4, 9)] == [6, 3, 1, 1]
    assert EngineConfig("dask", "host:1", 2).threads_a_job == 6
    monkeypatch.delenv("FACETABLE_THREADS")
    assert EngineConfig("dask", "host:1", 2).threads_a_job == 1
    assert EngineConfig("local", None, 1).is_this_process and not EngineConfig("local", None, 2).is_this_process
    assert not EngineConfig("ray", "auto", 1).is_this_process


@pytest.mark.parametrize(("engine", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_an_engine_that_is_not_installed(engine: Any, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(ValueError, match=f"needs the package `{package}`.*requirements-distributed.txt"),
        open_engine(EngineConfig(engine, "host:1", -1)),
    ):
        pass


# --- this machine ---


def pid_and_double(number: int) -> tuple[int, int]:
    return os.getpid(), 2 * number


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ValueError("not three")
    return number


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def miss_a_module(number: int) -> int:
    raise ModuleNotFoundError("No module named 'embedder'", name="embedder")


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_THREADS", "2")


def run(function: Callable[[Any], Any], shards: Any, workers: EngineConfig | None = None) -> list[Any]:
    with open_engine(workers or EngineConfig("local", None, 2)) as engine:
        return list(engine.run(function, shards))


def test_local_workers_are_other_processes_with_bounded_threads(two_threads: None) -> None:
    done = run(pid_and_double, range(10))
    assert sorted(result for _, result in done) == list(range(0, 20, 2))
    assert os.getpid() not in {pid for pid, _ in done}
    assert set(run(os.getenv, ["OMP_NUM_THREADS"])) == {"1"}
    assert run(pid_and_double, []) == []


def test_errors_of_local_workers(two_threads: None) -> None:
    with pytest.raises(ValueError, match="not three"):
        run(fail_at_three, range(5))
    with pytest.raises(ChildProcessError, match=r"a worker process was killed, .* run the same command again"):
        run(die, range(3))
    with pytest.raises(ChildProcessError, match="the cluster has no module `embedder`; install this package"):
        run(miss_a_module, range(1))


def test_a_watched_process_ends_only_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    exits: list[int] = []
    parents = iter([7, 7, 1])
    monkeypatch.setattr(engines.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(engines.os, "_exit", exits.append)
    engines._watch_parent(7, check_s=0)
    assert exits == [1] and next(parents, None) is None
