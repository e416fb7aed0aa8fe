"""Several replicas and several workers give the losses of one process on the same global batch."""

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.training.run.distribution import Distribution, make_distribution, read_cluster
from tests.embedder.training.conftest import read_losses, start_small_run

_COMMON: dict[str, Any] = {"epochs": 2, "batch_size": 8}
_CENTER = _COMMON | {"optimizer": "sgd", "learning_rate": 0.02, "center_update": "sequential"}
_TRIPLET = _COMMON | {"loss": "triplet", "images_per_person": 2, "optimizer": "adamw", "learning_rate": 0.01}


def _flags(settings: dict[str, Any], out: Path) -> list[object]:
    named = [text for name, value in settings.items() for text in (f"--{name.replace('_', '-')}", value)]
    return [*named, "-o", out]


def _finish(processes: list[subprocess.Popen[str]]) -> None:
    try:
        results = [process.communicate(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()
    codes = [process.returncode for process in processes]
    assert codes == [0] * len(processes), "\n".join(error[-2500:] for _, error in results)


def _losses(run: Path) -> np.ndarray:
    return np.array(read_losses(run), float)


def _free_ports(n_ports: int) -> list[int]:
    sockets = [socket.socket() for _ in range(n_ports)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _assert_equal_losses(run: Path, reference: Path) -> None:
    expected = _losses(reference)
    assert len(expected) == 6
    assert expected[-1, 4] != expected[0, 4]
    np.testing.assert_allclose(_losses(run), expected, rtol=2e-4, atol=2e-5)


def test_two_workers_on_loopback_equal_one_process(faces: Path, tmp_path: Path, train_small: Any) -> None:
    workers = [f"127.0.0.1:{port}" for port in _free_ports(2)]
    processes = []
    for index in range(2):
        cluster = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        flags = _flags(_CENTER | {"strategy": "multi-worker"}, tmp_path / "workers")
        processes.append(start_small_run(faces, *flags, environment={"TF_CONFIG": json.dumps(cluster)}))
    _finish(processes)
    train_small(faces, tmp_path / "single", **_CENTER)
    _assert_equal_losses(tmp_path / "workers", tmp_path / "single")


def test_two_replicas_equal_one_process(faces: Path, tmp_path: Path, train_small: Any) -> None:
    kinds = {"center": _CENTER, "triplet": _TRIPLET}
    first, second = ([faces, *_flags(kinds[kind] | {"strategy": "mirrored"}, tmp_path / kind)] for kind in kinds)
    _finish([start_small_run(*first, "--then", *second, environment={"SMALL_CPUS": "2"})])
    for kind, settings in kinds.items():
        train_small(faces, tmp_path / f"{kind}-single", **settings)
        _assert_equal_losses(tmp_path / kind, tmp_path / f"{kind}-single")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}}',
    ],
)
def test_a_cluster_without_this_worker_is_refused(text: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if text is None:
        monkeypatch.delenv("TF_CONFIG", raising=False)
    else:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=r"`strategy` multi-worker needs the environment variable TF_CONFIG: expected"):
        read_cluster()


def test_a_cluster_tells_this_workers_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1", "c:1"]}, "task": {"type": "worker", "index": 2}}'
    )
    assert read_cluster() == (2, 3)


def test_a_batch_that_cannot_be_dealt_out_is_refused() -> None:
    single = make_distribution("single")
    assert (single.n_replicas, single.is_chief, single.replica_batch_size(7)) == (1, True, 7)

    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(ValueError, match="`batch_size` must be a multiple of the 3 replicas, got 7"):
        Distribution(Three(), 1, 3).replica_batch_size(7)  # type: ignore[arg-type]
