"""What of a converted network becomes int8: its tensors by the Keras layers they come from, and the nodes between."""

import re
from typing import TYPE_CHECKING

from embedder.errors import WeightsError

if TYPE_CHECKING:
    import onnx

QUANTIZED_OPS = ("Conv", "Relu", "Add", "Concat", "MaxPool")
"""Quantized up to the global pooling; what follows takes 3 % of the time and in fp32 keeps the vectors closer."""

_LAYER_OF_TENSOR = re.compile(r"[^/]+/(?P<layer>[^/]+?)(?:_\d+)?/[^/]+:\d+")


def fold_scales(model: "onnx.ModelProto") -> None:
    """Fold each multiplication by a constant number into the convolution before it, in place.

    As floating point ONNX Runtime does so itself, but a multiplication left between quantized nodes would stay one.
    """
    from onnx import numpy_helper

    graph = model.graph
    arrays = {array.name: array for array in graph.initializer}
    convolutions = {node.output[0]: node for node in graph.node if node.op_type == "Conv"}
    uses: dict[str, int] = {}
    for node in graph.node:
        for name in node.input:
            uses[name] = uses.get(name, 0) + 1
    for node in [node for node in graph.node if node.op_type == "Mul"]:
        scaled, factor = node.input
        if scaled not in convolutions or uses[scaled] != 1 or factor not in arrays:
            continue
        scale = numpy_helper.to_array(arrays[factor])
        if scale.size != 1:
            continue
        for name in convolutions[scaled].input[1:]:
            arrays[name].CopyFrom(numpy_helper.from_array(numpy_helper.to_array(arrays[name]) * scale.item(), name))
        for reader in graph.node:
            reader.input[:] = [scaled if name == node.output[0] else name for name in reader.input]
        graph.node.remove(node)


def keys_of_tensors(model: "onnx.ModelProto") -> dict[str, str]:
    """Return the tensors that carry a range, each with its key in the ranges file: the Keras layer it comes from.

    Raises
    ------
    WeightsError
        If two tensors come from one layer.
    """
    graph = model.graph
    images = {node.output[0]: "images" for node in graph.node if node.input[:1] == [graph.input[0].name]}
    keys = dict(images)
    for node in nodes_to_quantize(model):
        match = _LAYER_OF_TENSOR.fullmatch(node.output[0])
        if match:
            keys[node.output[0]] = match["layer"]
    if len(set(keys.values())) != len(keys):
        raise WeightsError(
            "two activations of the network come from one layer; "
            "expected names as embedder.runtime.conversion.export_onnx gives them"
        )
    return keys


def nodes_to_quantize(model: "onnx.ModelProto") -> "list[onnx.NodeProto]":
    """Return the nodes before the global pooling whose type is one of `QUANTIZED_OPS`."""
    types = [node.op_type for node in model.graph.node]
    end = types.index("GlobalAveragePool") if "GlobalAveragePool" in types else len(types)
    return [node for node in model.graph.node[:end] if node.op_type in QUANTIZED_OPS]
