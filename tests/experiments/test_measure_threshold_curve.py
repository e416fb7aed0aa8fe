"""The recipe of the threshold curve, on made-up people."""

import json

import numpy as np
import pytest

from classifiers.calibration import find_curve
from classifiers.gallery import Gallery
from experiments.measure_threshold_curve import draw_split, main, measure_curve, measure_thresholds
from tests.classifiers.people import make_people
from tests.test_train_classifier import write_table

GALLERY = Gallery.build(*make_people(300, 2))


def test_enrolled_and_strangers_share_nobody():
    enrolled, strangers = draw_split(GALLERY, 30, np.random.default_rng(0))
    names = GALLERY.identities[np.concatenate([enrolled, strangers])]
    assert (len(enrolled), len(strangers), len(set(names))) == (30, 270, 300)


def test_the_threshold_lets_one_stranger_in_a_hundred_through():
    (threshold,) = measure_thresholds(GALLERY, 50, repeats=1, seed=3)
    enrolled, strangers = draw_split(GALLERY, 50, np.random.default_rng([3, 50, 0]))
    scores = (GALLERY.vectors[strangers] @ GALLERY.vectors[enrolled].T).max(axis=1)
    assert np.sum(scores >= threshold) in (2, 3)


def test_more_people_need_a_higher_threshold():
    curve = measure_curve(GALLERY, (10, 100), repeats=5, seed=0)
    assert curve["thresholds"][0] < curve["thresholds"][1]
    assert curve == measure_curve(GALLERY, (10, 100), repeats=5, seed=0)


def test_too_few_strangers_are_refused():
    with pytest.raises(ValueError, match="250 enrolled people leave 50 strangers, expected at least 100"):
        measure_thresholds(GALLERY, 250, repeats=1, seed=0)


def test_the_written_curve_is_found(tmp_path, capsys):
    write_table(tmp_path / "t.h5", make_people(300, 2))
    output = tmp_path / f"{'0' * 12}.json"
    arguments = [str(tmp_path / "t.h5"), "--name", "made-up people", "-o", str(output), "--sizes", "10", "100"]
    assert main([*arguments, "--repeats", "3"]) == 0
    curve = find_curve({"space": {"weights_sha256": "0" * 64}}, folder=tmp_path)
    assert (curve.n_exemplars, curve.measured_on) == ((10, 100), "made-up people")
    assert "--repeats 3" in json.loads(output.read_text())["recipe"]
    assert "   100 exemplars: " in capsys.readouterr().out
