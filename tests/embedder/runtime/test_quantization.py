import json
import logging
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from embedder.errors import WeightsError
from embedder.networks.face_embedder import FaceEmbedder
from embedder.networks.presets import DEFAULT_PRESET, PRESETS, get_preset
from embedder.runtime import quantization
from embedder.runtime.conversion import NetworkSource
from embedder.runtime.quantization import (
    SHIPPED_RANGES,
    find_ranges,
    fold_scales,
    load_faster,
    measure_ranges,
    quantized,
    read_ranges,
    speed_ratio,
    write_ranges,
)
from embedder.runtime.session import Network


def residual_network(path: Path, *, names: tuple[str, str] = ("Up", "Block")) -> Path:
    """Write relu(x + 0.1 * conv(relu(conv(x)))), pooled: one block with the tensor names of a converted network."""
    rng = np.random.default_rng(0)
    initializers = [
        numpy_helper.from_array(rng.standard_normal((8, 3, 3, 3)).astype(np.float32), "w0"),
        numpy_helper.from_array(rng.standard_normal(8).astype(np.float32), "b0"),
        numpy_helper.from_array(rng.standard_normal((3, 8, 1, 1)).astype(np.float32), "w1"),
        numpy_helper.from_array(rng.standard_normal(3).astype(np.float32), "b1"),
        numpy_helper.from_array(np.array(0.1, np.float32), "scale"),
    ]
    up, block = (f"Net_1/{name}_1/out:0" for name in names)
    nodes = [
        helper.make_node("Transpose", ["x"], ["nchw"], "t", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["nchw", "w0", "b0"], ["Conv__1:0"], "c0", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["Conv__1:0"], ["Net_1/Down_Activation_1/Relu:0"], "r0"),
        helper.make_node("Conv", ["Net_1/Down_Activation_1/Relu:0", "w1", "b1"], [up], "c1"),
        helper.make_node("Mul", [up, "scale"], ["Net_1/Mul:0"], "m"),
        helper.make_node("Add", ["nchw", "Net_1/Mul:0"], ["sum"], "a"),
        helper.make_node("Relu", ["sum"], [block], "r1"),
        helper.make_node("GlobalAveragePool", [block], ["pooled"], "p"),
        helper.make_node("Relu", ["pooled"], ["y"], "r2"),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 6, 6, 3])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3, 1, 1])]
    graph = helper.make_graph(nodes, "net", inputs, outputs, initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), path)
    return path


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return residual_network(tmp_path / "net.onnx")


@pytest.fixture
def batches() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.uniform(-1, 1, (4, 6, 6, 3)).astype(np.float32) for _ in range(8)]


def test_fold_scales_changes_no_output(network: Path, tmp_path: Path, batches: list[np.ndarray]) -> None:
    model = onnx.load(network)
    fold_scales(model)
    onnx.checker.check_model(model)
    assert Counter(node.op_type for node in model.graph.node)["Mul"] == 0
    onnx.save(model, tmp_path / "folded.onnx")
    expected = Network(network, threads=1).run(batches[0])[0]
    np.testing.assert_allclose(Network(tmp_path / "folded.onnx", threads=1).run(batches[0])[0], expected, atol=1e-5)
    assert np.ptp(expected) > 0.1


def test_measured_ranges_are_those_of_numpy(network: Path, batches: list[np.ndarray]) -> None:
    ranges = measure_ranges(network, batches, threads=1)
    assert sorted(ranges) == ["Block", "Down_Activation", "Up", "images"]
    x = np.concatenate(batches)
    assert ranges["images"] == (x.min(), x.max())
    assert ranges["Down_Activation"][0] == 0
    arrays = {array.name: numpy_helper.to_array(array) for array in onnx.load(network).graph.initializer}
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    down = np.maximum(np.einsum("nhwcij,ocij->nhwo", windows, arrays["w0"]) + arrays["b0"], 0)
    up = 0.1 * (down @ arrays["w1"][:, :, 0, 0].T + arrays["b1"])
    assert ranges["Down_Activation"][1] == pytest.approx(down.max(), rel=1e-5)
    assert ranges["Up"] == pytest.approx((up.min(), up.max()), rel=1e-4)
    assert ranges["Block"] == pytest.approx((0, np.maximum(x + up, 0).max()), rel=1e-4)


def test_the_quantized_network_stays_close(network: Path, tmp_path: Path, batches: list[np.ndarray]) -> None:
    model = quantized(onnx.load(network), measure_ranges(network, batches, threads=1))
    onnx.save(model, tmp_path / "int8.onnx")
    weights = next(array for array in model.graph.initializer if array.name == "w0_quantized")
    assert weights.data_type == TensorProto.INT8
    # Seven bits, and all of them in every output channel.
    np.testing.assert_array_equal(np.abs(numpy_helper.to_array(weights)).max(axis=(1, 2, 3)), 64)
    expected = Network(network, threads=1).run(batches[0])[0]
    got = Network(tmp_path / "int8.onnx", threads=1).run(batches[0])[0]
    assert 0 < np.abs(got - expected).max() < 0.05 * np.ptp(expected)


def test_ranges_of_another_network_are_refused(network: Path) -> None:
    with pytest.raises(WeightsError, match=r"the activation ranges lack 4 layers of this network \(Block, \.\.\.\)"):
        quantized(onnx.load(network), {"Other": (0.0, 1.0)})


def test_two_activations_of_one_name_are_refused(tmp_path: Path) -> None:
    path = residual_network(tmp_path / "net.onnx", names=("Same", "Same"))
    model = onnx.load(path)
    model.graph.node[6].output[0] = "Net_1/Same_2/out:0"
    with pytest.raises(WeightsError, match="two activations of the network come from one layer"):
        quantized(model, {})


def test_ranges_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "ranges.json"
    write_ranges(path, {"b": (0.0, 1.23456789), "a": (-1.0, 2.0)}, measured_on="nothing")
    assert read_ranges(path) == {"a": (-1.0, 2.0), "b": (0.0, 1.2346)}
    assert json.loads(path.read_text())["measured_on"] == "nothing"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"ranges": {"a": [1]}}', '{"ranges": {"a": ["x", 1]}}'])
def test_damaged_ranges_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ranges.json"
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"ranges\.json: expected activation ranges, got something else"):
        read_ranges(path)


@pytest.mark.parametrize("name", PRESETS)
def test_ranges_are_shipped_for_every_preset(name: str) -> None:
    ranges = read_ranges(SHIPPED_RANGES / f"{get_preset(name).weights_sha256[:12]}.json")
    assert len(ranges) == 200
    low, high = ranges["images"]
    assert low < 0 < high


def test_ranges_beside_the_weights_are_found(tmp_path: Path) -> None:
    source = NetworkSource("mine", tmp_path / "weights.safetensors", "f" * 64, "module:function")
    with pytest.raises(WeightsError, match=r"`precision` int8 needs the activation ranges of mine, .*; use fp32, or"):
        find_ranges(source)
    (tmp_path / "int8.json").write_text("{}")
    assert find_ranges(source) == tmp_path / "int8.json"


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
def test_int8_embeddings_stay_close_on_real_crops(
    real_crops: np.ndarray, reference_embeddings: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantization, "_cached_ratio", lambda *_, **__: 2.0)
    embedder = FaceEmbedder(precision="int8", threads=1)
    assert embedder.provenance == {"preset": DEFAULT_PRESET, "precision": "int8"}
    embeddings = embedder.embed(real_crops)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    cosines = (embeddings * reference_embeddings["frozen"]).sum(axis=1)
    assert np.median(cosines) >= 0.99
    assert cosines.min() >= 0.98
    assert cosines.max() < 1 - 1e-6, "this is not another arithmetic"
