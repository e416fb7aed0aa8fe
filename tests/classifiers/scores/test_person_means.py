"""A person is as alike as the nearest of their photos or the mean of them."""

import numpy as np
import pytest

from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.person_means import NEAREST, NEAREST_OR_MEAN, person_means
from foundation.errors import InputError
from tests.classifiers.people import make_background, make_people

PEOPLE = make_people(20, 4, spread=1.5)
GALLERY = Gallery.build(*PEOPLE)
PROBES = make_people(20, 7, spread=1.5).vectors
BACKGROUNDS = [None, make_background()]


def matcher_of(gallery=GALLERY, background=None, person_score=NEAREST_OR_MEAN):
    return Matcher(gallery, background, person_score=person_score)


def by_hand(matcher, probes):
    """Return the scores (n, k) of people, by a loop over them."""
    columns = []
    for name in matcher.labels:
        own = matcher.gallery.selected(matcher.gallery.identities == name)
        exemplars = Matcher(own, matcher.background)
        mean = exemplars.units.astype(np.float64).sum(axis=0)
        units = np.vstack([exemplars.units, mean / np.linalg.norm(mean)]).astype(np.float32)
        levels = np.zeros(len(units)) if matcher.background is None else matcher.background.level(units)
        of_probe = np.zeros(len(probes.units)) if matcher.background is None else -2 * probes.scored[:, -2]
        columns.append((probes.units @ units.T - levels / 2 - of_probe[:, None] / 2).max(axis=1))
    return np.stack(columns, axis=1)


def test_means_of_people_with_several_photos():
    means = person_means(np.eye(4, dtype=np.float32), np.array([2, 0, 2, 1]))
    assert means.codes.tolist() == [2]
    np.testing.assert_allclose(means.units, [[0.5**0.5, 0, 0.5**0.5, 0]], atol=1e-7)
    assert len(person_means(np.zeros((0, 4), np.float32), np.zeros(0, np.int64)).units) == 0


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_the_score_of_a_person_is_the_best_of_photos_and_mean(background):
    matcher = matcher_of(background=background)
    probes = matcher.prepare(PROBES)
    expected = by_hand(matcher, probes)
    np.testing.assert_allclose(matcher.similarity(probes), expected, atol=1e-6)
    found = matcher.best(probes)
    np.testing.assert_array_equal(matcher.codes[found.indices[:, 0]], expected.argmax(axis=1))
    np.testing.assert_allclose(found.similarities[:, 0], expected.max(axis=1), atol=1e-6)
    of_last = matcher.nearest_of(probes, np.full(len(PROBES), 19))
    np.testing.assert_allclose(of_last.similarities[:, 0], expected[:, 19], atol=1e-6)
    nearest = matcher_of(background=background, person_score=NEAREST)
    assert np.mean(found.similarities > nearest.best(probes).similarities) > 0.2
    # The exemplar that is told is the person's nearest one, even where the mean decides.
    own = nearest.nearest_of(probes, matcher.codes[found.indices[:, 0]])
    np.testing.assert_array_equal(found.indices, own.indices)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_with_one_photo_each_nothing_changes_to_the_last_bit(background):
    one_each = GALLERY.selected(np.arange(0, len(GALLERY), 4))
    matcher = matcher_of(one_each, background)
    before = Matcher(one_each, background)
    probes = matcher.prepare(PROBES)
    for now, then in zip(matcher.best(probes), before.nearest(probes), strict=True):
        np.testing.assert_array_equal(now, then)
    np.testing.assert_array_equal(matcher.similarity(probes), before.similarity(probes))
    assert matcher.n_compared == 20


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_means_follow_what_joins_leaves_and_is_renamed(background):
    matcher = matcher_of(background=background)
    matcher.best(matcher.prepare(PROBES))  # the means of before are known
    changed = matcher.selected(np.arange(len(GALLERY)) != 1).added(Gallery.build(PROBES[:1], [GALLERY.labels[0]]))
    merged = changed.with_gallery(
        changed.gallery.renamed(changed.gallery.identities == GALLERY.labels[1], "person 000")
    )
    for after in (changed, merged):
        fresh = matcher_of(after.gallery, background)
        np.testing.assert_array_equal(after.means.units, fresh.means.units)
        np.testing.assert_array_equal(
            after.best(after.prepare(PROBES)).similarities, fresh.best(fresh.prepare(PROBES)).similarities
        )
    assert len(merged.means.codes) == 19
    assert len(merged.scored_by(NEAREST).means.codes) == 0


def test_a_curve_takes_a_mean_for_half_an_exemplar():
    assert matcher_of().n_compared == 80 + 0.5 * 20
    assert matcher_of(person_score=NEAREST).n_compared == 80


def test_another_score_is_refused():
    with pytest.raises(InputError, match="`person_score` must be nearest or nearest_or_mean, got 'median'"):
        matcher_of(person_score="median")
