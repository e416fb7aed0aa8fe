"""What a head of one's own must offer is tried, and the first thing that is missing is named."""

import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier

from classifiers import check_head
from classifiers.heads.registry import HEADS, make_head
from foundation.errors import InputError


class Nearest(ClassifierMixin, BaseEstimator):
    """A head as it must be."""

    def fit(self, X, y):
        self.classes_, self.n_features_in_ = np.unique(y), X.shape[1]
        self.rows_, self.names_ = X.copy(), np.asarray(y)
        return self

    def predict(self, X):
        return self.names_[np.argmax(X @ self.rows_.T, axis=1)]


class Bare:
    """A head without scikit-learn's base."""

    def get_params(self, deep=True):
        return {}

    def set_params(self, **params):
        return self

    fit, predict = Nearest.fit, Nearest.predict


class Forgetful(Nearest):
    def fit(self, X, y):
        super().fit(X, y)


class Unsorted(Nearest):
    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = self.classes_[::-1]
        return self


class Silent(Nearest):
    def fit(self, X, y):
        super().fit(X, y)
        del self.n_features_in_
        return self


class Greedy(Nearest):
    def fit(self, X, y):
        X *= 2
        return super().fit(X, y)


class Refusing(Nearest):
    def predict(self, X):
        return np.full(len(X), "unknown")


class Flat(Nearest):
    def predict(self, X):
        return super().predict(X)[:1]


class Stubborn(Nearest):
    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Sociable(Nearest):
    def predict(self, X):
        return super().predict(X) if len(X) > 1 else self.classes_[-1:]


class Unlike(Nearest):
    def __init__(self, size=3):
        self.size = size + 1


@pytest.mark.parametrize("name", HEADS)
def test_our_own_heads_pass(name):
    assert check_head(make_head(name)) == []


def test_those_that_pass_say_what_is_to_be_trusted():
    assert check_head(RandomForestClassifier(9, random_state=0)) == []
    assert check_head(Nearest()) == [f"{__name__}.Nearest"]
    assert check_head(Bare()) == [f"{__name__}.Bare"]


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (object(), "object must have a method `fit`"),
        (Nearest, "must be an object, got a class; give Nearest()"),
        (Unlike(), "Unlike must be copied by sklearn.clone, which fails"),
        (Forgetful(), "Forgetful.fit must return itself, got NoneType"),
        (Greedy(), "Greedy.fit must leave `X` as it is"),
        (Unsorted(), "Unsorted.classes_ must be the sorted identities after fit: expected"),
        (Silent(), "Silent.n_features_in_ must be the length of a vector: expected 16, got None"),
        (Flat(), "Flat.predict must give one identity a row"),
        (Refusing(), "Refusing.predict must choose among `classes_`, got 'unknown'"),
        (Stubborn(), "Stubborn must name photos it was fitted on: expected 80% of them, got 20%"),
        (Sociable(), "Sociable.predict must say the same of a face alone as among others"),
    ],
)
def test_the_first_thing_that_is_wrong_is_named(estimator, message):
    with pytest.raises(InputError) as caught:
        check_head(estimator)
    assert message in str(caught.value)


def test_a_class_of_ones_own_is_made_by_its_place(monkeypatch):
    monkeypatch.setitem(sys.modules, "my_module", sys.modules[__name__])
    assert isinstance(make_head("my_module:Nearest"), Nearest)
    assert isinstance(make_head("my_module:Bare"), Bare)
    with pytest.raises(InputError, match="head 'my_module:Absent' cannot be imported"):
        make_head("my_module:Absent")
    with pytest.raises(InputError, match="must be a scikit-learn classifier, or a class with fit, predict"):
        make_head("json:loads")
