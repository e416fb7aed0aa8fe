from pathlib import Path
from types import ModuleType

import pytest

import foundation.formats

BOTH = pytest.mark.parametrize("module", [foundation.formats, foundation.formats])


@BOTH
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
def test_kinds(module: ModuleType, content: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert module.describe_kind(tmp_path / "file") == kind


@BOTH
def test_no_file(module: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        module.describe_kind(tmp_path / "none")
