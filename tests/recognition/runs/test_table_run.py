import json
import logging
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import recognize
from embedder.detection.faces import Faces
from embedder.pipeline.runner import update_table
from embedder.pipeline.settings import EmbedSettings
from embedder.tables.table import EmbeddingTable
from foundation.errors import FacetableError
from foundation.fingerprint import Fingerprint
from recognition.errors import SaveError, SourceError
from recognition.runs import table_run
from recognition.runs.options import Options
from recognition.sources.source import SourceKind, parse_source
from tests.recognition.fakes import ANN, STRANGER, FakeDetector, FakeEmbedder, FakeHead, image_with

BOTH = image_with((ANN, (20, 30, 60, 70)), (STRANGER, (120, 40, 160, 80)))


class BatchDetector(FakeDetector):
    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Faces]:
        return [self.detect(image) for image in images]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the table of a folder of four photos; three can be read, two show faces."""
    photos = tmp_path / "photos"
    (photos / "sub").mkdir(parents=True)
    Image.fromarray(BOTH).save(photos / "b.png")
    Image.fromarray(image_with((ANN, (20, 30, 60, 70)))).save(photos / "sub" / "c.png")
    Image.fromarray(image_with()).save(photos / "d.png")
    (photos / "a.jpg").write_text("no picture")
    detector = BatchDetector()
    update_table(
        photos, tmp_path / "t.h5", EmbedSettings(identity_from="none"), detector=detector, embedder=FakeEmbedder()
    )
    monkeypatch.setattr(table_run, "load_head_with", lambda *_, **__: FakeHead())
    return tmp_path / "t.h5"


def run(table: Path, **options: Any) -> int:
    return table_run.run_on_table(parse_source(str(table)), Options((str(table),), Path("h.skops"), **options))


def test_faces_are_named_without_their_photos(
    table: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    photos = table.parent / "photos"
    shutil.rmtree(photos)
    with caplog.at_level(logging.INFO):
        assert run(table) == 1, "a photo that could not be read when the table was made is listed"
    rows = [line.split("\t")[:2] for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        [f"{photos.as_posix()}/b.png", "ann"],
        [f"{photos.as_posix()}/b.png", "unknown"],
        [f"{photos.as_posix()}/d.png", "no face"],
        [f"{photos.as_posix()}/sub/c.png", "ann"],
    ]
    failure, summary = caplog.messages[-2:]
    assert failure.startswith(f"{photos.as_posix()}/a.jpg: expected an image")
    assert summary == "4 photos, 3 faces, 2 named, 1 unknown, 1 photo without a face, 1 photo unreadable"


def test_the_fingerprint_is_checked(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = FakeHead()
    monkeypatch.setattr(table_run, "load_head_with", lambda *_, **__: head)
    run(table)
    known = EmbeddingTable.read(table).fingerprint
    assert head.checked[0] == known


def test_many_rows_are_scored_in_pieces(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(table)
    whole = capsys.readouterr().out
    monkeypatch.setattr(table_run, "_ROWS_AT_ONCE", 2)
    run(table)
    assert capsys.readouterr().out == whole


def test_pictures_come_from_the_photos(table: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos = tmp_path / "photos"
    Image.fromarray(image_with((STRANGER, (20, 30, 60, 70)))).save(photos / "sub" / "c.png")
    events = tmp_path / "e.jsonl"
    outputs = {"save": str(tmp_path / "out"), "save_crops": tmp_path / "crops", "events": str(events)}
    with caplog.at_level(logging.WARNING):
        assert run(table, **outputs) == 1
    assert "sub/c.png: expected the photo that was embedded, found one that has changed since" in caplog.text
    saved = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert saved == ["b.png", "d.png"]
    assert not np.array_equal(np.asarray(Image.open(tmp_path / "out" / "b.png")), BOTH)
    lines = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    assert [line["crop"] is not None for line in lines] == [True, True, False]
    assert {Path(line["crop"]) for line in lines[:2]} == set((tmp_path / "crops").iterdir())
    (photos / "b.png").unlink()
    caplog.clear()
    assert run(table, save=str(tmp_path / "again")) == 1
    assert "photos/b.png: expected an image file, found nothing" in caplog.text


@pytest.mark.parametrize("outputs", [{"save": "out"}, {"save_crops": Path("crops")}])
def test_a_folder_of_photos_that_has_moved_is_told_at_once(table: Path, outputs: dict[str, Any]) -> None:
    (table.parent / "photos").rename(table.parent / "moved")
    with pytest.raises(SourceError, match=r"t\.h5: expected its photos in .*/photos, .* found nothing; .*leave out"):
        run(table, **outputs)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"save": "{root}/photos/out"}, "lies in the folder of photos"),
        ({"save_crops": "{root}/photos/crops"}, "lies in the folder of photos"),
        ({"save": "out.jpg"}, "expected a folder for the annotated photos of a table"),
        ({"save": "{root}/t.h5"}, "expected a folder for the annotated photos, found a file"),
    ],
)
def test_pictures_that_would_harm_photos_are_refused(table: Path, outputs: dict[str, str], message: str) -> None:
    places = {name: value.format(root=table.parent) for name, value in outputs.items()}
    with pytest.raises(SaveError, match=message):
        run(table, **{name: Path(value) if name == "save_crops" else value for name, value in places.items()})


def test_a_table_is_known_by_its_beginning(table: Path, tmp_path: Path) -> None:
    shutil.copy(table, tmp_path / "archive")
    (tmp_path / "damaged.h5").write_text("text")
    kinds = [parse_source(str(tmp_path / name)).kind for name in ("t.h5", "archive", "damaged.h5")]
    assert kinds == [SourceKind.TABLE] * 3
    with pytest.raises(FacetableError, match=r"damaged\.h5"):
        run(tmp_path / "damaged.h5")


def test_the_tables_time_counts_and_its_photo_is_not_opened(
    table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = EmbeddingTable.read(table)
    taken = np.where(known.images.path == "b.png", "2024-05-31T18:30:00+02:00", "")
    replace(known, images=replace(known.images, taken=taken)).write(table)
    opened = []

    def read_time_taken(path: Path) -> str:
        opened.append(path.name)
        return "2020-01-01T00:00:00+00:00"

    monkeypatch.setattr("recognition.runs.photo_loop.read_time_taken", read_time_taken)
    run(table, events="-")
    at = {Path(event["source"]).name: event["at"] for event in map(json.loads, capsys.readouterr().out.splitlines())}
    assert at == {"b.png": "2024-05-31T16:30:00.000Z", "c.png": "2020-01-01T00:00:00.000Z"}
    assert opened == ["c.png"]


@pytest.mark.realdata
def test_a_table_says_what_its_photos_say(
    data: Path, people_head: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, table = data / "people" / "test", tmp_path / "test.h5"
    settings = EmbedSettings(min_face_size="auto", identity_from="none")
    update_table(photos, table, settings)
    outputs = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for source in (photos.resolve(), table):
            events, saved = tmp_path / f"{source.name}.jsonl", tmp_path / source.stem
            arguments = [str(source), "--head", str(people_head), "--events", str(events), "--save", f"{saved}/"]
            assert recognize.main(arguments) == 0
            pictures = {path.name: path.read_bytes() for path in sorted(saved.iterdir())}
            outputs.append((capsys.readouterr().out, events.read_bytes(), pictures))
    assert outputs[0] == outputs[1]
    assert outputs[0][0].count("\n") >= 7


@pytest.mark.realdata
def test_a_table_of_another_network_is_refused(
    data: Path, people_head: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = EmbeddingTable.read(people_head.with_suffix(".h5"))
    space = {**known.fingerprint.space, "weights_sha256": "0" * 64}
    replace(known, fingerprint=Fingerprint(space, known.fingerprint.provenance)).write(tmp_path / "other.h5")
    assert recognize.main([str(tmp_path / "other.h5"), "--head", str(people_head)]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert "weights" in found.err
    assert len(found.err.splitlines()) == 1
    provenance = {**known.fingerprint.provenance, "precision": "int8", "identity_from": "none", "faces": "one"}
    replace(known, fingerprint=Fingerprint(known.fingerprint.space, provenance)).write(tmp_path / "near.h5")
    assert recognize.main([str(tmp_path / "near.h5"), "--head", str(people_head)]) == 0
    warning, _ = capsys.readouterr().err.splitlines()
    assert warning.startswith(
        "warning: the head's photos were embedded with precision fp32, these with precision int8;"
    )
