"""Identity of a track: fuse the scores of its crops, decide with hysteresis.

The head scores each crop for every enrolled identity. The mean score over several crops of a stranger varies less than
a single score, so it says more. The score of a track puts the mean on the scale of a single photo, for which the head's
threshold was calibrated:

    score = mean + gain * (1 - 1 / n) - penalty * (1 - quality),

with the mean over the crops weighted by their quality, ``n`` the effective number of crops (crops that are all alike
count as little more than one) and the quality of the best crop. With the default gain, tracks of strangers with 1, 2, 4
and 8 photos reach the threshold equally often; the default penalty removes two in five of the false names of strangers
who are small, blurred or turned away (measured on LFW, see experiments/README.md).

A track is asked again with each crop, and a stranger's score needs to be high only once, while the threshold is meant
for one question. So the mean vector of the crops, weighted by quality too, in which the errors of single crops cancel
out and which hardly changes from one question to the next, must reach the threshold as well, by a margin for what is
left. The decision:

- an identity is accepted once there are `min_crops` crops, its score is the largest and reaches the threshold, the
  mean vector exceeds it by the margin, and at least half of the crops chose it;
- an accepted identity is given up only when its score falls below the threshold by more than the gain, or when another
  identity satisfies the first rule and leads by as much.

A single wrong crop, such as a face half turned away, therefore names nobody, and the identity of a face whose scores
vary around the threshold does not flicker. Faces cut off by the frame's edge are no evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.preset_files import SHIPPED_FOLDER, read_record

_TIE_MARGIN = 1e-6


@dataclass(frozen=True)
class EvidenceSettings:
    """How the scores of a track's crops are fused and when an identity is accepted.

    Attributes
    ----------
    min_crops : int
        Crops before an identity is accepted. More name fewer strangers, and everybody later.
    max_crops : int
        Embeddings that are kept: enough for every pose of a person, few enough to score again when the head changes.
    fusion_gain : mapping of str to float
        By the kind of score, how much lower the mean of many photos of a stranger may be than a single score. Higher
        names more people in poor light, and more strangers; with the defaults strangers reach the threshold equally
        often with 1, 2, 4 and 8 photos (LFW).
    low_quality_penalty : mapping of str to float
        By the kind of score, how much lower a score counts where no crop shows the face well. Higher names fewer
        strangers who are small or blurred, and known people only from nearer; the defaults remove two in five of those
        false names (LFW).
    mean_vector_margin : mapping of str to float
        By the kind of score, how much the score of the crops' mean vector must exceed the threshold before an identity
        is accepted. Higher names fewer strangers, and known people in poor light later or never; with the defaults at
        most one stranger in a hundred is named before a camera at the threshold that promises it for a photo (LFW;
        with plain cosines that is so without a margin). A network that knows people better can afford more, see
        `for_network`.
    cross_photo_cosine : float
        Mean cosine between crops at which each counts in full, as from a photo of its own: the mean cosine between two
        photos of one person of LFW is 0.70. Lower counts frames of one video for less.
    min_vote_share : float
        Share of the crops that must choose an identity. Higher rejects more tracks on which crops disagree.
    """

    min_crops: int = 3
    max_crops: int = 12
    fusion_gain: Mapping[str, float] = field(default_factory=lambda: {"cosine": 0.034, "normalized": 0.05})
    low_quality_penalty: Mapping[str, float] = field(default_factory=lambda: {"cosine": 0.02, "normalized": 0.03})
    mean_vector_margin: Mapping[str, float] = field(default_factory=lambda: {"cosine": 0.0, "normalized": 0.03})
    cross_photo_cosine: float = 0.68
    min_vote_share: float = 0.5

    @classmethod
    def for_network(cls, fingerprint: Mapping[str, Any]) -> Self:
        """Return the settings for the vectors of a fingerprint: with the margin that was measured for their network.

        Where none was measured it is the default one.

        Raises
        ------
        BackgroundError
            If the record that comes with the program is damaged.
        """
        margin = read_record(fingerprint, folder=SHIPPED_FOLDER).get("mean_vector_margin")
        settings = cls()
        if margin is None:
            return settings
        return replace(settings, mean_vector_margin={**settings.mean_vector_margin, "normalized": float(margin)})


class Scorer(Protocol):
    """What scores embeddings, such as `classifiers.heads.head.Head`."""

    threshold: float

    @property
    def score_kind(self) -> str:
        """Return ``"cosine"`` or ``"normalized"``."""

    @property
    def labels(self) -> list[str]:
        """Return the enrolled identities."""

    def match(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.str_], NDArray[np.float32], NDArray[np.int64]]:
        """Return the chosen identity of each vector, its score, and the exemplar."""

    def similarity(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of each vector for all of `labels`, (n, n_identities)."""


@dataclass(frozen=True)
class Verdict:
    """The decision about a track.

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
    """The embedded crops of a track and the verdict on them.

    Parameters
    ----------
    unknown : str
        Identity of a track for which nobody is accepted.
    settings : EvidenceSettings

    Attributes
    ----------
    n_crops : int
        Crops of the whole face so far.
    best_quality : float
        Quality of the best of them.
    verdict : Verdict
    is_near_threshold : bool
        Whether the face is unknown, but more evidence may well name it: more crops raise the score by at most the gain,
        and better crops by about as much.
    """

    def __init__(self, unknown: str = "unknown", settings: EvidenceSettings = EvidenceSettings()) -> None:
        self._unknown = unknown
        self._settings = settings
        self._vectors: list[np.ndarray] = []
        self._weights: list[float] = []
        self.n_crops = 0
        self.best_quality = 0.0
        self.verdict = Verdict(unknown, 0.0, False)
        self.is_near_threshold = False

    @property
    def is_empty(self) -> bool:
        """Whether there was no crop at all."""
        return not self._vectors

    def mean_vector(self) -> NDArray[np.float32]:
        """Return the mean of the kept crops' vectors, weighted by quality, float32 (d,), of unit length.

        There must be one crop at least.
        """
        mean = np.average(np.stack(self._vectors), axis=0, weights=self._weights).astype(np.float32)
        scaled: NDArray[np.float32] = mean / np.linalg.norm(mean)
        return scaled

    def max_cosine(self, vector: np.ndarray) -> float:
        """Return the largest cosine of `vector`, unit length, to the kept embeddings; -1 without any."""
        return float(np.max(np.stack(self._vectors) @ vector)) if self._vectors else -1.0

    def add(self, vector: np.ndarray, quality: float, scorer: Scorer, *, is_whole: bool = True) -> Verdict:
        """Add an embedded crop and return the new verdict.

        Parameters
        ----------
        vector : numpy.ndarray
            float32 (d,), unit length.
        quality : float
            Above 0, up to 1.
        scorer : Scorer
            The head.
        is_whole : bool
            False for a face cut off by the frame's edge, which counts only until there is a crop of a whole one.
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
        if len(self._vectors) > self._settings.max_crops:
            self._merge_most_similar()
        return self.decide(scorer)

    def decide(self, scorer: Scorer, *, reset: bool = False) -> Verdict:
        """Score all crops again and return the new verdict; `reset` ignores the verdict before, as for a new head."""
        if not self._vectors:
            return self.verdict
        gain = self._settings.fusion_gain[scorer.score_kind]
        penalty = self._settings.low_quality_penalty[scorer.score_kind]
        by_crop, chosen = self._score_crops(scorer)
        means = np.average(by_crop, axis=0, weights=self._weights)
        scores = means + gain * (1 - 1 / self._n_effective()) - penalty * (1 - self.best_quality)
        labels, threshold = scorer.labels, scorer.threshold
        best = int(np.argmax(scores))
        suffices = (
            self.n_crops >= self._settings.min_crops
            and scores[best] >= threshold
            and np.mean(chosen == best) >= self._settings.min_vote_share
            and self._score_mean_vector(scorer)[best]
            >= threshold + self._settings.mean_vector_margin[scorer.score_kind]
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
        """Return scores (n_crops, n_identities) and the index of the identity the head chose for each crop.

        The scores of all other identities stay below that of the head's choice.
        """
        vectors = np.stack(self._vectors)
        identities, best, _ = scorer.match(vectors)
        index_of = {label: index for index, label in enumerate(scorer.labels)}
        chosen = np.array([index_of[str(identity)] for identity in identities], np.int64)
        scores = np.minimum(scorer.similarity(vectors).astype(np.float64), best[:, None] - _TIE_MARGIN)
        scores[np.arange(len(chosen)), chosen] = best
        return scores, chosen

    def _score_mean_vector(self, scorer: Scorer) -> NDArray[np.float32]:
        """Return the scores, (n_identities,), of `mean_vector`."""
        return scorer.similarity(self.mean_vector()[None])[0]

    def _n_effective(self) -> float:
        """Return the number of crops from different photos that would say as much."""
        n_kept = len(self._vectors)
        if n_kept == 1:
            return 1.0
        similarities = np.stack(self._vectors) @ np.stack(self._vectors).T
        mean_cosine = (float(similarities.sum()) - float(np.trace(similarities))) / (n_kept * (n_kept - 1))
        share = (1 - mean_cosine) / (1 - self._settings.cross_photo_cosine)
        return 1 + (n_kept - 1) * float(np.clip(share, 0.0, 1.0))

    def _merge_most_similar(self) -> None:
        """Merge the two most similar crops: the better one stays, with the weights of both, so that all still count."""
        similarities = np.stack(self._vectors) @ np.stack(self._vectors).T
        similarities[np.tril_indices(len(similarities))] = -np.inf
        pair = [int(index) for index in np.unravel_index(int(np.argmax(similarities)), similarities.shape)]
        kept, merged = sorted(pair, key=lambda index: -self._weights[index])
        self._weights[kept] += self._weights[merged]
        del self._vectors[merged], self._weights[merged]
