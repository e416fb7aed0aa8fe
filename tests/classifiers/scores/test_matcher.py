"""Scores of probes against a gallery, plain and normalized."""

import numpy as np
import pytest

from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher, Probes
from tests.classifiers.people import make_background, make_people

TWO = Matcher(Gallery.build([[0.0, 2.0], [3.0, 0.0], [4.0, 3.0]], ["Bo", "Ada", "Bo"]))
PEOPLE = make_people(20, 4)
SHUFFLED = np.random.default_rng(0).permutation(len(PEOPLE.vectors))
GALLERY = Gallery.build(PEOPLE.vectors[SHUFFLED], PEOPLE.identities[SHUFFLED])
PROBES = make_people(20, 1, seed=3).vectors


def test_similarity_is_the_nearest_exemplar_of_each_person():
    probes = TWO.prepare(np.array([[0.0, 1.0], [5.0, 0.0]]))
    np.testing.assert_allclose(TWO.similarity(probes), [[0, 1], [1, 0.8]], atol=1e-6)
    assert TWO.similarity(TWO.prepare(np.zeros((0, 2)))).shape == (0, 2)
    assert TWO.selected(np.zeros(3, bool)).similarity(probes).shape == (2, 0)


def test_nearest_of_looks_among_one_person_only():
    found = TWO.nearest_of(TWO.prepare(np.array([[1.0, 0.0], [1.0, 0.0]])), np.array([0, 1]))
    assert found.indices.ravel().tolist() == [1, 2]
    np.testing.assert_allclose(found.similarities.ravel(), [1.0, 0.8], atol=1e-6)


@pytest.mark.parametrize("background", [None, make_background()])
def test_similarity_agrees_with_a_loop_over_people(background):
    matcher = Matcher(GALLERY, background)
    probes = matcher.prepare(PROBES)
    scores = matcher.scores(probes)
    expected = [[row[GALLERY.identities == name].max() for name in GALLERY.labels] for row in scores]
    np.testing.assert_allclose(matcher.similarity(probes), expected, atol=1e-6)
    np.testing.assert_allclose(matcher.nearest(probes).similarities[:, 0], scores.max(axis=1), atol=1e-6)


def test_a_normalized_score_is_the_centred_cosine_less_half_of_both_levels():
    background = make_background()
    matcher = Matcher(GALLERY, background)
    centred = [background.center(rows) for rows in (PROBES, GALLERY.vectors)]
    levels = [background.level(rows) for rows in centred]
    expected = centred[0] @ centred[1].T - 0.5 * levels[0][:, None] - 0.5 * levels[1][None, :]
    np.testing.assert_allclose(matcher.scores(matcher.prepare(PROBES)), expected, atol=1e-6)
    np.testing.assert_array_equal(matcher.units, centred[1])


def test_a_normalized_score_is_symmetric():
    background = make_background()
    one, other = Gallery.build(PROBES[:1], ["Ada"]), Gallery.build(PROBES[1:2], ["Bo"])
    left, right = Matcher(one, background), Matcher(other, background)
    np.testing.assert_allclose(
        left.scores(left.prepare(PROBES[1:2])), right.scores(right.prepare(PROBES[:1])), atol=1e-6
    )


@pytest.mark.parametrize("background", [None, make_background()])
def test_adding_and_selecting_give_the_matcher_of_the_result(background):
    rows = np.arange(len(GALLERY)) < 30
    whole = Matcher(GALLERY, background)
    joined = whole.selected(rows).added(GALLERY.selected(~rows))
    np.testing.assert_array_equal(joined.units, whole.units)
    np.testing.assert_array_equal(joined.levels, whole.levels)
    np.testing.assert_array_equal(joined.labels, whole.labels)


def test_equal_exemplars_have_equal_scores_and_the_first_wins():
    vectors = make_people(300, 1, length=32).vectors
    vectors[[7, 150, 299]] = vectors[7]
    matcher = Matcher(Gallery.build(vectors, [f"p{row}" for row in range(300)]), make_background())
    found = matcher.nearest(matcher.prepare(vectors[[7]]), 3)
    assert found.indices.tolist() == [[7, 150, 299]]
    assert len(set(found.similarities[0])) == 1


def test_a_probe_gets_the_same_score_alone_and_in_a_batch():
    matcher = Matcher(GALLERY, make_background())
    together = matcher.nearest(matcher.prepare(PROBES)).similarities
    alone = [matcher.nearest(matcher.prepare(probe[None])).similarities for probe in PROBES]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_probes_are_unit_rows():
    probes = TWO.prepare(np.array([[0.0, 7.0]], np.float32))
    assert isinstance(probes, Probes)
    assert probes.units.tolist() == [[0.0, 1.0]]
