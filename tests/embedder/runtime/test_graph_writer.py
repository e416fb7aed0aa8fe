"""Each operator against NumPy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from embedder.runtime.graph_writer import GraphWriter, Tensor
from embedder.runtime.session import Network

RNG = np.random.default_rng(0)
KERNEL, BIAS = RNG.standard_normal((3, 2, 3, 4)), RNG.standard_normal(4)
MATRIX = RNG.standard_normal((3, 5))
IMAGES = RNG.standard_normal((2, 7, 6, 3)).astype(np.float32)

Write = Callable[[GraphWriter, Tensor], Tensor]


def run(write: Write, path: Path, images: np.ndarray = IMAGES) -> np.ndarray:
    """Return what the network of one operator makes of images, maps as (n, h, w, channels)."""
    net = GraphWriter("net")
    x = write(net, net.images((None, None)))
    model = net.finish([net.channels_last(x, name="y") if x.is_map else x])
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    network = Network(path, threads=1)
    assert network.output_shapes[0][-1] == x.channels
    return network.run(images)[0]


def windows(images: np.ndarray, size_hw: tuple[int, int], *, pads: tuple[int, ...], fill: float) -> np.ndarray:
    """Return (n, rows, columns, channels, h, w): what an operator sees at each place."""
    top, left, bottom, right = pads
    padded = np.pad(images, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(padded, size_hw, axis=(1, 2))


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("pads", [(0, 0, 0, 0), (0, 0, 1, 1), (2, 1, 0, 0)])
def test_convolution(strides: int, pads: tuple[int, ...], tmp_path: Path) -> None:
    got = run(lambda net, x: net.convolve(x, KERNEL, BIAS, strides=strides, pads=pads), tmp_path / "net.onnx")
    seen = windows(IMAGES, KERNEL.shape[:2], pads=pads, fill=0)[:, ::strides, ::strides]
    np.testing.assert_allclose(got, np.einsum("nrcihw,hwio->nrco", seen, KERNEL) + BIAS, atol=1e-5)


@pytest.mark.parametrize(("size", "pads"), [(3, (0, 0, 0, 0)), (3, (1, 1, 1, 1)), (2, (0, 0, 1, 1))])
def test_max_pooling(size: int, pads: tuple[int, ...], tmp_path: Path) -> None:
    got = run(lambda net, x: net.max_pool(x, size, pads=pads), tmp_path / "net.onnx")
    seen = windows(IMAGES, (size, size), pads=pads, fill=-np.inf)[:, ::2, ::2]
    np.testing.assert_array_equal(got, seen.max(axis=(-2, -1)))


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda net, x: net.rectify(x), np.maximum(IMAGES, 0)),
        (lambda net, x: net.sigmoid(x), 1 / (1 + np.exp(-IMAGES))),
        (lambda net, x: net.add(x, net.rectify(x)), IMAGES + np.maximum(IMAGES, 0)),
        (lambda net, x: net.multiply(x, np.array([1, 2, 3])), IMAGES * [1, 2, 3]),
        (lambda net, x: net.add_constant(x, np.array([1, 2, 3])), np.array([1, 2, 3]) + IMAGES),
        (lambda net, x: net.subtract(net.absolute(x), x), np.abs(IMAGES) - IMAGES),
        (
            lambda net, x: net.rectify_leakily(x, np.array([0.1, -0.2, 1])),
            np.where(IMAGES > 0, IMAGES, IMAGES * [0.1, -0.2, 1]),
        ),
        (
            lambda net, x: net.rectify_leakily(x, np.array([0.1, -0.2, 1.5])),
            np.where(IMAGES > 0, IMAGES, IMAGES * [0.1, -0.2, 1.5]),
        ),
        (lambda net, x: net.concatenate([x, net.rectify(x)]), np.concatenate([IMAGES, np.maximum(IMAGES, 0)], axis=-1)),
        (lambda net, x: net.average(x), IMAGES.mean(axis=(1, 2))),
        (lambda net, x: net.flatten(x, (7, 6)), IMAGES.reshape(2, -1)),
        (lambda net, x: net.multiply(net.average(x), np.array([1, 2, 3])), IMAGES.mean(axis=(1, 2)) * [1, 2, 3]),
        (lambda net, x: net.multiply_matrix(net.average(x), MATRIX), IMAGES.mean(axis=(1, 2)) @ MATRIX),
        (
            lambda net, x: net.multiply_matrix(net.average(x), MATRIX, MATRIX[0]),
            IMAGES.mean((1, 2)) @ MATRIX + MATRIX[0],
        ),
    ],
)
def test_other_operators(write: Write, expected: np.ndarray, tmp_path: Path) -> None:
    np.testing.assert_allclose(run(write, tmp_path / "net.onnx"), expected, atol=1e-5)


def test_vectors_get_unit_length_and_zeros_stay_zeros(tmp_path: Path) -> None:
    images = IMAGES.copy()
    images[1] = 0
    got = run(lambda net, x: net.normalize(net.average(x)), tmp_path / "net.onnx", images)
    mean = IMAGES[0].mean(axis=(0, 1))
    np.testing.assert_allclose(got, [mean / np.linalg.norm(mean), np.zeros(3)], atol=1e-6)


def test_sides_may_be_fixed(tmp_path: Path) -> None:
    net = GraphWriter("net")
    (tmp_path / "net.onnx").write_bytes(net.finish([net.average(net.images((7, 6)))]).SerializeToString())
    assert Network(tmp_path / "net.onnx", threads=1).input_shape == (None, 7, 6, 3)
