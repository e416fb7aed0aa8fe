import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from embedder.errors import WeightsError
from embedder.networks.inception_resnet_v1 import from_frozen_graph
from embedder.networks.presets import DEFAULT_PRESET, PRESETS, get_preset
from embedder.runtime.activation_ranges import SHIPPED_RANGES, find_ranges, measure_ranges, read_ranges, write_ranges
from embedder.runtime.conversion import NetworkSource
from embedder.runtime.int8_graph import keys_of_tensors


def test_measured_ranges_are_those_of_numpy(network: Path, batches: list[np.ndarray]) -> None:
    ranges = measure_ranges(network, batches, threads=1)
    assert sorted(ranges) == ["Block", "Down_Activation", "Up", "images"]
    x = np.concatenate(batches)
    assert ranges["images"] == (x.min(), x.max())
    assert ranges["Down_Activation"][0] == 0
    arrays = {array.name: numpy_helper.to_array(array) for array in onnx.load(network).graph.initializer}
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    down = np.maximum(np.einsum("nhwcij,ocij->nhwo", windows, arrays["constant_0"]) + arrays["constant_1"], 0)
    up = down @ arrays["constant_2"][:, :, 0, 0].T + arrays["constant_3"]
    assert ranges["Down_Activation"][1] == pytest.approx(down.max(), rel=1e-5)
    assert ranges["Up"] == pytest.approx((up.min(), up.max()), rel=1e-4)
    assert ranges["Block"] == pytest.approx((0, np.maximum(x + up, 0).max()), rel=1e-4)


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


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("facenet-")])
def test_ranges_are_shipped_for_every_facenet(name: str) -> None:
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


def test_the_shipped_ranges_are_those_of_the_networks_tensors() -> None:
    preset = get_preset(DEFAULT_PRESET)
    keys = set(keys_of_tensors(from_frozen_graph(preset.find_weights())).values())
    ranges = read_ranges(SHIPPED_RANGES / f"{preset.weights_sha256[:12]}.json")
    # Those of sums that only a rectifier reads were measured once, too.
    assert len(keys) == 180
    assert {name for name in ranges if name not in keys} == {
        f"{block}_Sum" for block in ranges_of_blocks() if block != "Block8_6"
    }
    assert keys <= ranges.keys()


def ranges_of_blocks() -> list[str]:
    return [f"Block{size}_{i + 1}" for size, n in ((35, 5), (17, 10), (8, 6)) for i in range(n)]
