"""Pixels are the same whatever band of rows they are turned in."""

import io

import numpy as np
import pytest
from PIL import Image

from embedder.images import pixels
from embedder.images.pixels import to_rgb

RNG = np.random.default_rng(0)
RGBA = Image.fromarray(RNG.integers(0, 256, (37, 23, 4), dtype=np.uint8))


def palette_with_transparency() -> Image.Image:
    stream = io.BytesIO()
    RGBA.convert("RGB").convert("P").save(stream, "PNG", transparency=3)
    picture = Image.open(stream)
    picture.load()
    return picture


PICTURES = {
    **{mode: RGBA.convert(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV")},
    "transparent palette": palette_with_transparency(),
    "opaque at the top": Image.fromarray(np.concatenate([np.full((10, 23, 4), 255, np.uint8), np.asarray(RGBA)])),
    "I;16": Image.fromarray(RNG.integers(0, 2**16, (37, 23), dtype=np.uint16)),
    "I": Image.fromarray(np.arange(37 * 23, dtype=np.int32).reshape(37, 23)),
    "F": Image.fromarray(np.linspace(-1, 300, 37 * 23, dtype=np.float32).reshape(37, 23)),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("rows", [1, 5])
def test_bands_change_nothing(name: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = PICTURES[name]
    whole = to_rgb(picture)
    monkeypatch.setattr(pixels, "_PIXELS_AT_ONCE", rows * picture.width)
    np.testing.assert_array_equal(to_rgb(picture), whole)
    assert whole.shape == (picture.height, picture.width, 3) and whole.dtype == np.uint8


def test_what_is_transparent_is_white() -> None:
    hidden = np.asarray(RGBA).copy()
    hidden[:20, :, 3] = 0
    found = to_rgb(Image.fromarray(hidden))
    assert (found[:20] == 255).all()
    hidden[:, :, 3] = 255
    np.testing.assert_array_equal(to_rgb(Image.fromarray(hidden)), hidden[:, :, :3])
