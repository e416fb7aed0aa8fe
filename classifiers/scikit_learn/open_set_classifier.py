"""Wrap any classifier for open-set identification: it decides who, similarity to the exemplars decides whether."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from classifiers.errors import IdentityError
from classifiers.heads.estimators import GalleryClassifier, decision_values, many_classes
from classifiers.heads.open_set import build_head, fit_decision_rule
from classifiers.heads.registry import DEFAULT_HEAD, make_head
from classifiers.scikit_learn.labels import Labels
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.neighbors import check_vectors
from classifiers.scores.normalization import Background, find_background
from classifiers.scores.person_means import NEAREST_OR_MEAN
from classifiers.scores.thresholds import CURVE_FPIR, Threshold, check_threshold, curve_for
from classifiers.training.calibration import MIN_IDENTITIES, choose_threshold
from foundation.errors import InputError
from foundation.text import pluralize

COSINE_THRESHOLD = 0.6
"""The least cosine that is named where nothing is known about the vectors: with the default preset and three
photos each, FPIR 1 % takes 0.525 with 10 people and 0.621 with 93."""

PRESETS_BACKGROUND: Final = "preset"


def _chooses_the_nearest(classifier: "OpenSetClassifier") -> bool:
    """Return whether the best similarity is the choice: only then are similarities values of the decision."""
    head = classifier.head
    if head == "gallery" or isinstance(head, GalleryClassifier):
        return True
    raise AttributeError(f"the values of `similarity` decide nothing with head {head!r}, which chooses another way")


class OpenSetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Classifier that rejects: a face too unlike the photos of the person it is taken for gets the stranger's label.

    The classifier only chooses the identity. The score is the similarity of the face to the nearest exemplar of that
    identity; no probability or share of votes is ever thresholded, and so there is no ``predict_proba``.

    Score and threshold are by default those of ``facetable train``: where `fingerprint` names a preset, the score is
    normalized by its background model and the threshold is read from its curve. Of other vectors the score is the
    cosine, and the threshold is calibrated on the rows for an FPIR of 0.01 (by people who play strangers in turn),
    which takes 30 people; with fewer, 0.6 is taken and a warning says so.

    Parameters
    ----------
    head : str or classifier, default ``"gallery"``
        A name of `classifiers.heads.registry.HEADS` or an unfitted scikit-learn classifier.
    threshold : float or classifiers.scores.thresholds.Threshold, optional
        The least score that is named: higher names fewer strangers, and fewer of the enrolled people.
    fpir : float, optional
        Calibrate the threshold on the rows for this share of strangers that are named, above 0 and below 1. A lower
        one leaves more of the enrolled people unnamed. Instead of `threshold`.
    background : ``"preset"``, classifiers.scores.normalization.Background or None, default ``"preset"``
        Normalizes the scores: the one of the fingerprint's preset, if it has one, or another. With None the scores are
        cosines.
    fingerprint : mapping, optional
        Which vectors these are, such as ``table.fingerprint``; `fit` may be given another.
    unknown_label : object, optional
        What strangers are labelled. Rows of `y` with this label are nobody's: fitting ignores them. By default
        ``"unknown"`` for text; for numbers -1, or one less than the least of them where that is below 0.

    Attributes
    ----------
    head_ : classifiers.heads.head.Head
        The fitted head; save it with `classifiers.save_head`. Its names are the labels as text.
    classes_ : (k,) array
        The labels of the enrolled people, sorted, of the type they were given in.
    unknown_label_ : object
        The label of strangers.
    n_features_in_ : int

    >>> classifier = OpenSetClassifier("gallery", threshold=0.7).fit([[1.0, 0.0], [0.0, 1.0]], ["Ada", "Bo"])
    >>> classifier.predict([[0.6, 0.8], [-0.8, -0.6]]).tolist()
    ['Bo', 'unknown']
    >>> classifier.similarity([[0.6, 0.8]])
    array([[0.6, 0.8]], dtype=float32)
    >>> OpenSetClassifier(threshold=0.7).fit([[1.0, 0.0], [0.0, 1.0]], [7, 12]).predict([[0.6, 0.8], [-1, 0]]).tolist()
    [12, -1]
    """

    head_: Any
    classes_: NDArray[Any]
    unknown_label_: Any
    n_features_in_: int

    def __init__(
        self,
        head: Any = DEFAULT_HEAD,
        threshold: Threshold | float | None = None,
        *,
        fpir: float | None = None,
        background: Background | Literal["preset"] | None = PRESETS_BACKGROUND,
        fingerprint: Mapping[str, Any] | None = None,
        unknown_label: Any = None,
    ) -> None:
        self.head = head
        self.threshold = threshold
        self.fpir = fpir
        self.background = background
        self.fingerprint = fingerprint
        self.unknown_label = unknown_label

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        paths: Sequence[str] | NDArray[Any] | None = None,
        image_sha256: Sequence[str] | NDArray[Any] | None = None,
        boxes: ArrayLike | None = None,
        fingerprint: Mapping[str, Any] | None = None,
    ) -> Self:
        """Enrol the rows of `X (m, d)` under the labels `y (m,)`; rows labelled ``""`` or `unknown_label` are ignored.

        So are rows of zeros, which stand for photos without a face.

        Parameters
        ----------
        X : (m, d) array
        y : (m,) array
            Text, numbers or other labels that can be sorted.
        paths, image_sha256, boxes
            Where each row comes from, see `classifiers.scores.gallery.Gallery`.
        fingerprint : mapping, optional
            Of the table the rows come from, instead of the parameter.

        Raises
        ------
        ValueError
            If a vector is not finite, the columns differ in length, or a parameter cannot be used.
        IdentityError
            If an identity is called ``unknown``, or no row has an identity.
        ThresholdError
            If `threshold` is none, or `fpir` is given and there are too few people.
        """
        with many_classes():
            rows, given = validate_data(self, X, y, dtype=[np.float32, np.float64], ensure_all_finite=False)
            # Of objects that are no text scikit-learn asks nothing but what they are; numbers among them it can judge.
            plain = np.array(given.tolist()) if given.dtype == object else given
            if plain.dtype != object:
                check_classification_targets(plain)
        check_vectors("X", rows)
        labels = Labels(given[rows.any(axis=1)], self.unknown_label)
        names = np.where(rows.any(axis=1), labels.encode(given), "")
        gallery = Gallery.build(rows, names, paths=paths, image_sha256=image_sha256, boxes=boxes)
        if not len(gallery):
            raise IdentityError("no row has an identity, so there is nobody to enrol; put photos into folders by name")
        made_of = self.fingerprint if fingerprint is None else fingerprint
        estimator = make_head(self.head) if isinstance(self.head, str) else self.head
        matcher = Matcher(gallery, self._find_background(made_of), person_score=NEAREST_OR_MEAN)
        threshold = self._choose_threshold(matcher, estimator, made_of)
        self.head_ = build_head(matcher, estimator, threshold=threshold, fingerprint=made_of)
        self.classes_, self.unknown_label_, self._labels = labels.classes, labels.unknown, labels
        # A head's names are sorted as text: 10 stands before 9.
        self._name_of_class = np.searchsorted(gallery.labels, labels.names)
        self._class_of_name = np.argsort(self._name_of_class)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return labels ``(n,)``, `unknown_label_` where the score is below the threshold or a row is all zeros."""
        probes = self._probes(X)
        match = self.head_.match(probes)
        refused = (match.scores < self.head_.threshold) | ~probes.any(axis=1)
        return self._labels.decode(self._codes(match.identities), refused=refused)

    def choose(self, X: ArrayLike) -> NDArray[Any]:
        """Return the labels ``(n,)`` chosen before the threshold."""
        probes = self._probes(X)
        return self._labels.decode(self._codes(self.head_.choose(probes)))

    def similarity(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return ``(n, k)``: the similarity to the nearest exemplar of each of `classes_`."""
        return self._similarity(self._probes(X))

    @available_if(_chooses_the_nearest)  # type: ignore[untyped-decorator] # scikit-learn has no types
    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return what decides between people: `similarity` ``(n, k)``; of two, ``(n,)``, the second's less the first's.

        The threshold, which decides whether anybody is named, is not in it. A `head` other than a gallery chooses
        another way, and has no such method.
        """
        probes = self._probes(X)
        return decision_values(self._similarity(probes), chosen=self._codes(self.head_.choose(probes)))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of rows that are labelled rightly: enrolled people by their label, strangers refused.

        Rows of `y` labelled ``""``, `unknown_label_` or with somebody's label who is not enrolled are strangers.
        """
        predicted = self.predict(X).astype(object)
        truth = np.asarray(column_or_1d(y)).astype(object)
        is_enrolled = np.isin(self._labels.encode(truth), self._labels.names)
        right = np.where(is_enrolled, predicted == truth, predicted == self.unknown_label_).astype(np.float64)
        return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)))

    def _probes(self, X: ArrayLike) -> NDArray[Any]:
        check_is_fitted(self)
        rows = validate_data(
            self, X, dtype=[np.float32, np.float64], reset=False, ensure_all_finite=False, ensure_min_samples=0
        )
        return check_vectors("X", rows)

    def _similarity(self, probes: NDArray[Any]) -> NDArray[np.float32]:
        by_class: NDArray[np.float32] = self.head_.similarity(probes)[:, self._name_of_class]
        return by_class

    def _codes(self, names: NDArray[np.str_]) -> NDArray[np.int64]:
        codes: NDArray[np.int64] = self._class_of_name[np.searchsorted(self.head_.gallery.labels, names)]
        return codes

    def _find_background(self, fingerprint: Mapping[str, Any] | None) -> Background | None:
        if self.background is None or isinstance(self.background, Background):
            return self.background
        if self.background != PRESETS_BACKGROUND:
            raise InputError(f"`background` must be a Background, 'preset' or None, got {self.background!r}")
        return find_background(fingerprint)

    def _choose_threshold(self, matcher: Matcher, estimator: Any, fingerprint: Mapping[str, Any] | None) -> Threshold:
        if self.threshold is not None and self.fpir is not None:
            raise InputError(f"`threshold` and `fpir` are two ways to say one thing, got both ({self.fpir}); give one")
        if isinstance(self.threshold, Threshold):
            return self.threshold
        given = None if self.threshold is None else check_threshold(float(self.threshold))
        curve = curve_for(fingerprint, matcher.background)
        n_people = len(matcher.labels)
        is_blind = given is None and self.fpir is None and curve is None and matcher.background is None
        if is_blind and n_people < MIN_IDENTITIES:
            taken = f"a cosine of {COSINE_THRESHOLD}, taken because nothing is known about these vectors"
            warnings.warn(
                f"the threshold is {taken}: {pluralize(n_people, 'person', 'people')} cannot measure one for an FPIR "
                f"of {CURVE_FPIR:.0%} (at least {MIN_IDENTITIES}); give `threshold`, or the `fingerprint` of a table",
                stacklevel=3,
            )
            return Threshold(COSINE_THRESHOLD, "given", taken, n_exemplars=len(matcher.gallery))
        return choose_threshold(
            matcher,
            lambda part: fit_decision_rule(estimator, part),
            threshold=given,
            fpir=self.fpir,
            curve=curve,
        )
