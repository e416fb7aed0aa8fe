"""Camera raw photos: told from TIFF files, read where rawpy is installed, and what is said where it is not."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from embedder.errors import ImageError, MissingReaderError
from embedder.images import camera_raw
from embedder.images.camera_raw import is_camera_raw
from embedder.images.kinds import RAWPY
from embedder.images.listing import PhotoFile
from embedder.images.photo import read_photo
from embedder.images.reading import read_image
from tests.embedder.raw_photos import make_dng

SIZE = (160, 120)


def with_rawpy():
    pytest.importorskip("rawpy", reason=f"camera raw photos are read after: pip install {RAWPY}")


def preview(size=SIZE, **options):
    """A JPEG, red on the left and blue on the right."""
    picture = Image.new("RGB", size, (200, 0, 0))
    picture.paste((0, 0, 200), (size[0] // 2, 0, *size))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("first_bytes", "suffix", "expected"),
    [
        (b"II*\0\x08\0\0\0", ".DNG", True),
        (b"MM\0*\0\0\0\x08", ".nef", True),
        (b"II*\0\x08\0\0\0", ".tif", False),
        (b"II*\0\x10\0\0\0CR\2\0", "", True),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", ".jpg", True),
        (b"FUJIFILMCCD-RAW 0201", "", True),
        (b"\xff\xd8\xff\xe0", ".dng", False),
        (b"", ".dng", False),
    ],
)
def test_what_is_camera_raw(first_bytes, suffix, expected):
    assert is_camera_raw(first_bytes, suffix) is expected


def test_without_rawpy_the_remedy_is_said_and_the_photo_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    (tmp_path / "a.dng").write_bytes(make_dng(8, 8))
    with pytest.raises(MissingReaderError) as caught:
        read_image(tmp_path / "a.dng")
    assert str(caught.value) == (
        f"{tmp_path}/a.dng: expected a photo that can be read here, found a camera raw photo; run: pip install "
        f"{RAWPY}, or export it as JPEG"
    )
    photo = read_photo(PhotoFile(tmp_path, (tmp_path / "a.dng").relative_to(tmp_path)), read_image)
    assert photo.status == "error"  # `unreadable` would be kept until the file changes
    assert photo.message.startswith("expected a photo that can be read here")


@pytest.mark.parametrize(("turned", "corner"), [(1, "left"), (3, "right"), (6, "top"), (8, "bottom")])
def test_the_preview_is_read_and_turned_upright(tmp_path, turned, corner):
    with_rawpy()
    (tmp_path / "a.dng").write_bytes(make_dng(*SIZE, preview=preview(), preview_size=SIZE, turned=turned))
    image = read_image(tmp_path / "a.dng")
    assert image.shape == ((160, 120, 3) if turned in (6, 8) else (120, 160, 3))
    edge = {"left": image[:, 0], "right": image[:, -1], "top": image[0], "bottom": image[-1]}[corner]
    assert np.abs(edge.astype(int) - (200, 0, 0)).max() <= 8  # where the red half is


def test_a_preview_that_says_how_it_lies_is_believed_and_one_that_does_not_lies_as_the_sensor(tmp_path):
    with_rawpy()
    for tag, value, red in ((0x0112, 1, "left"), (0x010F, "Camera", "right")):
        own = Image.Exif()
        own[tag] = value
        jpeg = preview(exif=own.tobytes())
        assert jpeg[2:4] == b"\xff\xe0"
        jpeg = jpeg[:2] + jpeg[4 + int.from_bytes(jpeg[4:6], "big") :]  # LibRaw adds Exif unless that stands first
        assert jpeg[2:4] == b"\xff\xe1"
        (tmp_path / "a.dng").write_bytes(make_dng(*SIZE, preview=jpeg, preview_size=SIZE, turned=3))
        image = read_image(tmp_path / "a.dng")
        assert image.shape == (120, 160, 3)
        assert (image[0, 0, 0] > 150) == (red == "left") and (image[0, -1, 0] > 150) == (red == "right")


def test_the_sensor_is_developed_where_the_preview_is_small_or_missing(tmp_path):
    with_rawpy()
    small = preview((64, 48))
    (tmp_path / "small.dng").write_bytes(make_dng(*SIZE, preview=small, preview_size=(64, 48), turned=6))
    (tmp_path / "none.dng").write_bytes(make_dng(*SIZE, turned=6))
    developed = read_image(tmp_path / "none.dng")
    assert developed.shape == (160, 120, 3) and developed.dtype == np.uint8 and developed.std() > 10
    assert np.array_equal(read_image(tmp_path / "small.dng"), developed)


def test_too_many_pixels_are_refused_before_they_are_developed(tmp_path, monkeypatch):
    with_rawpy()
    monkeypatch.setattr(camera_raw.CameraRaw, "develop", lambda self: pytest.fail("developed"))
    (tmp_path / "none.dng").write_bytes(make_dng(*SIZE))
    with pytest.raises(ImageError, match="expected at most 1,000 pixels, found 160 x 120 = 19,200"):
        read_image(tmp_path / "none.dng", max_pixels=1000)
    (tmp_path / "a.dng").write_bytes(make_dng(*SIZE, preview=preview(), preview_size=SIZE))
    with pytest.raises(ImageError, match="expected at most 1,000 pixels, found 160 x 120"):
        read_image(tmp_path / "a.dng", max_pixels=1000)


def test_damaged_raw_photos_are_image_errors(tmp_path):
    with_rawpy()
    whole = make_dng(*SIZE, preview=preview(), preview_size=SIZE)
    random = np.random.default_rng(1)
    for number in range(60):
        damaged = bytearray(whole[: random.integers(8, len(whole))] if number % 2 else whole)
        for place in random.integers(4, min(len(damaged), 700), 8):
            damaged[place] = random.integers(256)
        (tmp_path / "a.dng").write_bytes(bytes(damaged))
        try:
            image = read_image(tmp_path / "a.dng", max_pixels=10**6)
        except ImageError as error:
            assert str(error).startswith(f"{tmp_path}/a.dng: expected") and "b'" not in str(error)
        else:
            assert image.ndim == 3 and image.dtype == np.uint8
