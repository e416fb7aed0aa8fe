"""Naming faces with a head, on NumPy alone: a camera loop starts without loading scikit-learn.

The functions here are also what the estimators of `classifiers.heads` predict with, so that a head chooses the same
before and after it has been saved, equal votes and equal similarities included.
"""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.calibration import Threshold
from classifiers.errors import SpaceMismatchError
from classifiers.gallery import UNKNOWN, Gallery
from classifiers.neighbors import ExactNeighbors, Neighbors, check_vectors, exact_similarities, unit_rows

# Two unit vectors that are equal up to float32 rounding are this far apart at most; it bounds the weight of a vote.
_SMALLEST_DISTANCE = 1e-3

# A decision of a linear machine that is zero up to rounding counts as zero (libsvm then votes for the later class).
_ZERO_DECISION = 1e-9


class Match(NamedTuple):
    """What a head says about `n` probes before the threshold.

    Attributes
    ----------
    identities : (n,) str
        The enrolled identity the head chose.
    scores : (n,) float32
        Similarity of the probe to the nearest exemplar of that identity.
    exemplars : (n,) int64
        Row of that exemplar in the gallery.
    """

    identities: NDArray[np.str_]
    scores: NDArray[np.float32]
    exemplars: NDArray[np.int64]


class Chooser(Protocol):
    """What chooses an identity for each probe; `kind` says how it is kept in a file."""

    kind: str

    def choose(self, gallery: Gallery, probes: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the position in ``gallery.labels`` of the chosen identity for unit vectors `probes (n, d)`."""


class NearestChooser:
    """Chooses the identity of the nearest exemplar."""

    kind = "nearest"

    def choose(self, gallery: Gallery, probes: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the code of the nearest exemplar's identity."""
        return gallery.codes[gallery.nearest(probes).indices[:, 0]]


class VoteChooser:
    """Chooses by the votes of the nearest exemplars.

    Parameters
    ----------
    n_neighbors : int
    """

    kind = "votes"

    def __init__(self, n_neighbors: int) -> None:
        self.n_neighbors = n_neighbors

    def choose(self, gallery: Gallery, probes: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the code of the identity with the most votes."""
        return vote_nearest(gallery.vectors, gallery.codes, probes, n_neighbors=self.n_neighbors)


class EstimatorChooser:
    """Chooses with a fitted scikit-learn classifier.

    Parameters
    ----------
    estimator : classifier fitted on the gallery's unit vectors and identities
    """

    kind = "estimator"

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def choose(self, gallery: Gallery, probes: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the code of the predicted identity."""
        if not len(probes):
            return np.zeros(0, np.int64)
        return np.searchsorted(gallery.labels, self.estimator.predict(probes).astype(np.str_)).astype(np.int64)


class LinearMachine:
    """A fitted linear support vector machine, one against one, as arrays.

    Parameters
    ----------
    support : (s,) int, rows of the training data that are support vectors, grouped by class
    support_vectors : (s, d) float32, those rows
    dual_coef : (k - 1, s) float64, as scikit-learn's ``SVC`` lays it out
    intercept : (k (k - 1) / 2,) float64
    n_support : (k,) int, support vectors of each class

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
            raise ValueError(f"the arrays of a linear machine must fit together: expected {expected}, got {shapes}")
        self.support = support
        self.support_vectors = support_vectors
        self.dual_coef = dual_coef
        self.intercept = intercept
        self.n_support = n_support

    def choose(self, gallery: Gallery, probes: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the code of the class with the most votes."""
        return self.vote(probes)

    def vote(self, probes: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the class with the most one-against-one votes, the first of equals (as libsvm does)."""
        n_classes = len(self.n_support)
        starts = np.concatenate([[0], np.cumsum(self.n_support)[:-1]])
        first, second = np.triu_indices(n_classes, k=1)
        chosen = np.zeros(len(probes), np.int64)
        for row, probe in enumerate(probes):
            kernel = exact_similarities(probe, self.support_vectors)
            # sums[r, c]: what class c's support vectors say with their r-th coefficient (libsvm, svm_predict_values)
            sums = np.add.reduceat(self.dual_coef * kernel, starts, axis=1)
            decisions = sums[second - 1, first] + sums[first, second] + self.intercept
            winners = np.where(decisions > _ZERO_DECISION, first, second)
            chosen[row] = np.argmax(np.bincount(winners, minlength=n_classes))
        return chosen


def vote_nearest(
    exemplars: NDArray[np.float32], codes: NDArray[np.int64], probes: NDArray[np.float32], *, n_neighbors: int
) -> NDArray[np.int64]:
    """Return the code with the most votes among each probe's nearest exemplars.

    A vote weighs one over the Euclidean distance of unit vectors (scikit-learn's ``weights="distance"``). Equal votes
    go to the code with the nearer exemplar, then to the exemplar that comes first.
    """
    indices, similarities = ExactNeighbors(exemplars).query(probes, n_neighbors)
    if not indices.size:
        return np.zeros(len(probes), np.int64)
    distances = np.sqrt(np.maximum(2.0 - 2.0 * similarities, 0.0))
    weights = 1.0 / np.maximum(distances, _SMALLEST_DISTANCE)
    neighbor_codes = codes[indices]
    # votes[i, j]: all the votes of probe i for the identity of its j-th neighbour
    same = neighbor_codes[:, :, None] == neighbor_codes[:, None, :]
    votes = np.sum(weights[:, :, None] * same, axis=1)
    return neighbor_codes[np.arange(len(probes)), np.argmax(votes, axis=1)]


class Head:
    """A trained head: a gallery, what chooses among its people, and a threshold.

    Parameters
    ----------
    gallery : Gallery
        The exemplars; at least one.
    chooser : Chooser
        Chooses the identity; never the score.
    threshold : Threshold or float
        A face whose score is below it is `UNKNOWN`.
    fingerprint : mapping, optional
        ``{"space": {...}, "provenance": {...}}`` of the table the head was trained on.
    name : str
        Which head this is: a name of `classifiers.heads.HEADS` or a dotted class name.
    parameters : mapping, optional
        The estimator's settings.
    photo_root : str
        The folder the exemplars' paths are relative to; ``""`` where unknown.
    estimator : object, optional
        The scikit-learn estimator behind it, or its bytes in a file (see `classifiers.persistence`).

    Attributes
    ----------
    threshold : float
        May be assigned.
    threshold_record : Threshold
        Where the threshold came from.
    """

    def __init__(
        self,
        gallery: Gallery,
        chooser: Chooser,
        threshold: Threshold | float,
        *,
        fingerprint: Mapping[str, Any] | None = None,
        name: str = "gallery",
        parameters: Mapping[str, Any] | None = None,
        photo_root: str = "",
        estimator: Any = None,
    ) -> None:
        if not len(gallery):
            raise ValueError("`gallery` must hold at least one exemplar, got none; name at least one person")
        if not isinstance(threshold, Threshold):
            threshold = Threshold(float(threshold), "given", "given by you", n_exemplars=len(gallery))
        self.gallery = gallery
        self.chooser = chooser
        self.threshold_record = threshold
        self.threshold = threshold.value
        self.fingerprint = dict(fingerprint) if fingerprint is not None else None
        self.name = name
        self.parameters = dict(parameters) if parameters is not None else {}
        self.photo_root = photo_root
        self.estimator = estimator
        self._warned_of_provenance = False

    @property
    def labels(self) -> list[str]:
        """The enrolled identities, sorted."""
        return self.gallery.labels.tolist()

    def match(self, vectors: ArrayLike) -> Match:
        """Return what the head chooses for `vectors (n, d)` and how similar it is, whatever the threshold.

        Raises
        ------
        ValueError
            If the vectors are not finite or not of the exemplars' length.
        """
        probes = self._probes(vectors)
        if isinstance(self.chooser, NearestChooser):
            found = self.gallery.nearest(probes)
            codes = self.gallery.codes[found.indices[:, 0]]
        else:
            codes = self.chooser.choose(self.gallery, probes)
            found = self.gallery.nearest_of(probes, codes)
        return self._as_match(codes, found)

    def choose(self, vectors: ArrayLike) -> NDArray[np.str_]:
        """Return the identities ``(n,)`` the head chooses, before the threshold."""
        return self.match(vectors).identities

    def identify(
        self, vectors: ArrayLike, fingerprint: Mapping[str, Any] | None = None
    ) -> tuple[NDArray[np.str_], NDArray[np.float32]]:
        """Return identities ``(n,)``, `UNKNOWN` below the threshold, and scores ``(n,)``.

        Parameters
        ----------
        vectors : (n, d) array
        fingerprint : mapping, optional
            Fingerprint of the table the vectors come from; vectors of another space are refused.

        Raises
        ------
        ValueError
            If the vectors are not finite or not of the exemplars' length.
        SpaceMismatchError
            If `fingerprint` differs from the head's in its `space`.
        """
        self.check_fingerprint(fingerprint)
        identities, scores, _ = self.match(vectors)
        return np.where(scores >= self.threshold, identities, UNKNOWN), scores

    def similarity(self, vectors: ArrayLike) -> NDArray[np.float32]:
        """Return ``(n, n_identities)``: the similarity to the nearest exemplar of each of `labels`."""
        return self.gallery.similarity(self._probes(vectors))

    def check_fingerprint(self, fingerprint: Mapping[str, Any] | None) -> None:
        """Refuse vectors of another space; warn once where only the provenance differs.

        Raises
        ------
        SpaceMismatchError
            If the fingerprints differ in `space`; the message names the fields.
        """
        if fingerprint is None or self.fingerprint is None:
            return
        fields = differing_fields(self.fingerprint.get("space", {}), fingerprint.get("space", {}))
        if fields:
            raise SpaceMismatchError(
                f"these vectors cannot be compared with the head's: expected {_describe(fields, 0)}, "
                f"got {_describe(fields, 1)}; embed the photos with the head's settings, or train a new head"
            )
        fields = differing_fields(self.fingerprint.get("provenance", {}), fingerprint.get("provenance", {}))
        if fields and not self._warned_of_provenance:
            self._warned_of_provenance = True
            warnings.warn(
                f"the head's photos were embedded with {_describe(fields, 0)}, these with {_describe(fields, 1)}; "
                "names may be a little less certain",
                stacklevel=3,
            )

    def _probes(self, vectors: ArrayLike) -> NDArray[np.float32]:
        return unit_rows(check_vectors("vectors", vectors, length=self.gallery.vectors.shape[1]))

    def _as_match(self, codes: NDArray[np.int64], found: Neighbors) -> Match:
        return Match(self.gallery.labels[codes], found.similarities[:, 0].astype(np.float32), found.indices[:, 0])


def differing_fields(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which two parts of a fingerprint differ, with both values.

    >>> differing_fields({"crop_size": 160, "alignment": "box"}, {"crop_size": 112, "alignment": "box"})
    {'crop_size': (160, 112)}
    """
    absent = "(not said)"
    return {
        name: (left.get(name, absent), right.get(name, absent))
        for name in sorted({*left, *right})
        if left.get(name, absent) != right.get(name, absent)
    }


def _describe(fields: Mapping[str, tuple[Any, Any]], side: int) -> str:
    return ", ".join(f"{name} {values[side]}" for name, values in fields.items())
