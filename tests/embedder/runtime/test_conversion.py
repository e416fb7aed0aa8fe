import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.runtime import conversion
from embedder.runtime.conversion import NetworkSource, convert, load_network
from embedder.runtime.session import Network
from tests import PROJECT


def source_for(weights: Path, builder: str = "build_two_outputs", name: str = "tiny") -> NetworkSource:
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    return NetworkSource(name, weights, sha256, f"tests.embedder.tiny_networks:{builder}")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[NetworkSource, Path]:
    """Convert one tiny network, from two processes at once, and return its source and cache folder."""
    folder = tmp_path_factory.mktemp("tiny")
    weights = folder / "weights.bin"
    weights.write_bytes(b"some weights")
    source, cache = source_for(weights), folder / "cache"
    program = (
        "import sys; from pathlib import Path; from embedder.runtime.conversion import NetworkSource, load_network; "
        "load_network(NetworkSource(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]), threads=1)"
    )
    command = [sys.executable, "-c", program, source.name, str(weights), source.weights_sha256, source.builder]
    environment = os.environ | {"FACETABLE_CACHE": str(cache)}
    both = [subprocess.Popen(command, cwd=PROJECT, env=environment) for _ in range(2)]
    assert [process.wait(timeout=240) for process in both] == [0, 0]
    return source, cache


@pytest.fixture
def tiny_network(tiny: tuple[NetworkSource, Path], monkeypatch: pytest.MonkeyPatch) -> Network:
    source, cache = tiny
    monkeypatch.setenv("FACETABLE_CACHE", str(cache))
    return load_network(source, threads=1)


def test_two_processes_at_once_leave_one_whole_entry(tiny: tuple[NetworkSource, Path]) -> None:
    _, cache = tiny
    names = sorted(path.suffix for path in cache.iterdir())
    assert names == [".json", ".lock", ".onnx"]


def test_outputs_come_in_the_order_of_the_builder(tiny_network: Network) -> None:
    first, second = tiny_network.run(np.zeros((1, 5, 6, 3), np.float32))
    np.testing.assert_allclose(first, np.full((1, 3, 4, 7), 1.5), atol=1e-6)
    np.testing.assert_allclose(second, np.full((1, 3, 4, 2), 0.5), atol=1e-6)


def test_batch_height_and_width_are_free(tiny_network: Network) -> None:
    x = np.random.default_rng(0).standard_normal((5, 9, 7, 3)).astype(np.float32)
    batched = tiny_network.run(x)
    single = [tiny_network.run(row[None]) for row in x]
    assert batched[0].shape == (5, 7, 5, 7)
    for i in range(2):
        np.testing.assert_allclose(batched[i], np.concatenate([outputs[i] for outputs in single]), atol=1e-5)
    assert len({row.tobytes() for row in batched[0]}) == 5


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((1, 5, 6, 3), np.float64),
        np.zeros((1, 5, 6, 3), np.uint8),
        np.zeros((5, 6, 3), np.float32),
        np.zeros((1, 3, 5, 6), np.float32),
        np.zeros((0, 5, 6, 3), np.float32),
    ],
)
def test_run_refuses_other_arrays(tiny_network: Network, x: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"`x` must be a float32 array of shape \(any, any, any, 3\)"):
        tiny_network.run(x)


def test_threads_must_be_positive(tiny_network: Network) -> None:
    with pytest.raises(ValueError, match="`threads` must be a whole number of at least 1, got 0"):
        Network(tiny_network.path, threads=0)


def test_a_warm_cache_needs_no_weights(tiny: tuple[NetworkSource, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source, cache = tiny
    monkeypatch.setenv("FACETABLE_CACHE", str(cache))
    monkeypatch.setattr(conversion, "_builder", lambda _: pytest.fail("converted again"))
    moved = NetworkSource(source.name, Path("/nowhere"), source.weights_sha256, source.builder)
    assert convert(moved) == convert(source)


def test_a_warm_cache_serves_without_what_writes_networks(tiny: tuple[NetworkSource, Path]) -> None:
    source, cache = tiny
    program = (
        "import sys; from pathlib import Path; from embedder.runtime.conversion import NetworkSource, load_network; "
        "load_network(NetworkSource(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]), threads=1); "
        "print({'tensorflow', 'keras', 'onnx', 'tf2onnx'} & sys.modules.keys())"
    )
    command = [
        sys.executable,
        "-c",
        program,
        source.name,
        str(source.weights_path),
        source.weights_sha256,
        source.builder,
    ]
    finished = subprocess.run(
        command,
        cwd=PROJECT,
        env=os.environ | {"FACETABLE_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.strip() == "set()"
    assert finished.stderr == ""


def test_networks_that_belong_together_are_announced_once(
    tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for weights in (tmp_path / "first", tmp_path / "second", tmp_path / "other" / "third"):
        weights.parent.mkdir(exist_ok=True)
        weights.write_bytes(weights.name.encode())
        with caplog.at_level("INFO"):
            convert(source_for(weights))
    line = "converting tiny once for this machine ..."
    assert [record.message for record in caplog.records] == [line, line]


def test_other_weights_than_promised_are_refused(tmp_path: Path, cache: Path) -> None:
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"some weights")
    source = source_for(weights)
    weights.write_bytes(b"SOME WEIGHTS")
    with pytest.raises(WeightsError, match=rf"expected SHA-256 {source.weights_sha256}, got "):
        convert(source)
    assert not list(cache.glob("*.onnx"))


def test_a_refusing_builder_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"some weights")
    with pytest.raises(WeightsError, match=r"weights.bin: expected other weights$"):
        convert(source_for(weights, "build_refused"))
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_an_unknown_builder_is_refused(tmp_path: Path) -> None:
    source = NetworkSource("tiny", tmp_path, "0" * 64, "tests.embedder.no_such_module:build")
    with pytest.raises(WeightsError, match="`builder` must name a function as 'module:function'"):
        convert(source)
