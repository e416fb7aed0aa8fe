"""Threshold curves and where a threshold comes from."""

import json
import math

import numpy as np
import pytest

from classifiers.errors import ThresholdError
from classifiers.scores.normalization import BACKGROUND_FOLDER, find_background
from classifiers.scores.thresholds import (
    Threshold,
    ThresholdCurve,
    check_fpir,
    curve_for,
    find_curve,
    threshold_from_curve,
)
from embedder.networks.presets import PRESETS
from tests.classifiers.people import make_background

CURVE = ThresholdCurve((30, 300, 3000), (0.5, 0.6, 0.68), "cosine", "nowhere")
DEFAULT_WEIGHTS = "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78"


@pytest.mark.parametrize(
    ("n_exemplars", "expected"),
    [
        (30, 0.5),
        (300, 0.6),
        (3000, 0.68),
        (30000, 0.76),
        (3, 0.4),
        (1, 0.5 - 0.1 * math.log10(30)),
        (round(30 * math.sqrt(10)), 0.55),
    ],
)
def test_a_curve_is_linear_in_the_logarithm_and_continued(n_exemplars, expected):
    assert CURVE.at(n_exemplars) == pytest.approx(expected, abs=2e-4)


def test_a_curve_needs_somebody_and_increasing_sizes():
    with pytest.raises(ThresholdError, match="`n_exemplars` must be at least 1, got 0"):
        CURVE.at(0)
    for numbers, values in (([10], [0.5]), ([10, 10], [0.5, 0.6]), ([20, 10], [0.5, 0.6]), ([10, 20], [0.5])):
        with pytest.raises(ThresholdError, match="at least two increasing numbers"):
            ThresholdCurve.from_json({"n_exemplars": numbers, "thresholds": values, "score": "", "measured_on": ""})


# The others have none yet: their heads are calibrated on the table they are trained on.
FACENETS = [name for name in PRESETS if name.startswith("facenet-")]


@pytest.mark.parametrize("score", ["cosine", "normalized"])
@pytest.mark.parametrize("weights", [PRESETS[name].weights_sha256 for name in FACENETS])
def test_every_facenet_ships_curves(weights, score):
    curve = find_curve({"space": {"weights_sha256": weights}}, score=score)
    assert all(np.diff(curve.thresholds) > 0.02)
    assert curve.n_exemplars[-1] >= 1000


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


def test_only_a_curve_follows_the_gallery():
    assert threshold_from_curve(CURVE, 30).for_gallery(300).value == pytest.approx(0.6)
    given = Threshold(0.3, "given", "given by you", n_exemplars=5)
    assert given.for_gallery(300) is given
    assert threshold_from_curve(CURVE, 30).for_gallery(0).value == pytest.approx(0.5)


@pytest.mark.parametrize("fpir", [0.0, 1.0, -1.0, math.nan])
def test_refuses_what_is_no_rate(fpir):
    with pytest.raises(ThresholdError, match="`fpir` must be above 0 and below 1"):
        check_fpir(fpir)


def test_normalized_scores_have_their_own_curve():
    fingerprint = {"space": {"weights_sha256": DEFAULT_WEIGHTS}}
    shipped = find_background(fingerprint)
    assert curve_for(fingerprint, None).score == "cosine"
    assert curve_for(fingerprint, shipped).score == "normalized"
    assert curve_for(fingerprint, shipped.with_cohort(np.eye(512)[:3])).score == "normalized"
    assert curve_for(fingerprint, None).at(100) > curve_for(fingerprint, shipped).at(100) + 0.1
    assert curve_for(fingerprint, make_background()) is None
    assert curve_for({"space": {"weights_sha256": "0" * 64}}, make_background()) is None


def test_only_a_calibrated_threshold_is_outgrown():
    calibrated = Threshold(0.3, "calibrated", "from your photos", fpir=0.01, n_exemplars=100)
    assert not calibrated.is_outgrown(149)
    assert calibrated.is_outgrown(150)
    assert not threshold_from_curve(CURVE, 30).is_outgrown(3000)
    assert not Threshold(0.3, "given", "given by you", n_exemplars=5).is_outgrown(3000)


def test_a_curve_measured_with_other_crops_says_so():
    space = {"weights_sha256": DEFAULT_WEIGHTS, "alignment": "similarity", "crop_size": 160}
    assert find_curve({"space": space}).measured_on.endswith(" with alignment box instead of your alignment similarity")
    assert find_curve({"space": {**space, "alignment": "box"}}).measured_on.endswith("(deep-funneled)")


@pytest.mark.parametrize(
    ("n_exemplars", "beyond"), [(29, True), (30, False), (300, False), (3000, False), (3001, True)]
)
def test_a_threshold_beyond_the_ends_of_its_curve_says_so(n_exemplars, beyond):
    curve = ThresholdCurve((30, 300, 3000), (0.5, 0.6, 0.7), "cosine", "somewhere")
    note = threshold_from_curve(curve, n_exemplars).note
    said = "; measured with 30 to 3,000 photos, beyond which it is continued in a straight line"
    assert note.endswith(said) is beyond
    assert note.removesuffix(said).endswith("measured on somewhere")
