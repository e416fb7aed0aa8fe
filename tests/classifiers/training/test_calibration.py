"""Thresholds from the table's own people, and what they promise."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from classifiers.errors import ThresholdError
from classifiers.heads.estimators import GalleryClassifier
from classifiers.heads.open_set import fit_decision_rule
from classifiers.heads.registry import HEADS, make_head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.person_means import NEAREST_OR_MEAN
from classifiers.scores.thresholds import Threshold, ThresholdCurve, threshold_from_curve
from classifiers.training.calibration import (
    binomial_interval,
    calibrate_threshold,
    choose_threshold,
    describe_expected,
    expected_rates,
    lowest_threshold,
)
from classifiers.training.held_out import _photo_folds, near_duplicate_groups, score_held_out
from tests.classifiers.people import make_background, make_people

CURVE = ThresholdCurve((30, 300, 3000), (0.5, 0.6, 0.68), "cosine", "nowhere")
FEW = Matcher(Gallery.build(*make_people(29, 2)))
MANY = Matcher(Gallery.build(*make_people(60, 3)))


def by(head):
    """Return what fits `head`, a name or an estimator."""
    estimator = make_head(head) if isinstance(head, str) else head
    return lambda matcher: fit_decision_rule(estimator, matcher)


NEAREST = by(GalleryClassifier())


def test_leaving_one_out_looks_among_everybody_else():
    gallery = Gallery.build([[1, 0], [0.6, 0.8], [0.8, 0.6]], ["Ada", "Ada", "Bo"])
    held_out = score_held_out(Matcher(gallery), NEAREST)
    np.testing.assert_allclose(held_out.stranger_scores, [0.8, 0.96, 0.96], atol=1e-6)
    assert held_out.stranger_codes.tolist() == [0, 0, 1]
    # Ada's photos are both nearer to Bo than to each other; Bo has no second photo.
    np.testing.assert_allclose(held_out.mated_scores, [0.8, 0.96], atol=1e-6)
    assert held_out.mated_correct.tolist() == [False, False]


@pytest.mark.parametrize("background", [None, make_background()])
def test_leaving_one_out_compares_with_the_means_of_others_and_of_the_rest(background):
    people = make_people(12, 4, spread=1.5)
    gallery = Gallery.build(*people)
    matcher = Matcher(gallery, background, person_score=NEAREST_OR_MEAN)
    held_out = score_held_out(matcher, NEAREST)
    strangers, mated, correct = [], [], []
    for row in range(len(gallery)):
        without_person = matcher.selected(gallery.identities != gallery.identities[row])
        strangers.append(without_person.best(without_person.prepare(people.vectors[row : row + 1])).similarities[0, 0])
        others = matcher.selected(np.arange(len(gallery)) != row)
        found = others.best(others.prepare(people.vectors[row : row + 1]))
        mated.append(found.similarities[0, 0])
        correct.append(others.gallery.identities[found.indices[0, 0]] == gallery.identities[row])
    np.testing.assert_allclose(held_out.stranger_scores, strangers, atol=2e-6)
    np.testing.assert_allclose(held_out.mated_scores, mated, atol=2e-6)
    assert held_out.mated_correct.tolist() == correct
    by_photos = score_held_out(Matcher(gallery, background), NEAREST)
    assert (held_out.stranger_scores > by_photos.stranger_scores + 0.01).any()


def test_near_duplicates_are_one_shot():
    close = np.array([[1.0, 0.0], [1.0, 0.05], [1.0, 0.1], [0.0, 1.0], [0.0, 1.0]])
    gallery = Gallery.build(close, ["Ada", "Ada", "Ada", "Ada", "Bo"], image_sha256=["a", "", "", "a", "a"])
    assert near_duplicate_groups(gallery).tolist() == [0, 0, 0, 0, 4]
    assert len(score_held_out(Matcher(gallery), NEAREST).mated_scores) == 0
    apart = Gallery.build(close, ["Ada", "Ada", "Bo", "Ada", "Bo"])
    assert near_duplicate_groups(apart).tolist() == [0, 0, 2, 3, 4]


@pytest.mark.parametrize("head", ["knn", "svm", LogisticRegression(C=100)])
@pytest.mark.parametrize("background", [None, make_background()])
def test_folds_agree_with_leaving_one_out_on_clear_people(head, background):
    matcher = Matcher(MANY.gallery, background)
    exact, folded = score_held_out(matcher, NEAREST), score_held_out(matcher, by(head))
    assert sorted(folded.stranger_codes) == sorted(exact.stranger_codes)
    assert sorted(folded.mated_codes) == sorted(exact.mated_codes)
    assert folded.mated_correct.mean() > 0.98
    # A head that does not choose the nearest exemplar can only score lower.
    assert np.quantile(folded.stranger_scores, 0.95) <= np.quantile(exact.stranger_scores, 0.95) + 1e-6


def test_nobody_is_looked_for_among_own_photos_in_folds():
    twins = make_people(40, 2)
    twins.vectors[1::2] = twins.vectors[::2]
    held_out = score_held_out(Matcher(Gallery.build(*twins)), by("svm"))
    assert held_out.stranger_scores.max() < 0.9
    assert len(held_out.mated_scores) == 0


def test_lowest_threshold_lets_the_wanted_share_of_people_through():
    scores, codes = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([0, 0, 1, 2, 3])
    # Photos of person 0 weigh an eighth each.
    for fpir, expected in ((0.1, 0.9), (0.125, 0.8), (0.25, 0.7), (0.3, 0.7), (0.5, 0.6), (0.75, 0.5)):
        assert lowest_threshold(scores, codes, fpir) == pytest.approx(expected, abs=1e-5)
        assert lowest_threshold(scores, codes, fpir) > expected
    assert lowest_threshold(np.array([0.5]), np.array([0]), 1.0) == 0.5


@pytest.mark.parametrize("head", HEADS)
def test_the_calibrated_threshold_does_what_it_promises(head):
    held_out = score_held_out(MANY, by(head))
    for fpir in (0.01, 0.1, 0.5):
        threshold = calibrate_threshold(MANY, by(head), fpir)
        assert np.mean(held_out.stranger_scores >= threshold.value) <= fpir + 1e-9
        assert threshold.expected["fpir"]["value"] <= fpir + 1e-9
        assert (threshold.source, threshold.fpir, threshold.n_exemplars) == ("calibrated", fpir, 180)
        assert threshold.expected["tpir"]["value"] > 0.9
        assert threshold.expected["n_strangers"] == 60


def test_expected_rates_by_hand():
    held_out = score_held_out(Matcher(Gallery.build([[1, 0], [0.6, 0.8], [0.8, 0.6]], ["Ada", "Ada", "Bo"])), NEAREST)
    rates = expected_rates(held_out, 0.9)
    assert rates["fpir"]["value"] == pytest.approx(0.75)
    assert rates["tpir"]["value"] == 0.0
    alone = score_held_out(Matcher(Gallery.build(np.eye(2), ["Ada", "Bo"])), NEAREST)
    assert expected_rates(alone, 0.5)["tpir"] is None
    assert "nobody has a second photo" in describe_expected(expected_rates(alone, 0.5))[1]


@pytest.mark.parametrize(("hits", "n"), [(0, 50), (3, 300), (50, 50)])
def test_the_interval_is_clopper_and_pearsons(hits, n):
    expected = binomtest(hits, n).proportion_ci(method="exact")
    assert binomial_interval(hits / n, n) == pytest.approx((hits / n, expected.low, expected.high), abs=1e-6)


def test_what_is_promised_is_said():
    lines = " ".join(describe_expected(calibrate_threshold(MANY, NEAREST, 0.05).expected))
    assert "each of 60 people having played a stranger" in lines
    assert "no FPIR below 1.67% can be seen" in lines
    assert "expected TPIR" in lines


def test_without_fpir_the_curve_decides():
    for matcher in (FEW, MANY):
        threshold = choose_threshold(matcher, NEAREST, curve=CURVE)
        assert threshold == threshold_from_curve(CURVE, len(matcher.gallery))
        assert threshold.note.startswith("from the preset's curve, not from your photos")


def test_a_curve_counts_means():
    with_means = Matcher(MANY.gallery, person_score=NEAREST_OR_MEAN)
    assert choose_threshold(with_means, NEAREST, curve=CURVE).value == CURVE.at(180 + 60 / 2)


def test_with_fpir_the_people_decide_if_there_are_enough():
    assert choose_threshold(MANY, NEAREST, fpir=0.01, curve=CURVE).source == "calibrated"
    by_curve = choose_threshold(FEW, NEAREST, fpir=0.01, curve=CURVE)
    assert (by_curve.source, by_curve.value) == ("curve", CURVE.at(len(FEW.gallery)))
    assert by_curve.note.startswith("not measured on your 29 people, which takes 30: from the preset's curve, not from")
    with pytest.raises(ThresholdError, match="at least 30 people in the table, got 29"):
        choose_threshold(FEW, NEAREST, fpir=0.05, curve=CURVE)
    with pytest.raises(ThresholdError, match="`fpir` must be above 0 and below 1"):
        choose_threshold(MANY, NEAREST, fpir=1.0, curve=CURVE)


def test_without_a_curve_the_people_decide_or_nobody():
    assert choose_threshold(MANY, NEAREST) == calibrate_threshold(MANY, NEAREST, 0.01)
    with pytest.raises(ThresholdError, match=r"no threshold curve is known.*29 people cannot measure one.*--threshold"):
        choose_threshold(FEW, NEAREST)


def test_a_given_threshold_is_taken():
    given = choose_threshold(FEW, NEAREST, threshold=0.3, curve=CURVE)
    assert given == Threshold(0.3, "given", "given by you", n_exemplars=58)
    with pytest.raises(ThresholdError, match="`threshold` must be a finite number, got nan"):
        choose_threshold(FEW, NEAREST, threshold=math.nan)


def test_photo_folds_keep_shots_together_and_lone_photos_in():
    codes = np.array([0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3])
    duplicate_groups = np.array([0, 1, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11])
    folds = _photo_folds(codes, duplicate_groups, np.random.default_rng(0))
    assert folds[0] == -1
    assert folds[1] == folds[2] != folds[3]
    assert sorted(folds[4:11]) == [0, 0, 1, 1, 2, 3, 4]
    assert folds[11:].tolist() == [-1, -1]
