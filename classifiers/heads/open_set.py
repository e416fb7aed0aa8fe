"""Wrap any classifier for open-set identification: it decides who, similarity to the exemplars decides whether."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

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
from classifiers.heads.registry import DEFAULT_HEAD, head_name, make_head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background
from classifiers.scores.person_means import NEAREST_OR_MEAN
from classifiers.scores.thresholds import Threshold


class OpenSetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Classifier that rejects: a face too unlike the photos of the person it is taken for is `UNKNOWN`.

    The classifier only chooses the identity. The score is the cosine of the face to the nearest exemplar of that
    identity, or to the mean of its exemplars where that is larger; no probability or share of votes is ever
    thresholded.

    Parameters
    ----------
    head : str or classifier, default ``"gallery"``
        A name of `classifiers.heads.registry.HEADS` or an unfitted scikit-learn classifier.
    threshold : float or classifiers.scores.thresholds.Threshold, default 0.6
        The least score that is named: higher names fewer strangers, and fewer of the enrolled people.
    background : classifiers.scores.normalization.Background, optional
        Normalizes the scores; without it they are cosines.

    Attributes
    ----------
    head_ : classifiers.heads.head.Head
        The fitted head; save it with `classifiers.files.head_file.save_head`.
    classes_ : (k,) str
        The enrolled identities, sorted.

    >>> classifier = OpenSetClassifier("gallery", threshold=0.7).fit([[1.0, 0.0], [0.0, 1.0]], ["Ada", "Bo"])
    >>> classifier.predict([[0.6, 0.8], [-0.8, -0.6]]).tolist()
    ['Bo', 'unknown']
    >>> classifier.similarity([[0.6, 0.8]])
    array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, head: Any = DEFAULT_HEAD, threshold: Any = 0.6, *, background: Background | None = None) -> None:
        self.head = head
        self.threshold = threshold
        self.background = background

    def fit(
        self,
        X: ArrayLike,
        y: Sequence[str] | NDArray[Any],
        *,
        paths: Sequence[str] | NDArray[Any] | None = None,
        image_sha256: Sequence[str] | NDArray[Any] | None = None,
        boxes: ArrayLike | None = None,
        fingerprint: Mapping[str, Any] | None = None,
    ) -> Self:
        """Enrol the rows of `X (m, d)` under the identities `y (m,)`; rows with identity ``""`` are ignored.

        Parameters
        ----------
        X : (m, d) array
        y : (m,) str
        paths, image_sha256, boxes
            Where each row comes from, see `classifiers.scores.gallery.Gallery`.
        fingerprint : mapping, optional
            Of the table the rows come from.

        Raises
        ------
        ValueError
            If a vector is not finite, or the columns differ in length.
        IdentityError
            If an identity is called ``unknown``, or no row has an identity.
        """
        gallery = Gallery.build(X, y, paths=paths, image_sha256=image_sha256, boxes=boxes)
        estimator = make_head(self.head) if isinstance(self.head, str) else self.head
        matcher = Matcher(gallery, self.background, person_score=NEAREST_OR_MEAN)
        self.head_ = build_head(matcher, estimator, threshold=self.threshold, fingerprint=fingerprint)
        self.classes_ = gallery.labels
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.str_]:
        """Return identities ``(n,)``, `UNKNOWN` where the score is below the threshold."""
        check_is_fitted(self)
        return self.head_.identify(X)[0]

    def choose(self, X: ArrayLike) -> NDArray[np.str_]:
        """Return the identities ``(n,)`` chosen before the threshold."""
        check_is_fitted(self)
        return self.head_.choose(X)

    def similarity(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return ``(n, k)``: the similarity to each of `classes_`, by its nearest exemplar or its mean."""
        check_is_fitted(self)
        return self.head_.similarity(X)


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
