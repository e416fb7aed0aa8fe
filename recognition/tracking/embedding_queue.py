"""Which faces are embedded when: new ones first, then those with little evidence, better crops and old looks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recognition.tracking.evidence import MIN_LOOKS
from recognition.tracking.naming import FaceReader
from recognition.tracking.quality import face_quality, geometric_quality
from recognition.tracking.tracker import Sighting, State, Track

if TYPE_CHECKING:
    from embedder.detection.faces import Faces

FIRST_LOOKS = MIN_LOOKS
"""Looks a new track gets at every detection; afterwards looks are due now and then."""

MOST_LOOKS_IN_A_ROW = 24
"""Looks that a face gets at every detection while a little more evidence would name it."""

SOON_S = 0.5
LATER_S = 1.5
"""How old the last look may become: of an unknown face with few looks, and of others."""

_FEW_LOOKS = 6

_BETTER = 1.25
_BETTER_INTERVAL_S = 0.15


@dataclass(frozen=True)
class Look:
    """A crop that waits to be embedded.

    Attributes
    ----------
    track : Track
        Whose it is.
    crop : numpy.ndarray
        uint8 (s, s, 3), as the network takes it.
    box : numpy.ndarray
        float32 (4,), pixels of the frame.
    landmarks : numpy.ndarray
        float32 (5, 2), pixels of the frame.
    quality : float
        Above 0, up to 1.
    is_whole : bool
        Whether the frame shows the whole face.
    urgency : int
        The smaller, the sooner.
    """

    track: Track
    crop: np.ndarray
    box: np.ndarray
    landmarks: np.ndarray
    quality: float
    is_whole: bool
    urgency: int

    @property
    def is_thorough(self) -> bool:
        """Whether it is worth the time of a mirrored second look: where a little more evidence may name the face."""
        return self.urgency in (_Urgency.LITTLE_EVIDENCE, _Urgency.NEARLY_KNOWN)

    def embed(self, reader: FaceReader) -> np.ndarray:
        """Return the vector of the crop, float32 (d,)."""
        embed = reader.embed_both_ways if self.is_thorough else reader.embed
        return embed(self.crop[None])[0]


class LookQueue:
    """The crops that are worth embedding, at most one a track.

    Parameters
    ----------
    reader : FaceReader
        Cuts them out.
    """

    def __init__(self, reader: FaceReader) -> None:
        self._reader = reader
        self._looks: list[Look] = []

    def fill(self, image: np.ndarray, faces: "Faces", sightings: list[Sighting], *, now_s: float) -> None:
        """Replace what waits by what is due on this frame, the most urgent first."""
        wanted = [
            (sighting, urgency)
            for sighting in sightings
            if (urgency := _urgency(sighting.track, now_s)) is not None
            and _may_be_worth_it(sighting, urgency, faces=faces, image=image)
        ]
        crops = self._reader.crop(image, faces[[sighting.face for sighting, _ in wanted]]) if wanted else ()
        looks = []
        for (sighting, urgency), crop in zip(wanted, crops, strict=True):
            box, landmarks = faces.boxes[sighting.face], faces.landmarks[sighting.face]
            quality = face_quality(crop, box, landmarks)
            if urgency != _Urgency.IF_BETTER or quality > _BETTER * sighting.track.evidence.best_quality:
                is_whole = _is_whole(box, image.shape[:2])
                looks.append(Look(sighting.track, crop, box, landmarks, quality, is_whole, urgency))
        self._looks = sorted(looks, key=lambda look: look.urgency)

    def __bool__(self) -> bool:
        return any(look.track.state is State.CONFIRMED for look in self._looks)

    def take(self, n_looks: int) -> list[Look]:
        """Take out the `n_looks` most urgent looks whose tracks are still there."""
        waiting = [look for look in self._looks if look.track.state is State.CONFIRMED]
        taken, self._looks = waiting[:n_looks], waiting[n_looks:]
        return taken

    def take_first_looks(self) -> list[Look]:
        """Take out all looks at tracks that were never looked at, and forget the rest, as at a cut."""
        taken = [look for look in self._looks if look.urgency == _Urgency.NEW and look.track.state is State.CONFIRMED]
        self._looks = []
        return taken


class _Urgency:
    NEW, IN_DOUBT, LITTLE_EVIDENCE, NEARLY_KNOWN, OLD, IF_BETTER = range(6)


def _urgency(track: Track, now_s: float) -> int | None:
    """Return how urgent a look at `track` is, or None if it has been looked at enough."""
    if track.state is not State.CONFIRMED:
        return None
    evidence, age_s = track.evidence, now_s - track.last_look_s
    if evidence.is_empty:
        return _Urgency.NEW
    if track.doubt is not None:
        return _Urgency.IN_DOUBT
    if evidence.n_looks < FIRST_LOOKS:
        return _Urgency.LITTLE_EVIDENCE
    if evidence.is_close and evidence.n_looks < MOST_LOOKS_IN_A_ROW:
        return _Urgency.NEARLY_KNOWN
    is_settled = evidence.verdict.accepted or evidence.n_looks >= _FEW_LOOKS
    if age_s >= (LATER_S if is_settled else SOON_S):
        return _Urgency.OLD
    return _Urgency.IF_BETTER if age_s >= _BETTER_INTERVAL_S else None


def _may_be_worth_it(sighting: Sighting, urgency: int, *, faces: "Faces", image: np.ndarray) -> bool:
    """Whether a face is worth cutting out: faces cut off by the edge are not, and some cannot be better than before."""
    box, evidence = faces.boxes[sighting.face], sighting.track.evidence
    if not evidence.is_empty and not _is_whole(box, image.shape[:2]):
        return False
    if urgency != _Urgency.IF_BETTER:
        return True
    return geometric_quality(box, faces.landmarks[sighting.face]) > _BETTER * evidence.best_quality


def _is_whole(box: np.ndarray, size_hw: tuple[int, ...]) -> bool:
    """Whether `box`, which detectors clip to the frame, stays off its edges."""
    return bool(box[0] > 0 and box[1] > 0 and box[2] < size_hw[1] and box[3] < size_hw[0])
