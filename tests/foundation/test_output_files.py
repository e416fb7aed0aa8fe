from pathlib import Path

import pytest

from foundation.formats import check_output


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("picture", b""),
        ("picture", b"\x89PNG\r\n\x1a\n"),
        ("picture", b"\xff\xd8\xff\xe0"),
        ("picture", b"%PDF-1.4"),
        ("picture", b"<?xml version='1.0'?><svg>"),
        ("page", b"<!DOCTYPE html>\n"),
        ("page", b"\n<html lang=en>"),
    ],
)
def test_older_results_of_the_same_kind_may_be_replaced(tmp_path: Path, kind: str, content: bytes) -> None:
    (tmp_path / "old").write_bytes(content)
    check_output(tmp_path / "old", "--plot", kind=kind, inputs=[tmp_path / "other"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("picture", b"PK\x03\x04", "expected a picture or nothing here to replace"),
        ("picture", b"<!DOCTYPE html>", "expected a picture or nothing"),
        ("page", b"\xff\xd8\xff", "expected an HTML page or nothing"),
        ("page", b"path,face_index", "expected an HTML page or nothing"),
    ],
)
def test_other_files_may_not(tmp_path: Path, kind: str, content: bytes, expected: str) -> None:
    (tmp_path / "old").write_bytes(content)
    with pytest.raises(ValueError, match=f"old: {expected}.*give another name for --plot, or delete the file first"):
        check_output(tmp_path / "old", "--plot", kind=kind)  # type: ignore[arg-type]


def test_what_is_read_may_not_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "link.jpg").symlink_to("a.jpg")
    with pytest.raises(ValueError, match=r"link\.jpg: expected another file than those that are read"):
        check_output(tmp_path / "link.jpg", "--plot", kind="picture", inputs=[tmp_path / "none", tmp_path / "a.jpg"])


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="expected a file for --html, found a folder; name a file in it"):
        check_output(tmp_path, "--html", kind="page")
    check_output(None, "--html", kind="page")
    check_output(tmp_path / "new.html", "--html", kind="page")
