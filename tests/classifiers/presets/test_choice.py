"""Settings are chosen on halves, and the usual ones stay unless others are clearly better."""

import numpy as np
import pytest

from classifiers.presets.choice import (
    USUAL,
    Settings,
    choose_settings,
    describe_choice,
    found_at_fpir,
    halves_of,
    measure_settings,
)
from classifiers.scores.gallery import Gallery
from tests.classifiers.people import make_people

PEOPLE = make_people(300, 3, length=24, spread=0.9)
# Every second person has one photo, and is a stranger.
KEPT = (np.arange(900) % 6 < 3) | (np.arange(900) % 6 == 3)
GALLERY = Gallery.build(PEOPLE.vectors[KEPT], PEOPLE.identities[KEPT])
OTHER = Settings(64, 0.04)


def rates(*gains):
    usual = np.array([[0.5, 0.7], [0.52, 0.72], [0.48, 0.7], [0.5, 0.74], [0.5, 0.7]])
    return {USUAL: usual, OTHER: usual + np.array(gains)[:, None]}


def test_halves_share_nobody():
    for half in halves_of(GALLERY):
        assert not set(half.fitted.labels) & set(half.tested.labels)
        assert len(half.fitted.labels) == 150


def test_what_is_found_by_hand():
    tested = halves_of(GALLERY)[0].tested
    by_cosine = found_at_fpir(tested, None, seed=0, fpirs=(0.01, 0.5), n_draws=2)
    assert 0.1 < by_cosine[0] < by_cosine[1] <= 1
    clear = Gallery.build(*make_people(100, 2, spread=0.05))
    clear = clear.selected(np.arange(200) != 1)  # one stranger
    assert found_at_fpir(clear, None, seed=0, fpirs=(0.01,))[0] == pytest.approx(1.0)


def test_where_everybody_has_a_second_photo_half_of_them_are_strangers():
    tested = Gallery.build(*make_people(60, 2, length=24, spread=0.9))
    strict, loose = found_at_fpir(tested, None, seed=0, fpirs=(0.01, 0.5))
    assert 0.1 < strict < loose <= 1


def test_settings_with_too_few_people_for_their_components_are_left_out():
    measured = measure_settings(GALLERY, temperatures=(0.06, 0.1), components=(4, 8, 64))
    assert set(measured) == {Settings(n, t) for n in (4, 8, 15) for t in (0.06, 0.1)}
    assert all(values.shape == (5, 2) for values in measured.values())


@pytest.mark.parametrize(
    ("gains", "chosen"),
    [
        ((0.01, 0.012, 0.008, 0.01, 0.01), OTHER),
        ((0.05, -0.03, 0.01, 0.0, 0.0), USUAL),  # better on the whole, and by chance
        ((-0.01, -0.01, -0.01, -0.01, -0.01), USUAL),
        ((0.0, 0.0, 0.0, 0.0, 0.0), USUAL),
    ],
)
def test_the_usual_settings_stay_unless_others_are_clearly_better(gains, chosen):
    assert choose_settings(rates(*gains)) == chosen


def test_the_best_is_told_first():
    told = describe_choice(rates(0.01, 0.01, 0.01, 0.01, 0.01))
    assert told[0] == {
        "n_components": 64,
        "temperature": 0.04,
        "tpir_at_fpir_0.001": 0.51,
        "tpir_at_fpir_0.01": 0.722,
    }
