"""Trees from files are followed node by node, so their numbers are checked."""

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from classifiers.files.tree_validation import check_trees
from tests.classifiers.people import make_people

PEOPLE = make_people(3, 6)
HOLDERS = [
    DecisionTreeClassifier(),
    RandomForestClassifier(3),
    AdaBoostClassifier(n_estimators=2),
    GradientBoostingClassifier(n_estimators=2),
    make_pipeline(RandomForestClassifier(2)),
]


def first_tree(estimator):
    """Return some tree of a fitted estimator."""
    while not hasattr(estimator, "tree_"):
        parts = estimator.named_steps.values() if hasattr(estimator, "named_steps") else np.ravel(estimator.estimators_)
        estimator = next(iter(parts))
    return estimator.tree_


@pytest.mark.parametrize("estimator", HOLDERS)
def test_fitted_trees_are_sound(estimator):
    check_trees(estimator.fit(PEOPLE.vectors, PEOPLE.identities), n_features=32)


@pytest.mark.parametrize("estimator", HOLDERS)
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("left_child", 10**6),
        ("right_child", 10**6),
        ("left_child", -7),
        ("left_child", 0),
        ("right_child", -1),
        ("feature", 32),
        ("feature", -5),
    ],
)
def test_unsound_trees_are_found_wherever_they_are(estimator, column, value):
    tree = first_tree(estimator.fit(PEOPLE.vectors, PEOPLE.identities))
    state = tree.__getstate__()
    state["nodes"][column][0] = value
    tree.__setstate__(state)
    with pytest.raises(ValueError, match="a decision tree in it is not sound"):
        check_trees(estimator, n_features=32)


def test_features_must_exist():
    forest = RandomForestClassifier(5, random_state=0).fit(PEOPLE.vectors, PEOPLE.identities)
    with pytest.raises(ValueError, match="not sound"):
        check_trees(forest, n_features=2)


def test_other_things_hold_no_trees():
    loop = [1]
    loop.append(loop)
    check_trees([None, "text", np.zeros(3), {"a": loop}], n_features=3)
