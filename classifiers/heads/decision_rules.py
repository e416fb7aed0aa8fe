"""Decide an identity: nearest-neighbour rule, voting rule, linear support vector machine, or any fitted classifier.

All but the last run on NumPy alone, and are also what the estimators of `classifiers.heads.registry` predict with, so
that a head decides the same before and after it has been saved, equal votes and equal similarities included.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.matcher import Matcher, Probes
from classifiers.scores.neighbors import ExactNeighbors, exact_similarities
from foundation.errors import InputError

# Two unit vectors that are equal up to float32 rounding are this far apart at most; it bounds the weight of a vote.
_SMALLEST_DISTANCE = 1e-3

# How much a vote weighs by the cosine c: e to the power of 5 c, so that 0.2 nearer is 2.7 times the vote. Measured by
# experiments/unbalanced_photos.py: from 5 on nobody whom a gallery finds is lost, and more forgives fewer wrong labels.
_VOTE_SHARPNESS = 5.0

# A decision value that is zero up to rounding counts as zero (libsvm then votes for the later class).
_ZERO_DECISION = 1e-9


class DecisionRule(Protocol):
    """Decide an identity for each probe.

    Attributes
    ----------
    kind : str
        What the rule is called in head files (their JSON key `chooser`).
    """

    kind: str

    def decide(self, matcher: Matcher, probes: Probes) -> NDArray[np.int64]:
        """Return ``(n,)`` int64: the position in ``matcher.labels`` of the identity of each of `probes`."""


FitDecisionRule = Callable[[Matcher], DecisionRule]
"""Fits a decision rule on the exemplars of a matcher."""


class NearestRule:
    """Decide for the identity with the best score, by an exemplar or by the mean of its exemplars."""

    kind = "nearest"

    def decide(self, matcher: Matcher, probes: Probes) -> NDArray[np.int64]:
        """Return the code ``(n,)`` of the best-scoring identity."""
        return matcher.codes[matcher.best(probes).indices[:, 0]]


class VotingRule:
    """Decide by the votes of the nearest exemplars, see `vote_nearest`: what `knn` heads of before 0.2 do.

    A person with many photos outvotes one with few: `BalancedVotingRule` does without that.

    Parameters
    ----------
    n_neighbors : int
        How many exemplars vote; more smooth over mislabelled photos, fewer favour people with few photos.
    """

    kind = "votes"

    def __init__(self, n_neighbors: int) -> None:
        self.n_neighbors = n_neighbors

    def decide(self, matcher: Matcher, probes: Probes) -> NDArray[np.int64]:
        """Return the code ``(n,)`` of the identity with the most votes."""
        return vote_nearest(matcher.units, matcher.codes, probes.units, n_neighbors=self.n_neighbors)


class BalancedVotingRule:
    """Decide by the balanced votes of the nearest exemplars, see `vote_balanced`.

    Parameters
    ----------
    n_neighbors : int
        How many exemplars vote; more smooth over mislabelled photos.
    """

    kind = "balanced_votes"

    def __init__(self, n_neighbors: int) -> None:
        self.n_neighbors = n_neighbors

    def decide(self, matcher: Matcher, probes: Probes) -> NDArray[np.int64]:
        """Return the code ``(n,)`` of the identity with the largest share of its votes."""
        return vote_balanced(matcher.units, matcher.codes, probes.units, n_neighbors=self.n_neighbors)


class EstimatorRule:
    """Decide with a fitted scikit-learn classifier.

    Parameters
    ----------
    estimator : classifier
        Fitted on the gallery's unit vectors and identities.
    """

    kind = "estimator"

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def decide(self, matcher: Matcher, probes: Probes) -> NDArray[np.int64]:
        """Return the code ``(n,)`` of the predicted identity."""
        if not len(probes.units):
            return np.zeros(0, np.int64)
        predicted: NDArray[np.str_] = self.estimator.predict(probes.units).astype(np.str_)
        return np.searchsorted(matcher.labels, predicted).astype(np.int64)


class LinearSVM:
    """Decide with a linear support vector machine that was fitted elsewhere, one against one.

    It is no scikit-learn estimator and cannot be fitted: it holds the arrays of one, and needs NumPy alone to predict.
    The estimator is `classifiers.heads.estimators.SVMClassifier`.

    Parameters
    ----------
    support : (s,) int
        Rows of the training data that are support vectors, grouped by class.
    support_vectors : (s, d) float32
        Those rows.
    dual_coef : (k - 1, s) float64
        As scikit-learn's ``SVC`` lays it out.
    intercept : (k (k - 1) / 2,) float64
        One for each pair of classes, in the order of ``itertools.combinations``.
    n_support : (k,) int
        Support vectors of each class.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """

    kind = "linear"

    def __init__(
        self,
        *,
        support: NDArray[np.integer],
        support_vectors: NDArray[np.float32],
        dual_coef: NDArray[np.float64],
        intercept: NDArray[np.float64],
        n_support: NDArray[np.integer],
    ) -> None:
        n_classes, n_vectors = len(n_support), len(support)
        shapes = (support_vectors.shape[0], dual_coef.shape, intercept.shape, int(np.sum(n_support)))
        expected = (n_vectors, (n_classes - 1, n_vectors), (n_classes * (n_classes - 1) // 2,), n_vectors)
        if shapes != expected or np.any(n_support < 1):
            raise InputError(f"the arrays of a linear machine must fit together: expected {expected}, got {shapes}")
        self.support = support
        self.support_vectors = support_vectors
        self.dual_coef = dual_coef
        self.intercept = intercept
        self.n_support = n_support

    def decide(self, matcher: Matcher, probes: Probes) -> NDArray[np.int64]:
        """Return the code ``(n,)`` of the class with the most votes."""
        return self.vote(probes.units)

    def vote(self, probes: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the class ``(n,)`` with the most one-against-one votes, the first of equals (as libsvm does).

        Parameters
        ----------
        probes : (n, d) float32
            Unit rows, prepared as the training data was.
        """
        n_classes = len(self.n_support)
        starts = np.concatenate([[0], np.cumsum(self.n_support)[:-1]])
        first, second = np.triu_indices(n_classes, k=1)
        of_first = first * (n_classes - 1) + second - 1
        of_second = second * (n_classes - 1) + first
        coefficients = np.ascontiguousarray(self.dual_coef.T)
        chosen = np.zeros(len(probes), np.int64)
        for row, probe in enumerate(probes):
            kernel = exact_similarities(probe, self.support_vectors)
            # sums[c, r]: what class c's support vectors say with their r-th coefficient (libsvm, svm_predict_values)
            sums = np.add.reduceat(coefficients * kernel[:, None], starts, axis=0).ravel()
            decisions = sums[of_first] + sums[of_second] + self.intercept
            winners = np.where(decisions > _ZERO_DECISION, first, second)
            chosen[row] = np.argmax(np.bincount(winners, minlength=n_classes))
        return chosen


def vote_nearest(
    exemplars: NDArray[np.float32], codes: NDArray[np.int64], probes: NDArray[np.float32], *, n_neighbors: int
) -> NDArray[np.int64]:
    """Return the code ``(n,)`` with the most votes among each probe's nearest exemplars.

    A vote weighs one over the Euclidean distance of unit vectors (scikit-learn's ``weights="distance"``). Equal votes
    go to the code with the nearer exemplar, then to the exemplar that comes first.

    Parameters
    ----------
    exemplars : (m, d) float32 of unit length
    codes : (m,) int64
        Identity of each exemplar.
    probes : (n, d) float32 of unit length
    n_neighbors : int
        How many exemplars vote; all of them where there are fewer.
    """
    indices, similarities = ExactNeighbors(exemplars).query(probes, n_neighbors)
    if not indices.size:
        return np.zeros(len(probes), np.int64)
    distances = np.sqrt(np.maximum(2.0 - 2.0 * similarities, 0.0))
    return _elect(codes[indices], 1.0 / np.maximum(distances, _SMALLEST_DISTANCE))


def vote_balanced(
    exemplars: NDArray[np.float32], codes: NDArray[np.int64], probes: NDArray[np.float32], *, n_neighbors: int
) -> NDArray[np.int64]:
    """Return the code ``(n,)`` with the largest share of the votes it could have among each probe's nearest exemplars.

    A vote weighs e to the power of five times the cosine. The votes for an identity are divided by how many it could
    have at most, the number of its exemplars or `n_neighbors`: so one near photo of a person with one photo is not
    outvoted by the crowd of a person with hundreds. Equal shares go to the code with the nearer exemplar, then to the
    exemplar that comes first.

    Parameters
    ----------
    exemplars : (m, d) float32 of unit length
    codes : (m,) int64
        Identity of each exemplar.
    probes : (n, d) float32 of unit length
    n_neighbors : int
        How many exemplars vote; all of them where there are fewer.

    >>> crowd = np.array([[1, 0], [0.6, 0.8], [0.6, 0.8], [0.6, 0.8]], np.float32)
    >>> vote_balanced(crowd, np.array([0, 1, 1, 1]), crowd[:1], n_neighbors=4).tolist()
    [0]
    """
    indices, similarities = ExactNeighbors(exemplars).query(probes, n_neighbors)
    if not indices.size:
        return np.zeros(len(probes), np.int64)
    neighbor_codes = codes[indices]
    n_votes_at_most = np.minimum(np.bincount(codes), n_neighbors)
    return _elect(neighbor_codes, np.exp(_VOTE_SHARPNESS * similarities) / n_votes_at_most[neighbor_codes])


def _elect(neighbor_codes: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the code ``(n,)`` with the most weight in each row of ``(n, k)``; of equals, the first in the row."""
    # votes[i, j]: all the votes of probe i for the identity of its j-th neighbour
    same = neighbor_codes[:, :, None] == neighbor_codes[:, None, :]
    votes = np.sum(weights[:, :, None] * same, axis=1)
    elected: NDArray[np.int64] = neighbor_codes[np.arange(len(votes)), np.argmax(votes, axis=1)]
    return elected
