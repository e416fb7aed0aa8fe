"""A network of one residual block, written as ONNX."""

from pathlib import Path

import numpy as np
import onnx

from embedder.runtime.graph_writer import GraphWriter


def residual_network(path: Path) -> Path:
    """Write relu(x + conv(relu(conv(x)))), pooled."""
    rng = np.random.default_rng(0)
    net = GraphWriter("net")
    x = net.images((6, 6))
    kernel, bias = rng.standard_normal((3, 3, 3, 8)), rng.standard_normal(8)
    down = net.rectify(net.convolve(x, kernel, bias, pads=(1, 1, 1, 1)), name="Down_Activation")
    up = net.convolve(down, 0.1 * rng.standard_normal((1, 1, 8, 3)), 0.1 * rng.standard_normal(3), name="Up")
    block = net.rectify(net.add(x, up, name="Sum"), name="Block")
    onnx.save(net.finish([net.rectify(net.average(block), name="y")]), path)
    return path
