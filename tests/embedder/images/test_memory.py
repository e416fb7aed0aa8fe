"""How much memory a picture may take: pixels times the planes and copies that its format needs, tiles included."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.errors import ImageError
from embedder.images.reading import read_image
from tests import PROJECT

CHILD = """
import sys
from pathlib import Path
from embedder.images.reading import read_image

def kilobytes(name):
    return int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0])

try:
    import cv2, PIL.TiffImagePlugin, PIL.AvifImagePlugin
    before = kilobytes("VmRSS")
    read_image(sys.argv[1])
except Exception as error:
    print(error)
print(kilobytes("VmHWM") - before)
"""


def peak_bytes(path: Path) -> tuple[str, int]:
    """Return what reading a picture says, and the memory it takes at its peak, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, path], capture_output=True, text=True, check=True, cwd=PROJECT, timeout=60
    )
    *said, kilobytes = done.stdout.splitlines()
    return " ".join(said), int(kilobytes) * 1024


@pytest.mark.realdata
def test_a_picture_of_few_bytes_and_many_pixels_is_refused_from_its_header(data: Path) -> None:
    said, peak = peak_bytes(data / "faults" / "photo-that-swells.avif")
    assert "photo-that-swells.avif: expected at most 100,000,000 pixels of this kind of AVIF" in said
    assert "found 14,000 x 14,000; reduce the picture or raise --max-pixels" in said
    assert peak < 100_000_000


def test_a_picture_of_floats_takes_ten_bytes_a_pixel_at_most(tmp_path: Path) -> None:
    side = 3000
    Image.fromarray(np.linspace(0, 1, side * side, dtype=np.float32).reshape(side, side)).save(tmp_path / "a.tif")
    said, peak = peak_bytes(tmp_path / "a.tif")
    # Beside the pixels: modules that load on first use, and the band at work.
    assert said == "" and peak < 10 * side * side + 60_000_000


@pytest.mark.parametrize(
    ("suffix", "bytes_a_pixel", "options"),
    [
        ("avif", 20, {"quality": 1, "speed": 10}),
        ("webp", 17, {"quality": 1, "method": 0}),
        ("jp2", 20, {"quality_mode": "rates", "quality_layers": [200]}),
        ("jpg", 13, {"progressive": True}),
    ],
)
def test_formats_that_take_more_are_read_up_to_fewer_pixels(
    suffix: str, bytes_a_pixel: int, options: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("CMYK" if suffix == "jpg" else "RGB", (1300, 1000), 0).save(path, **options)
    needed = 1_300_000 * bytes_a_pixel // 10
    assert read_image(path, max_pixels=needed).shape == (1000, 1300, 3)
    with pytest.raises(
        ImageError, match=rf"a\.{suffix}: .* takes up to {bytes_a_pixel} bytes of memory for each, found"
    ):
        read_image(path, max_pixels=needed - bytes_a_pixel)


@pytest.mark.parametrize(("side", "is_read"), [(16, True), (1008, False), (60_000, False)])
def test_tiles_count_with_all_their_pixels(side: int, is_read: bool, tmp_path: Path) -> None:
    """A TIFF of 16 x 16 pixels whose tile is said to be as large as memory."""
    tags = [
        (256, 16),
        (257, 16),
        (258, 8),
        (259, 1),
        (262, 1),
        (277, 1),
        (322, side),
        (323, side),
        (324, 512),
        (325, 256),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    header = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    (tmp_path / "a.tif").write_bytes(header.ljust(512, b"\0") + bytes(range(256)))
    if is_read:
        assert read_image(tmp_path / "a.tif", max_pixels=1_000_000)[0, :, 0].tolist() == list(range(16))
    else:
        with pytest.raises(ImageError, match=r"with what its tiles hold beyond [\d,]+; reduce"):
            read_image(tmp_path / "a.tif", max_pixels=1_000_000)
