"""Networks small enough to convert in a test, and builders that fail."""

from pathlib import Path

import numpy as np
import onnx

from embedder.errors import WeightsError
from embedder.runtime.graph_writer import GraphWriter


def build_two_outputs(path: Path) -> onnx.ModelProto:
    """Build a network of free height and width with two outputs, which sorting by name would swap."""
    rng = np.random.default_rng(len(path.read_bytes()))
    net = GraphWriter("tiny")
    x = net.convolve(net.images((None, None)), rng.standard_normal((3, 3, 3, 4)))
    first = net.convolve(x, rng.standard_normal((1, 1, 4, 7)), np.full(7, 1.5))
    second = net.sigmoid(net.convolve(x, rng.standard_normal((1, 1, 4, 2))))
    return net.finish([net.channels_last(first, name="z"), net.channels_last(second, name="a")])


def build_refused(path: Path) -> onnx.ModelProto:
    """Refuse the weights."""
    raise WeightsError(f"{path}: expected other weights")
