"""Networks of others, small: ONNX files of one convolution, and the records of presets beside them."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE, LENGTH = 8, 5
KERNEL = np.random.default_rng(3).standard_normal((LENGTH, 3, SIZE, SIZE)).astype(np.float32)


def vectors_of(x: np.ndarray) -> np.ndarray:
    """Return what the network of `write_network` makes of standardized pictures (n, s, s, 3), of unit length."""
    raw = np.einsum("nhwc,dchw->nd", x.astype(np.float64), KERNEL)
    unit: np.ndarray = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    return unit


def write_network(
    path: Path,
    *,
    batch: int | str = "n",
    extra: Sequence[onnx.NodeProto] = (),
    outputs: Sequence[tuple[str, list[Any]]] = (("vectors", ["n", LENGTH]),),
) -> Path:
    """Write a network: pictures (batch, 3, s, s), one convolution, a reshape to `vectors`, and `extra` operators."""
    wanted = [batch if isinstance(batch, int) else -1, LENGTH]
    constants = [
        numpy_helper.from_array(KERNEL, "kernel"),
        numpy_helper.from_array(np.array(wanted, np.int64), "shape"),
    ]
    nodes = [
        helper.make_node("Conv", ["pictures", "kernel"], ["map"], kernel_shape=[SIZE, SIZE]),
        helper.make_node("Reshape", ["map", "shape"], ["vectors"]),
        *extra,
    ]
    pictures = helper.make_tensor_value_info("pictures", TensorProto.FLOAT, [batch, 3, SIZE, SIZE])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, sides) for name, sides in outputs]
    graph = helper.make_graph(nodes, "small", [pictures], values, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def write_record(network: Path, **changes: Any) -> Path:
    """Write the record of a preset beside `network`."""
    record = {
        "name": "small",
        "weights_file": network.name,
        "weights_sha256": hashlib.sha256(network.read_bytes()).hexdigest(),
        "input_size": SIZE,
        "embedding_size": LENGTH,
        "layout": "NCHW",
        **changes,
    }
    path = network.with_suffix(".json")
    path.write_text(json.dumps(record))
    return path
