"""TFLite files, read from their flatbuffers: operators and their tensors in the order in which they run."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.errors import WeightsError
from foundation.formats import describe_kind

if TYPE_CHECKING:
    import onnx

_IDENTIFIER = b"TFL3"
"""At byte 4 of every file, by the schema of TFLite (schema.fbs, version 3)."""

_MOST_OPERATORS = 10_000

_DAMAGE = (struct.error, IndexError, KeyError, ValueError, TypeError, AttributeError, OverflowError, MemoryError)
"""What reading a damaged flatbuffer raises: nothing in it is checked beforehand."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of the file.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Maps as (n, rows, columns, channels).
    values : np.ndarray or None
        What is stored of it; None where it is computed.
    """

    name: str
    shape: tuple[int, ...]
    values: np.ndarray | None


@dataclass(frozen=True)
class Operator:
    """One step of the network.

    Attributes
    ----------
    kind : str
        Such as ``"CONV_2D"``.
    inputs : tuple of int
        Numbers of tensors; -1 for what is left out.
    output : int
        Number of the tensor.
    options : object
        Its table of options, None where it has none.
    """

    kind: str
    inputs: tuple[int, ...]
    output: int
    options: Any


@dataclass(frozen=True)
class TfliteNetwork:
    """What a file holds: tensors, operators in their order, and the numbers of input and output."""

    tensors: tuple[StoredTensor, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int


def from_tflite(path: Path) -> "onnx.ModelProto":
    """Write the network of a TFLite file as ONNX.

    Raises
    ------
    WeightsError
        If the file is damaged or no TFLite file, holds other numbers than float32, or an operator that is not known
        here.
    """
    from embedder.network_files.tflite_graph import UnknownOperatorError, write_graph

    try:
        return write_graph(read_tflite(path))
    except UnknownOperatorError as error:
        raise WeightsError(
            f"{path}: expected operators that face networks are made of, found {error}; convert it to ONNX with "
            "tf2onnx, which the extra `train` brings (python -m tf2onnx.convert --tflite FILE --output FILE.onnx), and "
            "name that file"
        ) from None
    except WeightsError:
        raise
    except _DAMAGE as error:
        raise _damaged(path, error) from None


def read_tflite(path: Path) -> TfliteNetwork:
    """Return what the TFLite file `path` holds.

    Raises
    ------
    WeightsError
        If it is damaged, another file, or not a network with one input and one output of float32.
    """
    data = path.read_bytes()
    if data[4:8] != _IDENTIFIER:
        raise WeightsError(f"{path}: expected a TFLite file, found {describe_kind(path)}; name another file")
    try:
        return _read(data, path)
    except WeightsError:
        raise
    except _DAMAGE as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> WeightsError:
    return WeightsError(
        f"{path}: expected a whole TFLite file, found a damaged one ({' '.join(str(error).split())[:200]}); "
        "download it again"
    )


def _read(data: bytes, path: Path) -> TfliteNetwork:
    import tflite

    model = tflite.Model.GetRootAs(data, 0)
    if model.SubgraphsLength() != 1:
        raise WeightsError(f"{path}: expected a network of one graph, found {model.SubgraphsLength()}; take another")
    graph = model.Subgraphs(0)
    ends = (graph.InputsLength(), graph.OutputsLength())
    if ends != (1, 1):
        raise WeightsError(
            f"{path}: expected one input and one output, found {ends[0]} and {ends[1]}; convert it to ONNX with "
            "tf2onnx and name the output in the preset"
        )
    if graph.OperatorsLength() > _MOST_OPERATORS:
        raise ValueError(f"{graph.OperatorsLength():,} operators")
    operators = tuple(_operator(model, graph.Operators(i)) for i in range(graph.OperatorsLength()))
    used = {number for step in operators for number in (*step.inputs, step.output)}
    tensors = tuple(_tensor(model, graph.Tensors(i), path, i in used) for i in range(graph.TensorsLength()))
    return TfliteNetwork(tensors, operators, int(graph.Inputs(0)), int(graph.Outputs(0)))


def _operator(model: Any, step: Any) -> Operator:
    import tflite

    code = model.OperatorCodes(step.OpcodeIndex())
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())  # as the schema says: one of them is 0
    names = {value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}
    kind = names.get(number, f"operator {number}")
    table, options = step.BuiltinOptions(), None
    option_class = getattr(tflite, _OPTIONS.get(kind, ""), None)
    if table is not None and option_class is not None:
        options = option_class()
        options.Init(table.Bytes, table.Pos)
    if step.OutputsLength() != 1:
        raise ValueError(f"{kind} with {step.OutputsLength()} outputs")
    return Operator(kind, tuple(int(step.Inputs(i)) for i in range(step.InputsLength())), int(step.Outputs(0)), options)


_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
}
"""Which table of options an operator has."""


def _tensor(model: Any, tensor: Any, path: Path, is_used: bool) -> StoredTensor:
    import tflite

    shape = tuple(int(tensor.Shape(i)) for i in range(tensor.ShapeLength()))
    name = (tensor.Name() or b"").decode("utf-8", errors="replace")
    buffer = model.Buffers(tensor.Buffer())
    kinds = {tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.INT32: "<i4"}
    kind = kinds.get(tensor.Type())
    if kind is None:
        if not is_used:
            return StoredTensor(name, shape, None)
        names = {value: word for word, value in vars(tflite.TensorType).items() if isinstance(value, int)}
        raise WeightsError(
            f"{path}: expected a network of FLOAT32, found {name} of {names.get(tensor.Type(), tensor.Type())}; take "
            "the network that was not quantized, or convert it to ONNX with tf2onnx"
        )
    if not buffer.DataLength():
        return StoredTensor(name, shape, None)
    return StoredTensor(name, shape, np.frombuffer(bytes(buffer.DataAsNumpy()), kind).reshape(shape))
