"""How many people are found where few strangers are named."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from classifiers import OpenSetClassifier, tpir_at_fpir_scorer
from classifiers.errors import ThresholdError
from classifiers.heads.estimators import GalleryClassifier
from foundation.errors import InputError
from tests.classifiers.people import make_people

# Similarities to Ada and Bo are what the rows say.
CLASSIFIER = OpenSetClassifier(threshold=0.99).fit(np.eye(4), ["Ada", "Bo", "Cy", "Di"])


def probe(*similarities: float) -> list[float]:
    rest = np.sqrt((1 - sum(value**2 for value in similarities)) / (4 - len(similarities)))
    return [*similarities, *[-rest] * (4 - len(similarities))]


def test_the_threshold_is_that_of_the_strangers_not_the_estimators():
    rows = [probe(0.9), probe(0.5), probe(0.3, 0.8), probe(0.6), probe(0.4)]
    names = ["Ada", "Ada", "Ada", "", "somebody"]
    # No stranger may be named: above 0.6 there is one of three; one of two may: above 0.4 there are two of three.
    assert tpir_at_fpir_scorer(0.01)(CLASSIFIER, rows, names) == pytest.approx(1 / 3)
    assert tpir_at_fpir_scorer(0.5)(CLASSIFIER, rows, names) == pytest.approx(2 / 3)


def test_without_strangers_every_face_plays_one_among_the_others():
    rows = [probe(0.9, 0.3), probe(0.2, 0.7), probe(0.5, 0.8)]
    # As strangers they reach 0.3, 0.2 and 0.5; the last is taken for Bo, and would be as a stranger too.
    assert tpir_at_fpir_scorer(0.01)(CLASSIFIER, rows, ["Ada", "Bo", "Bo"]) == 1.0
    assert tpir_at_fpir_scorer(0.01)(CLASSIFIER, rows, ["Ada", "Bo", "Ada"]) == pytest.approx(1 / 3)


def test_numbers_pipelines_and_cross_validation():
    people = make_people(10, 6, spread=0.4)
    labels = np.repeat(np.arange(10), 6)
    for classifier in (OpenSetClassifier(threshold=0.5), GalleryClassifier(), make_pipeline(Normalizer(), CLASSIFIER)):
        scores = cross_val_score(classifier, people.vectors, labels, cv=3, scoring=tpir_at_fpir_scorer(0.05))
        assert scores.min() > 0.9


def test_refuses_what_it_cannot_score():
    with pytest.raises(ThresholdError, match=r"`fpir` must be above 0 and below 1, got 1\.5"):
        tpir_at_fpir_scorer(1.5)
    with pytest.raises(InputError, match="needs a classifier with `similarity`"):
        tpir_at_fpir_scorer(0.1)(LogisticRegression().fit(np.eye(2), [0, 1]), np.eye(2), [0, 1])
    with pytest.raises(InputError, match="labels of enrolled people, got none"):
        tpir_at_fpir_scorer(0.1)(CLASSIFIER, np.eye(4), [""] * 4)
    with pytest.raises(InputError, match="one person alone cannot play a stranger"):
        tpir_at_fpir_scorer(0.1)(OpenSetClassifier(threshold=0.5).fit([[1.0, 0.0]], ["Ada"]), [[1.0, 0.0]], ["Ada"])
