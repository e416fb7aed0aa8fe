import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.runtime import conversion
from embedder.runtime.cache import cache_folder, cached_file
from embedder.runtime.conversion import NetworkSource, convert, load_network
from embedder.runtime.session import Network
from tests import PROJECT


def source_for(weights: Path, builder: str = "build_two_outputs", name: str = "tiny") -> NetworkSource:
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    return NetworkSource(name, weights, sha256, f"tests.embedder.tiny_networks:{builder}")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("FACETABLE_CACHE", str(folder))
    return folder


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


def test_outputs_come_in_the_order_of_the_keras_model(tiny_network: Network) -> None:
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


def test_a_warm_cache_needs_neither_child_nor_weights(
    tiny: tuple[NetworkSource, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, cache = tiny
    monkeypatch.setenv("FACETABLE_CACHE", str(cache))
    monkeypatch.setattr(conversion, "run_child", lambda *_, **__: pytest.fail("converted again"))
    moved = NetworkSource(source.name, Path("/nowhere"), source.weights_sha256, source.builder)
    assert convert(moved) == convert(source)


def test_a_warm_cache_serves_without_tensorflow(tiny: tuple[NetworkSource, Path]) -> None:
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
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def convert_nothing(arguments: list[str], **_: object) -> None:
        Path(arguments[2]).write_bytes(b"network")

    monkeypatch.setattr(conversion, "run_child", convert_nothing)
    for weights in (tmp_path / "first", tmp_path / "second", tmp_path / "other" / "third"):
        weights.parent.mkdir(exist_ok=True)
        weights.write_bytes(weights.name.encode())
        with caplog.at_level("INFO"):
            convert(source_for(weights))
    line = "converting tiny once for this machine, about half a minute, more on a busy one ..."
    assert [record.message for record in caplog.records] == [line, line]


def test_other_weights_than_promised_are_refused(tmp_path: Path, cache: Path) -> None:
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"some weights")
    source = source_for(weights)
    weights.write_bytes(b"SOME WEIGHTS")
    with pytest.raises(WeightsError, match=rf"expected SHA-256 {source.weights_sha256}, got "):
        convert(source)
    assert not list(cache.glob("*.onnx"))


@pytest.mark.parametrize(
    ("builder", "reason"),
    [
        ("build_refused", "converting tiny failed: .*weights.bin: expected other weights$"),
        ("build_crashing", "converting tiny failed: RuntimeError: no such layer$"),
        ("build_silent_exit", "converting tiny failed: exit code 3$"),
    ],
)
def test_a_failing_child_gives_one_line(tmp_path: Path, cache: Path, builder: str, reason: str) -> None:
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"some weights")
    with pytest.raises(WeightsError, match=reason):
        convert(source_for(weights, builder))
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_an_unknown_builder_is_refused(tmp_path: Path) -> None:
    source = NetworkSource("tiny", tmp_path, "0" * 64, "tests.embedder.no_such_module:build")
    with pytest.raises(WeightsError, match="`builder` must name a function as 'module:function'"):
        convert(source)


def test_a_conversion_that_changes_the_network_is_refused(tiny_network: Network) -> None:
    sample = np.zeros((2, 5, 6, 3), np.float32)
    expected = list(tiny_network.run(sample))
    conversion._check_conversion(tiny_network.path, sample, expected)
    with pytest.raises(WeightsError, match=r"differs from the Keras network by 0\.001"):
        conversion._check_conversion(tiny_network.path, sample, [expected[0] + 0.001, expected[1]])
    with pytest.raises(WeightsError, match="has outputs of shapes"):
        conversion._check_conversion(tiny_network.path, sample, expected[::-1])


def written(content: bytes, calls: list[int]) -> Callable[[Path], None]:
    def produce(target: Path) -> None:
        calls.append(1)
        target.write_bytes(content)

    return produce


def test_cached_file_is_made_once(cache: Path) -> None:
    calls: list[int] = []
    paths = {cached_file("net", ["a"], written(b"content", calls)) for _ in range(3)}
    assert len(calls) == 1
    assert paths.pop().read_bytes() == b"content"


def test_every_setting_is_part_of_the_key(cache: Path) -> None:
    calls: list[int] = []
    for settings in (["a", "b"], ["ab"], ["a", "c"], ["b", "a"]):
        cached_file("net", settings, written(b"content", calls))
    assert len(calls) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b"cOntent"),
        lambda path: path.unlink(),
        lambda path: path.with_suffix(".json").unlink(),
        lambda path: path.with_suffix(".json").write_bytes(b""),
        lambda path: path.with_suffix(".json").write_text("[]"),
    ],
)
def test_a_damaged_entry_is_made_again(cache: Path, damage: Callable[[Path], None]) -> None:
    calls: list[int] = []
    path = cached_file("net", ["a"], written(b"content", calls))
    damage(path)
    assert cached_file("net", ["a"], written(b"content", calls)).read_bytes() == b"content"
    cached_file("net", ["a"], written(b"content", calls))
    assert len(calls) == 2


def test_a_failed_attempt_leaves_nothing_but_the_lock(cache: Path) -> None:
    def produce(target: Path) -> None:
        target.write_bytes(b"half")
        raise WeightsError("stopped")

    with pytest.raises(WeightsError, match="stopped"):
        cached_file("net", ["a"], produce)
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_leftovers_of_a_killed_run_are_removed(cache: Path) -> None:
    path = cached_file("net", ["a"], written(b"content", []))
    leftover = cache / f".{path.stem}.abc.tmp"
    leftover.write_bytes(b"half")
    path.unlink()
    cached_file("net", ["a"], written(b"content", []))
    assert not leftover.exists()


def test_a_name_cannot_lead_out_of_the_cache(cache: Path) -> None:
    assert cached_file("../../net/x", ["a"], written(b"content", [])).parent == cache


def test_an_unwritable_cache_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("FACETABLE_CACHE", str(file / "cache"))
    with pytest.raises(OSError, match=r"cannot write the cache folder .*; set FACETABLE_CACHE to a folder") as caught:
        cached_file("net", ["a"], written(b"content", []))
    assert "\n" not in str(caught.value)


def test_cache_folder_defaults_to_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", "")
    assert cache_folder().name == "facetable"
    monkeypatch.setenv("FACETABLE_CACHE", "/some/where")
    assert cache_folder() == Path("/some/where")


def test_the_record_holds_the_hash_of_the_file(cache: Path) -> None:
    path = cached_file("net", ["a"], written(b"content", []))
    record = json.loads(path.with_suffix(".json").read_text())
    assert record == {"sha256": hashlib.sha256(b"content").hexdigest()}
