"""Rejection around any classifier."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from classifiers.errors import IdentityError
from classifiers.heads.open_set import OpenSetClassifier
from classifiers.heads.registry import HEADS, make_head
from classifiers.scores.gallery import UNKNOWN
from tests.classifiers.people import FINGERPRINT, make_people

PEOPLE = make_people(8, 4)
PROBES = make_people(8, 9)
STRANGERS = make_people(20, 1, seed=9)


@pytest.mark.parametrize(
    "head", [*HEADS, LogisticRegression(), GaussianNB(), RandomForestClassifier(9, random_state=0)]
)
def test_every_head_names_the_enrolled_and_refuses_strangers(head):
    classifier = OpenSetClassifier(head, threshold=0.7).fit(PEOPLE.vectors, PEOPLE.identities, fingerprint=FINGERPRINT)
    assert np.mean(classifier.predict(PROBES.vectors) == PROBES.identities) > 0.9
    assert set(classifier.predict(STRANGERS.vectors)) == {UNKNOWN}
    assert UNKNOWN not in set(classifier.choose(STRANGERS.vectors))
    assert classifier.classes_.tolist() == [f"person {number:03d}" for number in range(8)]


@pytest.mark.parametrize("head", HEADS)
def test_chooses_exactly_what_the_estimator_chooses(head):
    crowd = make_people(15, 3, spread=2.0)
    crowd.vectors[10] = crowd.vectors[3]
    probes = np.vstack([make_people(15, 20, spread=2.0).vectors, crowd.vectors])
    classifier = OpenSetClassifier(head).fit(crowd.vectors, crowd.identities)
    expected = make_head(head).fit(crowd.vectors, crowd.identities).predict(probes)
    np.testing.assert_array_equal(classifier.choose(probes), expected)


@pytest.mark.parametrize("head", [*HEADS, LogisticRegression()])
def test_scores_are_the_similarity_to_the_chosen_person(head):
    classifier = OpenSetClassifier(head).fit(PEOPLE.vectors, PEOPLE.identities)
    match = classifier.head_.match(STRANGERS.vectors)
    columns = np.searchsorted(classifier.classes_, match.identities)
    expected = classifier.similarity(STRANGERS.vectors)[np.arange(len(columns)), columns]
    np.testing.assert_allclose(match.scores, expected, atol=1e-6)
    nearest = PEOPLE.vectors[match.exemplars]
    np.testing.assert_allclose(match.scores, np.sum(nearest * STRANGERS.vectors, axis=1), atol=1e-6)


@pytest.mark.parametrize("head", [*HEADS, LogisticRegression()])
def test_one_photo_each_and_one_identity(head):
    one_each = make_people(6, 1)
    classifier = OpenSetClassifier(head, threshold=0.7).fit(one_each.vectors, one_each.identities)
    assert classifier.predict(one_each.vectors).tolist() == one_each.identities.tolist()
    alone = OpenSetClassifier(head, threshold=0.7).fit(one_each.vectors[:1], ["Ada"])
    assert alone.predict(one_each.vectors).tolist() == ["Ada"] + [UNKNOWN] * 5
    assert alone.choose(one_each.vectors).tolist() == ["Ada"] * 6


def test_faces_nobody_has_named_are_ignored():
    names = np.where(PEOPLE.identities == "person 003", "", PEOPLE.identities)
    classifier = OpenSetClassifier(threshold=0.7).fit(PEOPLE.vectors, names)
    assert "person 003" not in classifier.classes_
    assert set(classifier.predict(PEOPLE.vectors[names == ""])) == {UNKNOWN}


def test_refuses_nobody_the_reserved_name_and_bad_vectors():
    with pytest.raises(IdentityError, match="no row has an identity"):
        OpenSetClassifier().fit(np.eye(2), ["", ""])
    with pytest.raises(IdentityError, match="may not be called 'unknown'"):
        OpenSetClassifier().fit(np.eye(2), ["Ada", "unknown"])
    with pytest.raises(ValueError, match="must be finite"):
        OpenSetClassifier().fit([[np.nan, 1.0]], ["Ada"])
    with pytest.raises(ValueError, match="unknown head 'forest'"):
        OpenSetClassifier("forest").fit(np.eye(2), ["Ada", "Bo"])


def test_the_given_estimator_is_left_unfitted():
    forest = RandomForestClassifier(3)
    OpenSetClassifier(forest).fit(PEOPLE.vectors, PEOPLE.identities)
    assert not hasattr(forest, "estimators_")


def test_score_counts_strangers_as_right_when_refused():
    classifier = OpenSetClassifier(threshold=0.7).fit(PEOPLE.vectors, PEOPLE.identities)
    assert classifier.score(STRANGERS.vectors, [UNKNOWN] * 20) == 1.0
