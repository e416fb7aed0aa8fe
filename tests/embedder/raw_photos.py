"""Small real camera raw photos: DNG files (Adobe's specification 1.4) with a mosaic of random light and a preview."""

import struct
from collections.abc import Sequence

import numpy as np

BYTE, TEXT, SHORT, LONG, RATIONAL, SIGNED_RATIONAL = 1, 2, 3, 4, 5, 10
_LETTERS = {BYTE: "B", SHORT: "H", LONG: "I", RATIONAL: "II", SIGNED_RATIONAL: "ii"}

Field = tuple[int, int, Sequence]

_CAMERA: list[Field] = [
    (271, TEXT, b"Facetable\0"),
    (272, TEXT, b"Test\0"),
    (50706, BYTE, [1, 4, 0, 0]),  # DNGVersion
    (50708, TEXT, b"Facetable Test\0"),
    (50721, SIGNED_RATIONAL, [(int(i % 4 == 0), 1) for i in range(9)]),  # ColorMatrix1
    (50728, RATIONAL, [(1, 1)] * 3),  # AsShotNeutral
    (50778, SHORT, [21]),  # D65
]


def make_dng(width: int, height: int, *, preview: bytes = b"", preview_size: tuple[int, int] = (0, 0), turned: int = 1):
    """Return the bytes of a DNG of `width` x `height` pixels; `turned` is its orientation tag."""
    mosaic = np.random.default_rng(0).integers(0, 65535, (height, width)).astype("<u2").tobytes()
    main: list[Field] = [*_CAMERA, (274, SHORT, [turned])]
    if not preview:
        offset = 8 + len(_directory(main + _mosaic_fields(width, height, 0), 8))
        return _header() + _directory(main + _mosaic_fields(width, height, offset), 8) + mosaic

    def directories(at_mosaic: int, at_preview: int, at_second: int) -> tuple[bytes, bytes]:
        first = _directory([*main, *_preview_fields(preview, preview_size, at_preview), (330, LONG, [at_second])], 8)
        return first, _directory(_mosaic_fields(width, height, at_mosaic), 8 + len(first))

    first, second = directories(0, 0, 0)  # how long they are does not depend on the offsets
    at_preview = 8 + len(first) + len(second)
    first, second = directories(at_preview + len(preview), at_preview, 8 + len(first))
    return _header() + first + second + preview + mosaic


def _header() -> bytes:
    return b"II*\0" + struct.pack("<I", 8)


def _mosaic_fields(width: int, height: int, offset: int) -> list[Field]:
    return [
        (254, LONG, [0]),
        (256, LONG, [width]),
        (257, LONG, [height]),
        (258, SHORT, [16]),
        (259, SHORT, [1]),
        (262, SHORT, [32803]),  # colour filter array
        (273, LONG, [offset]),
        (277, SHORT, [1]),
        (278, LONG, [height]),
        (279, LONG, [2 * width * height]),
        (33421, SHORT, [2, 2]),
        (33422, BYTE, [0, 1, 1, 2]),
        (50717, LONG, [65535]),
    ]


def _preview_fields(preview: bytes, size: tuple[int, int], offset: int) -> list[Field]:
    return [
        (254, LONG, [1]),
        (256, LONG, [size[0]]),
        (257, LONG, [size[1]]),
        (258, SHORT, [8, 8, 8]),
        (259, SHORT, [7]),
        (262, SHORT, [6]),
        (273, LONG, [offset]),
        (277, SHORT, [3]),
        (278, LONG, [size[1]]),
        (279, LONG, [len(preview)]),
    ]


def _directory(fields: Sequence[Field], offset: int) -> bytes:
    """Return a TIFF directory that stands at `offset`, with the values that do not fit into it behind it."""
    entries, values = b"", b""
    behind = offset + 2 + 12 * len(fields) + 4
    for tag, kind, items in sorted(fields, key=lambda field: field[0]):
        data = items if isinstance(items, bytes) else b"".join(_pack(kind, item) for item in items)
        place = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", behind + len(values))
        if len(data) > 4:
            values += data + b"\0" * (len(data) % 2)
        entries += struct.pack("<HHI", tag, kind, len(items)) + place
    return struct.pack("<H", len(fields)) + entries + struct.pack("<I", 0) + values


def _pack(kind: int, item: int | tuple[int, int]) -> bytes:
    return struct.pack("<" + _LETTERS[kind], *(item if isinstance(item, tuple) else (item,)))
