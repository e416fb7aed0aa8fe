"""Fitting a background model: one photo a person, groups and never one person, what it gives away."""

import numpy as np
import pytest

from classifiers.presets.mixture import (
    check_groups,
    component_shares,
    describe_groups,
    fit_background,
    holds_groups,
    log_densities,
    membership_auc,
    one_photo_each,
)
from classifiers.scores.gallery import Gallery
from classifiers.scores.neighbors import unit_rows
from tests.classifiers.people import make_people

PEOPLE = make_people(120, 1).vectors + np.float32(0.2)


def test_one_photo_of_each_is_the_first_by_path():
    gallery = Gallery.build(np.eye(4), ["Bo", "Ada", "Bo", "Ada"], paths=["b2", "a1", "b1", "a2"])
    assert one_photo_each(gallery).tolist() == [1, 2]


def test_the_mixture_describes_the_centred_vectors():
    background = fit_background(PEOPLE, n_components=2, n_directions=32)
    units = unit_rows(PEOPLE)
    np.testing.assert_allclose(background.mean, units.mean(axis=0), atol=1e-6)
    centred = background.center(units)
    mixture_mean = background.weights @ background.means @ background.components
    np.testing.assert_allclose(mixture_mean, centred.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(background.components @ background.components.T, np.eye(32), atol=1e-5)
    assert background.residual_variance == pytest.approx(0.0, abs=1e-6)
    fewer = fit_background(PEOPLE, n_components=2, n_directions=8)
    inside = centred @ fewer.components.T
    expected = (np.sum(centred**2) - np.sum(inside**2)) / (120 * 24)
    assert fewer.residual_variance == pytest.approx(expected, rel=1e-4)
    assert (fewer.n_identities, len(fewer.cohort)) == (120, 0)


def test_log_densities_are_scikit_learns():
    from sklearn.mixture import GaussianMixture

    background = fit_background(PEOPLE, n_components=3, n_directions=5)
    inside = background.center(unit_rows(PEOPLE)) @ background.components.T
    mixture = GaussianMixture(3, covariance_type="diag")
    mixture.weights_, mixture.means_ = background.weights, background.means
    mixture.covariances_ = background.variances
    mixture.precisions_cholesky_ = 1 / np.sqrt(background.variances)
    expected = mixture.score_samples(inside)
    # Some are close to 0.
    found = np.logaddexp.reduce(log_densities(background, PEOPLE), axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_shares_of_components():
    background = fit_background(PEOPLE, n_components=2)
    shares = component_shares(background, PEOPLE)
    assert shares["n_identities"].sum() == 120
    assert np.all(shares["largest_share"] >= 1 / 120)
    assert np.all(shares["largest_share"] < 0.2)
    figures = describe_groups(background, PEOPLE)
    assert figures["fewest_identities_in_a_component"] == shares["n_identities"].min()
    assert holds_groups(figures)
    assert not holds_groups({**figures, "fewest_identities_in_a_component": 9})


def test_a_model_that_remembers_people_gives_them_away():
    crowd = make_people(2000, 1, length=8).vectors
    assert membership_auc(crowd, seed=0, n_components=1) == pytest.approx(0.5, abs=0.04)
    assert membership_auc(PEOPLE, seed=0, n_components=6) > 0.9


def test_too_few_people_and_components_of_one_person_are_refused():
    with pytest.raises(ValueError, match="3 components needs at least 30 people, got 20"):
        fit_background(PEOPLE[:20], n_components=3)
    check_groups({"fewest_identities_in_a_component": 10, "largest_share_of_one_identity": 0.2})
    for fewest, largest in ((9, 0.1), (10, 0.21)):
        with pytest.raises(ValueError, match="at least 10 people and none over 20% one person"):
            check_groups({"fewest_identities_in_a_component": fewest, "largest_share_of_one_identity": largest})
