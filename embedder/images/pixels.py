"""Turn a loaded picture of any mode into uint8 RGB, a band of rows at a time: little is in memory beside the two."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

# Pixels turned at once: some 50 MB where they pass through 32-bit numbers.
_PIXELS_AT_ONCE = 2_000_000


def to_rgb(picture: Image.Image) -> np.ndarray:
    """Return the pixels of a loaded picture, on white where it is transparent, as uint8 (h, w, 3)."""
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    if picture.mode == "F" or picture.mode.startswith("I"):
        white = _white_of(picture)
        for rows, band in _bands(picture):
            pixels[rows] = _scale_to_8_bits(np.asarray(band), white)[:, :, np.newaxis]
        return pixels
    is_transparent = picture.has_transparency_data
    for rows, band in _bands(picture):
        pixels[rows] = np.asarray(_on_white(band.convert("RGBA")) if is_transparent else band.convert("RGB"))
    return pixels


def _bands(picture: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    width, height = picture.size
    step = max(1, _PIXELS_AT_ONCE // max(1, width))
    for top in range(0, height, step):
        bottom = min(height, top + step)
        yield slice(top, bottom), picture.crop((0, top, width, bottom))


def _on_white(picture: Image.Image) -> Image.Image:
    lowest_alpha, _ = picture.getchannel("A").getextrema()
    if lowest_alpha != 255:
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        white.alpha_composite(picture)
        picture = white
    return picture.convert("RGB")


def _white_of(picture: Image.Image) -> float | None:
    """Return which grey value is white; None where the upper 8 of 16 bits are taken.

    16-bit values keep their upper 8 bits, as Pillow and OpenCV do for 16-bit colour. 32-bit integers and floats carry
    no range: the smallest of the usual ones (1 for floats, 255, 65,535, the largest 32-bit value) that holds the
    brightest pixel is theirs.
    """
    if picture.mode.startswith("I;16"):
        return None
    if picture.format == "PPM":
        return 65535.0  # Pillow has scaled by the maximum the file declares
    ranges = ([1.0] if picture.mode == "F" else []) + [255.0, 65535.0, 2.0**32 - 1]
    brightest = max(float(_finite(np.asarray(band)).max(initial=0.0)) for _, band in _bands(picture))
    return next((limit for limit in ranges if brightest <= limit), brightest)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _scale_to_8_bits(values: np.ndarray, white: float | None) -> np.ndarray:
    if white is None:
        return (values >> 8).astype(np.uint8)
    return np.clip(np.rint(_finite(values) * (255.0 / white)), 0, 255).astype(np.uint8)
