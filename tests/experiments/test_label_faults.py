"""Whether faults are planted and counted rightly, on made-up people."""

import json

import numpy as np

from classifiers.scores.gallery import Gallery
from classifiers.scores.thresholds import ThresholdCurve
from experiments.label_faults import main, misfile, n_questions, share_asked, share_found
from tests.classifiers.people import make_people
from tests.test_train_classifier import DEFAULT_WEIGHTS, write_table

GALLERY = Gallery.build(*make_people(70, 6))
CURVE = ThresholdCurve((30, 100), (0.6, 0.61), "cosine", "nowhere")


def test_ten_photos_are_put_under_other_names():
    for together in (1, 2):
        misfiled, wrong = misfile(GALLERY, np.random.default_rng(0), together=together)
        assert wrong.sum() == 10
        np.testing.assert_array_equal(misfiled.identities != GALLERY.identities, wrong)
        assert share_found(GALLERY, None, 0, together=together) == 1.0


def test_people_split_in_two_are_asked_about_and_others_not():
    assert share_asked(GALLERY, None, CURVE, per_name=3) == 1.0
    assert n_questions(GALLERY, None, CURVE) == 0
    assert n_questions(Gallery.build(np.ones((6, 3)), list("abcdef")), None, CURVE) == 15


def test_the_script_counts(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("experiments.label_faults.N_SETS", 2)
    monkeypatch.setattr("experiments.label_faults.N_TABLES", 2)
    monkeypatch.setattr("experiments.label_faults.PHOTOS_PER_NAME", (3,))
    write_table(tmp_path / "t.h5", make_people(70, 6, length=512), weights=DEFAULT_WEIGHTS)
    assert main([str(tmp_path / "t.h5"), "--no-background", "--json", str(tmp_path / "r.json")]) == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert (record["found_1"], record["questions"], record["asked_3"]) == ([1.0, 1.0], 0, 1.0)
    assert "wrong labels found, 2 together: 1.000 ± 0.000" in capsys.readouterr().out
