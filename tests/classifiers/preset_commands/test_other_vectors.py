"""``facetable preset calibrate TABLE``: vectors of another program, which have no preset, measured for real."""

import json

import numpy as np
import pytest

from classifiers import OpenSetClassifier
from classifiers.files.head_file import load_head
from classifiers.presets import calibrate as library
from classifiers.presets.choice import Settings
from classifiers.scores.preset_files import own_folder, own_name
from embedder.tables.table import EmbeddingTable
from facetable import main
from tests.classifiers.people import make_people

SPACE = "my-clip"


@pytest.fixture(scope="module")
def people():
    """Vectors and names of 1,200 people: a thousand to measure on, the last 200 for albums."""
    made = make_people(1200, 2, length=48, spread=0.8)
    return made.vectors, np.array([f"person {row // 2:04d}" for row in range(2400)])


@pytest.fixture(scope="module")
def measured(people, tmp_path_factory):
    """A folder with ``many.h5``, measured; what was printed and written as JSON lies beside it."""
    folder = tmp_path_factory.mktemp("other-vectors")
    vectors, names = people
    EmbeddingTable.from_arrays(3 * vectors[:2000], names[:2000], space=SPACE).write(folder / "many.h5")
    EmbeddingTable.from_arrays(vectors[2000:], names[2000:], space=SPACE).write(folder / "album.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACETABLE_CACHE", str(folder / "cache"))
        # Few draws of the curves; which settings are chosen, and thresholds of groups, have tests of their own.
        chosen = {Settings(16, 0.06): np.array([[0.5, 0.7], [0.6, 0.8]])}
        patch.setattr(library, "measure_settings", lambda gallery: chosen)
        patch.setattr(library, "REPEATS", 4)
        groups = {"cosine": [[20, 0.4], [1000, 0.5]], "normalized": [[20, 0.2], [1000, 0.3]]}
        patch.setattr(library, "measure_cluster_curves", lambda gallery, **settings: groups)
        arguments = ["preset", "calibrate", str(folder / "many.h5"), "--name", "a thousand made-up people"]
        assert main([*arguments, "--json", str(folder / "figures.json")]) == 0
    return folder


@pytest.fixture
def folder(measured, monkeypatch):
    monkeypatch.setenv("FACETABLE_CACHE", str(measured / "cache"))
    return measured


def test_what_is_measured_is_written_for_this_user(folder):
    stem = own_name(EmbeddingTable.read(folder / "many.h5").fingerprint)
    assert stem.startswith("vectors-")
    assert {path.name for path in own_folder().iterdir()} == {
        f"{stem}{end}" for end in (".npz", ".json", ".photos.npy")
    }
    figures = json.loads((folder / "figures.json").read_text())
    assert (figures["n_people"], figures["weights_sha256"]) == (1000, "")
    assert figures["space"] == {"vectors": SPACE, "embedding_length": 48}


def test_train_and_recognize_take_background_and_curve(folder, tmp_path, capsys):
    head = tmp_path / "own.skops"
    assert main(["train", str(folder / "album.h5"), "-o", str(head), "--trust-folders"]) == 0
    told = capsys.readouterr().out
    assert "score: normalized, against 1,000 people, a thousand made-up people" in told
    assert "from the preset's curve, not from your photos: FPIR 1%" in told
    loaded = load_head(head)
    assert (loaded.score_kind, loaded.threshold_record.source) == ("normalized", "curve")
    assert main(["recognize", str(folder / "album.h5"), "--head", str(head)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 400
    assert sum("person 1" in line for line in lines) == 400  # enrolled themselves
    assert main(["recognize", str(folder / "many.h5"), "--head", str(head)]) == 0
    strangers = capsys.readouterr().out.splitlines()
    assert sum("unknown" in line for line in strangers) > 1900  # of 2,000


def test_evaluate_takes_them_and_says_where_it_tests_on_the_same_people(folder, tmp_path, capsys):
    result = tmp_path / "result.json"
    assert main(["evaluate", str(folder / "album.h5"), "--json", str(result)]) == 0
    told = capsys.readouterr()
    assert "against 1,000 people, a thousand made-up people" in told.out
    assert told.err == ""
    assert json.loads(result.read_text())["score"] == "normalized"
    assert main(["evaluate", str(folder / "many.h5")]) == 0
    assert "measured on 2,000 of these photos: the figures are too good" in capsys.readouterr().err


def test_the_scikit_learn_classifier_finds_them_by_the_fingerprint(folder):
    table = EmbeddingTable.read(folder / "album.h5")
    classifier = OpenSetClassifier(fingerprint=table.fingerprint).fit(table.embeddings, table.identities)
    assert classifier.head_.score_kind == "normalized"
    assert classifier.head_.threshold_record.source == "curve"


def test_vectors_of_another_name_find_nothing(folder, people, tmp_path, capsys):
    vectors, names = people
    EmbeddingTable.from_arrays(vectors[2000:], names[2000:], space="other").write(tmp_path / "other.h5")
    assert main(["train", str(tmp_path / "other.h5"), "-o", str(tmp_path / "o.skops"), "--trust-folders"]) == 0
    assert "score: cosine\n" in capsys.readouterr().out


def test_what_cannot_be_measured(folder, people, tmp_path, capsys):
    vectors, names = people
    for space, rows, why in (
        (SPACE, slice(1998), "expected at least 1,000 people to calibrate a preset on, found 999"),
        (None, slice(2000), "expected vectors whose space has a name, found an unnamed one"),
        ({"weights_sha256": "ab" * 32}, slice(2000), "give the preset before it: facetable preset calibrate PRESET"),
    ):
        EmbeddingTable.from_arrays(vectors[rows], names[rows], space=space).write(tmp_path / "t.h5")
        assert main(["preset", "calibrate", str(tmp_path / "t.h5")]) == 2
        assert why in capsys.readouterr().err
    EmbeddingTable.from_arrays(vectors[:2], names[:2], space="other").write(tmp_path / "t.h5")
    assert main(["preset", "calibrate", str(folder / "many.h5"), str(tmp_path / "t.h5")]) == 2
    assert "t.h5): expected vectors my-clip, got vectors other" in capsys.readouterr().err
    assert main(["preset", "calibrate", str(folder / "many.h5"), "-o", str(tmp_path / "t.h5")]) == 2
    assert "t.h5: expected a folder to write into, found HDF5 data" in capsys.readouterr().err
