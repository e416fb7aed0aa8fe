"""Estimators that heads decide with: scikit-learn classifiers that normalize rows themselves.

They never reject anybody; `classifiers.heads.open_set.OpenSetClassifier` does.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from classifiers.heads.decision_rules import LinearSVM, vote_balanced
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher, Probes
from classifiers.scores.neighbors import ExactNeighbors, unit_rows
from classifiers.scores.person_means import NEAREST_OR_MEAN, person_means
from foundation.errors import InputError

# Iterations of the logistic regression's solver at most.
_MAX_ITERATIONS = 200


def check_n_neighbors(n_neighbors: Any) -> int:
    """Return `n_neighbors` as an ``int``.

    Raises
    ------
    ValueError
        If it is not a whole number of at least 1.
    """
    if isinstance(n_neighbors, bool) or not isinstance(n_neighbors, (int, np.integer)) or n_neighbors < 1:
        raise InputError(f"`n_neighbors` must be a whole number of at least 1, got {n_neighbors!r}")
    return int(n_neighbors)


@contextmanager
def many_classes() -> Iterator[None]:
    """Silence scikit-learn's warning of many classes, which suspects a regression: one photo a person is usual here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        yield


def decision_values(scores: NDArray[np.floating], *, chosen: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """Return scores of classes as scikit-learn has them: ``(n, k)``; of two classes ``(n,)``, second less first.

    Parameters
    ----------
    scores : (n, k) array
    chosen : (n,) int64, optional
        The class that was chosen. Scores rounded to float32 may put people who are equally alike the other way round;
        the one that was chosen then comes first by the least there is.
    """
    values = scores.astype(np.float64)
    if chosen is not None:
        other = np.flatnonzero(np.argmax(values, axis=1) != chosen)
        values[other, chosen[other]] = np.nextafter(values[other].max(axis=1), np.inf)
    return values[:, 1] - values[:, 0] if values.shape[1] == 2 else values


class UnitRowsClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Base of the estimators: validates, normalizes rows, encodes the classes.

    Attributes
    ----------
    classes_ : (k,) array
    n_features_in_ : int
    """

    classes_: NDArray[Any]
    n_features_in_: int

    def _fit_input(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        rows, labels = validate_data(self, X, y, dtype=[np.float32, np.float64])
        with many_classes():
            check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        return unit_rows(rows), codes.astype(np.int64)

    def _predict_input(self, X: ArrayLike) -> NDArray[np.float32]:
        check_is_fitted(self)
        return unit_rows(validate_data(self, X, dtype=[np.float32, np.float64], reset=False))


class GalleryClassifier(UnitRowsClassifier):
    """Nearest-neighbour classifier by cosine, to exemplars and to the means of classes that have several.

    Among equals an exemplar goes before a mean, and the one enrolled first before others.

    Attributes
    ----------
    classes_ : (k,) array
    exemplars_ : (m, d) float32, unit length
    codes_ : (m,) int64, position in `classes_` of each exemplar's class
    means_ : (q, d) float32, unit length, see `classifiers.scores.person_means`
    mean_codes_ : (q,) int64, position in `classes_` of each mean's class
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Keep the rows of `X (m, d)` as exemplars of the classes `y (m,)`."""
        self.exemplars_, self.codes_ = self._fit_input(X, y)
        means = person_means(self.exemplars_, self.codes_)
        self.means_, self.mean_codes_ = means.units, means.codes
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class ``(n,)`` of the exemplar or mean nearest to each row of `X (n, d)`."""
        probes = self._predict_input(X)
        return self.classes_[self._choose(probes)]

    def similarity(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return ``(n, k)``: the cosine to the nearest exemplar, or the mean, of each of `classes_`."""
        return self._similarity(self._predict_input(X))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return `similarity` ``(n, k)``; with two classes ``(n,)``, that to the second less that to the first."""
        probes = self._predict_input(X)
        return decision_values(self._similarity(probes), chosen=self._choose(probes))

    def _choose(self, probes: NDArray[np.float32]) -> NDArray[np.int64]:
        by_exemplar = ExactNeighbors(self.exemplars_).query(probes, 1)
        chosen = self.codes_[by_exemplar.indices[:, 0]]
        if len(self.mean_codes_):
            by_mean = ExactNeighbors(self.means_).query(probes, 1)
            is_nearer = by_mean.similarities[:, 0] > by_exemplar.similarities[:, 0]
            chosen = np.where(is_nearer, self.mean_codes_[by_mean.indices[:, 0]], chosen)
        return chosen

    def _similarity(self, probes: NDArray[np.float32]) -> NDArray[np.float32]:
        numbers = np.array([f"{code:09d}" for code in self.codes_])
        matcher = Matcher(Gallery.build(self.exemplars_, numbers), person_score=NEAREST_OR_MEAN)
        return matcher.similarity(Probes(probes, probes))


class KNNClassifier(UnitRowsClassifier):
    """k-nearest-neighbours classifier whose votes weigh by similarity, balanced between people.

    See `classifiers.heads.decision_rules.vote_balanced`.

    Parameters
    ----------
    n_neighbors : int, default 5
        How many exemplars vote; all of them where there are fewer. More smooth over mislabelled photos.

    Attributes
    ----------
    classes_ : (k,) array
    exemplars_ : (m, d) float32, unit length
    codes_ : (m,) int64, position in `classes_` of each exemplar's class
    """

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Keep the rows of `X (m, d)` as exemplars of the classes `y (m,)`.

        Raises
        ------
        ValueError
            If `n_neighbors` is not a whole number of at least 1.
        """
        check_n_neighbors(self.n_neighbors)
        self.exemplars_, self.codes_ = self._fit_input(X, y)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class ``(n,)`` with the largest share of its votes for each row of `X (n, d)`."""
        probes = self._predict_input(X)
        n_neighbors = check_n_neighbors(self.n_neighbors)
        return self.classes_[vote_balanced(self.exemplars_, self.codes_, probes, n_neighbors=n_neighbors)]


class SVMClassifier(UnitRowsClassifier):
    """Linear support vector classifier, one against one.

    The machine is scikit-learn's ``SVC(kernel="linear", class_weight="balanced")``, without probabilities: an error on
    a person with few photos costs as much as one on a person with many. With a single class there is nothing to
    separate, and that class is the choice.

    Parameters
    ----------
    C : float, default 1.0
        Inverse strength of the regularization: larger fits the photos more closely, mislabelled ones included.

    Attributes
    ----------
    classes_ : (k,) array
    machine_ : dict of arrays, see `classifiers.heads.decision_rules.LinearSVM`; None with a single class
    """

    def __init__(self, C: float = 1.0) -> None:
        self.C = C

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the support vector machine on the rows of `X (m, d)` and the classes `y (m,)`."""
        rows, codes = self._fit_input(X, y)
        if len(self.classes_) == 1:
            self.machine_ = None
            return self
        with many_classes():
            svc = SVC(C=self.C, kernel="linear", class_weight="balanced").fit(rows.astype(np.float64), codes)
        # With two classes scikit-learn turns the signs round (positive is the second class); turn them back.
        sign = -1.0 if len(self.classes_) == 2 else 1.0
        self.machine_ = {
            "support": svc.support_.astype(np.int64),
            "support_vectors": rows[svc.support_],
            "dual_coef": sign * svc.dual_coef_,
            "intercept": sign * svc.intercept_,
            "n_support": svc.n_support_.astype(np.int64),
        }
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class ``(n,)`` with the most votes for each row of `X (n, d)`."""
        probes = self._predict_input(X)
        if self.machine_ is None:
            return np.repeat(self.classes_, len(probes))
        return self.classes_[LinearSVM(**self.machine_).vote(probes)]


class LogisticClassifier(UnitRowsClassifier):
    """Multinomial logistic regression.

    Parameters
    ----------
    C : float, default 100.0
        Inverse strength of the regularization. Unit vectors of one person differ little from one another, so
        scikit-learn's default of 1 would make all people nearly equally likely.

    Attributes
    ----------
    classes_ : (k,) array
    coef_ : (k, d) float64 and intercept_ : (k,) float64
        A row of X belongs to the class with the largest ``coef_ @ x + intercept_``.
    """

    def __init__(self, C: float = 100.0) -> None:
        self.C = C

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the regression on the rows of `X (m, d)` and the classes `y (m,)`."""
        rows, codes = self._fit_input(X, y)
        n_classes = len(self.classes_)
        if n_classes == 1:
            self.coef_, self.intercept_ = np.zeros((1, rows.shape[1])), np.zeros(1)
            return self
        with many_classes():
            # The choice settles long before the coefficients do.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=self.C, max_iter=_MAX_ITERATIONS).fit(rows, codes)
        self.coef_, self.intercept_ = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
        if n_classes == 2:
            # Two classes have one row of coefficients, which speaks for the second.
            self.coef_ = np.concatenate([-self.coef_, self.coef_])
            self.intercept_ = np.concatenate([-self.intercept_, self.intercept_])
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likeliest class ``(n,)`` for each row of `X (n, d)`."""
        probes = self._predict_input(X)
        chosen: NDArray[Any] = self.classes_[np.argmax(probes @ self.coef_.T + self.intercept_, axis=1)]
        return chosen

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return ``(n, k)``: ``coef_ @ x + intercept_``; with two classes ``(n,)``, the second's less the first's."""
        return decision_values(self._predict_input(X) @ self.coef_.T + self.intercept_)


class LDAClassifier(UnitRowsClassifier):
    """Linear discriminant analysis: the class mean nearest by the shared covariance within classes decides.

    The covariance is shrunk towards a multiple of the identity. Where every class has one row there is no covariance
    within classes, and the nearest row decides.

    Parameters
    ----------
    shrinkage : float, default 0.5
        Weight of the multiple of the identity, above 0 and at most 1: more is steadier with few photos, less uses what
        they say about which directions vary.

    Attributes
    ----------
    classes_ : (k,) array
    coef_ : (k, d) float64 and intercept_ : (k,) float64
        A row of X belongs to the class with the largest ``coef_ @ x + intercept_``.
    """

    def __init__(self, shrinkage: float = 0.5) -> None:
        self.shrinkage = shrinkage

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the discriminant on the rows of `X (m, d)` and the classes `y (m,)`.

        Raises
        ------
        ValueError
            If `shrinkage` is not above 0 and at most 1.
        """
        if not 0.0 < self.shrinkage <= 1.0:
            raise InputError(f"`shrinkage` must be above 0 and at most 1, got {self.shrinkage!r}")
        rows, codes = self._fit_input(X, y)
        counts = np.bincount(codes)
        means = np.stack([np.bincount(codes, column) for column in rows.T.astype(np.float64)], axis=1) / counts[:, None]
        residuals = rows - means[codes]
        within = residuals.T @ residuals / len(rows)
        scale = np.trace(within) / len(within)
        if scale <= 0:
            within, scale = np.zeros_like(within), 1.0
        shrunk = (1.0 - self.shrinkage) * within + self.shrinkage * scale * np.eye(len(within))
        self.coef_ = np.linalg.solve(shrunk, means.T).T
        self.intercept_ = -0.5 * np.sum(means * self.coef_, axis=1)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class ``(n,)`` with the nearest mean for each row of `X (n, d)`."""
        probes = self._predict_input(X)
        chosen: NDArray[Any] = self.classes_[np.argmax(probes @ self.coef_.T + self.intercept_, axis=1)]
        return chosen

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return ``(n, k)``: ``coef_ @ x + intercept_``; with two classes ``(n,)``, the second's less the first's."""
        return decision_values(self._predict_input(X) @ self.coef_.T + self.intercept_)
