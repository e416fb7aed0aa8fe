"""The documentation's examples do what it says, on real photos, in the order in which it shows them."""

import csv
import json
import shutil
from pathlib import Path

import pytest

import facetable
from tests import PROJECT
from tests.docs.pages import commands_of

DOCS = PROJECT / "docs"

pytestmark = pytest.mark.realdata


@pytest.fixture
def folder(data, tmp_path, monkeypatch) -> Path:
    """Return the folder that the pages speak of, with photos of two people and one of both, as the working folder."""
    for name, source in {"Anna": "biden", "Bob": "obama"}.items():
        shutil.copytree(data / "people" / "train" / source, tmp_path / "photos" / name)
    shutil.copy(data / "people" / "test" / "obama_and_biden.jpg", tmp_path / "party.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_of_people_becomes_names_on_a_photo(folder, capsys) -> None:
    for words in commands_of(DOCS / "one_folder_a_person.md"):
        assert facetable.main(words) == 0
    names = {line.split("\t")[1] for line in capsys.readouterr().out.splitlines() if line.startswith("party.jpg\t")}
    assert names >= {"Anna", "Bob"}  # there are strangers behind them
    assert (folder / "out" / "party.jpg").is_file()


def test_groups_named_in_a_list_become_people(folder) -> None:
    assert facetable.main(["embed", "photos", "-o", "faces.h5", "--identity-from", "none"]) == 0
    group, *others = list(commands_of(DOCS / "groups.md"))
    assert facetable.main(group) == 0
    rows = list(csv.DictReader(Path("people.csv").read_text("utf-8").splitlines()))
    for row in rows:
        row["name"] = "Bob" if row["path"].startswith("Bob/") else "Anna"
    with Path("people.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    for words in others:
        assert facetable.main(words) == 0
    description = facetable.main(["info", "heads/family.skops", "--json", "head.json"])
    assert description == 0
    assert {"Anna", "Bob"} <= set(json.dumps(json.loads(Path("head.json").read_text())).replace('"', " ").split())


def test_events_are_as_their_schema_says(folder, people_head, data) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((DOCS / "schemas" / "event.schema.json").read_text("utf-8"))
    video = str(data / "video" / "short_hamilton_clip.mp4")
    common = ["--head", str(people_head), "--overwrite"]
    assert facetable.main(["recognize", "party.jpg", *common, "--events", "photo.jsonl"]) == 0
    assert facetable.main(["recognize", video, *common, "--events", "video.jsonl", "--detect-every", "12"]) == 0
    lines = [
        json.loads(line) for file in ("photo.jsonl", "video.jsonl") for line in Path(file).read_text().splitlines()
    ]
    for line in lines:
        jsonschema.validate(line, schema)
    assert {line["event"] for line in lines} >= {"face", "started", "ended"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**lines[0], "box": [1, 2, 3]}, schema)
