"""The estimators pass scikit-learn's checks and agree with scikit-learn's own classifiers on unit rows."""

import warnings

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from classifiers.heads.estimators import (
    GalleryClassifier,
    KNNClassifier,
    LDAClassifier,
    LogisticClassifier,
    SVMClassifier,
)
from classifiers.heads.registry import HEADS, make_head
from tests.classifiers.people import make_people

HARD = make_people(12, 6, spread=1.6)
PROBES = make_people(12, 30, spread=1.6, seed=0).vectors * np.float32(7.0)


def votes_by_cosine(distances):
    return np.exp(5.0 * (1.0 - distances**2 / 2.0))


@parametrize_with_checks([make() for make in HEADS.values()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("head", "reference"),
    [
        (KNNClassifier(1), KNeighborsClassifier(1)),
        (KNNClassifier(), KNeighborsClassifier(5, weights=votes_by_cosine)),
        (KNNClassifier(11), KNeighborsClassifier(11, weights=votes_by_cosine)),
        (SVMClassifier(), SVC(kernel="linear")),
        (SVMClassifier(C=0.05), SVC(kernel="linear", C=0.05)),
        (LogisticClassifier(), LogisticRegression(C=100.0, max_iter=200)),
        (LDAClassifier(), LinearDiscriminantAnalysis("lsqr", shrinkage=0.5)),
        (LDAClassifier(1.0), LinearDiscriminantAnalysis("lsqr", shrinkage=1.0)),
    ],
)
def test_predicts_what_scikit_learn_predicts_on_unit_rows(head, reference):
    head.fit(HARD.vectors * 3.0, HARD.identities)
    reference.fit(normalize(HARD.vectors.astype(np.float64)), HARD.identities)
    expected = reference.predict(normalize(PROBES.astype(np.float64)))
    np.testing.assert_array_equal(head.predict(PROBES), expected)


def test_a_gallery_looks_among_photos_and_the_means_of_several():
    units = normalize(HARD.vectors.astype(np.float64))
    names = np.unique(HARD.identities)
    means = normalize(np.array([units[HARD.identities == name].sum(axis=0) for name in names]))
    reference = KNeighborsClassifier(1).fit(np.vstack([units, means]), np.append(HARD.identities, names))
    expected = reference.predict(normalize(PROBES.astype(np.float64)))
    gallery = GalleryClassifier().fit(HARD.vectors * 3.0, HARD.identities)
    np.testing.assert_array_equal(gallery.predict(PROBES), expected)
    np.testing.assert_array_equal(gallery.classes_[gallery.similarity(PROBES).argmax(axis=1)], expected)


@pytest.mark.parametrize(
    ("head", "reference"),
    [(SVMClassifier(), SVC(kernel="linear")), (LogisticClassifier(), LogisticRegression(C=100.0, max_iter=200))],
)
def test_two_classes_are_not_swapped(head, reference):
    people = make_people(2, 8, spread=2.0)
    probes = make_people(2, 50, spread=2.0, seed=5).vectors
    expected = reference.fit(people.vectors.astype(np.float64), people.identities).predict(probes)
    assert len(set(expected)) == 2
    np.testing.assert_array_equal(head.fit(people.vectors, people.identities).predict(probes), expected)


def test_people_with_few_photos_weigh_as_much_as_those_with_many():
    people = make_people(12, 30, spread=1.6)
    few = np.flatnonzero((np.arange(360) % 30 == 0) | (people.identities < "person 002"))
    vectors, names = people.vectors[few], people.identities[few]
    reference = SVC(kernel="linear", class_weight="balanced").fit(vectors.astype(np.float64), names)
    np.testing.assert_array_equal(SVMClassifier().fit(vectors, names).predict(PROBES), reference.predict(PROBES / 7.0))


@pytest.mark.parametrize("name", ["knn", "svm"])
def test_one_photo_is_not_outvoted_by_a_crowd(name):
    rng = np.random.default_rng(0)
    crowd, probe = rng.normal(size=(200, 16)) * 0.12 + np.eye(16)[0], np.eye(16)[1] * 0.5 + np.eye(16)[2] * 0.9
    vectors = np.vstack([crowd, np.eye(16)[1] + 0.2 * np.eye(16)[0], np.eye(16)[3:10]])
    names = ["Crowd"] * 200 + ["Ada"] + [f"other {number}" for number in range(7)]
    assert GalleryClassifier().fit(vectors, names).predict(probe[None]).tolist() == ["Ada"]
    assert make_head(name).fit(vectors, names).predict(probe[None]).tolist() == ["Ada"]


@pytest.mark.parametrize("name", HEADS)
def test_one_photo_per_person_and_one_person(name):
    vectors, names = make_people(5, 1)
    assert make_head(name).fit(vectors, names).predict(vectors).tolist() == list(names)
    alone = make_head(name).fit(vectors[:1], names[:1])
    assert alone.predict(-vectors).tolist() == ["person 000"] * 5


@pytest.mark.parametrize("name", HEADS)
def test_a_zero_row_is_served(name):
    people = make_people(5, 2)
    head = make_head(name).fit(np.vstack([people.vectors, np.zeros((1, 32))]), [*people.identities, "person 000"])
    assert head.predict(np.zeros((1, 32))).shape == (1,)


def test_gallery_similarity_follows_the_order_of_classes():
    head = GalleryClassifier().fit(np.eye(3), [30, 4, 100])
    assert head.classes_.tolist() == [4, 30, 100]
    np.testing.assert_allclose(head.similarity([[2.0, 0.0, 0.0]]), [[0.0, 1.0, 0.0]])


def test_equal_exemplars_under_two_names():
    twins = np.vstack([np.eye(3), np.eye(3)])
    names = ["b", "c", "d", "a", "e", "f"]
    for head in (GalleryClassifier(), KNNClassifier(2)):
        assert head.fit(twins, names).predict(np.eye(3)).tolist() == ["b", "c", "d"]


@pytest.mark.parametrize("n_neighbors", [0, -1, 2.5, "3", True])
def test_refuses_other_numbers_of_neighbors(n_neighbors):
    with pytest.raises(ValueError, match="`n_neighbors` must be a whole number of at least 1"):
        KNNClassifier(n_neighbors).fit(np.eye(2), ["a", "b"])


@pytest.mark.parametrize("shrinkage", [0.0, -0.1, 1.1])
def test_refuses_other_shrinkages(shrinkage):
    with pytest.raises(ValueError, match="`shrinkage` must be above 0 and at most 1"):
        LDAClassifier(shrinkage).fit(np.eye(2), ["a", "b"])


@pytest.mark.parametrize("name", HEADS)
def test_one_photo_each_of_many_people_warns_of_nothing(name):
    people = make_people(60, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_head(name).fit(people.vectors, people.identities).predict(people.vectors[:2])
