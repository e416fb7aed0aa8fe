"""Frozen graphs, written field by field in the wire format of protocol buffers."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np


def varint(value: int) -> bytes:
    """Return a number, seven bits to a byte, lowest first."""
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, content: bytes | int) -> bytes:
    """Return a field: a number, or what has a length."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(array: np.ndarray, *, content: bytes | None = None, kind: int = 1) -> bytes:
    """Return a TensorProto with the shape of `array` and its values, or with other bytes."""
    shape = b"".join(field(2, field(1, size)) for size in array.shape)
    return field(1, kind) + field(2, shape) + field(4, array.tobytes() if content is None else content)


def constant(name: str, value: bytes) -> bytes:
    """Return a node of a graph."""
    attribute = field(1, b"value") + field(2, field(8, value))
    return field(1, field(1, name.encode()) + field(2, b"Const") + field(5, attribute))


def write_graph(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write a graph of constants and of one other node."""
    nodes = [constant(name, tensor(array)) for name, array in arrays.items()]
    path.write_bytes(b"".join(nodes) + field(1, field(1, b"add") + field(2, b"Add") + field(3, b"x")))
    return path
