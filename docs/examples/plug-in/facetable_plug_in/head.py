"""A head: the person whose photos' mean is nearest is chosen."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class NearestMean(ClassifierMixin, BaseEstimator):
    """Choose the person whose mean vector is nearest; `trim` leaves out that share of a person's unlikeliest photos."""

    def __init__(self, trim: float = 0.0) -> None:
        self.trim = trim

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        self.means_ = np.stack([self._mean(X[y == name]) for name in self.classes_])
        return self

    def predict(self, X):
        return self.classes_[np.argmax(X @ self.means_.T, axis=1)]

    def _mean(self, rows):
        mean = rows.mean(axis=0)
        kept = np.argsort(-(rows @ mean), kind="stable")[: max(1, round(len(rows) * (1 - self.trim)))]
        mean = rows[kept].mean(axis=0)
        return mean / np.linalg.norm(mean)
