"""Who a track is: evidence of single looks added up, with a rule that neither hurries nor flickers.

A look is one embedded crop, scored by the head for every enrolled identity. The mean over several looks of a stranger
strays less than a single score does, so it says more. A track's score puts that on the scale of a single photo, which
the head's threshold is made for:

    score = mean + gain * (1 - 1 / n) - loss * (1 - quality),

the mean over the looks, weighted by their quality, ``n`` the number of looks that would say as much if they came from
different photos: looks that are all alike count as little more than one, and the quality of the best look. With the
gains below, strangers' tracks of 1, 2, 4 and 8 photos reach the threshold equally often; the losses take away two in
five of the false names of strangers who are small, blurred or turned away (measured on LFW, see experiments/README.md).
The rule:

- an identity is accepted once there are `MIN_CROPS` looks, its score is the largest and reaches the threshold, and at
  least half of the looks chose it;
- it is given up only when its score falls below the threshold by more than the gain, or when another identity
  satisfies the first rule and leads by as much.

A look that errs, such as a face half turned away, therefore names nobody, and a face whose looks hover around the
threshold does not blink. Faces cut off by the frame's edge are no evidence.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

MIN_CROPS = 3

MAX_CROPS = 12
"""Looks that are kept: enough for every pose of a person, few enough to score again when the head changes."""

FUSION_GAIN = {"cosine": 0.034, "normalized": 0.05}
"""How much lower the mean of many photos of a stranger may be than a single score, by the kind of score."""

LOW_QUALITY_PENALTY = {"cosine": 0.02, "normalized": 0.03}
"""How much lower a score counts where no look shows the face well, by the kind of score."""

_CROSS_PHOTO_COSINE = 0.68
"""Looks that differ this much count in full; the mean cosine between two photos of one person of LFW is 0.70."""

_MIN_VOTE_SHARE = 0.5
_TIE_MARGIN = 1e-6


class Scorer(Protocol):
    """What scores looks, such as `classifiers.heads.head.Head`."""

    threshold: float

    @property
    def score_kind(self) -> str:
        """One of `FUSION_GAIN`."""

    @property
    def labels(self) -> list[str]:
        """The enrolled identities."""

    def match(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.str_], NDArray[np.float32], NDArray[np.int64]]:
        """Return the chosen identity of each look, its score, and the exemplar."""

    def similarity(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of each look for all of `labels`, (n, n_identities)."""


@dataclass(frozen=True)
class Verdict:
    """What is held of a track.

    Attributes
    ----------
    identity : str
        ``unknown`` unless accepted.
    score : float
        The track's score for its identity, or for the best one while it is unknown.
    accepted : bool
    """

    identity: str
    score: float
    accepted: bool


class Evidence:
    """The looks of one track and the verdict on them.

    Parameters
    ----------
    unknown : str
        What a track is called that nobody is accepted for.

    Attributes
    ----------
    n_crops : int
        Looks at the whole face so far.
    best_quality : float
        Quality of the best of them.
    verdict : Verdict
    is_near_threshold : bool
        Whether the face is unknown, but more evidence may well name it: of the distance from the mean to the threshold
        more looks bring at most the gain, and better looks about as much.
    """

    def __init__(self, unknown: str = "unknown") -> None:
        self._unknown = unknown
        self._vectors: list[np.ndarray] = []
        self._weights: list[float] = []
        self.n_crops = 0
        self.best_quality = 0.0
        self.verdict = Verdict(unknown, 0.0, False)
        self.is_near_threshold = False

    @property
    def is_empty(self) -> bool:
        """Whether there was no look at all."""
        return not self._vectors

    def max_cosine(self, vector: np.ndarray) -> float:
        """Return the cosine of `vector`, unit length, to the look that is most like it; -1 without looks."""
        return float(np.max(np.stack(self._vectors) @ vector)) if self._vectors else -1.0

    def add(self, vector: np.ndarray, quality: float, scorer: Scorer, *, is_whole: bool = True) -> Verdict:
        """Add a look and return the new verdict.

        Parameters
        ----------
        vector : numpy.ndarray
            float32 (d,), unit length.
        quality : float
            Above 0, up to 1.
        scorer : Scorer
            The head.
        is_whole : bool
            False for a face cut off by the frame's edge, which counts only until there is a better look.
        """
        if not is_whole and self._vectors:
            return self.verdict
        if is_whole and not self.n_crops:
            self._vectors, self._weights = [], []
        self._vectors.append(vector)
        self._weights.append(quality)
        if is_whole:
            self.n_crops += 1
            self.best_quality = max(self.best_quality, quality)
        if len(self._vectors) > MAX_CROPS:
            self._merge_most_similar()
        return self.decide(scorer)

    def decide(self, scorer: Scorer, *, reset: bool = False) -> Verdict:
        """Score all looks again and return the new verdict; `reset` forgets what was held, as for a changed head."""
        if not self._vectors:
            return self.verdict
        gain, loss = FUSION_GAIN[scorer.score_kind], LOW_QUALITY_PENALTY[scorer.score_kind]
        by_crop, chosen = self._score_crops(scorer)
        means = np.average(by_crop, axis=0, weights=self._weights)
        scores = means + gain * (1 - 1 / self._n_effective()) - loss * (1 - self.best_quality)
        labels, threshold = scorer.labels, scorer.threshold
        best = int(np.argmax(scores))
        suffices = (
            self.n_crops >= MIN_CROPS and scores[best] >= threshold and np.mean(chosen == best) >= _MIN_VOTE_SHARE
        )
        held = labels.index(self.verdict.identity) if self.verdict.identity in labels and not reset else None
        if (
            held is not None
            and scores[held] >= threshold - gain
            and not (suffices and scores[best] > scores[held] + gain)
        ):
            self.verdict = Verdict(labels[held], float(scores[held]), True)
        elif suffices:
            self.verdict = Verdict(labels[best], float(scores[best]), True)
        else:
            self.verdict = Verdict(self._unknown, float(scores[best]), False)
        self.is_near_threshold = not self.verdict.accepted and bool(means[best] >= threshold - 2 * gain)
        return self.verdict

    def _score_crops(self, scorer: Scorer) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return scores (n_crops, n_identities) and the position of each look's choice.

        The head's choice has the last word: no identity scores as much as the chosen one.
        """
        vectors = np.stack(self._vectors)
        identities, best, _ = scorer.match(vectors)
        places = {label: place for place, label in enumerate(scorer.labels)}
        chosen = np.array([places[str(identity)] for identity in identities], np.int64)
        scores = np.minimum(scorer.similarity(vectors).astype(np.float64), best[:, None] - _TIE_MARGIN)
        scores[np.arange(len(chosen)), chosen] = best
        return scores, chosen

    def _n_effective(self) -> float:
        """Return how many looks at different photos would say as much."""
        n_kept = len(self._vectors)
        if n_kept == 1:
            return 1.0
        similarities = np.stack(self._vectors) @ np.stack(self._vectors).T
        likeness = (float(similarities.sum()) - float(np.trace(similarities))) / (n_kept * (n_kept - 1))
        return 1 + (n_kept - 1) * float(np.clip((1 - likeness) / (1 - _CROSS_PHOTO_COSINE), 0.0, 1.0))

    def _merge_most_similar(self) -> None:
        """Let one of the two looks that are most alike, the better one, stand for both, so that all go on counting."""
        similarities = np.stack(self._vectors) @ np.stack(self._vectors).T
        similarities[np.tril_indices(len(similarities))] = -np.inf
        pair = [int(place) for place in np.unravel_index(int(np.argmax(similarities)), similarities.shape)]
        stays, goes = sorted(pair, key=lambda place: -self._weights[place])
        self._weights[stays] += self._weights[goes]
        del self._vectors[goes], self._weights[goes]
