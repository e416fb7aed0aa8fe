"""Every kind of image file that is read."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from embedder.errors import ImageError
from embedder.images.listing import list_images
from embedder.images.reading import read_image
from foundation.paths import display_path
from tests.embedder.pictures import assert_close, gradient, png, save, tiff

RED, WHITE = (255, 0, 0), (255, 255, 255)


# --- formats ---


@pytest.mark.parametrize(
    ("suffix", "options", "within"),
    [
        (".jpg", {"quality": 95, "subsampling": 0}, 6),
        (".png", {}, 0),
        (".webp", {"lossless": True}, 0),
        (".tif", {}, 0),
        (".bmp", {}, 0),
        (".ppm", {}, 0),
        (".jp2", {"irreversible": False}, 0),
        (".avif", {"quality": 100, "subsampling": "4:4:4"}, 4),
    ],
)
def test_formats_keep_their_pixels(tmp_path, suffix, options, within):
    image = read_image(save(tmp_path / f"a{suffix}", gradient(), **options))
    assert_close(image, gradient(), within=within)
    assert image.flags.c_contiguous
    assert image.flags.writeable


def test_jpeg_gives_the_pixels_pillow_gives(tmp_path):
    rng = np.random.default_rng(0)
    for subsampling in (0, 1, 2):
        for progressive in (False, True):
            path = save(
                tmp_path / "a.jpg",
                rng.integers(0, 256, (37, 53, 3), dtype=np.uint8),
                subsampling=subsampling,
                progressive=progressive,
            )
            with Image.open(path) as picture:
                np.testing.assert_array_equal(read_image(path), np.asarray(picture.convert("RGB")))


def test_jpeg_with_bytes_after_its_end_is_read(tmp_path):
    path = save(tmp_path / "motion.jpg", gradient())
    expected = read_image(path)
    path.write_bytes(path.read_bytes() + b"a video of a phone" * 100)
    np.testing.assert_array_equal(read_image(path), expected)


def test_jpeg_that_opencv_refuses_is_read_by_pillow(tmp_path, monkeypatch):
    path = save(tmp_path / "a.jpg", gradient())
    expected = read_image(path)

    def refuse(*_):
        raise cv2.error("too large")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    np.testing.assert_array_equal(read_image(path), expected)


def test_heic_needs_no_registration(tmp_path):
    import pillow_heif

    path = tmp_path / "phone.heic"
    pillow_heif.from_pillow(Image.fromarray(gradient(64, 96))).save(path, quality=100)
    path = path.rename(tmp_path / "renamed.jpg")  # the content decides, not the name
    assert_close(read_image(path), gradient(64, 96), within=12)
    assert "HEIF" not in Image.OPEN


def test_importing_the_module_loads_and_registers_nothing():
    code = (
        "import sys; from PIL import Image; before = dict(Image.OPEN); import embedder.images.reading; "
        "assert before == Image.OPEN; "
        "print([m for m in ('pillow_heif', 'h5py', 'pandas', 'tensorflow', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_animation_gives_its_first_picture(tmp_path, suffix):
    frames = [Image.new("RGB", (8, 6), colour) for colour in (RED, (0, 0, 255))]
    path = tmp_path / f"a{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_array_equal(read_image(path), np.full((6, 8, 3), RED, np.uint8))


def test_multi_page_tiff_gives_its_first_page(tmp_path):
    pages = [Image.new("RGB", (8, 6), colour) for colour in (RED, (0, 0, 255))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert tuple(read_image(tmp_path / "a.tif")[0, 0]) == RED


@pytest.mark.realdata
def test_32_bit_png(data):
    path = data / "formats" / "32bit.png"
    with Image.open(path) as picture:
        assert picture.mode == "RGBA"
        expected = np.asarray(picture.convert("RGB"))
    np.testing.assert_array_equal(read_image(path), expected)


# --- modes ---


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_grey_becomes_three_equal_channels(tmp_path, suffix):
    grey = gradient()[:, :, 0]
    image = read_image(save(tmp_path / f"a{suffix}", grey))
    assert_close(image, np.repeat(grey[:, :, None], 3, axis=2), within=4)
    np.testing.assert_array_equal(image[:, :, 0], image[:, :, 2])


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_is_not_inverted(tmp_path, suffix):
    Image.new("RGB", (16, 16), (250, 20, 30)).convert("CMYK").save(tmp_path / f"a{suffix}")
    assert_close(read_image(tmp_path / f"a{suffix}"), np.full((16, 16, 3), (250, 20, 30), np.uint8), within=6)


def test_adobe_inverted_cmyk(tmp_path):
    # Photoshop stores the inks of CMYK JPEGs inverted; so do the files Pillow writes, with Adobe's marker.
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), np.full((16, 16, 3), RED))


@pytest.mark.parametrize(("n_channels", "photometric"), [(1, 1), (3, 2), (4, 2)])
def test_16_bit_tiff_is_scaled(tmp_path, n_channels, photometric):
    wide = np.linspace(0, 65535, 48).round().astype(np.uint16).reshape(6, 8)
    array = wide if n_channels == 1 else np.repeat(wide[:, :, None], n_channels, axis=2)
    if n_channels == 4:
        array[:, :, 3] = 65535
    image = read_image(tiff(tmp_path / "a.tif", array, photometric))
    assert_close(image, np.repeat((wide >> 8)[:, :, None], 3, axis=2), within=0)


@pytest.mark.parametrize(("colour_type", "n_channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bit_png_is_scaled(tmp_path, colour_type, n_channels):
    wide = np.linspace(0, 65535, 48).round().astype(np.uint16).reshape(6, 8)
    array = np.repeat(wide[:, :, None], n_channels, axis=2)
    if n_channels in (2, 4):
        array[:, :, -1] = 65535
    rows = [b"\0" + row.astype(">u2").tobytes() for row in array]
    image = read_image(png(tmp_path / "a.png", 8, 6, rows, bits=16, colour_type=colour_type))
    assert_close(image, np.repeat((wide >> 8)[:, :, None], 3, axis=2), within=0)


def test_16_bit_pgm_is_scaled_by_its_own_maximum(tmp_path):
    values = np.array([[0, 100, 1000]], ">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5 3 1 1000\n" + values.tobytes())
    np.testing.assert_array_equal(read_image(tmp_path / "a.pgm")[0, :, 0], [0, 26, 255])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0, -2.0, np.nan]], np.float32), [0, 128, 255, 0, 0]),
        (np.array([[0.0, 100.4, 255.0]], np.float32), [0, 100, 255]),
        (np.array([[0.0, 257.0, 65535.0]], np.float32), [0, 1, 255]),
        (np.array([[0.0, 5e9, 1e10]], np.float32), [0, 128, 255]),
        (np.array([[0, 7, 255]], np.int32), [0, 7, 255]),
        (np.array([[0, 25700, 65535]], np.int32), [0, 100, 255]),
        (np.array([[-5, 0, 0]], np.int32), [0, 0, 0]),
        (np.array([[0, 2**30, 2**31 - 1]], np.int32), [0, 64, 128]),
    ],
)
def test_32_bit_grey_is_scaled_by_the_smallest_usual_range(tmp_path, values, expected):
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.tif", values))[0, :, 0], expected)


def test_one_bit(tmp_path):
    Image.fromarray(np.array([[0, 255, 0]], np.uint8)).convert("1").save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0, :, 1], [0, 255, 0])


def test_palette(tmp_path):
    Image.fromarray(np.full((4, 4, 3), (10, 200, 30), np.uint8)).quantize(4).save(tmp_path / "a.png")
    assert_close(read_image(tmp_path / "a.png"), np.full((4, 4, 3), (10, 200, 30), np.uint8), within=1)


def transparent_rgba():
    return Image.fromarray(np.array([[[0, 0, 0, 0], [255, 0, 0, 255], [255, 0, 0, 128]]], np.uint8))


def transparent_la():
    return Image.fromarray(np.array([[[0, 0], [76, 255], [0, 128]]], np.uint8))


def transparent_palette():
    picture = Image.new("P", (3, 1))
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.putpixel((1, 0), 1)
    return picture


def transparent_colour_key():
    return Image.fromarray(np.array([[[9, 9, 9], [255, 0, 0], [9, 9, 9]]], np.uint8))


@pytest.mark.parametrize(
    ("picture", "options", "expected"),
    [
        (transparent_rgba(), {}, [WHITE, RED, (255, 127, 127)]),
        (transparent_la(), {}, [WHITE, (76, 76, 76), (127, 127, 127)]),
        (transparent_palette(), {"transparency": 0}, [WHITE, RED, WHITE]),
        (transparent_palette(), {"transparency": b"\x00\xff"}, [WHITE, RED, WHITE]),
        (transparent_colour_key(), {"transparency": (9, 9, 9)}, [WHITE, RED, WHITE]),
    ],
)
def test_transparent_pixels_are_laid_on_white(tmp_path, picture, options, expected):
    picture.save(tmp_path / "a.png", **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0], expected)


# --- orientation ---

STORED = {  # EXIF orientation -> how an upright picture is stored by a camera held that way
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("suffix", "options", "within"),
    [
        (".jpg", {"quality": 98, "subsampling": 0}, 4),
        (".png", {}, 0),
        (".webp", {"lossless": True}, 0),
        (".tif", {}, 0),
        (".avif", {"quality": 100, "subsampling": "4:4:4"}, 4),
    ],
)
def test_every_orientation_comes_out_upright(tmp_path, orientation, suffix, options, within):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](gradient()))
    image = read_image(save(tmp_path / f"a{suffix}", stored, exif=exif, **options))
    assert_close(image, gradient(), within=within)
    assert image.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_heic_comes_out_upright_once(tmp_path, orientation):
    import pillow_heif

    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](gradient(64, 96)))
    # Like a phone: the turn stands in the container (irot, imir), which libheif applies, and in the EXIF data too.
    pillow_heif.encode(
        "RGB", stored.shape[1::-1], stored.tobytes(), tmp_path / "a.heic", quality=100, exif=exif.tobytes()
    )
    assert_close(read_image(tmp_path / "a.heic"), gradient(64, 96), within=14)


def test_grey_16_bit_is_turned_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = np.array([[0, 65535, 0]], np.uint16)
    image = read_image(save(tmp_path / "a.png", wide, exif=exif))
    np.testing.assert_array_equal(image[:, 0, 0], [0, 255, 0])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_unknown_orientation_is_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", gradient(), exif=exif)), gradient())


def test_damaged_metadata_does_not_lose_the_photo(tmp_path):
    save(tmp_path / "a.jpg", gradient(), quality=98, subsampling=0, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\0\1")
    assert_close(read_image(tmp_path / "a.jpg"), gradient(), within=4)


# --- paths ---


@pytest.mark.parametrize("name", ["王 小明 的照片.jpg", "two  spaces.png", "emoji 😀.heic.png", "no_suffix"])
def test_any_name(tmp_path, name):
    folder = tmp_path / "我的 照片"
    folder.mkdir()
    path = folder / name
    Image.fromarray(gradient()).save(path, "PNG")
    np.testing.assert_array_equal(read_image(path), gradient())
    np.testing.assert_array_equal(read_image(str(path)), gradient())


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes only on Linux")
def test_name_that_is_not_utf8(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    save(path, gradient())
    np.testing.assert_array_equal(read_image(path), gradient())
    (listed,) = list_images(tmp_path).paths
    assert display_path(listed) == r"caf\xe9.png"
    path.write_bytes(b"")
    with pytest.raises(ImageError, match=r"caf\\xe9.png: expected an image .* found an empty file"):
        read_image(path)


def test_one_pixel(tmp_path):
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", np.array([[RED]], np.uint8))), [[RED]])
    assert read_image(save(tmp_path / "a.jpg", np.array([[RED]], np.uint8))).shape == (1, 1, 3)
