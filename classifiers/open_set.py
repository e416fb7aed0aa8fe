"""Rejection around any classifier: the classifier chooses, similarity to the exemplars decides."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from classifiers.errors import IdentityError
from classifiers.gallery import Gallery
from classifiers.heads import (
    DEFAULT_HEAD,
    GalleryClassifier,
    KNNClassifier,
    SVMClassifier,
    check_n_neighbors,
    head_name,
    make_head,
)
from classifiers.serving import Chooser, EstimatorChooser, Head, LinearMachine, NearestChooser, VoteChooser


class OpenSetClassifier(ClassifierMixin, BaseEstimator):
    """Any classifier with a threshold: a face too unlike the chosen person's photos is `UNKNOWN`.

    The classifier only chooses the identity. The score is the cosine of the face to the nearest exemplar of that
    identity; no probability or share of votes is ever thresholded.

    Parameters
    ----------
    head : str or classifier, default ``"gallery"``
        A name of `classifiers.heads.HEADS` or an unfitted scikit-learn classifier.
    threshold : float or classifiers.calibration.Threshold, default 0.6
        The least score that is named.

    Attributes
    ----------
    head_ : classifiers.serving.Head
        The fitted head; save it with `classifiers.persistence.save_head`.
    classes_ : (k,) str
        The enrolled identities, sorted.
    """

    def __init__(self, head: Any = DEFAULT_HEAD, threshold: Any = 0.6) -> None:
        self.head = head
        self.threshold = threshold

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

        Raises
        ------
        ValueError
            If a vector is not finite, or the columns differ in length.
        IdentityError
            If an identity is called ``unknown``, or no row has an identity.
        """
        gallery = Gallery.build(X, y, paths=paths, image_sha256=image_sha256, boxes=boxes)
        return self.fit_gallery(gallery, fingerprint=fingerprint)

    def fit_gallery(
        self, gallery: Gallery, *, fingerprint: Mapping[str, Any] | None = None, photo_root: str = ""
    ) -> Self:
        """Fit on a gallery; see `fit`."""
        if not len(gallery):
            raise IdentityError("no row has an identity, so there is nobody to enrol; put photos into folders by name")
        estimator = make_head(self.head) if isinstance(self.head, str) else clone(self.head)
        self.head_ = Head(
            gallery,
            fit_chooser(estimator, gallery),
            self.threshold,
            fingerprint=fingerprint,
            name=head_name(estimator),
            parameters=estimator.get_params(),
            photo_root=photo_root,
            estimator=estimator,
        )
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
        """Return ``(n, k)``: the similarity to the nearest exemplar of each of `classes_`."""
        check_is_fitted(self)
        return self.head_.similarity(X)


def fit_chooser(estimator: Any, gallery: Gallery) -> Chooser:
    """Fit `estimator` on a gallery and return what chooses with it; NumPy alone where the kind allows it."""
    if len(gallery.labels) == 1 or isinstance(estimator, GalleryClassifier):
        return NearestChooser()
    if isinstance(estimator, KNNClassifier):
        return VoteChooser(check_n_neighbors(estimator.n_neighbors))
    estimator.fit(gallery.vectors, gallery.identities)
    if isinstance(estimator, SVMClassifier) and estimator.machine_ is not None:
        return LinearMachine(**estimator.machine_)
    return EstimatorChooser(estimator)
