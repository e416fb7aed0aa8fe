"""The Python that the README and the documentation show runs without a warning, and does what they say."""

import json
import shutil
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

import facetable
from classifiers.presets.calibrate import MIN_PEOPLE
from embedder import EmbeddingTable
from embedder.networks.presets import DEFAULT_PRESET, get_preset
from recognition.events.event import make_event
from tests import PROJECT
from tests.classifiers.measuring.test_head_comparison import crowd
from tests.classifiers.people import make_people
from tests.docs.pages import PAGES, blocks_of, run_python
from tests.test_train_classifier import write_table

DOCS = PROJECT / "docs"
RUN_HERE = {"README", "camera", "file_formats", "heads", "measuring", "scikit-learn"}
RUN_ELSEWHERE = {"http", "vector_stores"}  # tests/docs/test_http.py, tests/embedder/exchange/test_recipes.py


def test_every_page_with_python_is_run() -> None:
    with_python = {page.stem for page in PAGES if any(block.language == "python" for block in blocks_of(page))}
    assert with_python == RUN_HERE | RUN_ELSEWHERE


@pytest.mark.realdata
def test_photos_tables_and_heads(data, tmp_path, monkeypatch) -> None:
    """The README's example, and that of the table's format."""
    for name, source in {"Anna": "biden", "Bob": "obama"}.items():
        shutil.copytree(data / "people" / "train" / source, tmp_path / "photos" / name)
    monkeypatch.chdir(tmp_path)
    assert facetable.main(["embed", "photos", "-o", "faces.h5"]) == 0
    assert facetable.main(["train", "faces.h5", "-o", "heads/family.skops"]) == 0
    with Image.open(data / "people" / "test" / "obama_and_biden.jpg") as photo:
        photo.thumbnail((800, 800))
        pillow_heif.from_pillow(photo).save("party.heic", quality=90)
    for page, wanted in ((PROJECT / "README.md", "identities"), (DOCS / "file_formats.md", "people")):
        assert {"Anna", "Bob"} <= set(run_python(page)[wanted])


@pytest.mark.realdata
def test_scikit_learn(data, tmp_path, monkeypatch, capsys) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    people = make_people(6, 4, length=512)
    names = [*people.identities[:-1], ""]
    EmbeddingTable.from_arrays(people.vectors, names, space=get_preset(DEFAULT_PRESET).space).write("faces.h5")
    (tmp_path / "photos").mkdir()
    for name, source in {"anna": "biden", "bob": "obama"}.items():
        photo = next((data / "people" / "train" / source).iterdir())
        (tmp_path / "photos" / f"{name}.jpg").write_bytes(photo.read_bytes())
    made = run_python(DOCS / "scikit-learn.md")
    assert made["classifier"].head_.score_kind == "normalized"
    assert made["classifier"].predict(people.vectors[:3]).tolist() == ["person 000"] * 3
    assert made["by_number"].predict(np.vstack([people.vectors[:1], made["stranger"]])).tolist() == [0, -1]
    assert made["search"].best_score_ > 0.9
    assert made["people"].predict(["photos/anna.jpg", "photos/bob.jpg"]).tolist() == ["Anna", "Bob"]
    assert len(set(made["groups"].tolist())) == 40
    # As many people as the command that follows takes.
    assert len(set(EmbeddingTable.read("many.h5").identities)) == MIN_PEOPLE
    assert "EmbeddingTable: 120 faces, 40 people" in capsys.readouterr().out


def test_a_head_of_ones_own() -> None:
    assert run_python(DOCS / "heads.md")["trust"] == ["page_of_documentation.NearestMean"]


def test_todays_unknown_visitors(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    lines = []
    for when, event, who, crop in (
        (noon - timedelta(days=1), "ended", "unknown", "unknown/old.jpg"),
        (noon, "started", "unknown", None),
        (noon, "ended", "Ada", "crops/ada.jpg"),
        (noon, "ended", "unknown", "unknown/new.jpg"),
        (None, "ended", "unknown", "unknown/no-time.jpg"),
    ):
        one = make_event(event, "camera 0", track=1, box=[0, 0, 1, 1], identity=who, score=0.5, accepted=who == "Ada")
        at = None if when is None else when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        lines.append(json.dumps({**asdict(one), "at": at, "crop": crop}))
    Path("door.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    assert run_python(DOCS / "camera.md")["strangers"] == ["unknown/new.jpg"]
    assert capsys.readouterr().out == "12:00 Ada crops/ada.jpg\n12:00 unknown unknown/new.jpg\n"


def test_rows_of_results(tmp_path, monkeypatch) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "faces.h5", crowd(40, 3))
    command = ["compare-heads", "faces.h5", "--no-background", "--gallery-per-person", "1", "--csv", "results"]
    assert facetable.main(command) == 0
    made = run_python(DOCS / "measuring.md")
    assert len(made["probes"]) == 5 * (40 + 60)
    assert len(made["wrong"]) and (made["wrong"].identity != made["wrong"].named).all()
