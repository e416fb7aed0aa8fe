from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from embedder.commands.main import main
from tests.embedder.fakes import NO_FACE, FakeDetector, FakeEmbedder, write_photo


@pytest.fixture(autouse=True)
def _fake_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Embedder(FakeEmbedder):
        preset = SimpleNamespace(name="fake", verification_threshold=1.0)

        def __init__(self, *_: Any, **__: Any) -> None:
            super().__init__()

    monkeypatch.setattr("embedder.networks.face_embedder.FaceEmbedder", Embedder)
    monkeypatch.setattr("embedder.networks.encoder.load_detector", lambda name, **settings: FakeDetector())


def test_only_missing_photos_print_nothing_on_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"{tmp_path / name}: expected an image file, found nothing; check the path" for name in ("a.jpg", "b.jpg")
    ]


def test_a_photo_without_a_face_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = write_photo(tmp_path / "a.png", NO_FACE)
    assert main(["compare", str(photo)]) == 0
    assert capsys.readouterr() == (f"{photo}: no face\n", "")


def test_the_heat_map_never_replaces_a_photo_or_a_head(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = write_photo(tmp_path / "a.png", 1)
    (tmp_path / "h.skops").write_bytes(b"PK\x03\x04")
    before = photo.read_bytes()
    for plot, message in (
        (photo, "expected another file than those that are read"),
        (tmp_path / "h.skops", "expected a picture or nothing here to replace"),
    ):
        assert main(["compare", str(photo), "--plot", str(plot)]) == 2
        assert message in capsys.readouterr().err
    assert photo.read_bytes() == before
    assert (tmp_path / "h.skops").read_bytes() == b"PK\x03\x04"
