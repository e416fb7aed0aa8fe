"""The one module that touches ``onnxruntime.quantization``, whose classes are not documented and change with versions.

`quantize_graph` is what the rest of the package calls; `missing_parts` says what an installed version lacks of what it
needs, so that a new version fails with its number and the names instead of somewhere inside.
"""

import inspect
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from foundation.errors import FacetableError

if TYPE_CHECKING:
    import onnx

TESTED_VERSION = "1.31.1"
"""Of ONNX Runtime: what `quantize_graph` was written and tested for."""

_QUANTIZER_ARGUMENTS = (
    "model",
    "per_channel",
    "reduce_range",
    "weight_qType",
    "activation_qType",
    "tensors_range",
    "nodes_to_exclude",
    "nodes_to_quantize",
    "op_types_to_quantize",
    "extra_options",
)

_MEMBERS = (
    "QuantType.QInt8",
    "QuantType.QUInt8",
    "CalibrationMethod.MinMax",
    "TensorData.range_value",
    "TensorsData.items",
    "QDQQuantizer.quantize_model",
)


class QuantizerError(FacetableError, RuntimeError):
    """The installed ONNX Runtime lacks what is needed to quantize a network."""


def quantize_graph(
    model: "onnx.ModelProto",
    ranges: Mapping[str, tuple[float, float]],
    *,
    nodes: Sequence[str],
    op_types: Sequence[str],
) -> "onnx.ModelProto":
    """Return `model` with 8-bit integers in the nodes named, quantize and dequantize nodes around them (QDQ).

    Activations are unsigned bytes with one scale a tensor, weights seven-bit signed numbers with one scale a channel.

    Parameters
    ----------
    model : onnx.ModelProto
        Floating point; it is used up.
    ranges : mapping of str to (float, float)
        Smallest and largest value of each activation, by the name of its tensor.
    nodes : sequence of str
        Names of the nodes to quantize.
    op_types : sequence of str
        Their types.

    Raises
    ------
    QuantizerError
        If the installed ONNX Runtime lacks something that is used here.
    """
    import onnxruntime
    from onnxruntime import quantization

    missing = missing_parts(quantization)
    if missing:
        raise QuantizerError(
            f"onnxruntime {onnxruntime.__version__}: expected `onnxruntime.quantization` as in version "
            f"{TESTED_VERSION}, it lacks {', '.join(missing)}; install onnxruntime=={TESTED_VERSION}, or use fp32"
        )
    data = {
        tensor: quantization.TensorData(lowest=np.float32(low), highest=np.float32(high))
        for tensor, (low, high) in ranges.items()
    }
    quantizer = quantization.QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=True,
        weight_qType=quantization.QuantType.QInt8,
        activation_qType=quantization.QuantType.QUInt8,
        tensors_range=quantization.TensorsData(quantization.CalibrationMethod.MinMax, data),
        nodes_to_exclude=[],
        nodes_to_quantize=list(nodes),
        op_types_to_quantize=list(op_types),
        extra_options={},
    )
    quantizer.quantize_model()
    result: Any = quantizer.model.model
    return result


def missing_parts(quantization: ModuleType) -> list[str]:
    """Return what a module such as ``onnxruntime.quantization`` lacks of what `quantize_graph` uses, none for nothing.

    >>> missing_parts(ModuleType("empty"))[:2]
    ['QuantType.QInt8', 'QuantType.QUInt8']
    """
    missing = []
    for member in _MEMBERS:
        owner, name = member.split(".")
        if not hasattr(getattr(quantization, owner, None), name):
            missing.append(member)
    quantizer = getattr(quantization, "QDQQuantizer", None)
    if quantizer is not None:
        accepted = inspect.signature(quantizer).parameters
        missing += [f"QDQQuantizer({name}=)" for name in _QUANTIZER_ARGUMENTS if name not in accepted]
    return missing
