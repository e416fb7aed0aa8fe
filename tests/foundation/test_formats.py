from pathlib import Path

import pytest

from foundation.formats import check_inputs, describe_kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"\x89HDF\r\n\x1a\n", "HDF5 data, such as a table or weights"),
        (b"PK\x03\x04\x14", "a zip archive, such as a head"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "an image"),
        (b"\0\0\0\x18ftypheic", "an image"),
        (b"\0\0\0\x18ftypisom", "a video"),
        (b"\x80\x04\x95", "a pickle, which is never read"),
        ("person,张".encode() * 9, "text"),  # cut within a letter
        (b"a\0b", "other data (it begins with 61 00 62)"),
        (b"caf\xe9 ", "other data (it begins with 63 61 66 e9 20)"),
    ],
)
def test_kinds(content: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert describe_kind(tmp_path / "file") == kind


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        describe_kind(tmp_path / "none")


def test_the_first_missing_input_is_named(tmp_path: Path) -> None:
    (tmp_path / "faces.h5").write_bytes(b"")
    check_inputs(tmp_path / "faces.h5", None, tmp_path)
    with pytest.raises(FileNotFoundError) as caught:
        check_inputs(tmp_path / "faces.h5", None, tmp_path / "people.csv", tmp_path / "heads")
    assert caught.value.filename == str(tmp_path / "people.csv")
