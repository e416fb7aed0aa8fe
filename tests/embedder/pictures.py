"""Pictures, and files of kinds that Pillow does not write."""

import struct
import zlib

import numpy as np
from PIL import Image


def gradient(height=40, width=60):
    """Return a picture in which every quarter, channel and direction differs; smooth, so that JPEG keeps it."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], axis=2).astype(np.uint8)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def assert_close(image, expected, *, within):
    assert image.dtype == np.uint8
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected.astype(int)).max() <= within


def tiff(path, array, photometric):
    """Write an uncompressed little-endian TIFF by hand: Pillow writes no 16-bit colour."""
    height, width = array.shape[:2]
    n_channels = array.shape[2] if array.ndim == 3 else 1
    pixels = array.astype(array.dtype.newbyteorder("<")).tobytes()
    bits = struct.pack(f"<{n_channels}H", *[array.itemsize * 8] * n_channels)
    bits_at, pixels_at = 8, 8 + len(bits) + len(bits) % 2
    directory_at = pixels_at + len(pixels)
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, n_channels, bits_at if n_channels > 2 else struct.unpack("<I", bits.ljust(4, b"\0"))[0]),
        (259, 3, 1, 1),
        (262, 3, 1, photometric),
        (273, 4, 1, pixels_at),
        (277, 3, 1, n_channels),
        (278, 4, 1, height),
        (279, 4, 1, len(pixels)),
        (284, 3, 1, 1),
    ]
    if n_channels == 4:
        entries.append((338, 3, 1, 2))
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    path.write_bytes(
        b"II*\0"
        + struct.pack("<I", directory_at)
        + bits.ljust(pixels_at - bits_at, b"\0")
        + pixels
        + struct.pack("<H", len(entries))
        + body
        + bytes(4)
    )
    return path


def png(path, width, height, rows, *, bits=8, colour_type=2):
    """Write a PNG from its compressed `rows` (an iterable of bytes, filter byte included)."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj(1)
    packed = b"".join([*(packer.compress(row) for row in rows), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b""))
    return path
