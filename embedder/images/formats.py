"""The image formats that are read, told from a file's first bytes."""

import re
from typing import NamedTuple

from embedder.images.kinds import JPEG_XL_PLUGIN

JPEG_XL = "JPEG XL"


class ImageFormat(NamedTuple):
    """One format: its name, how its files begin, and the class that reads them.

    Attributes
    ----------
    name : str
    first_bytes : re.Pattern
        What the first bytes match.
    module, reader : str
        Where the reader class is found; loaded on first use.
    package : str
        What to install for it, if it is not needed otherwise; "" for what always comes along.
    bytes_a_pixel : int
        Memory that decoding takes at its peak, planes and copies of the decoder and the result together.
    """

    name: str
    first_bytes: re.Pattern[bytes]
    module: str
    reader: str
    package: str
    bytes_a_pixel: int


BYTES_A_PIXEL = 10
"""Memory a pixel that may be asked for: 2 GB for the largest picture that is read by default."""


def _format(
    name: str, first_bytes: bytes, module: str, reader: str, *, package: str = "", bytes_a_pixel: int = BYTES_A_PIXEL
) -> ImageFormat:
    return ImageFormat(name, re.compile(first_bytes, re.DOTALL), module, reader, package, bytes_a_pixel)


# Memory was measured on pictures of 25 megapixels: 4.8 to 9.1 bytes a pixel, more where a number stands: AVIF 12.1 with
# 8 bits (planes of 12 bits and transparency take 8 more), WebP 16.4 (two canvases), JPEG 2000 19.4 (32-bit planes).
# JPEG XL was not measured, and is taken for the largest of these.
# The readers are called directly: `PIL.Image.open` would refuse 179 megapixels whatever `max_pixels` says, would try
# formats that run other programs (EPS), and knows HEIC only after a registration that changes the whole process.
FORMATS = (
    _format("JPEG", rb"\xff\xd8\xff", "PIL.JpegImagePlugin", "JpegImageFile"),
    _format("PNG", rb"\x89PNG\r\n\x1a\n", "PIL.PngImagePlugin", "PngImageFile"),
    _format("HEIC", rb"....ftyp(?:hei[cmsx]|hev[cmsx]|(?:mif1|msf1)(?!.*avi[fs]))", "pillow_heif", "HeifImageFile"),
    _format("AVIF", rb"....ftyp(?:avi[fs]|mif1|msf1)", "PIL.AvifImagePlugin", "AvifImageFile", bytes_a_pixel=20),
    _format("WebP", rb"RIFF....WEBP", "PIL.WebPImagePlugin", "WebPImageFile", bytes_a_pixel=17),
    _format("TIFF", rb"II[*+]\0|MM\0[*+]", "PIL.TiffImagePlugin", "TiffImageFile"),
    _format("GIF", rb"GIF8[79]a", "PIL.GifImagePlugin", "GifImageFile"),
    _format("BMP", rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", "PIL.BmpImagePlugin", "BmpImageFile"),
    _format(
        "JPEG 2000",
        rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n",
        "PIL.Jpeg2KImagePlugin",
        "Jpeg2KImageFile",
        bytes_a_pixel=20,
    ),
    _format(
        JPEG_XL,
        rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n",
        "pillow_jxl.JpegXLImagePlugin",
        "JXLImageFile",
        package=JPEG_XL_PLUGIN,
        bytes_a_pixel=20,
    ),
    _format("PNM", rb"P[1-6]\s+[\d#]", "PIL.PpmImagePlugin", "PpmImageFile"),
)


def format_of(first_bytes: bytes) -> ImageFormat | None:
    """Return the format of a file that begins with `first_bytes`, None if it is none of `FORMATS`."""
    return next((known for known in FORMATS if known.first_bytes.match(first_bytes)), None)
