"""``python -m classifiers evaluate``."""

import json

import numpy as np
import pytest

from classifiers.commands.main import main
from tests.classifiers.people import People, make_background, make_people
from tests.test_train_classifier import DEFAULT_WEIGHTS, write_table


@pytest.fixture
def table(tmp_path):
    known, others = make_people(40, 2, length=512), make_people(30, 1, length=512, seed=5)
    names = np.concatenate([known.identities, np.char.replace(others.identities, "person", "stranger")])
    write_table(tmp_path / "t.h5", People(np.vstack([known.vectors, others.vectors]), names), weights=DEFAULT_WEIGHTS)
    return tmp_path / "t.h5"


def test_prints_and_writes_the_figures(table, tmp_path, capsys):
    assert main(["evaluate", str(table), "--json", str(tmp_path / "r.json")]) == 0
    printed = capsys.readouterr().out
    assert "40 people enrolled with 40 photos, 40 further photos of them, 30 photos of strangers" in printed
    assert "if people of this table are among them" in printed
    record = json.loads((tmp_path / "r.json").read_text())
    assert {"gallery_size", "n_mated", "n_strangers", "rank1", "tpir_at_fpir", "fingerprint"} <= set(record)
    assert record["tpir_at_fpir"]["0.01"] == {"value": 1.0, "low": record["tpir_at_fpir"]["0.01"]["low"], "high": 1.0}
    assert (record["head"], record["score"]) == ("gallery", "normalized")


def test_photos_that_the_preset_was_measured_on_are_told(table, monkeypatch, capsys):
    monkeypatch.setattr(
        "classifiers.scores.preset_files.count_measured_photos", lambda fingerprint, photos, vectors: len(photos)
    )
    assert main(["evaluate", str(table)]) == 0
    assert "background of this preset were measured on 110 of these photos: the figures are too good" in (
        capsys.readouterr().err
    )


def test_options(table, tmp_path, capsys):
    assert main(["evaluate", str(table), "--no-background", "--head", "knn", "--param", "n_neighbors=1"]) == 0
    assert "cosine scores" in capsys.readouterr().out
    assert main(["evaluate", str(table), "--fpir", "0.05"]) == 0
    assert "from the enrolled people" in capsys.readouterr().out
    make_background(length=512).write(tmp_path / "b.npz")
    assert main(["evaluate", str(table), "--background", str(tmp_path / "b.npz")]) == 2
    assert "expected a background model for weights 704afe26766c" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--gallery-per-person", "0"], "`gallery_per_person` must be at least 1"),
        (["--gallery-per-person", "9"], "needs people with more than 9 photos"),
        (["--head", "sklearn.linear_model.Ridge"], "must be a scikit-learn classifier"),
    ],
)
def test_bad_options_are_one_line(options, message, table, capsys):
    assert main(["evaluate", str(table), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("n_photos", [0, 1])
def test_tables_with_nobody_to_look_for(n_photos, tmp_path, capsys):
    write_table(tmp_path / "t.h5", make_people(3, n_photos))
    assert main(["evaluate", str(tmp_path / "t.h5"), "--no-background"]) == 2
    assert "t.h5: evaluation needs people with more than 1 photo," in capsys.readouterr().err


@pytest.mark.usefixtures("drawing")
def test_curves_are_drawn(table, tmp_path, capsys):
    assert main(["evaluate", str(table), "--plot", str(tmp_path / "c.svg")]) == 0
    assert (tmp_path / "c.svg").read_bytes().startswith(b"<?xml")
    assert main(["evaluate", str(table), "--plot", str(tmp_path / "c.txt")]) == 2
    assert "such as .png, .pdf or .svg" in capsys.readouterr().err
    assert main(["evaluate", str(table), "--plot", str(tmp_path)]) == 2
    (tmp_path / "notes.png").write_text("my notes")
    assert main(["evaluate", str(table), "--plot", str(tmp_path / "notes.png")]) == 2
    assert (tmp_path / "notes.png").read_text() == "my notes"
