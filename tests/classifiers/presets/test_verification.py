"""The distance below which two faces are one person."""

import numpy as np
import pytest

from classifiers.presets.verification import best_distance, draw_pairs, measure_verification
from classifiers.scores.gallery import Gallery
from tests.classifiers.people import make_people


def test_pairs_are_half_of_one_person_and_nobody_counts_too_much():
    codes = np.repeat(np.arange(60), [50] + [2] * 59)
    pairs, genuine = draw_pairs(codes, np.random.default_rng(0))
    assert np.array_equal(codes[pairs[:, 0]] == codes[pairs[:, 1]], genuine)
    assert (genuine.sum(), (~genuine).sum()) == (20 + 59, 20 + 59)
    assert np.all(pairs[:, 0] != pairs[:, 1])


def test_the_best_distance_by_hand():
    distances = np.array([0.4, 0.6, 0.9, 1.2, 1.3])
    assert best_distance(distances, np.array([True, True, True, False, False])) == pytest.approx(1.05)
    assert best_distance(distances, np.array([True, False, True, False, False])) == pytest.approx(1.05)


def test_clear_people_are_told_apart():
    found = measure_verification(Gallery.build(*make_people(80, 4, length=64, spread=0.5)))
    assert found["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert 0.7 < found["distance"] < 1.2
    hard = measure_verification(Gallery.build(*make_people(80, 4, length=64, spread=2.5)))
    assert hard["accuracy"]["low"] < hard["accuracy"]["value"] < hard["accuracy"]["high"] < 0.97
