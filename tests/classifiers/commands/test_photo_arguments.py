"""The photos that arguments name."""

from pathlib import Path

import pytest

from classifiers.commands.photo_arguments import list_photos
from embedder.images import kinds


def test_photos_of_folders_and_what_is_left_out_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "find_spec", lambda name: None)
    for name in ("a.jpg", "b.jpg", "c.nef", "d.mp4"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff")
    (tmp_path / ".facetableignore").write_text("b.*\n")
    assert list_photos([tmp_path, tmp_path / "b.jpg"]) == [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    assert capsys.readouterr().err.startswith(f"{tmp_path}: 1 camera raw photo and 1 video left out; camera raw photos")
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"expected photos in this folder, found none .* pip install rawpy"):
        list_photos([tmp_path])
