from pathlib import Path

import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.networks.onnx_layers import OnnxLayers
from embedder.runtime.session import Network
from embedder.runtime.weights import Arrays

RNG = np.random.default_rng(0)


def norm_of(layer: str, channels: int) -> Arrays:
    return {
        f"{layer}_BatchNorm/beta": RNG.standard_normal(channels).astype(np.float32),
        f"{layer}_BatchNorm/moving_mean": RNG.standard_normal(channels).astype(np.float32),
        f"{layer}_BatchNorm/moving_variance": RNG.uniform(0.1, 3, channels).astype(np.float32),
    }


def normalized(x: np.ndarray, arrays: Arrays, layer: str) -> np.ndarray:
    """Return batch norm as Ioffe & Szegedy 2015 define it, in inference and without gamma."""
    beta, mean, variance = (arrays[f"{layer}_BatchNorm/{name}"] for name in ("beta", "moving_mean", "moving_variance"))
    return (x - mean) / np.sqrt(variance + 0.001) + beta


def test_batch_norm_and_factors_are_folded(tmp_path: Path) -> None:
    arrays: Arrays = {
        "a/kernel": RNG.standard_normal((1, 1, 3, 4)).astype(np.float32),
        **norm_of("a", 4),
        "b/kernel": RNG.standard_normal((1, 1, 4, 3)).astype(np.float32),
        "b/bias": RNG.standard_normal(3).astype(np.float32),
        "c/kernel": RNG.standard_normal((3, 2)).astype(np.float32),
        **norm_of("c", 2),
    }
    layers = OnnxLayers("small", arrays, path=tmp_path)
    images = layers.images(4)
    x = layers.convolve(images, 4, (1, 1), name="a")
    x = layers.add(images, layers.project(x, like=images, scale=0.25, name="b"), name="sum")
    x = layers.embed(layers.average(layers.drop_out(x, 0.5, name="d"), name="p"), 2, name="c")
    model = layers.finish(x)
    assert [node.op_type for node in model.graph.node] == [
        *("Transpose", "Conv", "Relu", "Conv", "Add", "GlobalAveragePool", "Flatten", "MatMul", "Add")
    ]
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    pixels = RNG.standard_normal((2, 4, 4, 3)).astype(np.float32)
    hidden = np.maximum(normalized(pixels @ arrays["a/kernel"][0, 0], arrays, "a"), 0)
    pooled = (pixels + 0.25 * (hidden @ arrays["b/kernel"][0, 0] + arrays["b/bias"])).mean(axis=(1, 2))
    expected = normalized(pooled @ arrays["c/kernel"], arrays, "c")
    np.testing.assert_allclose(Network(tmp_path / "net.onnx", threads=1).run(pixels)[0], expected, atol=1e-5)


def test_an_array_without_axes_tells_no_size(tmp_path: Path) -> None:
    layers = OnnxLayers("small", {"c/kernel": np.array(1, np.float32)}, path=tmp_path / "weights")
    with pytest.raises(WeightsError, match="weights: expected the weights of small, found no c/kernel among its 1 arr"):
        layers.last_size("c/kernel")
