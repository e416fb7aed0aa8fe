"""Tracks: one number for each face for as long as it stays, through short occlusions.

A face that was detected is followed by optical flow until the next detection, which is matched to it by overlap. A
track that is not detected for a while is lost; it is found again where it was, or by its looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from embedder.detection.boxes import paired_overlap, pairwise_overlap
from recognition.tracking.evidence import Evidence
from recognition.tracking.motion import BoxMotion

if TYPE_CHECKING:
    from embedder.detection.faces import Faces

MIN_OVERLAP = 0.3
"""Intersection over union from which a detection and a track are the same face."""

ACTIVATION_SCORE = 0.98
"""A detection of this score starts a track alone (most of MTCNN's false alarms are weaker)."""

CONFIRMATION_S = 0.09
"""Other detections must come back, without a miss, for this long: false alarms seldom do."""

MAX_MISSES = 2
"""Detections in a row that may miss a face before it counts as lost."""

LOST_TRACK_TTL_S = 1.5
"""How long a lost track waits to be found again."""

# MTCNN's boxes tremble by a tenth of their size from frame to frame; what flow says of the last ones calms them.
_DETECTION_WEIGHT = 0.5
_SMOOTHING_OVERLAP = 0.5


class State(Enum):
    """How far a track has come."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True)
class FrameTime:
    """When a frame was: its index and its time in seconds."""

    frame: int
    time_s: float


@dataclass(eq=False)
class Track:
    """One face over time.

    Attributes
    ----------
    box : numpy.ndarray
        float64 (4,), pixels of the newest frame.
    landmarks : numpy.ndarray
        float64 (5, 2), pixels of the newest frame.
    first_seen : FrameTime
        When it was found first.
    last_seen : FrameTime
        The last frame it was seen on: detected, or followed from there.
    last_detected : FrameTime
        The last frame it was detected on.
    number : int or None
        Given when it is first shown to the outside.
    state : State
    n_misses : int
        Detections in a row that did not find it.
    evidence : Evidence
        Its looks and its identity.
    last_embedded_s : float
        When it was last looked at; minus infinity if never.
    outlier : numpy.ndarray or None
        A look, (d,), that did not fit the others.
    """

    box: np.ndarray
    landmarks: np.ndarray
    first_seen: FrameTime
    last_seen: FrameTime
    last_detected: FrameTime
    number: int | None = None
    state: State = State.TENTATIVE
    n_misses: int = 0
    evidence: Evidence = field(default_factory=Evidence)
    last_embedded_s: float = -np.inf
    outlier: np.ndarray | None = None

    @property
    def is_visible(self) -> bool:
        """Whether the newest frame shows it, as far as is known."""
        return self.state in (State.TENTATIVE, State.CONFIRMED)


class TrackDetection(NamedTuple):
    """A track and the position of its face among those detected."""

    track: Track
    face: int


class Tracker:
    """Keeps the tracks of one source.

    Attributes
    ----------
    tracks : list of Track
        All that have not ended, in order of their beginning.
    """

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._n_numbers = 0

    @property
    def visible(self) -> list[Track]:
        """The tracks the newest frame shows."""
        return [track for track in self.tracks if track.is_visible]

    @property
    def lost(self) -> list[Track]:
        """The tracks that wait to be found again."""
        return [track for track in self.tracks if track.state is State.LOST]

    def next_number(self) -> int:
        """Return a number no track has had."""
        self._n_numbers += 1
        return self._n_numbers

    def move(self, moves: Sequence[BoxMotion | None], now: FrameTime) -> None:
        """Move the visible tracks, in their order, into the next frame; None leaves a box where it was."""
        for track, moved in zip(self.visible, moves, strict=True):
            if moved is None:
                continue
            track.landmarks = moved.apply(track.landmarks, track.box)
            track.box = moved.box
            if not track.n_misses:
                track.last_seen = now

    def match(self, faces: "Faces", now: FrameTime, size_hw: tuple[int, int]) -> list["TrackDetection"]:
        """Take the faces detected on the newest frame; return which track each belongs to, new ones included.

        Tracks that were missed too often, or have left the frame, become lost; lost ones are found again where they
        were.
        """
        detections: list[TrackDetection] = []
        rest = list(range(len(faces)))
        visible = self.visible
        for candidates in (visible, self.lost):
            for row, column in _match_by_overlap(
                np.array([track.box for track in candidates]).reshape(-1, 4), faces.boxes[rest]
            ):
                track = candidates[row]
                if track.state is State.LOST:
                    # Somebody else may have come into its place: look soon.
                    track.last_embedded_s = -np.inf
                if track.state is State.LOST or now.time_s - track.first_seen.time_s >= CONFIRMATION_S:
                    track.state = State.CONFIRMED
                detections.append(_update_track(track, faces, rest[column], now=now))
            matched = {detection.face for detection in detections}
            rest = [face for face in rest if face not in matched]
        found = {detection.track for detection in detections}
        for track in visible:
            if track not in found:
                self._mark_missed(track, size_hw)
        for face in rest:
            state = State.CONFIRMED if faces.scores[face] >= ACTIVATION_SCORE else State.TENTATIVE
            track = Track(faces.boxes[face].astype(np.float64), np.empty((5, 2)), now, now, now, state=state)
            self.tracks.append(track)
            detections.append(_update_track(track, faces, face, now=now))
        return detections

    def end_expired(self, now_s: float) -> list[Track]:
        """End and return the tracks that are lost for too long."""
        return self._end([track for track in self.lost if now_s - track.last_seen.time_s > LOST_TRACK_TTL_S])

    def end_all(self) -> list[Track]:
        """End and return all tracks, as at a cut."""
        return self._end(list(self.tracks))

    def end(self, track: Track) -> None:
        """End one track."""
        self._end([track])

    def _end(self, tracks: list[Track]) -> list[Track]:
        for track in tracks:
            track.state = State.ENDED
        self.tracks = [track for track in self.tracks if track.state is not State.ENDED]
        return tracks

    def _mark_missed(self, track: Track, size_hw: tuple[int, int]) -> None:
        track.n_misses += 1
        # What was followed since the last detection was no longer the face.
        track.last_seen = track.last_detected
        if track.state is State.TENTATIVE:
            self.end(track)
        elif track.n_misses >= MAX_MISSES or not _is_inside(track.box, size_hw):
            track.state = State.LOST


def _match_by_overlap(tracked: np.ndarray, detected: np.ndarray) -> list[tuple[int, int]]:
    """Return pairs of a row and a column that overlap enough, the largest overlap first, each used once."""
    if not len(tracked) or not len(detected):
        return []
    overlap = pairwise_overlap(tracked, detected.astype(np.float64))
    pairs = []
    while overlap.max() >= MIN_OVERLAP:
        row, column = np.unravel_index(int(np.argmax(overlap)), overlap.shape)
        pairs.append((int(row), int(column)))
        overlap[row, :] = overlap[:, column] = -1.0
    return pairs


def _update_track(track: Track, faces: "Faces", face: int, *, now: FrameTime) -> TrackDetection:
    detected = faces.boxes[face].astype(np.float64)
    if paired_overlap(track.box, detected) >= _SMOOTHING_OVERLAP:
        track.box = _DETECTION_WEIGHT * detected + (1 - _DETECTION_WEIGHT) * track.box
    else:
        track.box = detected
    track.landmarks = faces.landmarks[face].astype(np.float64)
    track.last_seen = track.last_detected = now
    track.n_misses = 0
    return TrackDetection(track, face)


def _is_inside(box: np.ndarray, size_hw: tuple[int, int]) -> bool:
    x, y = (box[:2] + box[2:]) / 2
    return bool(0 <= x < size_hw[1] and 0 <= y < size_hw[0])
