"""Every kind of image file, good and bad, and the listing of folders."""

import errno
import io
import os
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from embedder import images
from embedder.errors import ImageError
from embedder.images import display_path, list_images, read_image

RED, WHITE = (255, 0, 0), (255, 255, 255)


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
        (256, 4, 1, width), (257, 4, 1, height),
        (258, 3, n_channels, bits_at if n_channels > 2 else struct.unpack("<I", bits.ljust(4, b"\0"))[0]),
        (259, 3, 1, 1), (262, 3, 1, photometric), (273, 4, 1, pixels_at), (277, 3, 1, n_channels),
        (278, 4, 1, height), (279, 4, 1, len(pixels)), (284, 3, 1, 1),
    ]
    if n_channels == 4:
        entries.append((338, 3, 1, 2))
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    path.write_bytes(b"II*\0" + struct.pack("<I", directory_at) + bits.ljust(pixels_at - bits_at, b"\0") + pixels
                     + struct.pack("<H", len(entries)) + body + bytes(4))
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


# --- formats ---


@pytest.mark.parametrize(("suffix", "options", "within"), [
    (".jpg", {"quality": 95, "subsampling": 0}, 6),
    (".png", {}, 0),
    (".webp", {"lossless": True}, 0),
    (".tif", {}, 0),
    (".bmp", {}, 0),
    (".ppm", {}, 0),
    (".jp2", {"irreversible": False}, 0),
    (".avif", {"quality": 100, "subsampling": "4:4:4"}, 4),
])
def test_formats_keep_their_pixels(tmp_path, suffix, options, within):
    image = read_image(save(tmp_path / f"a{suffix}", gradient(), **options))
    assert_close(image, gradient(), within=within)
    assert image.flags.c_contiguous
    assert image.flags.writeable


def test_jpeg_gives_the_pixels_pillow_gives(tmp_path):
    rng = np.random.default_rng(0)
    for subsampling in (0, 1, 2):
        for progressive in (False, True):
            path = save(tmp_path / "a.jpg", rng.integers(0, 256, (37, 53, 3), dtype=np.uint8),
                        subsampling=subsampling, progressive=progressive)
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
    code = ("import sys; from PIL import Image; before = dict(Image.OPEN); import embedder.images; "
            "assert before == Image.OPEN; "
            "print([m for m in ('pillow_heif', 'h5py', 'pandas', 'tensorflow', 'onnxruntime') if m in sys.modules])")
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


@pytest.mark.parametrize(("values", "expected"), [
    (np.array([[0.0, 0.5, 1.0, -2.0, np.nan]], np.float32), [0, 128, 255, 0, 0]),
    (np.array([[0.0, 100.4, 255.0]], np.float32), [0, 100, 255]),
    (np.array([[0.0, 257.0, 65535.0]], np.float32), [0, 1, 255]),
    (np.array([[0.0, 5e9, 1e10]], np.float32), [0, 128, 255]),
    (np.array([[0, 7, 255]], np.int32), [0, 7, 255]),
    (np.array([[0, 25700, 65535]], np.int32), [0, 100, 255]),
    (np.array([[-5, 0, 0]], np.int32), [0, 0, 0]),
    (np.array([[0, 2**30, 2**31 - 1]], np.int32), [0, 64, 128]),
])
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


@pytest.mark.parametrize(("picture", "options", "expected"), [
    (transparent_rgba(), {}, [WHITE, RED, (255, 127, 127)]),
    (transparent_la(), {}, [WHITE, (76, 76, 76), (127, 127, 127)]),
    (transparent_palette(), {"transparency": 0}, [WHITE, RED, WHITE]),
    (transparent_palette(), {"transparency": b"\x00\xff"}, [WHITE, RED, WHITE]),
    (transparent_colour_key(), {"transparency": (9, 9, 9)}, [WHITE, RED, WHITE]),
])
def test_transparent_pixels_are_laid_on_white(tmp_path, picture, options, expected):
    picture.save(tmp_path / "a.png", **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0], expected)


# --- orientation ---

STORED = {  # EXIF orientation -> how an upright picture is stored by a camera held that way
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a), 7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("suffix", "options", "within"), [
    (".jpg", {"quality": 98, "subsampling": 0}, 4), (".png", {}, 0), (".webp", {"lossless": True}, 0),
    (".tif", {}, 0), (".avif", {"quality": 100, "subsampling": "4:4:4"}, 4),
])
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
    pillow_heif.encode("RGB", stored.shape[1::-1], stored.tobytes(), tmp_path / "a.heic", quality=100,
                       exif=exif.tobytes())
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


# --- bad input ---


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected an image file, found nothing; check the path") as caught:
        read_image(tmp_path / "no.jpg")
    assert caught.value.filename == str(tmp_path / "no.jpg")


def test_folder(tmp_path):
    with pytest.raises(ImageError, match=r"expected an image file, found a folder; name a file in it"):
        read_image(tmp_path)


def test_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match=r"a\.jpg: expected an image file, found a pipe or device"):
        read_image(tmp_path / "a.jpg")
    assert list_images(tmp_path).n_other == 1


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no file modes")
def test_no_permission():
    # Root may read everything, so the child gives root's rights up, and its files must not lie in root's own folders.
    code = ("import os, sys\nfrom embedder.images import list_images, read_image\n"
            "if os.geteuid() == 0:\n    os.setuid(65534)\n"
            "try:\n    read_image(sys.argv[1] + '/secret.png')\nexcept PermissionError as error:\n"
            "    print(error.filename)\n"
            "listing = list_images(sys.argv[1])\nprint(*listing.paths, '|', *listing.unreadable_folders)")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        save(Path(folder, "secret.png"), gradient()).chmod(0)
        Path(folder, "closed").mkdir(mode=0)
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        Path(folder, "closed").chmod(0o700)
    assert done.stdout.splitlines() == [f"{folder}/secret.png", "secret.png | closed"]


@pytest.mark.parametrize(("content", "found"), [
    (b"", "an empty file"),
    (b"Dear diary,\n", "text"),
    (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08", r"other data \(it begins with 00 01 02 03 04 05 06 07\)"),
    (b"\0\0\0\x20ftypisom" + bytes(50), "a video"),
])
def test_files_that_are_no_images(tmp_path, content, found):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ImageError, match=rf"a\.jpg: expected an image \(JPEG, .*found {found}.*; remove"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif", ".heic"])
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.97])
def test_truncated_file_is_refused(tmp_path, suffix, kept):
    path = tmp_path / f"a{suffix}"
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8))
    if suffix == ".heic":
        import pillow_heif

        pillow_heif.from_pillow(noise).save(path)
    else:
        noise.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ImageError, match=rf"a\{suffix}: expected a whole image, found damaged or truncated data"):
        read_image(path)


def test_truncated_jpeg_with_a_whole_thumbnail_is_refused(tmp_path):
    thumbnail = io.BytesIO()
    Image.fromarray(gradient()).save(thumbnail, "JPEG")
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    path = save(tmp_path / "a.jpg", noise, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail.getvalue())
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(ImageError, match="truncated"):
        read_image(path)


def test_damaged_files_raise_nothing_but_image_errors(tmp_path):
    rng = np.random.default_rng(1)
    for suffix in (".jpg", ".png", ".webp", ".tif", ".gif", ".bmp", ".jp2", ".ppm"):
        path = save(tmp_path / f"a{suffix}", gradient())
        content = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(60):
            damaged = content.copy()
            where = rng.integers(4, len(damaged), 6)
            damaged[where] = rng.integers(0, 256, 6)
            path.write_bytes(damaged.tobytes())
            try:
                image = read_image(path, max_pixels=1_000_000)
            except ImageError as error:
                assert f"a{suffix}: expected" in str(error)
                assert "\n" not in str(error)
            else:
                assert image.dtype == np.uint8
                assert image.shape[2] == 3


def test_failing_disk_stays_an_os_error_that_names_the_file(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", gradient())

    def fail(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(images, "_to_rgb", fail)
    with pytest.raises(OSError, match="Input/output error") as caught:
        read_image(path)
    assert caught.value.filename == str(path)
    assert not isinstance(caught.value, ImageError)


def test_too_little_memory_is_an_image_error(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", gradient())

    def fail(_):
        raise MemoryError

    monkeypatch.setattr(images, "_to_rgb", fail)
    with pytest.raises(ImageError, match="expected an image that fits into memory"):
        read_image(path)


def test_picture_without_pixels_is_refused(tmp_path):
    (tmp_path / "a.gif").write_bytes(b"GIF89a" + struct.pack("<HHBBB", 0, 5, 0, 0, 0)
                                     + b"," + struct.pack("<HHHHB", 0, 0, 0, 5, 0) + b"\x02\x00;")
    with pytest.raises(ImageError, match=r"a\.gif: expected a whole image"):
        read_image(tmp_path / "a.gif")


def test_pixel_limit(tmp_path):
    path = save(tmp_path / "a.png", gradient(40, 60))
    assert read_image(path, max_pixels=2400).shape == (40, 60, 3)
    with pytest.raises(ImageError, match=r"a\.png: .* at most 2,399 pixels, found 60 x 40 = 2,400; .*--max-pixels"):
        read_image(path, max_pixels=2399)
    with pytest.raises(ValueError, match="`max_pixels` must be at least 1, got 0"):
        read_image(path, max_pixels=0)


def test_huge_png_is_refused_from_its_header_in_little_memory(tmp_path):
    row = bytes(1 + 30_000 // 8)
    png(tmp_path / "huge.png", 30_000, 30_000, (row for _ in range(30_000)), bits=1, colour_type=0)
    # Not `ru_maxrss`: a child inherits the peak of the process that started it.
    code = ("import sys\nfrom pathlib import Path\nfrom embedder.errors import ImageError\n"
            "from embedder.images import read_image\n"
            "try:\n    read_image(sys.argv[1])\nexcept ImageError as error:\n    print(error)\n"
            "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])")
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "huge.png"], capture_output=True, text=True,
                          check=True)
    message, peak_kib = done.stdout.splitlines()
    assert "expected at most 200,000,000 pixels, found 30,000 x 30,000 = 900,000,000" in message
    assert "--max-pixels" in message
    assert int(peak_kib) < 300_000
    assert done.stderr == ""


def test_pictures_pillow_alone_would_refuse_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", gradient())), gradient())


# --- list_images ---


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\xff\xd8\xff")


def listed(root):
    return [display_path(path) for path in list_images(root).paths]


def test_empty_folder(tmp_path):
    listing = list_images(tmp_path)
    assert (listing.paths, listing.n_hidden, listing.n_other, listing.unreadable_folders) == ((), 0, 0, ())
    assert listing.root == tmp_path


def test_one_image(tmp_path):
    touch(tmp_path, "a.jpg")
    assert list_images(str(tmp_path)).paths == (Path("a.jpg"),)


def test_missing_folder_and_file_in_place_of_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder of photos, found nothing; check the path"):
        list_images(tmp_path / "no")
    touch(tmp_path, "a.jpg")
    with pytest.raises(NotADirectoryError, match="expected a folder of photos, found a file") as caught:
        list_images(tmp_path / "a.jpg")
    assert caught.value.filename == str(tmp_path / "a.jpg")


def test_path_order_compares_folder_by_folder(tmp_path):
    touch(tmp_path, "b.jpg", "a/2.jpg", "a/10.jpg", "a-c/1.jpg", "a.jpg", "a/b/0.jpg", "Z/1.jpg")
    assert listed(tmp_path) == ["Z/1.jpg", "a/10.jpg", "a/2.jpg", "a/b/0.jpg", "a-c/1.jpg", "a.jpg", "b.jpg"]


def test_hidden_and_other_files_are_only_counted(tmp_path):
    touch(tmp_path, "a.JPG", "b.HeIc", ".hidden.jpg", ".folder/c.jpg", "x/.DS_Store", "notes.txt", "x/video.mp4")
    listing = list_images(tmp_path)
    assert [path.as_posix() for path in listing.paths] == ["a.JPG", "b.HeIc"]
    assert listing.n_hidden == 3
    assert listing.n_other == 2


@pytest.mark.parametrize(("content", "is_image"), [
    (b"\xff\xd8\xff\xe0", True), (b"\x89PNG\r\n\x1a\n", True), (b"RIFF\0\0\0\0WEBPVP8 ", True), (b"GIF89a", True),
    (b"\0\0\0\x18ftypheic\0\0\0\0", True), (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", True), (b"MM\0*", True),
    (b"BMW drives\n" + bytes(20), False), (b"P1 is a note", False), (b"P5 3 1 255\n", True), (b"", False),
    (b"\0\0\0\x18ftypisom\0\0\0\0", False), (b"RIFF\0\0\0\0WAVEfmt ", False),
])
def test_files_without_suffix_are_judged_by_their_first_bytes(tmp_path, content, is_image):
    (tmp_path / "photo").write_bytes(content)
    listing = list_images(tmp_path)
    assert len(listing.paths) == is_image
    assert listing.n_other == (not is_image)


def test_symlink_loop_lists_each_real_folder_once(tmp_path):
    touch(tmp_path, "anna/1.jpg", "anna/deep/2.jpg")
    (tmp_path / "anna" / "loop").symlink_to(tmp_path)
    (tmp_path / "aaa").symlink_to(tmp_path / "anna")  # sorts first, but anna keeps her name
    (tmp_path / "self").symlink_to(tmp_path / "self")
    assert listed(tmp_path) == ["anna/1.jpg", "anna/deep/2.jpg"]


def test_links_to_folders_and_files_outside_are_followed(tmp_path):
    touch(tmp_path / "elsewhere", "1.jpg", "sub/2.jpg")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bert").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "bert again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "one.jpg").symlink_to(tmp_path / "elsewhere" / "1.jpg")
    assert listed(tmp_path / "photos") == ["bert/1.jpg", "bert/sub/2.jpg", "one.jpg"]


def test_link_that_leads_nowhere_is_listed_so_that_its_failure_is_seen(tmp_path):
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    listing = list_images(tmp_path)
    assert listing.paths == (Path("gone.jpg"),)
    assert listing.n_other == 1
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "gone.jpg")


def test_folder_that_cannot_be_listed_is_reported(tmp_path, monkeypatch, caplog):
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    scandir = os.scandir

    def refuse(folder):
        if Path(folder).name == "a":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_images(tmp_path)
    assert listing.paths == (Path("b/2.jpg"),)
    assert listing.unreadable_folders == (Path("a"),)
    assert "a: folder cannot be read (Permission denied)" in caplog.text


def test_a_link_that_leads_nowhere_says_where_to(tmp_path: Path) -> None:
    (tmp_path / "album").symlink_to("/no/such/disk")
    with pytest.raises(FileNotFoundError, match="expected a folder of photos, found a dangling link to /no/such/disk; "
                                                "mend the link or check the path"):
        list_images(tmp_path / "album")
    (tmp_path / "a.jpg").symlink_to("gone.jpg")
    with pytest.raises(FileNotFoundError, match=r"expected an image file, found a dangling link to gone\.jpg; mend"):
        read_image(tmp_path / "a.jpg")
