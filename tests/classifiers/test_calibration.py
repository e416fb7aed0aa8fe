"""Threshold curves and thresholds from the table's own people."""

import json
import math

import numpy as np
import pytest

from classifiers.calibration import (
    BACKGROUND_FOLDER,
    Threshold,
    ThresholdCurve,
    calibrated_threshold,
    check_fpir,
    choose_threshold,
    find_curve,
    stranger_scores,
    threshold_from_curve,
)
from classifiers.errors import ThresholdError
from classifiers.gallery import Gallery
from tests.classifiers.people import make_people

CURVE = ThresholdCurve((30, 300, 3000), (0.5, 0.6, 0.68), "cosine", "nowhere")
FEW = Gallery.build(*make_people(29, 2))
MANY = Gallery.build(*make_people(60, 3))
DEFAULT_WEIGHTS = "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78"


@pytest.mark.parametrize(
    ("n_exemplars", "expected"),
    [(30, 0.5), (300, 0.6), (3000, 0.68), (30000, 0.76), (3, 0.4), (1, 0.5 - 0.1 * math.log10(30)),
     (round(30 * math.sqrt(10)), 0.55)],
)
def test_a_curve_is_linear_in_the_logarithm_and_continued(n_exemplars, expected):
    assert CURVE.at(n_exemplars) == pytest.approx(expected, abs=2e-4)


def test_a_curve_needs_somebody_and_increasing_sizes():
    with pytest.raises(ThresholdError, match="`n_exemplars` must be at least 1, got 0"):
        CURVE.at(0)
    for numbers, values in (([10], [0.5]), ([10, 10], [0.5, 0.6]), ([20, 10], [0.5, 0.6]), ([10, 20], [0.5])):
        with pytest.raises(ThresholdError, match="at least two increasing numbers"):
            ThresholdCurve.from_json({"n_exemplars": numbers, "thresholds": values, "score": "cosine", "measured_on": ""})


def test_the_default_preset_ships_a_curve():
    curve = find_curve({"space": {"weights_sha256": DEFAULT_WEIGHTS}})
    assert curve.n_exemplars == (30, 100, 300, 1000, 3000)
    assert all(np.diff(curve.thresholds) > 0.02)
    assert curve.at(279) == pytest.approx(0.617, abs=0.01)
    assert "LFW" in curve.measured_on
    assert (BACKGROUND_FOLDER / f"{DEFAULT_WEIGHTS[:12]}.json").stat().st_size < 5000


def test_other_weights_have_no_curve(tmp_path):
    assert find_curve(None) is None
    assert find_curve({"space": {}}) is None
    assert find_curve({"space": {"weights_sha256": "f" * 64}}) is None
    assert find_curve({"space": {"weights_sha256": DEFAULT_WEIGHTS}}, score="absent") is None
    # The first twelve digits name the file; all of them must agree.
    record = {"weights_sha256": "0" * 12 + "1" * 52, "measured_on": "x", "curves": {"cosine": {}}}
    (tmp_path / f"{'0' * 12}.json").write_text(json.dumps(record))
    assert find_curve({"space": {"weights_sha256": "0" * 64}}, folder=tmp_path) is None


def test_stranger_scores_look_among_everybody_else():
    gallery = Gallery.build([[1, 0], [0.6, 0.8], [0.8, 0.6]], ["Ada", "Ada", "Bo"])
    np.testing.assert_allclose(stranger_scores(gallery), [0.8, 0.96, 0.96], atol=1e-6)


def test_the_calibrated_threshold_lets_the_wanted_share_through():
    scores = stranger_scores(MANY)
    for fpir in (0.01, 0.1, 0.5):
        threshold = calibrated_threshold(MANY, fpir)
        assert np.mean(scores >= threshold.value) <= fpir
        assert np.mean(scores >= threshold.value) > fpir - 3 / len(scores)
        assert (threshold.source, threshold.fpir, threshold.n_exemplars) == ("calibrated", fpir, 180)


@pytest.mark.parametrize("fpir", [0.0, 1.0, -1.0, math.nan])
def test_refuses_what_is_no_rate(fpir):
    with pytest.raises(ThresholdError, match="`fpir` must be above 0 and below 1"):
        check_fpir(fpir)
    with pytest.raises(ThresholdError, match="`fpir` must be above 0 and below 1"):
        choose_threshold(MANY, fpir=fpir, curve=CURVE)


def test_without_fpir_the_curve_decides():
    for gallery in (FEW, MANY):
        threshold = choose_threshold(gallery, curve=CURVE)
        assert threshold == threshold_from_curve(CURVE, len(gallery))
        assert threshold.note.startswith("from the preset's curve, not from your photos")


def test_with_fpir_the_people_decide_if_there_are_enough():
    assert choose_threshold(MANY, fpir=0.01, curve=CURVE).source == "calibrated"
    assert choose_threshold(FEW, fpir=0.01, curve=CURVE).source == "curve"
    with pytest.raises(ThresholdError, match="at least 30 people in the table, got 29"):
        choose_threshold(FEW, fpir=0.05, curve=CURVE)


def test_without_a_curve_the_people_decide_or_nobody():
    assert choose_threshold(MANY) == calibrated_threshold(MANY, 0.01)
    with pytest.raises(ThresholdError, match=r"no threshold curve is known.*29 people are too few.*--threshold"):
        choose_threshold(FEW)


def test_a_given_threshold_is_taken():
    assert choose_threshold(FEW, threshold=0.3, curve=CURVE) == Threshold(0.3, "given", "given by you", n_exemplars=58)
    with pytest.raises(ThresholdError, match="`threshold` must be a finite number, got nan"):
        choose_threshold(FEW, threshold=math.nan)


def test_only_a_curve_follows_the_gallery():
    assert threshold_from_curve(CURVE, 30).for_gallery(300).value == pytest.approx(0.6)
    given = Threshold(0.3, "given", "given by you", n_exemplars=5)
    assert given.for_gallery(300) is given
    assert threshold_from_curve(CURVE, 30).for_gallery(0).value == pytest.approx(0.5)
