"""The recipe of the threshold curves, on made-up people."""

import numpy as np
import pytest

from classifiers.presets.threshold_curve import draw_split, measure_curve, threshold_of_draw
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from tests.classifiers.people import make_people

GALLERY = Gallery.build(*make_people(300, 2))


def test_enrolled_and_strangers_share_nobody():
    enrolled, strangers = draw_split(GALLERY, 30, np.random.default_rng(0))
    names = GALLERY.identities[np.concatenate([enrolled, strangers])]
    assert (len(enrolled), len(strangers), len(set(names))) == (30, 270, 300)


def test_the_threshold_lets_one_stranger_in_a_hundred_through():
    threshold = threshold_of_draw(Matcher(GALLERY), 50, np.random.default_rng(3))
    enrolled, strangers = draw_split(GALLERY, 50, np.random.default_rng(3))
    scores = (GALLERY.vectors[strangers] @ GALLERY.vectors[enrolled].T).max(axis=1)
    assert np.sum(scores >= threshold) in (2, 3)


@pytest.mark.parametrize("normalized", [False, True])
def test_more_people_need_a_higher_threshold(normalized):
    options = {"repeats": 12, "seed": 0, "normalized": normalized, "n_components": 2}
    curve = measure_curve(GALLERY, (5, 40, 250), **options)
    assert curve["n_exemplars"] == [5, 40]
    assert curve["thresholds"][0] < curve["thresholds"][1]
    assert curve == measure_curve(GALLERY, (5, 40), **options)


def test_too_few_strangers_are_refused():
    with pytest.raises(ValueError, match="two sizes that leave at least 100 strangers, got 1"):
        measure_curve(GALLERY, (100, 250), repeats=1, seed=0, normalized=False)
