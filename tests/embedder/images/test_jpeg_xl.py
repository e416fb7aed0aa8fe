"""JPEG XL photos: their size from the header, their pixels where the reader is installed."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from embedder.errors import ImageError, MissingReaderError
from embedder.images.jpeg_xl import parse_size, read_size
from embedder.images.kinds import JPEG_XL_PLUGIN
from embedder.images.reading import read_image

BOXES = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "


def with_plugin():
    return pytest.importorskip("pillow_jxl", reason=f"JPEG XL is read after: pip install {JPEG_XL_PLUGIN}")


def header(*fields):
    """Bytes of (bits, value) pairs, lowest bit first."""
    bits = "".join(f"{value:0{n}b}"[::-1] for n, value in fields)
    return int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ([(1, 1), (5, 4), (3, 0), (5, 7)], (64, 40)),  # small: eights of pixels
        ([(1, 0), (2, 0), (9, 39), (3, 0), (2, 0), (9, 59)], (60, 40)),
        ([(1, 0), (2, 1), (13, 1079), (3, 5)], (1920, 1080)),  # 16:9
        ([(1, 0), (2, 3), (30, 2**30 - 1), (3, 7)], (2**31, 2**30)),
    ],
)
def test_the_size_is_read_from_the_header(fields, size):
    stored = header(*fields)
    assert parse_size(stored) == size
    bare = b"\xff\x0a" + stored.ljust(14, b"\0")
    boxed = BOXES + b"\0\0\0\x0cExif\0\0\0\0" + len(bare + bytes(8)).to_bytes(4, "big") + b"jxlc" + bare
    assert read_size(io.BytesIO(bare)) == read_size(io.BytesIO(boxed)) == size


@pytest.mark.parametrize("data", [b"", b"\xff\x0a", b"\xff\x0a\x02", BOXES, BOXES + b"\0\0\0\x0cjxlc\0\0\0\0"])
def test_a_header_that_is_cut_short_is_refused(data):
    with pytest.raises(ValueError, match=r"its header is cut short|no JPEG XL codestream in it"):
        read_size(io.BytesIO(data))


def test_without_the_plugin_the_remedy_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    monkeypatch.setitem(sys.modules, "pillow_jxl.JpegXLImagePlugin", None)
    (tmp_path / "a.jxl").write_bytes(b"\xff\x0a" + header((1, 1), (5, 4), (3, 0), (5, 7)))
    with pytest.raises(MissingReaderError) as caught:
        read_image(tmp_path / "a.jxl")
    assert str(caught.value) == (
        f"{tmp_path}/a.jxl: expected a photo that can be read here, found a JPEG XL photo; run: pip install "
        f"{JPEG_XL_PLUGIN}, or convert it to JPEG"
    )


@pytest.fixture
def picture():
    y, x = np.mgrid[0:40, 0:60]
    return np.stack([x * 4, y * 6, x + y], -1).astype(np.uint8)


@pytest.mark.parametrize("boxed", [False, True])
def test_pixels_come_back(tmp_path, picture, boxed):
    with_plugin()
    Image.fromarray(picture).save(tmp_path / "a.jxl", lossless=True, use_container=boxed)
    assert np.array_equal(read_image(tmp_path / "a.jxl"), picture)
    Image.fromarray(picture).convert("L").save(tmp_path / "grey.jxl", lossless=True)
    assert read_image(tmp_path / "grey.jxl").shape == (40, 60, 3)


def test_a_jpeg_packed_without_loss_is_turned_upright_and_other_pictures_are_already(tmp_path, picture):
    with_plugin()
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "a.jpg", quality=95, exif=turned.tobytes())
    with Image.open(tmp_path / "a.jpg") as jpeg:
        jpeg.save(tmp_path / "packed.jxl", lossless_jpeg=True)
    assert np.array_equal(read_image(tmp_path / "packed.jxl"), read_image(tmp_path / "a.jpg"))
    # ISO/IEC 18181-2: the decoder turns the picture, what Exif says is not heeded.
    Image.fromarray(picture).save(tmp_path / "b.jxl", lossless=True, exif=turned.tobytes())
    assert np.array_equal(read_image(tmp_path / "b.jxl"), picture)


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path, picture, monkeypatch):
    reader = pytest.importorskip(
        "pillow_jxl.JpegXLImagePlugin", reason=f"JPEG XL is read after: pip install {JPEG_XL_PLUGIN}"
    )
    Image.fromarray(picture).save(tmp_path / "a.jxl", lossless=True)
    monkeypatch.setattr(reader, "Decoder", lambda **_: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="expected at most 1,000 pixels, found 60 x 40 = 2,400"):
        read_image(tmp_path / "a.jxl", max_pixels=1000)


def test_damaged_pictures_are_image_errors(tmp_path, picture):
    with_plugin()
    Image.fromarray(picture).save(tmp_path / "a.jxl", lossless=True, use_container=True)
    whole = (tmp_path / "a.jxl").read_bytes()
    for end in range(1, len(whole) - 1, 7):
        (tmp_path / "a.jxl").write_bytes(whole[:end])
        with pytest.raises(ImageError, match=r"a\.jxl: expected"):
            read_image(tmp_path / "a.jxl")
