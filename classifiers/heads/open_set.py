"""Make a head of any classifier: it decides who, similarity to the exemplars decides whether."""

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone

from classifiers.errors import IdentityError
from classifiers.heads.decision_rules import BalancedVotingRule, DecisionRule, EstimatorRule, LinearSVM, NearestRule
from classifiers.heads.estimators import (
    GalleryClassifier,
    KNNClassifier,
    SVMClassifier,
    check_n_neighbors,
    many_classes,
)
from classifiers.heads.head import Head
from classifiers.heads.registry import head_name
from classifiers.scores.matcher import Matcher
from classifiers.scores.thresholds import Threshold
from foundation import moved_names


def build_head(
    matcher: Matcher,
    estimator: Any,
    *,
    threshold: Threshold | float,
    fingerprint: Mapping[str, Any] | None = None,
    photo_root: str = "",
) -> Head:
    """Return a head that decides with a fitted copy of `estimator` among the people of `matcher`.

    Parameters
    ----------
    matcher : Matcher
        The exemplars.
    estimator : classifier
        Unfitted; see `classifiers.heads.registry.make_head`.
    threshold, fingerprint, photo_root
        As in `classifiers.heads.head.Head`.

    Raises
    ------
    IdentityError
        If there is nobody to enrol.
    """
    if not len(matcher.gallery):
        raise IdentityError("no row has an identity, so there is nobody to enrol; put photos into folders by name")
    return Head(
        matcher,
        fit_decision_rule(estimator, matcher),
        threshold,
        fingerprint=fingerprint,
        name=head_name(estimator),
        parameters=estimator.get_params(),
        photo_root=photo_root,
        estimator=clone(estimator),
    )


def fit_decision_rule(estimator: Any, matcher: Matcher) -> DecisionRule:
    """Return the decision rule of a copy of `estimator` fitted on a matcher; NumPy alone where its kind allows that."""
    if len(matcher.labels) == 1 or isinstance(estimator, GalleryClassifier):
        return NearestRule()
    if isinstance(estimator, KNNClassifier):
        return BalancedVotingRule(check_n_neighbors(estimator.n_neighbors))
    with many_classes():
        fitted = clone(estimator).fit(matcher.units, matcher.gallery.identities)
    if isinstance(fitted, SVMClassifier) and fitted.machine_ is not None:
        return LinearSVM(**fitted.machine_)
    return EstimatorRule(fitted)


__getattr__ = moved_names(__name__, {"OpenSetClassifier": "classifiers"}, gone_in="0.4")
