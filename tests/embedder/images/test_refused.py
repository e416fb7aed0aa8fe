"""Image files that cannot be read, or may not be."""

import errno
import io
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.errors import ImageError
from embedder.images import reading as images
from embedder.images.listing import list_images
from embedder.images.reading import read_image
from tests.embedder.pictures import gradient, png, save


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
    code = (
        "import os, sys\nfrom embedder.images.listing import list_images\n"
        "from embedder.images.reading import read_image\n"
        "if os.geteuid() == 0:\n    os.setuid(65534)\n"
        "try:\n    read_image(sys.argv[1] + '/secret.png')\nexcept PermissionError as error:\n"
        "    print(error.filename)\n"
        "listing = list_images(sys.argv[1])\nprint(*listing.paths, '|', *listing.unreadable_folders)"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        save(Path(folder, "secret.png"), gradient()).chmod(0)
        Path(folder, "closed").mkdir(mode=0)
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        Path(folder, "closed").chmod(0o700)
    assert done.stdout.splitlines() == [f"{folder}/secret.png", "secret.png | closed"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"Dear diary,\n", "text"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08", r"other data \(it begins with 00 01 02 03 04 05 06 07\)"),
        (b"\0\0\0\x20ftypisom" + bytes(50), "a video"),
    ],
)
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

    monkeypatch.setattr(images, "to_rgb", fail)
    with pytest.raises(OSError, match="Input/output error") as caught:
        read_image(path)
    assert caught.value.filename == str(path)
    assert not isinstance(caught.value, ImageError)


def test_too_little_memory_is_an_image_error(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", gradient())

    def fail(_):
        raise MemoryError

    monkeypatch.setattr(images, "to_rgb", fail)
    with pytest.raises(ImageError, match="expected an image that fits into memory"):
        read_image(path)


def test_picture_without_pixels_is_refused(tmp_path):
    (tmp_path / "a.gif").write_bytes(
        b"GIF89a" + struct.pack("<HHBBB", 0, 5, 0, 0, 0) + b"," + struct.pack("<HHHHB", 0, 0, 0, 5, 0) + b"\x02\x00;"
    )
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
    code = (
        "import sys\nfrom pathlib import Path\nfrom embedder.errors import ImageError\n"
        "from embedder.images.reading import read_image\n"
        "try:\n    read_image(sys.argv[1])\nexcept ImageError as error:\n    print(error)\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "huge.png"], capture_output=True, text=True, check=True
    )
    message, peak_kib = done.stdout.splitlines()
    assert "expected at most 200,000,000 pixels, found 30,000 x 30,000 = 900,000,000" in message
    assert "--max-pixels" in message
    assert int(peak_kib) < 300_000
    assert done.stderr == ""


def test_pictures_pillow_alone_would_refuse_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", gradient())), gradient())
