"""Which faces are embedded when: new ones first, then those with little evidence, better crops and old looks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedder.networks.encoder import FaceEncoder
from recognition.tracking.evidence import MIN_CROPS
from recognition.tracking.quality import face_quality, geometric_quality
from recognition.tracking.tracker import State, Track, TrackDetection

if TYPE_CHECKING:
    from embedder.detection.faces import Faces

FIRST_CROPS = MIN_CROPS
"""Looks a new track gets at every detection; afterwards looks are due now and then."""

MAX_CONSECUTIVE_EMBEDDINGS = 24
"""Looks that a face gets at every detection while a little more evidence would name it."""

UNKNOWN_REFRESH_S = 0.5
REFRESH_S = 1.5
"""How old the last look may become: of an unknown face with few looks, and of others."""

_FEW_CROPS = 6

_IMPROVEMENT = 1.25
_IMPROVEMENT_INTERVAL_S = 0.15


@dataclass(frozen=True)
class ProbeCrop:
    """A crop that waits to be embedded.

    Attributes
    ----------
    track : Track
        Whose it is.
    image : numpy.ndarray
        uint8 (s, s, 3), as the network takes it.
    box : numpy.ndarray
        float32 (4,), pixels of the frame.
    landmarks : numpy.ndarray
        float32 (5, 2), pixels of the frame.
    quality : float
        Above 0, up to 1.
    is_whole : bool
        Whether the frame shows the whole face.
    priority : int
        The smaller, the sooner.
    """

    track: Track
    image: np.ndarray
    box: np.ndarray
    landmarks: np.ndarray
    quality: float
    is_whole: bool
    priority: int

    @property
    def embeds_mirrored(self) -> bool:
        """Whether it is worth the time of a mirrored second look: where a little more evidence may name the face."""
        return self.priority in (_Priority.FEW_CROPS, _Priority.NEAR_THRESHOLD)

    def embed(self, reader: FaceEncoder) -> np.ndarray:
        """Return the vector of the crop, float32 (d,)."""
        embed = reader.embed_mirrored if self.embeds_mirrored else reader.embed
        return embed(self.image[None])[0]


class EmbeddingQueue:
    """The crops that are worth embedding, at most one a track.

    Parameters
    ----------
    reader : FaceEncoder
        Cuts them out.
    """

    def __init__(self, reader: FaceEncoder) -> None:
        self._reader = reader
        self._crops: list[ProbeCrop] = []

    def fill(self, image: np.ndarray, faces: "Faces", detections: list[TrackDetection], *, now_s: float) -> None:
        """Replace what waits by what is due on this frame, the most urgent first."""
        wanted = [
            (detection, priority)
            for detection in detections
            if (priority := _priority(detection.track, now_s)) is not None
            and _may_improve(detection, priority, faces=faces, image=image)
        ]
        crops = self._reader.crop(image, faces[[detection.face for detection, _ in wanted]]) if wanted else ()
        found = []
        for (detection, priority), crop in zip(wanted, crops, strict=True):
            box, landmarks = faces.boxes[detection.face], faces.landmarks[detection.face]
            quality = face_quality(crop, box, landmarks)
            if priority != _Priority.IF_BETTER or quality > _IMPROVEMENT * detection.track.evidence.best_quality:
                is_whole = _is_whole(box, image.shape[:2])
                found.append(ProbeCrop(detection.track, crop, box, landmarks, quality, is_whole, priority))
        self._crops = sorted(found, key=lambda crop: crop.priority)

    def __bool__(self) -> bool:
        return any(crop.track.state is State.CONFIRMED for crop in self._crops)

    def pop(self, n_crops: int) -> list[ProbeCrop]:
        """Take out the `n_crops` most urgent looks whose tracks are still there."""
        waiting = [crop for crop in self._crops if crop.track.state is State.CONFIRMED]
        taken, self._crops = waiting[:n_crops], waiting[n_crops:]
        return taken

    def pop_first_crops(self) -> list[ProbeCrop]:
        """Take out all looks at tracks that were never looked at, and forget the rest, as at a cut."""
        taken = [crop for crop in self._crops if crop.priority == _Priority.NEW and crop.track.state is State.CONFIRMED]
        self._crops = []
        return taken


class _Priority:
    NEW, OUTLIER, FEW_CROPS, NEAR_THRESHOLD, STALE, IF_BETTER = range(6)


def _priority(track: Track, now_s: float) -> int | None:
    """Return how urgent a look at `track` is, or None if it has been looked at enough."""
    if track.state is not State.CONFIRMED:
        return None
    evidence, age_s = track.evidence, now_s - track.last_embedded_s
    if evidence.is_empty:
        return _Priority.NEW
    if track.outlier is not None:
        return _Priority.OUTLIER
    if evidence.n_crops < FIRST_CROPS:
        return _Priority.FEW_CROPS
    if evidence.is_near_threshold and evidence.n_crops < MAX_CONSECUTIVE_EMBEDDINGS:
        return _Priority.NEAR_THRESHOLD
    is_settled = evidence.verdict.accepted or evidence.n_crops >= _FEW_CROPS
    if age_s >= (REFRESH_S if is_settled else UNKNOWN_REFRESH_S):
        return _Priority.STALE
    return _Priority.IF_BETTER if age_s >= _IMPROVEMENT_INTERVAL_S else None


def _may_improve(detection: TrackDetection, priority: int, *, faces: "Faces", image: np.ndarray) -> bool:
    """Whether a face is worth cutting out: faces cut off by the edge are not, and some cannot be better than before."""
    box, evidence = faces.boxes[detection.face], detection.track.evidence
    if not evidence.is_empty and not _is_whole(box, image.shape[:2]):
        return False
    if priority != _Priority.IF_BETTER:
        return True
    return geometric_quality(box, faces.landmarks[detection.face]) > _IMPROVEMENT * evidence.best_quality


def _is_whole(box: np.ndarray, size_hw: tuple[int, ...]) -> bool:
    """Whether `box`, which detectors clip to the frame, stays off its edges."""
    return bool(box[0] > 0 and box[1] > 0 and box[2] < size_hw[1] and box[3] < size_hw[0])
