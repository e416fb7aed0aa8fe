"""The estimators that choose an identity: scikit-learn classifiers that normalize rows themselves.

They never reject anybody; `classifiers.open_set.OpenSetClassifier` does.
"""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from classifiers.choosers import LinearMachine, vote_nearest
from classifiers.gallery import Gallery
from classifiers.matching import Matcher, Probes
from classifiers.neighbors import ExactNeighbors, unit_rows


class UnitRowsClassifier(ClassifierMixin, BaseEstimator):
    """Base of the heads: validates, normalizes rows, encodes the classes."""

    classes_: NDArray[Any]
    n_features_in_: int

    def _fit_input(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        rows, labels = validate_data(self, X, y, dtype=[np.float32, np.float64])
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        return unit_rows(rows), codes.astype(np.int64)

    def _predict_input(self, X: ArrayLike) -> NDArray[np.float32]:
        check_is_fitted(self)
        return unit_rows(validate_data(self, X, dtype=[np.float32, np.float64], reset=False))


class GalleryClassifier(UnitRowsClassifier):
    """Chooses the identity of the nearest exemplar by cosine; among equals the one enrolled first.

    Attributes
    ----------
    classes_ : (k,) array
    exemplars_ : (m, d) float32, unit length
    codes_ : (m,) int64, position in `classes_` of each exemplar's class
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Keep the rows of `X (m, d)` as exemplars of the classes `y (m,)`."""
        self.exemplars_, self.codes_ = self._fit_input(X, y)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class ``(n,)`` of the exemplar nearest to each row of `X (n, d)`."""
        probes = self._predict_input(X)
        return self.classes_[self.codes_[ExactNeighbors(self.exemplars_).query(probes, 1).indices[:, 0]]]

    def similarity(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return ``(n, k)``: the cosine to the nearest exemplar of each of `classes_`."""
        probes = self._predict_input(X)
        numbers = np.array([f"{code:09d}" for code in self.codes_])
        return Matcher(Gallery.build(self.exemplars_, numbers)).similarity(Probes(probes, probes))


class KNNClassifier(UnitRowsClassifier):
    """Chooses by the votes of the nearest exemplars, each weighed by one over its distance.

    Parameters
    ----------
    n_neighbors : int, default 5
        How many exemplars vote; all of them where there are fewer.

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
        """Return the class ``(n,)`` with the most votes for each row of `X (n, d)`."""
        probes = self._predict_input(X)
        n_neighbors = check_n_neighbors(self.n_neighbors)
        return self.classes_[vote_nearest(self.exemplars_, self.codes_, probes, n_neighbors=n_neighbors)]


class SVMClassifier(UnitRowsClassifier):
    """Chooses with a linear support vector machine, one against one.

    The machine is scikit-learn's ``SVC(kernel="linear")``, without probabilities. With a single class there is
    nothing to separate, and that class is the choice.

    Parameters
    ----------
    C : float, default 1.0
        Inverse strength of the regularization.

    Attributes
    ----------
    classes_ : (k,) array
    machine_ : dict of arrays, see `classifiers.choosers.LinearMachine`; None with a single class
    """

    def __init__(self, C: float = 1.0) -> None:
        self.C = C

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the machine on the rows of `X (m, d)` and the classes `y (m,)`."""
        rows, codes = self._fit_input(X, y)
        if len(self.classes_) == 1:
            self.machine_ = None
            return self
        svc = SVC(C=self.C, kernel="linear").fit(rows.astype(np.float64), codes)
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
        return self.classes_[LinearMachine(**self.machine_).vote(probes)]


HEADS: dict[str, Callable[..., Any]] = {
    "gallery": GalleryClassifier,
    "knn": KNNClassifier,
    "svm": SVMClassifier,
}

DEFAULT_HEAD = "gallery"


def check_n_neighbors(n_neighbors: Any) -> int:
    """Return `n_neighbors` as an ``int``.

    Raises
    ------
    ValueError
        If it is not a whole number of at least 1.
    """
    if isinstance(n_neighbors, bool) or not isinstance(n_neighbors, (int, np.integer)) or n_neighbors < 1:
        raise ValueError(f"`n_neighbors` must be a whole number of at least 1, got {n_neighbors!r}")
    return int(n_neighbors)


def head_name(estimator: Any) -> str:
    """Return the name of an estimator in `HEADS`, else its dotted class name."""
    for name, make in HEADS.items():
        if make is type(estimator):
            return name
    return f"{type(estimator).__module__}.{type(estimator).__qualname__}"


def make_head(name: str, **parameters: Any) -> Any:
    """Return an unfitted estimator of `HEADS`.

    Raises
    ------
    ValueError
        If `name` is not a known head; the message lists them.
    """
    if name not in HEADS:
        raise ValueError(f"unknown head {name!r}; expected one of {', '.join(HEADS)}")
    return HEADS[name](**parameters)
