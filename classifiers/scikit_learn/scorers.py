"""Scorers for scikit-learn: how many people are found where few strangers are named."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import column_or_1d

from classifiers.scores.thresholds import check_fpir
from classifiers.training.metrics import threshold_at_fpir
from foundation.errors import InputError


@dataclass(frozen=True)
class TpirAtFpirScorer:
    """Scorer made by `tpir_at_fpir_scorer`.

    Attributes
    ----------
    fpir : float
        Share of strangers that may be named.
    """

    fpir: float

    def __call__(self, estimator: Any, X: ArrayLike, y: ArrayLike) -> float:
        """Return the TPIR of a fitted `estimator` on `X` with labels `y (n,)`.

        Raises
        ------
        InputError
            If the estimator has no `similarity`, or nobody in `y` is enrolled.
        """
        classifier, rows = _unwrapped(estimator, X)
        similarities = np.asarray(classifier.similarity(rows), np.float64)
        choose = getattr(classifier, "choose", classifier.predict)
        columns = _columns_of(classifier.classes_, choose(rows))
        truth = _columns_of(classifier.classes_, column_or_1d(y))
        scores = similarities[np.arange(len(columns)), columns]
        is_enrolled = truth >= 0
        if not is_enrolled.any():
            raise InputError(
                "`y` must hold labels of enrolled people, got none; let each fold have photos of everybody"
            )
        strangers = scores[~is_enrolled]
        if not len(strangers):
            strangers = _best_of_others(similarities, truth)
        found = (columns == truth) & (scores >= threshold_at_fpir(strangers, self.fpir))
        return float(np.mean(found[is_enrolled]))


def tpir_at_fpir_scorer(fpir: float) -> TpirAtFpirScorer:
    """Return a scorer for scikit-learn: the share of enrolled people's faces named rightly where few strangers are.

    Rows whose label is not enrolled (such as ``""`` or the label of strangers) are strangers, and the threshold is the
    least at which at most `fpir` of them is named; that of the estimator is not looked at. Where there are none, every
    face plays a stranger among the other people, its own person left out.

    Parameters
    ----------
    fpir : float
        False-positive identification rate, above 0 and below 1 (ISO/IEC 19795-1); lower is stricter.

    Raises
    ------
    ThresholdError
        If `fpir` is no rate.

    >>> from sklearn.model_selection import cross_val_score
    >>> from classifiers import OpenSetClassifier
    >>> X, y = np.tile(np.eye(4), (3, 1)), [1, 2, 3, 4] * 3
    >>> cross_val_score(OpenSetClassifier(threshold=0.5), X, y, cv=3, scoring=tpir_at_fpir_scorer(0.01)).tolist()
    [1.0, 1.0, 1.0]
    """
    return TpirAtFpirScorer(check_fpir(fpir))


def _unwrapped(estimator: Any, X: ArrayLike) -> tuple[Any, ArrayLike]:
    """Return the classifier in pipelines and searches, with what it is given of `X`."""
    rows: Any = X
    while not hasattr(estimator, "similarity"):
        if isinstance(estimator, Pipeline):
            rows = estimator[:-1].transform(rows) if len(estimator) > 1 else rows
            estimator = estimator[-1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            raise InputError(
                f"the scorer needs a classifier with `similarity`, such as OpenSetClassifier, got {estimator!r:.80}"
            )
    return estimator, rows


def _columns_of(classes: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the position ``(n,)`` in `classes` of each of `labels`, -1 where it is not there."""
    column = {label: number for number, label in enumerate(classes.tolist())}
    return np.array([column.get(label, -1) for label in np.asarray(labels).tolist()], np.int64)


def _best_of_others(similarities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the best similarity ``(n,)`` of each face to people other than its own."""
    if similarities.shape[1] < 2:
        raise InputError("one person alone cannot play a stranger; give faces of others, labelled as strangers")
    others = similarities.copy()
    others[np.arange(len(truth)), truth] = -np.inf
    return np.asarray(others.max(axis=1))
