"""Tracks of faces: tracking by detection, with optical flow between two detections.

Optical flow moves the box of a track from frame to frame until the next detection, which is matched to it by overlap.
A track that several detections in a row miss is lost; a later detection at its place, or an embedding like its own,
activates it again, so that short occlusions do not change its number.

Nothing that is found on the head of a larger face begins a track: hair and foreheads look like small faces now and
then, several detections long and with any score, and a face that is farther away is hidden there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from embedder.detection.boxes import paired_overlap, pairwise_overlap
from recognition.tracking.evidence import Evidence, EvidenceSettings
from recognition.tracking.motion import BoxMotion

if TYPE_CHECKING:
    from embedder.detection.faces import Faces

# A head reaches above the face's box by half its height and beyond its sides by a tenth of its width.
_HEAD_ABOVE, _HEAD_BESIDE = 0.5, 0.1
# What has so much of its area there lies there.
_MIN_SHARE_ON_HEAD = 0.8


@dataclass(frozen=True)
class TrackerSettings:
    """When detections start, continue and end tracks.

    Attributes
    ----------
    min_overlap : float
        Intersection over union from which a detection continues a track. Higher loses faces that move fast; lower
        mixes up neighbours.
    activation_score : float
        Detection score that confirms a new track at once: most of MTCNN's false alarms score lower. Higher delays real
        faces by `confirmation_s`; lower shows false alarms.
    confirmation_s : float
        Seconds for which weaker detections must come back, without a miss, to confirm a track: false alarms seldom do.
        Longer suppresses more of them and delays faces that are hard to see.
    max_misses : int
        Detections in a row that may miss a face before its track is lost. More bridges blur and blinks; boxes of faces
        that have left stay as much longer.
    lost_track_ttl_s : float
        Seconds a lost track can be activated again. Longer bridges longer occlusions and delays the `ended` event.
    detection_weight : float
        Share of the new detection in a box, the rest is flow's: MTCNN's boxes jitter by a tenth of their size from
        frame to frame. Lower is steadier and lags behind fast faces.
    smoothing_overlap : float
        Intersection over union of detection and flow from which they are averaged; below it flow has lost the face and
        the detection alone counts.
    max_size_on_head : float
        Size, as a share of the face's, up to which what lies on the head of a sure face begins no track. Higher may
        hide faces that look over somebody's head; 0 hides none. What was found on one man's hair in eight encodings
        of a clip has 0.29 to 0.43 of the size of his face; of 501 tracks of real faces (WIDER) the rule hides none.
    """

    min_overlap: float = 0.3
    activation_score: float = 0.98
    confirmation_s: float = 0.09
    max_misses: int = 2
    lost_track_ttl_s: float = 1.5
    detection_weight: float = 0.5
    smoothing_overlap: float = 0.5
    max_size_on_head: float = 0.5


class State(Enum):
    """Life cycle of a track."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True)
class FrameTime:
    """Index of a frame and its time in seconds."""

    frame: int
    time_s: float


@dataclass(eq=False)
class Track:
    """A face over time.

    Attributes
    ----------
    box : numpy.ndarray
        float64 (4,), pixels of the newest frame.
    landmarks : numpy.ndarray
        float64 (5, 2), pixels of the newest frame.
    first_seen : FrameTime
        Its first detection.
    last_seen : FrameTime
        The last frame it was detected on, or moved to by flow from there.
    last_detected : FrameTime
        The last frame it was detected on.
    number : int or None
        Its number in events, assigned with its first embedding.
    state : State
    n_misses : int
        Detections in a row that missed it.
    evidence : Evidence
        Its embeddings and its identity.
    last_embedded_s : float
        Time of the frame of its last embedding; minus infinity before the first.
    outlier : numpy.ndarray or None
        The last embedding, (d,), if it was unlike all before: a second one like it is another person's.
    is_a_face : bool
        Whether a second detector has agreed that it is one, where one is asked.
    asked_s : float
        Time of the frame on which it was asked last; minus infinity before.
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
    is_a_face: bool = False
    asked_s: float = -np.inf

    @property
    def is_visible(self) -> bool:
        """Whether the newest frame shows it, as far as detection and flow can tell."""
        return self.state in (State.TENTATIVE, State.CONFIRMED)


class TrackDetection(NamedTuple):
    """A track and the index of its face among those detected."""

    track: Track
    face: int


class Tracker:
    """Assign the detections of one source to tracks.

    Parameters
    ----------
    settings : TrackerSettings
    evidence : EvidenceSettings
        For the evidence of each track.

    Attributes
    ----------
    tracks : list of Track
        All that have not ended, in order of their first detection.
    """

    def __init__(self, settings: TrackerSettings = TrackerSettings(), evidence: EvidenceSettings | None = None) -> None:
        self._settings = settings
        self._evidence = EvidenceSettings() if evidence is None else evidence
        self.tracks: list[Track] = []
        self._n_numbers = 0

    @property
    def visible(self) -> list[Track]:
        """Return the tracks that the newest frame shows."""
        return [track for track in self.tracks if track.is_visible]

    @property
    def lost(self) -> list[Track]:
        """Return the tracks that can be activated again."""
        return [track for track in self.tracks if track.state is State.LOST]

    def next_number(self) -> int:
        """Return a number that no track has had."""
        self._n_numbers += 1
        return self._n_numbers

    def move(self, moves: Sequence[BoxMotion | None], now: FrameTime) -> None:
        """Move the visible tracks, in their order, to where flow finds them on the next frame; None leaves a box."""
        for track, moved in zip(self.visible, moves, strict=True):
            if moved is None:
                continue
            track.landmarks = moved.apply(track.landmarks, track.box)
            track.box = moved.box
            if not track.n_misses:
                track.last_seen = now

    def match(self, faces: "Faces", now: FrameTime, size_hw: tuple[int, int]) -> list["TrackDetection"]:
        """Match the faces detected on the newest frame to tracks, new ones included.

        Visible tracks are matched first, then lost ones. Tracks that were missed too often, or have left the frame,
        become lost.
        """
        detections: list[TrackDetection] = []
        rest = list(range(len(faces)))
        visible = self.visible
        for candidates in (visible, self.lost):
            boxes = np.array([track.box for track in candidates]).reshape(-1, 4)
            for row, column in _match_by_overlap(boxes, faces.boxes[rest], self._settings.min_overlap):
                track = candidates[row]
                if track.state is State.LOST:
                    # Somebody else may have taken its place: embed it soon.
                    track.last_embedded_s = -np.inf
                if track.state is State.LOST or now.time_s - track.first_seen.time_s >= self._settings.confirmation_s:
                    track.state = State.CONFIRMED
                detections.append(self._update(track, faces, rest[column], now=now))
            matched = {detection.face for detection in detections}
            rest = [face for face in rest if face not in matched]
        found = {detection.track for detection in detections}
        for track in visible:
            if track not in found:
                self._mark_missed(track, size_hw)
        heads = self._sure_faces(faces)
        for face in rest:
            if _is_on_head(faces.boxes[face].astype(np.float64), heads, self._settings.max_size_on_head):
                continue
            is_sure = faces.scores[face] >= self._settings.activation_score
            track = self._start(faces.boxes[face].astype(np.float64), np.empty((5, 2)), now)
            track.state = State.CONFIRMED if is_sure else State.TENTATIVE
            detections.append(self._update(track, faces, face, now=now))
        return detections

    def split(self, track: Track, now: FrameTime) -> Track:
        """Return a new track at the place of `track`, whose face another has replaced; `track` is lost."""
        new = self._start(track.box, track.landmarks, now)
        new.state, new.last_embedded_s = State.CONFIRMED, now.time_s
        track.state, track.outlier = State.LOST, None
        return new

    def end_expired(self, now_s: float) -> list[Track]:
        """End and return the tracks that have been lost for longer than `lost_track_ttl_s`."""
        oldest_s = self._settings.lost_track_ttl_s
        return self._end([track for track in self.lost if now_s - track.last_seen.time_s > oldest_s])

    def end_all(self) -> list[Track]:
        """End and return all tracks, as at a cut."""
        return self._end(list(self.tracks))

    def end(self, track: Track) -> None:
        """End a track."""
        self._end([track])

    def _sure_faces(self, faces: "Faces") -> np.ndarray:
        """Return the boxes, (n, 4), of what surely is a face: confirmed tracks, and detections that confirm one."""
        confirmed = [track.box for track in self.tracks if track.state is State.CONFIRMED]
        detected = faces.boxes[faces.scores >= self._settings.activation_score]
        return np.concatenate([np.reshape(confirmed, (-1, 4)), detected.astype(np.float64)])

    def _start(self, box: np.ndarray, landmarks: np.ndarray, now: FrameTime) -> Track:
        track = Track(box, landmarks, now, now, now, evidence=Evidence(settings=self._evidence))
        self.tracks.append(track)
        return track

    def _end(self, tracks: list[Track]) -> list[Track]:
        for track in tracks:
            track.state = State.ENDED
        self.tracks = [track for track in self.tracks if track.state is not State.ENDED]
        return tracks

    def _mark_missed(self, track: Track, size_hw: tuple[int, int]) -> None:
        track.n_misses += 1
        # What flow has tracked since the last detection was no longer the face.
        track.last_seen = track.last_detected
        if track.state is State.TENTATIVE:
            self.end(track)
        elif track.n_misses >= self._settings.max_misses or not _is_inside(track.box, size_hw):
            track.state = State.LOST

    def _update(self, track: Track, faces: "Faces", face: int, *, now: FrameTime) -> TrackDetection:
        detected = faces.boxes[face].astype(np.float64)
        if paired_overlap(track.box, detected) >= self._settings.smoothing_overlap:
            weight = self._settings.detection_weight
            track.box = weight * detected + (1 - weight) * track.box
        else:
            track.box = detected
        track.landmarks = faces.landmarks[face].astype(np.float64)
        track.last_seen = track.last_detected = now
        track.n_misses = 0
        return TrackDetection(track, face)


def _match_by_overlap(tracked: np.ndarray, detected: np.ndarray, min_overlap: float) -> list[tuple[int, int]]:
    """Match rows of `tracked (n, 4)` and `detected (m, 4)` greedily, the largest overlap first, each used once."""
    if not len(tracked) or not len(detected):
        return []
    overlap = pairwise_overlap(tracked, detected.astype(np.float64))
    pairs = []
    while overlap.max() >= min_overlap:
        row, column = np.unravel_index(int(np.argmax(overlap)), overlap.shape)
        pairs.append((int(row), int(column)))
        overlap[row, :] = overlap[:, column] = -1.0
    return pairs


def _is_on_head(box: np.ndarray, faces: np.ndarray, max_size: float) -> bool:
    """Whether `box` lies on the head of one of `faces`, (n, 4), and has at most `max_size` of its size."""
    sizes = faces[:, 2:] - faces[:, :2]
    beside, above = _HEAD_BESIDE * sizes[:, 0], _HEAD_ABOVE * sizes[:, 1]
    heads = faces + np.stack([-beside, -above, beside, np.zeros(len(faces))], axis=1)
    shared = np.minimum(box[2:], heads[:, 2:]) - np.maximum(box[:2], heads[:, :2])
    area = float(np.prod(box[2:] - box[:2]))
    lies_there = np.prod(np.maximum(shared, 0.0), axis=1) >= _MIN_SHARE_ON_HEAD * area
    is_small = area <= max_size**2 * np.prod(sizes, axis=1)
    return bool(np.any(lies_there & is_small))


def _is_inside(box: np.ndarray, size_hw: tuple[int, int]) -> bool:
    x, y = (box[:2] + box[2:]) / 2
    return bool(0 <= x < size_hw[1] and 0 <= y < size_hw[0])
