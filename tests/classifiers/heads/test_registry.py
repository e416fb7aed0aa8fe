"""Heads by name, by dotted path, and their parameters."""

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVC

from classifiers.heads.estimators import KNNClassifier
from classifiers.heads.registry import HEADS, head_name, make_head, parse_parameters


@pytest.mark.parametrize("name", HEADS)
def test_heads_are_made_by_name(name):
    assert type(make_head(name)) is HEADS[name]
    assert head_name(make_head(name)) == name


def test_parameters_are_set():
    assert make_head("knn", {"n_neighbors": 3}).n_neighbors == 3
    forest = make_head("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 300, "max_depth": None})
    assert isinstance(forest, RandomForestClassifier)
    assert forest.n_estimators == 300


def test_names_of_other_heads_are_dotted():
    assert head_name(KNNClassifier(3)) == "knn"
    assert head_name(SVC()) == "sklearn.svm._classes.SVC"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("forest", "unknown head 'forest'; expected one of gallery, knn, svm, logreg, lda, or the dotted path"),
        ("sklearn.ensemble.Forest", "'sklearn.ensemble.Forest' cannot be imported"),
        ("no_such_module.Forest", "cannot be imported .No module named 'no_such_module'."),
        ("sklearn.linear_model.Ridge", "must be a scikit-learn classifier"),
        ("pathlib.Path", "must be a scikit-learn classifier"),
        ("os.path.join", "must be a scikit-learn classifier"),
        ("sklearn.ensemble.VotingClassifier", "cannot be made without further objects"),
    ],
)
def test_refuses_what_is_no_classifier(name, message):
    with pytest.raises(ValueError, match=message):
        make_head(name)


def test_unknown_parameters_list_the_known_ones():
    with pytest.raises(ValueError, match="head 'knn' has no parameter 'k', 'p'; it has n_neighbors"):
        make_head("knn", {"p": 2, "k": 3})
    with pytest.raises(ValueError, match="head 'gallery' has no parameter 'k'; it has none"):
        make_head("gallery", {"k": 3})


def test_parameters_are_parsed():
    texts = ["n=3", "rate=0.5", "flag=True", "name=plain text", "nothing=None", " shape =(1, 2)"]
    expected = {"n": 3, "rate": 0.5, "flag": True, "name": "plain text", "nothing": None, "shape": (1, 2)}
    assert parse_parameters(texts) == expected
    for text in ("n", "=3", " =3"):
        with pytest.raises(ValueError, match="a parameter must be name=value"):
            parse_parameters([text])
