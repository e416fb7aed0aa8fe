"""The JSON schemas of head and people file say what the program writes, and refuse what it would refuse."""

import csv
import json
import zipfile

import pytest

from classifiers import HEADS, load_head, save_head
from classifiers.people_files.people_file import COLUMNS
from classifiers.training.train import train_head
from embedder.tables.table import EmbeddingTable
from facetable import main
from foundation.head_files import description
from foundation.text import MAX_NAME_LENGTH
from tests import PROJECT
from tests.classifiers.people import make_background, make_people
from tests.test_train_classifier import write_table

jsonschema = pytest.importorskip("jsonschema")

SCHEMAS = PROJECT / "docs" / "schemas"
PEOPLE = make_people(40, 3)


def schema_of(kind):
    return json.loads((SCHEMAS / f"{kind}.schema.json").read_text("utf-8"))


def described(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("facetable.json"))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("schemas") / "faces.h5"
    write_table(path, PEOPLE)
    return EmbeddingTable.read(path)


@pytest.fixture(scope="module")
def record(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("head") / "head.skops"
    save_head(train_head(table), path)
    return described(path)


@pytest.mark.parametrize("file", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_each_is_a_schema_and_linked(file):
    jsonschema.Draft202012Validator.check_schema(json.loads(file.read_text("utf-8")))
    assert f"](schemas/{file.name})" in (PROJECT / "docs" / "file_formats.md").read_text("utf-8")


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_heads_of_every_kind(table, kind, tmp_path):
    options = {"background": make_background(), "threshold": 0.4} if kind == "knn" else {}
    save_head(train_head(table, head=kind, **options), tmp_path / "head.skops")
    record = described(tmp_path / "head.skops")
    jsonschema.validate(record, schema_of("head"))
    # Nothing is written that the schema does not tell.
    assert set(record) <= set(schema_of("head")["properties"])
    assert set(record["threshold"]) <= set(schema_of("head")["properties"]["threshold"]["properties"])


def test_a_head_from_a_curve(table, tmp_path):
    from embedder.networks.presets import DEFAULT_PRESET, get_preset

    people = make_people(5, 2, length=512)
    own = EmbeddingTable.from_arrays(*people, space=get_preset(DEFAULT_PRESET).space)
    save_head(train_head(own), tmp_path / "head.skops")
    record = described(tmp_path / "head.skops")
    assert record["threshold"]["curve"] is not None
    jsonschema.validate(record, schema_of("head"))


def test_the_head_schema_says_what_the_reader_checks():
    schema = schema_of("head")
    assert set(schema["required"]) == {"format", "version", *description._FIELDS}
    assert set(schema["properties"]) == {"format", "version", *description._FIELDS, *description._LATER_FIELDS}
    assert schema["properties"]["chooser"]["enum"] == list(description.CHOOSERS)
    threshold = schema["properties"]["threshold"]["properties"]["value"]
    assert threshold["minimum"] == description.LOWEST_SCORE


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"identities": []},
        {"identities": ["unknown"]},
        {"score": "probability"},
        {"chooser": "guess"},
        {"threshold": {"value": 0.5}},
        {"threshold": {"value": -3, "source": "given", "note": ""}},
        {"parameters": {"a": [1]}},
    ],
)
def test_what_the_reader_refuses_the_head_schema_refuses(record, change, tmp_path):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**record, **change}, schema_of("head"))
    with pytest.raises(ValueError, match=r"\w"):
        description.check_version({**record, **change})
        description.check_description({**record, **change})


def test_people_files(table, tmp_path):
    schema = schema_of("people")
    assert tuple(schema["properties"]) == COLUMNS
    assert schema["properties"]["name"]["maxLength"] == MAX_NAME_LENGTH
    table.write(tmp_path / "faces.h5")
    file = tmp_path / "people.csv"
    assert main(["cluster", str(tmp_path / "faces.h5"), "-o", str(file), "--no-background"]) == 0
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert len(rows) == 120
    for row in rows:
        jsonschema.validate(row, schema)
    for change in ({"cluster": "three"}, {"face_index": "-1"}, {"name": "unknown"}, {"row": "3"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**rows[0], **change}, schema)


def test_a_reader_of_ones_own(table, tmp_path):
    """What docs/file_formats.md says of a head is enough to read it with NumPy alone."""
    import io

    import numpy as np

    save_head(train_head(table), tmp_path / "head.skops")
    with zipfile.ZipFile(tmp_path / "head.skops") as archive:
        arrays = {
            name: np.load(io.BytesIO(archive.read(f"serving/{name}.npy")), allow_pickle=False)
            for name in ("exemplars", "codes")
        }
        said = json.loads(archive.read("facetable.json"))
    names = np.array(said["identities"])[arrays["codes"]]
    scores = arrays["exemplars"] @ PEOPLE.vectors[0]
    assert names[scores.argmax()] == load_head(tmp_path / "head.skops").identify(PEOPLE.vectors[:1])[0][0]
