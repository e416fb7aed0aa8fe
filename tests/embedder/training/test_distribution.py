"""Several replicas and several workers give the losses of one process on the same global batch."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from embedder.training.distribution import Workers, make_workers, read_cluster
from tests.embedder.training.conftest import read_losses, start_small_run

_FLAGS = ("--epochs", 3, "--batch-size", 8, "--optimizer", "sgd", "--learning-rate", 0.02)


def _finish(processes: list) -> None:  # type: ignore[type-arg]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), "\n".join(
        error[-2500:] for _, error in results
    )


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


@pytest.mark.parametrize(
    "flags",
    [
        ("--center-update", "sequential"),
        ("--loss", "triplet", "--images-per-person", 2, "--optimizer", "adamw"),
    ],
    ids=["center", "triplet"],
)
def test_workers_and_replicas_equal_one_process(faces: Path, tmp_path: Path, flags: tuple[object, ...]) -> None:
    def start(name: str, *extra: object, environment: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
        return start_small_run(faces, *_FLAGS, *flags, *extra, "-o", tmp_path / name, environment=environment)

    addresses = [f"127.0.0.1:{port}" for port in _free_ports(2)]
    clusters = [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}) for i in range(2)
    ]
    _finish(
        [start("workers", "--strategy", "multi-worker", environment={"TF_CONFIG": cluster}) for cluster in clusters]
    )
    _finish([start("single"), start("mirrored", "--strategy", "mirrored", environment={"SMALL_CPUS": "2"})])
    single = _losses(tmp_path / "single")
    assert single.shape[0] == 9
    assert single[-1, 4] != single[0, 4]
    for name in ("workers", "mirrored"):
        np.testing.assert_allclose(_losses(tmp_path / name), single, rtol=2e-4, atol=2e-5, err_msg=name)


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
    workers = make_workers("single")
    assert (workers.n_replicas, workers.is_chief, workers.replica_batch_size(7)) == (1, True, 7)

    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(ValueError, match="`batch_size` must be a multiple of the 3 replicas, got 7"):
        Workers(Three(), 1, 3).replica_batch_size(7)  # type: ignore[arg-type]
