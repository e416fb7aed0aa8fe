import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embedder.images.reading import read_time_taken
from embedder.images.taken import read_taken

ORIGINAL, DIGITIZED, CHANGED = 0x9003, 0x9004, 0x0132
FRACTION, OFFSET, OFFSET_OF_DIGITIZED = 0x9291, 0x9011, 0x9012
PIXELS = Image.fromarray(np.zeros((20, 30, 3), np.uint8))


def exif_of(tags: dict[int, Any], **first: Any) -> Image.Exif:
    exif = Image.Exif()
    exif[0x8769] = tags
    for tag, value in first.items():
        exif[int(tag.removeprefix("tag_"))] = value
    return exif


def reopened_exif(exif: Image.Exif) -> Image.Exif:
    stream = io.BytesIO()
    PIXELS.save(stream, "JPEG", exif=exif)
    return Image.open(stream).getexif()


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, ""),
        ({ORIGINAL: "2024:05:01 23:30:05"}, "2024-05-01T23:30:05"),
        ({ORIGINAL: "2024:05:01 23:30:05", OFFSET: "+02:00"}, "2024-05-01T23:30:05+02:00"),
        ({ORIGINAL: "2024:05:01 23:30:05", OFFSET: "-09:30", FRACTION: "5"}, "2024-05-01T23:30:05.500-09:30"),
        ({ORIGINAL: "2024:05:01 23:30:05", FRACTION: "000"}, "2024-05-01T23:30:05"),
        ({ORIGINAL: "2024:05:01 23:30:05", OFFSET: "+99:00"}, "2024-05-01T23:30:05"),
        ({ORIGINAL: "2024:05:01 23:30:05", OFFSET: "Z"}, "2024-05-01T23:30:05+00:00"),
        ({ORIGINAL: "2024:05:01 23:30:05", OFFSET: "   :  "}, "2024-05-01T23:30:05"),
        ({DIGITIZED: "2020:01:02 03:04:05", OFFSET_OF_DIGITIZED: "+01:00"}, "2020-01-02T03:04:05+01:00"),
        ({DIGITIZED: "2020:01:02 03:04:05", OFFSET: "+01:00"}, "2020-01-02T03:04:05"),
        ({ORIGINAL: "0000:00:00 00:00:00", DIGITIZED: "2020:01:02 03:04:05"}, "2020-01-02T03:04:05"),
        ({ORIGINAL: "2023:02:29 12:00:00"}, ""),
        ({ORIGINAL: "    :  :     :  :  "}, ""),
        ({ORIGINAL: "yesterday"}, ""),
    ],
)
def test_local_time_with_its_offset_where_it_is_known(tags: dict[int, Any], expected: str) -> None:
    assert read_taken(reopened_exif(exif_of(tags))) == expected


def test_the_time_of_the_last_change_is_not_that_of_the_photo() -> None:
    assert read_taken(reopened_exif(exif_of({}, **{f"tag_{CHANGED}": "2024:05:01 23:30:05"}))) == ""


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WebP", "AVIF"])
def test_formats_with_exif_data(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / "photo"
    PIXELS.save(path, file_format, exif=exif_of({ORIGINAL: "2024:05:01 23:30:05", OFFSET: "+02:00"}))
    assert read_time_taken(path) == "2024-05-01T23:30:05+02:00"


def test_heic(tmp_path: Path) -> None:
    import pillow_heif

    path = tmp_path / "a.heic"
    exif = exif_of({ORIGINAL: "2024:05:01 23:30:05", OFFSET: "+02:00"}).tobytes()
    pillow_heif.from_pillow(PIXELS).save(path, exif=exif)
    assert read_time_taken(path) == "2024-05-01T23:30:05+02:00"


@pytest.mark.parametrize("content", [None, b"", b"text", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n\0\0"])
def test_what_is_no_image_has_no_time(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.jpg").write_bytes(content)
    assert read_time_taken(tmp_path / "a.jpg") == ""


def test_damaged_exif_data_raises_nothing(tmp_path: Path) -> None:
    stream = io.BytesIO()
    PIXELS.save(stream, "JPEG", exif=exif_of({ORIGINAL: "2024:05:01 23:30:05", OFFSET: "+02:00"}))
    whole = stream.getvalue()
    start, n_whole = whole.index(b"Exif\0\0"), 0
    for place in range(start, start + 130):
        for value in (0, 0xFF, whole[place] ^ 0x40):
            path = tmp_path / "a.jpg"
            path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            n_whole += read_time_taken(path) == "2024-05-01T23:30:05+02:00"
    assert 0 < n_whole < 390
