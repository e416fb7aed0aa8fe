"""Name faces with a head, on NumPy alone: a camera loop starts without loading scikit-learn."""

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.heads.decision_rules import DecisionRule, NearestRule
from classifiers.scores.gallery import UNKNOWN, Gallery
from classifiers.scores.matcher import Matcher, Probes
from classifiers.scores.neighbors import check_vectors
from classifiers.scores.thresholds import Threshold, check_threshold
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint, describe_side, vector_differences
from foundation.head_files.description import LOWEST_SCORE
from foundation.text import pluralize, sanitize_for_terminal

if TYPE_CHECKING:
    import pandas


class Match(NamedTuple):
    """Decisions of a head about n probes, before the threshold.

    Attributes
    ----------
    identities : (n,) str
        The enrolled identity the head chose.
    scores : (n,) float32
        Similarity of the probe to that identity: to the best-scoring exemplar, or to the mean of them where that is
        more alike (see `classifiers.scores.person_means`).
    exemplars : (n,) int64
        Row of the best-scoring exemplar in the gallery.
    """

    identities: NDArray[np.str_]
    scores: NDArray[np.float32]
    exemplars: NDArray[np.int64]


class Head:
    """Trained head: a gallery, the rule that decides among its people, and a threshold.

    Parameters
    ----------
    matcher : Matcher
        The exemplars, at least one, and how they are scored.
    decision_rule : DecisionRule
        Decides the identity; never the score.
    threshold : Threshold or float
        A face whose score is below it is `UNKNOWN`.
    fingerprint : mapping, optional
        ``{"space": {...}, "provenance": {...}}`` of the table the head was trained on.
    name : str
        Which head this is: a name of `classifiers.heads.registry.HEADS` or a dotted class name.
    parameters : mapping, optional
        The estimator's settings.
    photo_root : str
        The folder the exemplars' paths are relative to; ``""`` where unknown.
    estimator : object, optional
        The scikit-learn estimator behind it, or its bytes in a file (see `classifiers.files.head_file`).
    rejections : Gallery, optional
        Faces that are *not* the identity they stand under.
    trusted : sequence of str
        Types of the estimator whose code the user trusts, as ``my_module.MyHead``; never read from a file.
    file : str
        Where the head was read from, for messages; ``""`` for one that was not.

    Attributes
    ----------
    threshold : float
        May be assigned.
    threshold_record : Threshold
        Where the threshold came from.

    Raises
    ------
    ValueError
        If the matcher has no exemplar, or the threshold is none.

    >>> matcher = Matcher(Gallery.build([[1.0, 0.0], [0.0, 1.0]], ["Ada", "Bo"]))
    >>> head = Head(matcher, NearestRule(), threshold=0.7)
    >>> head.identify([[0.6, 0.8], [-0.8, -0.6]])[0].tolist()
    ['Bo', 'unknown']
    """

    def __init__(
        self,
        matcher: Matcher,
        decision_rule: DecisionRule,
        threshold: Threshold | float,
        *,
        fingerprint: Mapping[str, Any] | None = None,
        name: str = "gallery",
        parameters: Mapping[str, Any] | None = None,
        photo_root: str = "",
        estimator: Any = None,
        rejections: Gallery | None = None,
        trusted: Sequence[str] = (),
        file: str = "",
    ) -> None:
        n_exemplars = len(matcher.gallery)
        if not n_exemplars:
            raise InputError("`matcher` must hold at least one exemplar, got none; name at least one person")
        if not isinstance(threshold, Threshold):
            threshold = Threshold(float(threshold), "given", "given by you", n_exemplars=n_exemplars)
        self.matcher = matcher
        self.decision_rule = decision_rule
        self.threshold_record = threshold
        self.threshold = check_threshold(threshold.value)
        self.fingerprint = None if fingerprint is None else Fingerprint.of(fingerprint)
        self.name = name
        self.parameters = dict(parameters) if parameters is not None else {}
        self.photo_root = photo_root
        self.estimator = estimator
        self.rejections = matcher.gallery.selected(np.zeros(n_exemplars, bool)) if rejections is None else rejections
        self.trusted = tuple(trusted)
        self.file = file
        self._warned_of_provenance = False

    @property
    def gallery(self) -> Gallery:
        """The exemplars."""
        return self.matcher.gallery

    @property
    def labels(self) -> list[str]:
        """The enrolled identities, sorted."""
        labels: list[str] = self.gallery.labels.tolist()
        return labels

    @property
    def score_kind(self) -> str:
        """``"normalized"`` where a background model takes part in the score, else ``"cosine"``."""
        return "cosine" if self.matcher.background is None else "normalized"

    def replaced(self, **changes: Any) -> Self:
        """Return a copy with other attributes; a `threshold_record` brings its threshold with it."""
        head = copy.copy(self)
        for name, value in changes.items():
            setattr(head, name, value)
        if "threshold_record" in changes:
            head.threshold = head.threshold_record.value
        return head

    def match(self, vectors: ArrayLike) -> Match:
        """Return the identity of each of `vectors (n, d)` and how similar it is, whatever the threshold.

        A face that is more like one that was said not to be the chosen person than like that person goes to the
        best-scoring other person.

        Raises
        ------
        ValueError
            If the vectors are not finite or not of the exemplars' length.
        """
        probes = self._probes(vectors)
        if isinstance(self.decision_rule, NearestRule):
            found = self.matcher.best(probes)
            codes = self.matcher.codes[found.indices[:, 0]]
        else:
            codes = self.decision_rule.decide(self.matcher, probes)
            found = self.matcher.nearest_of(probes, codes)
        indices, scores = found.indices[:, 0].copy(), found.similarities[:, 0].copy()
        if len(self.rejections):
            self._apply_rejections(probes, indices, scores)
        identities = self.matcher.labels[self.matcher.codes[indices]]
        return Match(identities, scores.astype(np.float32), indices)

    def choose(self, vectors: ArrayLike) -> NDArray[np.str_]:
        """Return the identities ``(n,)`` the head decides for, before the threshold, see `match`."""
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
        """Return ``(n, k)`` float32: the similarity of `vectors (n, d)` to each label, see `Match`."""
        return self.matcher.similarity(self._probes(vectors))

    def search(self, vectors: ArrayLike, k: int = 5, *, approximate: bool = False) -> "pandas.DataFrame":
        """Return the `k` exemplars nearest to each of `vectors (n, d)`, or to one `(d,)`, as a data frame.

        Its columns are ``probe`` (row of `vectors`), ``rank`` (from 1), ``row`` (of the gallery), ``similarity`` (the
        score), ``identity`` and ``path``; see `classifiers.heads.search.search_exemplars`.

        Raises
        ------
        ValueError
            If the vectors are not finite or not of the exemplars' length, or `k` is below 1.
        """
        from classifiers.heads.search import search_exemplars

        probes = self._probes(np.atleast_2d(np.asarray(vectors)))
        return search_exemplars(self.matcher, probes, k, approximate=approximate)

    def __repr__(self) -> str:
        return "\n".join(
            [
                f"Head {self.name}: {pluralize(len(self.labels), 'person', 'people')}, "
                f"{pluralize(len(self.gallery), 'photo')}, {self.score_kind} score",
                f"  threshold {self.threshold:.3f}, {self.threshold_record.note}",
                *([f"  from {sanitize_for_terminal(self.file)}"] if self.file else []),
            ]
        )

    def check_fingerprint(self, fingerprint: Mapping[str, Any] | None) -> None:
        """Refuse vectors of another space; warn once where they were made otherwise, see `vector_differences`.

        Raises
        ------
        SpaceMismatchError
            If the fingerprints differ in `space`; the message names the fields.
        """
        if fingerprint is None or self.fingerprint is None:
            return
        source = f"those of the head {self.file}" if self.file else "the head's"
        self.fingerprint.check_same_space(fingerprint, source=source)
        fields = vector_differences(self.fingerprint.provenance, Fingerprint.of(fingerprint).provenance)
        if fields and not self._warned_of_provenance:
            self._warned_of_provenance = True
            warnings.warn(
                f"the head's photos were embedded with {describe_side(fields, 0)}, these with "
                f"{describe_side(fields, 1)}; names may be a little less certain",
                stacklevel=3,
            )

    def _probes(self, vectors: ArrayLike) -> Probes:
        return self.matcher.prepare(check_vectors("vectors", vectors, length=self.gallery.vectors.shape[1]))

    def _apply_rejections(self, probes: Probes, indices: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
        """Change the identities (in place) that the rejected faces forbid."""
        against = Matcher(self.rejections, self.matcher.background)
        rejected = against.scores(probes)
        names = self.matcher.labels[self.matcher.codes[indices]]
        nearer = (rejected >= scores[:, None]) & (self.rejections.identities[None, :] == names[:, None])
        for row in np.flatnonzero(nearer.any(axis=1)):
            own = Probes(probes.units[row : row + 1], probes.scored[row : row + 1])
            by_person = self.matcher.similarity(own)[0]
            for rejection, identity in enumerate(self.rejections.identities):
                code = np.searchsorted(self.matcher.labels, identity)
                enrolled = code < len(by_person) and self.matcher.labels[code] == identity
                if enrolled and rejected[row, rejection] >= by_person[code]:
                    by_person[code] = -np.inf
            if np.isneginf(by_person).all():
                scores[row] = LOWEST_SCORE
                continue
            best = self.matcher.nearest_of(own, np.array([np.argmax(by_person)]))
            indices[row], scores[row] = best.indices[0, 0], best.similarities[0, 0]
