"""Priority queue of crops to embed: new tracks first, then those with little evidence, stale ones and better crops."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedder.detection.quality import face_quality, geometric_quality
from embedder.finding.second_score import LEAST_SECOND_SCORE
from embedder.networks.encoder import FaceEncoder
from recognition.tracking.tracker import State, Track, TrackDetection

if TYPE_CHECKING:
    from embedder.detection.faces import Faces
    from embedder.finding.second_score import SecondScorer


_SURROUNDINGS = 0.4
"""Share of a face's size that a view of it adds on each side: hair, ears and shoulders tell people who it is."""


@dataclass(frozen=True)
class EmbeddingQueueSettings:
    """How often the faces of tracks are embedded; every embedding costs one or two runs of the network.

    Attributes
    ----------
    n_initial : int
        Crops of a new track that are embedded at every detection; as many as an identity needs at least
        (`EvidenceSettings.min_crops`). More settle tracks sooner and delay other faces of a crowd.
    max_consecutive_embeddings : int
        Crops up to which a face is embedded at every detection while its score is near the threshold. More name more
        faces in difficult poses and cost time on strangers who resemble somebody.
    unknown_refresh_s : float
        Seconds until the last embedding of an unknown face with fewer than `n_settled` crops is stale.
    refresh_s : float
        Seconds until the last embedding of any other face is stale. Longer costs less time and notices later that
        another person has taken a face's place.
    n_settled : int
        Crops after which an unknown face counts as a stranger.
    min_improvement : float
        Factor by which the quality of a crop must exceed the best one so far to be embedded out of turn.
    improvement_interval_s : float
        Seconds between two such crops of a track.
    ask_again_s : float
        Seconds until a second detector, where there is one, is asked again about a track that it took for no face.
        Shorter finds people sooner who come nearer, and asks more often about what is none.
    keeps_views : bool
        Also keep each face as the frame shows it, for people to look at; see `view_of`.
    """

    n_initial: int = 3
    max_consecutive_embeddings: int = 24
    unknown_refresh_s: float = 0.5
    refresh_s: float = 1.5
    n_settled: int = 6
    min_improvement: float = 1.25
    improvement_interval_s: float = 0.15
    ask_again_s: float = 0.5
    keeps_views: bool = False


@dataclass(frozen=True)
class ProbeCrop:
    """A crop of a tracked face, to be embedded.

    Attributes
    ----------
    track : Track
        The track of the face.
    image : numpy.ndarray
        uint8 (h, w, 3), as the network takes it.
    box : numpy.ndarray
        float32 (4,), pixels of the frame.
    landmarks : numpy.ndarray
        float32 (5, 2), pixels of the frame.
    quality : float
        Above 0, up to 1; see `recognition.tracking.quality_score`.
    is_whole : bool
        Whether the frame shows the whole face.
    priority : int
        Smaller is embedded sooner.
    view : numpy.ndarray or None
        The face and what is around it, as the frame shows it; None where it is not kept.
    time_s : float
        Of the frame that its detection was used on, which is the one that shows it unless detection runs in the
        background.
    """

    track: Track
    image: np.ndarray
    box: np.ndarray
    landmarks: np.ndarray
    quality: float
    is_whole: bool
    priority: int
    view: np.ndarray | None = None
    time_s: float = 0.0

    @property
    def embeds_mirrored(self) -> bool:
        """Whether its mirror image is embedded too: where a little more evidence may name the face."""
        return self.priority in (_Priority.FEW_CROPS, _Priority.NEAR_THRESHOLD)

    def embed(self, encoder: FaceEncoder) -> np.ndarray:
        """Return the vector of the crop, float32 (d,)."""
        embed = encoder.embed_mirrored if self.embeds_mirrored else encoder.embed
        return embed(self.image[None])[0]


class EmbeddingQueue:
    """Keep the crops that are worth embedding, at most one a track, in order of priority.

    Parameters
    ----------
    encoder : FaceEncoder
        Cuts them out.
    settings : EmbeddingQueueSettings
    second : SecondScorer, optional
        Asked about each track before its first crop: what it takes for no face is not embedded, so it gets no number,
        no event and no name.
    """

    def __init__(
        self,
        encoder: FaceEncoder,
        settings: EmbeddingQueueSettings = EmbeddingQueueSettings(),
        *,
        second: "SecondScorer | None" = None,
    ) -> None:
        self._encoder = encoder
        self._second = second
        self._settings = settings
        self._crops: list[ProbeCrop] = []

    def fill(self, image: np.ndarray, faces: "Faces", detections: list[TrackDetection], *, now_s: float) -> None:
        """Replace all waiting crops by those that are due on this frame.

        Parameters
        ----------
        image : numpy.ndarray
            The frame, uint8 (h, w, 3).
        faces : Faces
            The faces detected on it.
        detections : list of TrackDetection
            Their tracks.
        now_s : float
            The time of the newest frame, in seconds.
        """
        wanted = [
            (detection, priority)
            for detection in detections
            if (priority := self._priority(detection.track, now_s)) is not None
            and self._may_improve(detection, priority, faces=faces, image=image)
            and self._is_a_face(detection.track, image, faces.boxes[[detection.face]], now_s)
        ]
        crops = self._encoder.crop(image, faces[[detection.face for detection, _ in wanted]]) if wanted else ()
        found = []
        for (detection, priority), crop in zip(wanted, crops, strict=True):
            box, landmarks = faces.boxes[detection.face], faces.landmarks[detection.face]
            quality = face_quality(self._encoder.view(crop[None])[0], box, landmarks)
            if priority != _Priority.IF_BETTER or quality > self._quality_to_exceed(detection.track):
                is_whole = _is_whole(box, image.shape[:2])
                view = view_of(image, box) if self._settings.keeps_views else None
                found.append(ProbeCrop(detection.track, crop, box, landmarks, quality, is_whole, priority, view, now_s))
        self._crops = sorted(found, key=lambda crop: crop.priority)

    def __bool__(self) -> bool:
        return any(crop.track.state is State.CONFIRMED for crop in self._crops)

    def pop(self, n_crops: int) -> list[ProbeCrop]:
        """Remove and return the `n_crops` crops of highest priority whose tracks are still visible."""
        waiting = [crop for crop in self._crops if crop.track.state is State.CONFIRMED]
        taken, self._crops = waiting[:n_crops], waiting[n_crops:]
        return taken

    def pop_first_crops(self) -> list[ProbeCrop]:
        """Return the crops of tracks that have no embedding yet and empty the queue, as at a cut."""
        taken = [crop for crop in self._crops if crop.priority == _Priority.NEW and crop.track.state is State.CONFIRMED]
        self._crops = []
        return taken

    def _priority(self, track: Track, now_s: float) -> int | None:
        """Return the priority of a crop of `track`, or None if it has been embedded often enough."""
        if track.state is not State.CONFIRMED:
            return None
        settings, evidence, age_s = self._settings, track.evidence, now_s - track.last_embedded_s
        if evidence.is_empty:
            return _Priority.NEW
        if track.outlier is not None:
            return _Priority.OUTLIER
        if evidence.n_crops < settings.n_initial:
            return _Priority.FEW_CROPS
        if evidence.is_near_threshold and evidence.n_crops < settings.max_consecutive_embeddings:
            return _Priority.NEAR_THRESHOLD
        is_settled = evidence.verdict.accepted or evidence.n_crops >= settings.n_settled
        if age_s >= (settings.refresh_s if is_settled else settings.unknown_refresh_s):
            return _Priority.STALE
        return _Priority.IF_BETTER if age_s >= settings.improvement_interval_s else None

    def _may_improve(self, detection: TrackDetection, priority: int, *, faces: "Faces", image: np.ndarray) -> bool:
        """Whether a face is worth cutting out: not if the frame cuts it off, or if it cannot be better than before."""
        box, evidence = faces.boxes[detection.face], detection.track.evidence
        if not evidence.is_empty and not _is_whole(box, image.shape[:2]):
            return False
        if priority != _Priority.IF_BETTER:
            return True
        return geometric_quality(box, faces.landmarks[detection.face]) > self._quality_to_exceed(detection.track)

    def _is_a_face(self, track: Track, image: np.ndarray, box: np.ndarray, now_s: float) -> bool:
        """Whether the second detector agrees, now or once before; ``True`` without one. `box` is ``(1, 4)``."""
        if self._second is None or track.is_a_face or not track.evidence.is_empty:
            return True
        if now_s - track.asked_s >= self._settings.ask_again_s:
            track.asked_s = now_s
            track.is_a_face = bool(self._second.scores(image, box)[0] >= LEAST_SECOND_SCORE)
        return track.is_a_face

    def _quality_to_exceed(self, track: Track) -> float:
        return self._settings.min_improvement * track.evidence.best_quality


class _Priority:
    NEW, OUTLIER, FEW_CROPS, NEAR_THRESHOLD, STALE, IF_BETTER = range(6)


def view_of(image: np.ndarray, box: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return a copy of the part of `image`, uint8 (h, w, 3), that shows the face in `box` and a little around it.

    >>> view_of(np.zeros((100, 200, 3), np.uint8), [0, 20, 40, 60]).shape
    (72, 56, 3)
    """
    low, high = np.asarray(box[:2], np.float64), np.asarray(box[2:], np.float64)
    around = _SURROUNDINGS * (high - low)
    size = np.array(image.shape[1::-1])
    left, top = np.minimum(corner_of_view(box), size - 1)
    right, bottom = np.clip(np.ceil(high + around), (left + 1, top + 1), size).astype(int)
    return image[top:bottom, left:right].copy()


def corner_of_view(box: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return where on the frame the view of a face begins, int (2,), pixels: what its box is to be moved by.

    >>> corner_of_view([50, 20, 90, 60]).tolist()
    [34, 4]
    """
    low, high = np.asarray(box[:2], np.float64), np.asarray(box[2:], np.float64)
    return np.maximum(np.floor(low - _SURROUNDINGS * (high - low)), 0).astype(int)


def _is_whole(box: np.ndarray, size_hw: tuple[int, ...]) -> bool:
    """Whether `box`, which detectors clip to the frame, stays off its edges."""
    return bool(box[0] > 0 and box[1] > 0 and box[2] < size_hw[1] and box[3] < size_hw[0])
