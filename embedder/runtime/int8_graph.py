"""What of a converted network becomes int8: its tensors that need a range, and the nodes between."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

QUANTIZED_OPS = ("Conv", "Relu", "Add", "Concat", "MaxPool")
"""Quantized up to the global pooling; what follows takes 3 % of the time and in fp32 keeps the vectors closer."""

IMAGES = "images"
"""Key of the range of what comes in."""


def keys_of_tensors(model: "onnx.ModelProto") -> dict[str, str]:
    """Return the tensors that carry a range, each with its key in the ranges file: its name, a layer's.

    What only a rectifier reads carries none: a rectifier disappears into the clipping of its quantized input, which so
    has the range of its output.
    """
    graph = model.graph
    nodes = nodes_to_quantize(model)
    keys = {node.output[0]: IMAGES for node in graph.node if node.input[:1] == [graph.input[0].name]}
    readers: dict[str, set[str]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, set()).add(node.op_type)
    return keys | {node.output[0]: node.output[0] for node in nodes if readers.get(node.output[0]) != {"Relu"}}


def nodes_to_quantize(model: "onnx.ModelProto") -> "list[onnx.NodeProto]":
    """Return the nodes before the global pooling whose type is one of `QUANTIZED_OPS`."""
    types = [node.op_type for node in model.graph.node]
    end = types.index("GlobalAveragePool") if "GlobalAveragePool" in types else len(types)
    return [node for node in model.graph.node[:end] if node.op_type in QUANTIZED_OPS]
