"""Read the constants of a frozen graph: a ``GraphDef`` in the wire format of protocol buffers.

Only what is needed is read: the nodes' names and kinds, and of constants of float32 their shapes and values. Numbers of
fields are those of ``graph.proto``, ``node_def.proto``, ``attr_value.proto``, ``tensor.proto`` and
``tensor_shape.proto``; the encoding is described at https://protobuf.dev/programming-guides/encoding. No length is
believed: one that leads out of its message is refused, and so is a file of more or larger parts than a network has.
"""

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from embedder.errors import WeightsError
from embedder.runtime.weights import Arrays, add_slim_variable

_LARGEST_FILE = 500 * 2**20
_MOST_FIELDS = 200_000
"""In all of a file. FaceNet's has 92 MB and 7,600 fields."""

_MOST_DIMENSIONS = 8

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5
"""Wire types."""

_GRAPH_NODE = 1
_NODE_NAME, _NODE_OPERATOR, _NODE_ATTRIBUTE = 1, 2, 5
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_ATTRIBUTE_TENSOR = 8
_TENSOR_TYPE, _TENSOR_SHAPE, _TENSOR_CONTENT, _TENSOR_FLOATS = 1, 2, 4, 5
_SHAPE_DIMENSION = 2
_DIMENSION_SIZE = 1
"""Numbers of fields."""

_FLOAT32, _FLOAT32_BYTES = 1, 4
"""Of the kinds of numbers that a tensor may hold."""


class _DamagedError(Exception):
    """What is wrong with the bytes."""


class _Field(NamedTuple):
    number: int
    value: int  # of a number
    content: memoryview  # of what has a length


def read_frozen_graph(path: Path) -> Arrays:
    """Read the weights of a frozen graph (``.pb``) whose constants carry slim's names.

    A batch norm that freezing folded into its convolution comes back as one with mean 0 and variance
    1 - epsilon, whose beta is the folded bias: it changes nothing, and training can go on from it.

    Raises
    ------
    WeightsError
        If the file is not a frozen graph, or damaged.
    OSError
        If it cannot be read.
    """
    if path.stat().st_size > _LARGEST_FILE:
        raise WeightsError(
            f"{path}: expected a frozen graph of at most {_LARGEST_FILE // 2**20} MB, "
            f"found {path.stat().st_size // 2**20} MB; it is another network, or no graph"
        )
    arrays: Arrays = {}
    try:
        reader = _Reader()
        for name, tensor in _constants(reader, memoryview(path.read_bytes())):
            add_slim_variable(arrays, name, partial(_array, reader, name, tensor))
    except _DamagedError as error:
        raise WeightsError(
            f"{path}: not a frozen graph, or one cut short ({error}); expected a .pb file of a GraphDef, "
            "get it again from where it came"
        ) from None
    return arrays


def _constants(reader: "_Reader", graph: memoryview) -> Iterator[tuple[str, list[_Field]]]:
    """Yield name and tensor of each constant."""
    for node in reader.fields(graph, _GRAPH_NODE):
        fields = list(reader.fields(node.content))
        if _text(fields, _NODE_OPERATOR) != "Const":
            continue
        for entry in (list(reader.fields(field.content)) for field in fields if field.number == _NODE_ATTRIBUTE):
            if _text(entry, _ENTRY_KEY) != "value":
                continue
            for attribute in (field for field in entry if field.number == _ENTRY_VALUE):
                for tensor in reader.fields(attribute.content, _ATTRIBUTE_TENSOR):
                    yield _text(fields, _NODE_NAME), list(reader.fields(tensor.content))


def _array(reader: "_Reader", name: str, tensor: list[_Field]) -> np.ndarray:
    """Return the values of a tensor, without copying them."""
    if [field.value for field in tensor if field.number == _TENSOR_TYPE] != [_FLOAT32]:
        raise _DamagedError(f"{name} is no constant of float32")
    shape = tuple(
        next((size.value for size in reader.fields(dimension.content, _DIMENSION_SIZE)), 0)
        for field in tensor
        if field.number == _TENSOR_SHAPE
        for dimension in reader.fields(field.content, _SHAPE_DIMENSION)
    )
    values = [field.content for field in tensor if field.number in (_TENSOR_CONTENT, _TENSOR_FLOATS)]
    n_bytes = len(values[0]) if len(values) == 1 else 0
    is_one_for_all = n_bytes == _FLOAT32_BYTES and 0 < math.prod(shape) <= _LARGEST_FILE
    if len(shape) > _MOST_DIMENSIONS or not (n_bytes == _FLOAT32_BYTES * math.prod(shape) > 0 or is_one_for_all):
        raise _DamagedError(f"{name} has {n_bytes} bytes for a tensor of shape {shape[:_MOST_DIMENSIONS]}")
    numbers = np.frombuffer(values[0], "<f4")
    return np.broadcast_to(numbers, shape) if is_one_for_all else numbers.reshape(shape)


def _text(fields: list[_Field], number: int) -> str:
    found = [field.content for field in fields if field.number == number]
    return bytes(found[-1]).decode("utf-8", errors="replace") if found else ""


class _Reader:
    """Reads the fields of messages, of one file never more than `_MOST_FIELDS`."""

    def __init__(self) -> None:
        self._n_fields = 0

    def fields(self, message: memoryview, number: int | None = None) -> Iterator[_Field]:
        """Yield the fields of a message, all or those of one number."""
        position = 0
        while position < len(message):
            self._n_fields += 1
            if self._n_fields > _MOST_FIELDS:
                raise _DamagedError(f"more than {_MOST_FIELDS:,} fields")
            key, position = _varint(message, position)
            found, wire_type = key >> 3, key & 7
            value, length = 0, 0
            if wire_type == _VARINT:
                value, position = _varint(message, position)
            elif wire_type == _LENGTH_DELIMITED:
                length, position = _varint(message, position)
            elif wire_type in (_FIXED32, _FIXED64):
                length = 4 if wire_type == _FIXED32 else 8
            else:
                raise _DamagedError(f"a field of the unknown type {wire_type}")
            end = position + length
            if found == 0 or end > len(message):
                raise _DamagedError(f"field {found} of {length} bytes, where {len(message) - position} are left")
            if number in (None, found):
                yield _Field(found, value, message[position:end])
            position = end


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return a number of up to 64 bits, seven to a byte, lowest first, and the position behind it."""
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(message):
            raise _DamagedError("it ends within a number")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _DamagedError("a number of more than 64 bits")
