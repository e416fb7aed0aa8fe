from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from embedder.images.capture_time import capture_time
from embedder.images.listing import PhotoFile
from embedder.images.photo import read_photo
from embedder.images.reading import read_image, read_picture


def exif(**tags: Any) -> Image.Exif:
    made = Image.Exif()
    names = {"time": 0x9003, "offset": 0x9011}
    made.get_ifd(0x8769).update({names[name]: value for name, value in tags.items()})
    return made


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, ""),
        ({"time": "2024:05:31 18:30:00"}, "2024-05-31T18:30:00"),
        ({"time": "2024:05:31 18:30:00\0", "offset": "+05:30\0"}, "2024-05-31T18:30:00+05:30"),
        ({"time": "2024:05:31 18:30:00", "offset": "-03:00"}, "2024-05-31T18:30:00-03:00"),
        ({"time": "2024:05:31 18:30:00", "offset": "   :  "}, "2024-05-31T18:30:00"),
        ({"time": "2024:05:31 18:30:00", "offset": "+99:00"}, "2024-05-31T18:30:00"),
        ({"time": "0000:00:00 00:00:00"}, ""),  # a clock that was never set
        ({"time": "    :  :     :  :  "}, ""),
        ({"time": "2024:02:30 10:00:00"}, ""),
        ({"time": 7}, ""),
        ({"offset": "+02:00"}, ""),
    ],
)
def test_capture_time(tags: dict[str, Any], expected: str) -> None:
    assert capture_time(exif(**tags)) == expected


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_a_photo_carries_its_time(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (8, 6)).save(path, exif=exif(time="2024:05:31 18:30:00", offset="+02:00").tobytes())
    assert read_picture(path).taken == "2024-05-31T18:30:00+02:00"
    assert (read_image(path) == read_picture(path).pixels).all()
    photo = read_photo(PhotoFile(tmp_path, Path(path.name)), read_picture)
    assert (photo.taken, photo.kind) == ("2024-05-31T18:30:00+02:00", "photo")


def test_a_photo_without_time(tmp_path: Path) -> None:
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg")
    assert read_picture(tmp_path / "a.jpg").taken == ""


def test_damaged_metadata_lose_neither_photo_nor_orientation(tmp_path: Path) -> None:
    made = exif(time="2024:05:31 18:30:00")
    made[0x0112] = 6
    made[0x8769] = 0xFFFFFF  # the times are said to be where no file reaches
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg", exif=made.tobytes())
    assert read_picture(tmp_path / "a.jpg").pixels.shape == (8, 6, 3)
