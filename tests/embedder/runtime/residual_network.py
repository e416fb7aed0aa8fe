"""A network of one residual block, written as ONNX."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


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
