import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from embedder.errors import WeightsError
from embedder.networks.face_embedder import FaceEmbedder
from embedder.networks.presets import DEFAULT_PRESET
from embedder.runtime import quantization
from embedder.runtime.activation_ranges import measure_ranges, write_ranges
from embedder.runtime.conversion import NetworkSource
from embedder.runtime.quantization import load_faster, quantized, speed_ratio
from embedder.runtime.session import Network


def test_the_quantized_network_stays_close(network: Path, tmp_path: Path, batches: list[np.ndarray]) -> None:
    model = quantized(onnx.load(network), measure_ranges(network, batches, threads=1))
    onnx.save(model, tmp_path / "int8.onnx")
    weights = next(array for array in model.graph.initializer if array.name == "constant_0_quantized")
    assert weights.data_type == TensorProto.INT8
    # Seven bits, and all of them in every output channel.
    np.testing.assert_array_equal(np.abs(numpy_helper.to_array(weights)).max(axis=(1, 2, 3)), 64)
    expected = Network(network, threads=1).run(batches[0])[0]
    got = Network(tmp_path / "int8.onnx", threads=1).run(batches[0])[0]
    assert 0 < np.abs(got - expected).max() < 0.05 * np.ptp(expected)


def test_ranges_of_another_network_are_refused(network: Path) -> None:
    with pytest.raises(WeightsError, match=r"the activation ranges lack 4 layers of this network \(Block, \.\.\.\)"):
        quantized(onnx.load(network), {"Other": (0.0, 1.0)})


@pytest.fixture
def source(network: Path, batches: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NetworkSource:
    """Return a source whose converted network is `network`, with its ranges beside the weights."""
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(quantization, "convert", lambda source: network)
    monkeypatch.setattr(quantization, "load_network", lambda source, threads: Network(network, threads=threads))
    write_ranges(tmp_path / "int8.json", measure_ranges(network, batches, threads=1), measured_on="noise")
    return NetworkSource("tiny", tmp_path / "weights", "f" * 64, "tests.embedder.tiny_networks:build")


@pytest.mark.parametrize(("ratio", "expected"), [(1.5, "int8"), (0.9, "fp32")])
def test_the_probe_decides_once(
    source: NetworkSource,
    ratio: float,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[int] = []

    def fake_ratio(fast: Network, slow: Network) -> float:
        calls.append(1)
        return ratio

    monkeypatch.setattr(quantization, "speed_ratio", fake_ratio)
    with caplog.at_level(logging.WARNING):
        loaded = [load_faster(source, threads=1) for _ in range(2)]
    assert [precision for _, precision in loaded] == [expected] * 2
    assert ("-int8-" in loaded[0][0].path.name) == (expected == "int8")
    assert len(calls) == 1
    assert ("int8 is no faster than fp32 on this machine (0.90 times as fast); using fp32" in caplog.text) == (
        expected == "fp32"
    )


def test_a_network_that_cannot_be_quantized_gives_one_line(source: NetworkSource) -> None:
    (source.weights_path.with_name("int8.json")).write_text('{"ranges": {}}')
    with pytest.raises(WeightsError, match=r"^quantizing tiny failed: the activation ranges lack 4 layers"):
        load_faster(source, threads=1)


def test_a_network_that_int8_gains_nothing_runs_in_fp32(
    source: NetworkSource, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source.weights_path.with_name("int8.json")).write_text('{"no_gain": 1.03}')
    monkeypatch.setattr(quantization, "quantize", None)
    with caplog.at_level(logging.WARNING):
        network, precision = load_faster(source, threads=1)
    assert (precision, "-int8-" in network.path.name) == ("fp32", False)
    assert "int8 gains tiny nothing (1.03 times as fast as fp32); using fp32" in caplog.text


def test_speed_ratio_compares_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    class Clocked:
        input_shape = (None, 2)

        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def run(self, x: np.ndarray) -> None:
            assert x.shape == (4, 2)
            now[0] += self.seconds

    monkeypatch.setattr(quantization.time, "perf_counter", lambda: now[0])
    assert speed_ratio(Clocked(0.1), Clocked(0.3)) == pytest.approx(3)  # type: ignore[arg-type]


@pytest.mark.realdata
def test_int8_embeddings_stay_close_on_real_crops(real_crops: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantization, "_cached_ratio", lambda *_, **__: 2.0)
    embedder = FaceEmbedder(precision="int8", threads=1)
    assert embedder.provenance == {"preset": DEFAULT_PRESET, "precision": "int8"}
    embeddings = embedder.embed(real_crops)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    cosines = (embeddings * FaceEmbedder(threads=1).embed(real_crops)).sum(axis=1)
    assert np.median(cosines) >= 0.99
    assert cosines.min() >= 0.98
    assert cosines.max() < 1 - 1e-6, "this is not another arithmetic"
