"""ONNX files of others: checked, their batch dimension made free, PReLU written as ONNX Runtime is fast with it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embedder.errors import WeightsError
from foundation.formats import describe_kind

if TYPE_CHECKING:
    import onnx

BATCH = "n"
"""What a free batch dimension is called."""

_LARGEST_FILE = 2**31 - 1
"""Bytes: Protocol Buffers hold no more."""

_OWN_DOMAINS = ("", "ai.onnx")
"""What ONNX calls its own operators."""

_BROADCASTING_OPSET = 7
"""Version of ONNX's operators from which products and sums repeat the smaller operand."""


def from_onnx(path: Path) -> "onnx.ModelProto":
    """Read a network, and let it take any number of pictures at once.

    Raises
    ------
    WeightsError
        If the file is no ONNX file, keeps weights in other files, or its input is no batch of pictures.
    """
    import onnx

    model = _read(path)
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        names = ", ".join(value.name for value in inputs) or "none"
        raise WeightsError(f"{path}: expected a network with one input, found {names}; export one that takes pictures")
    picture = inputs[0].type.tensor_type
    if picture.elem_type != onnx.TensorProto.FLOAT or len(picture.shape.dim) != 4:
        kind = onnx.TensorProto.DataType.Name(picture.elem_type)
        raise WeightsError(
            f"{path}: expected an input of FLOAT with 4 axes, found {kind} with {len(picture.shape.dim)}; "
            "export a network that takes pictures"
        )
    if not graph.output:
        raise WeightsError(f"{path}: expected a network with an output, found none; export it again")
    _free_batch(model, picture.shape.dim[0].dim_value)
    _replace_prelus(model)
    return model


def _read(path: Path) -> "onnx.ModelProto":
    import onnx
    from google.protobuf.message import DecodeError

    if path.stat().st_size > _LARGEST_FILE:
        raise WeightsError(f"{path}: expected an ONNX file of at most 2 GB; export a smaller network")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
        _check_self_contained(model, path)
        onnx.checker.check_model(model)
    except (DecodeError, ValueError, RecursionError, onnx.checker.ValidationError) as error:
        raise WeightsError(
            f"{path}: expected an ONNX file, found a damaged or another one ({describe_kind(path)}; "
            f"{' '.join(str(error).split())[:200]}); export or download it again"
        ) from None
    return model


def _check_self_contained(model: "onnx.ModelProto", path: Path) -> None:
    import onnx

    outside = [tensor.name for tensor in model.graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]
    if outside:
        raise WeightsError(
            f"{path}: expected a network with its weights in the file, found {outside[0]} in another one; "
            "export it as one file"
        )


def _replace_prelus(model: "onnx.ModelProto") -> None:
    """Write each PReLU of feature maps, with a stored slope a channel, as slopes * x + (1 - slopes) * relu(x).

    See `embedder.runtime.graph_writer.GraphWriter.rectify_leakily`.
    """
    from onnx import helper, numpy_helper

    if any(opset.domain in _OWN_DOMAINS and opset.version < _BROADCASTING_OPSET for opset in model.opset_import):
        return
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        tensor = stored.get(node.input[1]) if node.op_type == "PRelu" and node.domain in _OWN_DOMAINS else None
        slopes = None if tensor is None else numpy_helper.to_array(tensor)
        if slopes is None or slopes.dtype != np.float32 or slopes.shape not in _of_channels(slopes.size):
            nodes.append(node)
            continue
        x, y = node.input[0], node.output[0]
        factors = {f"{y}/slopes": slopes, f"{y}/rest": 1 - slopes}
        graph.initializer.extend(
            numpy_helper.from_array(values.reshape(-1, 1, 1), name) for name, values in factors.items()
        )
        nodes += [
            helper.make_node("Mul", [x, f"{y}/slopes"], [f"{y}/linear"]),
            helper.make_node("Relu", [x], [f"{y}/positive"]),
            helper.make_node("Mul", [f"{y}/positive", f"{y}/rest"], [f"{y}/more"]),
            helper.make_node("Add", [f"{y}/linear", f"{y}/more"], [y], name=node.name),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _of_channels(n: int) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of one value for each of `n` channels, ``(n, 1, 1)``, with or without the batch."""
    return (n, 1, 1), (1, n, 1, 1)


def _free_batch(model: "onnx.ModelProto", fixed: int) -> None:
    """Let the first axis of input and outputs be of any size, and reshapes to the `fixed` one follow it."""
    from onnx import numpy_helper

    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    for value in [*(value for value in graph.input if value.name not in constants), *graph.output]:
        sides = value.type.tensor_type.shape.dim
        if sides:
            sides[0].dim_param = BATCH
    if fixed < 1:
        return
    del graph.value_info[:]  # they say the fixed size
    shapes = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    stored = [tensor for tensor in graph.initializer if tensor.name in shapes]
    stored += [
        attribute.t
        for node in graph.node
        if node.op_type == "Constant" and node.output[0] in shapes
        for attribute in node.attribute
        if attribute.name == "value"
    ]
    for tensor in stored:
        shape = numpy_helper.to_array(tensor).copy()
        if shape.ndim == 1 and len(shape) and shape[0] == fixed:
            shape[0] = 0  # as many as come in
            tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))
