import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.commands.main import main
from embedder.engines.engine import EngineConfig, open_engine
from embedder.pipeline.runner import update_table
from embedder.pipeline.settings import EmbedSettings
from embedder.tables.table import EmbeddingTable
from foundation.errors import FingerprintError
from tests import PROJECT
from tests.embedder.engines.test_engine import die, fail_at_three, miss_a_module, pid_and_double, run
from tests.embedder.fakes import FakeDetector, FakeEmbedder, write_photo
from tests.embedder.runs import same

needs_dask = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="Dask is not installed")
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def process(command: list[str], folder: Path, **environment: str) -> Iterator[subprocess.Popen]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.txt").open("w") as log:
        started = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ | environment)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.1)


class DaskCluster:
    """A scheduler and workers as processes of their own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        port = free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        wait_until(lambda: answers(port))

    def _start(self, what: str, *options: str, prefix: tuple[str, ...] = (), path: Path = PROJECT) -> subprocess.Popen:
        command = [*prefix, sys.executable, "-m", "distributed.cli.dask_" + what, *options]
        folder = self._folder / f"{what}{len(list(self._folder.glob('*')))}"
        return self._stack.enter_context(process(command, folder, PYTHONPATH=str(path)))

    def add_worker(self, **options: Any) -> subprocess.Popen:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            n_workers = len(client.ncores())
            worker = self._start("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", **options)
            client.wait_for_workers(n_workers + 1, timeout=60)
        return worker


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[DaskCluster]:
    with ExitStack() as stack:
        yield DaskCluster(tmp_path / "dask", stack)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    for i in range(40):
        write_photo(root / f"person {i % 4}" / f"{i}.png", i % 4, green=i)
    return root


class Slow(FakeDetector):
    """Takes its time, so that there is something to kill."""

    def detect_batch(self, images: Any) -> Any:
        time.sleep(0.05 * len(images))
        return super().detect_batch(images)


def embed(photos: Path, out: Path, engine: Any = "local", address: str | None = None, **options: Any) -> EmbeddingTable:
    n_jobs = -1 if address else 1
    update_table(
        photos,
        out,
        EmbedSettings(),
        engine=engine,
        address=address,
        n_jobs=options.pop("n_jobs", n_jobs),
        detector=options.pop("detector", FakeDetector()),
        embedder=FakeEmbedder(),
    )
    return EmbeddingTable.read(out)


@needs_dask
def test_dask_workers_give_the_same_table_though_one_is_killed(photos: Path, tmp_path: Path, dask: DaskCluster) -> None:
    first, _ = dask.add_worker(), dask.add_worker()
    out = tmp_path / "t.h5"
    script = (
        f"from pathlib import Path; from tests.embedder.engines.test_clusters import Slow, embed; "
        f"embed(Path({str(photos)!r}), Path({str(out)!r}), 'dask', {dask.address!r}, detector=Slow())"
    )
    with process([sys.executable, "-c", script], tmp_path / "run", PYTHONPATH=str(PROJECT)) as running:
        wait_until(lambda: bool(list(tmp_path.glob("t.h5.parts/*.h5"))) or running.poll() is not None)
        first.kill()
        assert running.wait(60) == 0, (tmp_path / "run" / "log.txt").read_text()
    assert same(EmbeddingTable.read(out), embed(photos, tmp_path / "alone.h5"))


@needs_dask
def test_dask_workers_that_cannot_do_the_run(photos: Path, tmp_path: Path, dask: DaskCluster) -> None:
    out = tmp_path / "t.h5"
    with pytest.raises(ConnectionError, match="expected Dask workers at this scheduler, found none"):
        embed(photos, out, "dask", dask.address)
    for package in ("foundation", "embedder", "tests"):
        shutil.copytree(PROJECT / package, tmp_path / "older" / package, ignore=shutil.ignore_patterns("__pycache__"))
    init = tmp_path / "older" / "foundation" / "__init__.py"
    init.write_text(init.read_text().replace('__version__ = "', '__version__ = "0.0.'))
    older = dask.add_worker(path=tmp_path / "older")
    with pytest.raises(FingerprintError, match=r"expected the run's networks and packages, .* facetable .* 0\.0\."):
        embed(photos, out, "dask", dask.address)
    older.kill()
    older.wait()
    without = dask.add_worker(path=tmp_path)
    with pytest.raises(ChildProcessError, match="the cluster has no module `embedder`; install this package"):
        embed(photos, out, "dask", dask.address)
    without.kill()
    without.wait()
    dask.add_worker(prefix=("sh", "-c", 'ulimit -f 8; exec "$@"', "sh"))
    with pytest.raises(OSError, match="no room to write it"):
        embed(photos, out, "dask", dask.address)
    assert not out.exists()
    assert len(embed(photos, out)) == 60


@needs_dask
def test_a_dask_scheduler_that_goes_away(photos: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        cluster = DaskCluster(tmp_path / "dask", stack)
        cluster.add_worker()
        with (
            pytest.raises(ConnectionError, match="connection to Dask's scheduler was lost; run the same command again"),
            open_engine(EngineConfig("dask", cluster.address, -1)) as engine,
        ):
            for _ in engine.run(time.sleep, [0.01, 5, 5]):
                stack.close()


@needs_dask
def test_a_run_waits_for_new_dask_workers(dask: DaskCluster, caplog: pytest.LogCaptureFixture) -> None:
    worker = dask.add_worker()
    with open_engine(EngineConfig("dask", dask.address, -1, worker_check_s=0.5)) as engine:
        done = engine.run(pid_and_double, range(200))
        next(done)
        worker.kill()
        wait_until(lambda: "no Dask worker is left, waiting for new ones" in caplog.text)
        dask.add_worker()
        assert len(list(done)) == 199


class Unreadable:
    def __reduce__(self):
        return int, ("no number",)


@needs_dask
def test_dask_errors_outside_of_the_task_are_raised(dask: DaskCluster) -> None:
    dask.add_worker()
    with pytest.raises((ValueError, ChildProcessError), match=r"no number|cannot read a task"):
        run(str, [Unreadable()], EngineConfig("dask", dask.address, -1))


@pytest.mark.parametrize(
    ("engine", "address"),
    [
        pytest.param("dask", "tcp://127.0.0.1:{port}", marks=needs_dask),
        pytest.param("dask", "nonsense://x", marks=needs_dask),
        pytest.param("ray", "127.0.0.1:{port}", marks=needs_ray),
    ],
)
def test_an_address_that_does_not_answer(
    photos: Path,
    tmp_path: Path,
    engine: str,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from embedder.pipeline import runner, worker

    monkeypatch.setattr(runner, "EngineConfig", partial(EngineConfig, connect_timeout_s=1))
    monkeypatch.setattr(worker, "_load_detector", lambda *_: FakeDetector())
    monkeypatch.setattr(worker, "_load_embedder", lambda *_: FakeEmbedder())
    address = address.format(port=free_port())
    table = ["-o", str(tmp_path / "t.h5"), "--preset", "facenet-casia-20180408"]
    assert main(["embed", str(photos), *table, "--engine", engine, "--address", address]) == 2
    errors = capsys.readouterr().err
    assert f"error: {address}: expected a " in errors and "got no answer" in errors
    assert len([line for line in errors.splitlines() if line]) == 1


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a Ray cluster of two workers as processes of its own and return its address."""
    folder, port = tmp_path_factory.mktemp("ray"), free_port()
    command = [
        str(Path(sys.executable).with_name("ray")),
        "start",
        "--head",
        "--block",
        "--num-cpus",
        "2",
        "--node-ip-address",
        "127.0.0.1",
        "--port",
        str(port),
        "--min-worker-port",
        "0",
        "--max-worker-port",
        "0",
        "--ray-client-server-port",
        str(free_port()),
        "--include-dashboard",
        "false",
        "--disable-usage-stats",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_worker_niceness", "0")
        with process(command, folder, PYTHONPATH=str(PROJECT)):
            log = folder / "log.txt"
            wait_until(lambda: "Ray runtime started" in log.read_text() or "Error" in log.read_text())
            assert answers(port), log.read_text()
            yield f"127.0.0.1:{port}"


@needs_ray
def test_ray_workers_give_the_same_table_though_one_is_killed(photos: Path, tmp_path: Path, ray: str) -> None:
    out = tmp_path / "t.h5"
    script = (
        f"from pathlib import Path; from tests.embedder.engines.test_clusters import Slow, embed; "
        f"embed(Path({str(photos)!r}), Path({str(out)!r}), 'ray', {ray!r}, detector=Slow()); print('done')"
    )
    with process([sys.executable, "-c", script], tmp_path / "run", PYTHONPATH=str(PROJECT)) as running:
        wait_until(lambda: bool(list(tmp_path.glob("t.h5.parts/*.h5"))) or running.poll() is not None)
        os.kill(pid_of_a_ray_worker(), signal.SIGKILL)
        assert running.wait(100) == 0, (tmp_path / "run" / "log.txt").read_text()
    assert same(EmbeddingTable.read(out), embed(photos, tmp_path / "alone.h5"))


def pid_of_a_ray_worker() -> int:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::facetable-shard") and f"PYTHONPATH={PROJECT}".encode() in environment:
            return int(folder.name)
    raise AssertionError("no Ray worker is running")


@needs_ray
def test_ray_errors_with_few_shards_under_way(ray: str) -> None:
    with open_engine(EngineConfig("ray", ray, -1, max_pending_shards=1)) as engine:
        assert engine.n_workers == 2
        assert sorted(result for _, result in engine.run(pid_and_double, range(9))) == list(range(0, 18, 2))
        with pytest.raises(ValueError, match="not three"):
            list(engine.run(fail_at_three, range(5)))
        with pytest.raises(ChildProcessError, match="the cluster has no module `embedder`; install this package"):
            list(engine.run(miss_a_module, range(1)))
        with pytest.raises(ValueError, match="no number"):
            list(engine.run(str, [Unreadable()]))
        with pytest.raises(ChildProcessError, match=r"a worker process was killed, .* run the same command again"):
            list(engine.run(die, range(1)))


@pytest.fixture(scope="module")
def real_photos(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder ``p`` of 200 photos; beside it is ``alone.h5``, their table made by this process."""
    folder = tmp_path_factory.mktemp("real")
    for file in sorted((data / "lfw" / "images").glob("*/*.jpg"))[:200]:
        (folder / "p" / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, folder / "p" / file.parent.name)
    assert main(["embed", str(folder / "p"), "-o", str(folder / "alone.h5")]) == 0
    return folder / "p"


@pytest.mark.realdata
@pytest.mark.parametrize("engine", [pytest.param("dask", marks=needs_dask), pytest.param("ray", marks=needs_ray)])
def test_real_photos_on_two_workers_though_one_is_killed(
    real_photos: Path, tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    cluster = request.getfixturevalue(engine)
    workers = [cluster.add_worker().pid for _ in range(2)] if engine == "dask" else []
    address = cluster if engine == "ray" else cluster.address
    out = tmp_path / "t.h5"
    command = ["-m", "embedder", "embed", str(real_photos), "-o", str(out), "--engine", engine, "--address", address]
    with process([sys.executable, *command], tmp_path / "run", PYTHONPATH=str(PROJECT)) as running:
        wait_until(lambda: bool(list(tmp_path.glob("t.h5.parts/*.h5"))) or running.poll() is not None, 300)
        os.kill(workers[0] if workers else pid_of_a_ray_worker(), signal.SIGKILL)
        assert running.wait(300) == 0, (tmp_path / "run" / "log.txt").read_text()
    table, alone = EmbeddingTable.read(out), EmbeddingTable.read(real_photos.with_name("alone.h5"))
    assert table.paths.tolist() == alone.paths.tolist() and table.identities.tolist() == alone.identities.tolist()
    np.testing.assert_allclose(table.boxes, alone.boxes, atol=0.5)
    np.testing.assert_allclose(table.embeddings, alone.embeddings, atol=1e-5)
