"""TFLite files, made with the schema's own builder: one subgraph, float32 throughout."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

BUILTIN = tflite.BuiltinOperator


@dataclass
class TfliteFile:
    """A file that is being put together: tensors and operators are added, `content` gives its bytes."""

    tensors: list[tuple[str, tuple[int, ...], np.ndarray | None, int]] = field(default_factory=list)
    operators: list[tuple[int, Sequence[int], int, tuple[str, dict[str, int]] | None]] = field(default_factory=list)

    def tensor(self, shape: Sequence[int], values: np.ndarray | None = None, *, kind: int = 0) -> int:
        """Add a tensor and return its number."""
        self.tensors.append((f"t{len(self.tensors)}", tuple(shape), values, kind))
        return len(self.tensors) - 1

    def constant(self, values: np.ndarray) -> int:
        """Add a tensor with values and return its number."""
        return self.tensor(values.shape, values.astype(np.float32))

    def step(self, code: int, inputs: Sequence[int], shape: Sequence[int], **options: int) -> int:
        """Add an operator and return the number of its output."""
        output = self.tensor(shape)
        table = {BUILTIN.CONV_2D: "Conv2DOptions", BUILTIN.DEPTHWISE_CONV_2D: "DepthwiseConv2DOptions"}.get(code)
        self.operators.append((code, inputs, output, None if table is None else (table, options)))
        return output

    def content(self, source: int, output: int) -> bytes:
        """Return the file with this input and output."""
        b = flatbuffers.Builder(4096)
        codes = sorted({code for code, *_ in self.operators})
        buffers = [_buffer(b, None), *(_buffer(b, values) for _, _, values, _ in self.tensors)]
        tensors = [_tensor(b, *tensor, buffer=i + 1) for i, tensor in enumerate(self.tensors)]
        operators = [_operator(b, codes.index(code), *rest) for code, *rest in self.operators]
        fields = [_offsets(b, tensors), _numbers(b, [source]), _numbers(b, [output]), _offsets(b, operators)]
        tflite.SubGraphStart(b)
        for add, value in zip(
            (
                tflite.SubGraphAddTensors,
                tflite.SubGraphAddInputs,
                tflite.SubGraphAddOutputs,
                tflite.SubGraphAddOperators,
            ),
            fields,
            strict=True,
        ):
            add(b, value)
        graph = _offsets(b, [tflite.SubGraphEnd(b)])
        made = [_code(b, code) for code in codes]
        vectors = (_offsets(b, made), graph, _offsets(b, buffers))
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, 3)
        tflite.ModelAddOperatorCodes(b, vectors[0])
        tflite.ModelAddSubgraphs(b, vectors[1])
        tflite.ModelAddBuffers(b, vectors[2])
        b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
        return bytes(b.Output())


def _offsets(b: Any, offsets: Sequence[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return int(b.EndVector())


def _numbers(b: Any, numbers: Sequence[int]) -> int:
    return int(b.CreateNumpyVector(np.array(numbers, np.int32)))


def _buffer(b: Any, values: np.ndarray | None) -> int:
    data = None if values is None else b.CreateNumpyVector(np.frombuffer(values.tobytes(), np.uint8))
    tflite.BufferStart(b)
    if data is not None:
        tflite.BufferAddData(b, data)
    return int(tflite.BufferEnd(b))


def _tensor(b: Any, name: str, shape: Sequence[int], values: np.ndarray | None, kind: int, *, buffer: int) -> int:
    text, sides = b.CreateString(name), _numbers(b, shape)
    tflite.TensorStart(b)
    tflite.TensorAddShape(b, sides)
    tflite.TensorAddType(b, kind)
    tflite.TensorAddBuffer(b, buffer)
    tflite.TensorAddName(b, text)
    return int(tflite.TensorEnd(b))


def _code(b: Any, code: int) -> int:
    tflite.OperatorCodeStart(b)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(code, 127))
    tflite.OperatorCodeAddBuiltinCode(b, code)
    return int(tflite.OperatorCodeEnd(b))


def _operator(b: Any, code: int, inputs: Sequence[int], output: int, options: tuple[str, dict[str, int]] | None) -> int:
    table = None
    if options is not None:
        name, values = options
        getattr(tflite, f"{name}Start")(b)
        for key, value in {"StrideW": 1, "StrideH": 1, **values}.items():
            getattr(tflite, f"{name}Add{key}")(b, value)
        table = getattr(tflite, f"{name}End")(b)
    taken, given = _numbers(b, inputs), _numbers(b, [output])
    tflite.OperatorStart(b)
    tflite.OperatorAddOpcodeIndex(b, code)
    tflite.OperatorAddInputs(b, taken)
    tflite.OperatorAddOutputs(b, given)
    if table is not None:
        tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, options[0]))  # type: ignore[index]
        tflite.OperatorAddBuiltinOptions(b, table)
    return int(tflite.OperatorEnd(b))
