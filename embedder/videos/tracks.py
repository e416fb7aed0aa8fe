"""Follow faces through a video by where they are, and keep the best looks of each.

This is no second tracker of the camera loop (`recognition.tracking`), which names people while they are seen, carries
tracks over gaps and numbers them for events. For a table it is enough to know which sightings are one person for the
moment, so that a few of them are kept instead of all: nothing is named here, and a track that breaks costs a look more.
It needs a detector and a crop rule alone, and stands below the commands that make tables, which may not import what
names people.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from embedder.detection.alignment import FaceCropper
from embedder.detection.boxes import areas
from embedder.detection.detector import Detector
from embedder.detection.faces import Faces
from embedder.detection.quality import face_quality
from embedder.videos.looks import Look

EVERY_S = 0.2
"""Seconds from one frame that is searched to the next: a person who walks is still near where they were."""

MAX_FRAMES_A_BATCH = 8
_MAX_PIXELS_A_BATCH = 16_000_000

# How far a face may have moved between two searched frames, in sides of its box, and how much its side may have grown.
_MOST_MOVED, _MOST_GROWN = 0.6, 1.6
# A track goes on over this many searched frames without the face.
_MOST_MISSED = 2
# A detection that is seen once only is none, as a rule: what looks like a face does so in one frame.
_LEAST_SIGHTINGS = 2
# Looks of a track that are kept at most while it lasts, the best ones.
_MOST_KEPT = 48
# Two frames whose small pictures differ by more grey levels on average are of two shots.
_CUT_LEVELS = 40.0
_SMALL_SIDE = 16


@dataclass
class Track:
    """Sightings of one face.

    Attributes
    ----------
    looks : list of Look
        The best ones.
    n_seen : int
    last_index : int
        The searched frame where it was seen last.
    last_box : numpy.ndarray
        (4,), pixels.
    """

    looks: list[Look]
    n_seen: int
    last_index: int
    last_box: np.ndarray

    def add(self, look: Look, index: int) -> None:
        """Add a sighting."""
        self.looks.append(look)
        if len(self.looks) > _MOST_KEPT:
            self.looks.remove(min(self.looks, key=lambda one: one.quality))
        self.n_seen += 1
        self.last_index, self.last_box = index, look.box


@dataclass
class FaceTracker:
    """Takes searched frames one after the other and puts their faces into tracks.

    Parameters
    ----------
    crop_rule : FaceCropper

    Attributes
    ----------
    n_frames : int
        Searched so far.
    size_hw : tuple of int
        Height and width of the newest frame.
    """

    crop_rule: FaceCropper
    n_frames: int = 0
    size_hw: tuple[int, int] = (0, 0)
    _open: list[Track] = field(default_factory=list)
    _ended: list[Track] = field(default_factory=list)
    _small: np.ndarray | None = None

    def add(self, time_s: float, image: np.ndarray, faces: Faces) -> None:
        """Take the faces of the frame at a second."""
        self._end_at_cut(image)
        self.n_frames, self.size_hw = self.n_frames + 1, (image.shape[0], image.shape[1])
        index = self.n_frames
        tracks = _match([track.last_box for track in self._open], faces.boxes)
        crops = self.crop_rule.crop(image, faces.boxes, faces.landmarks) if len(faces) else ()
        for face, crop in enumerate(crops):
            box, landmarks = faces.boxes[face].astype(np.float64), faces.landmarks[face].astype(np.float64)
            quality = face_quality(self.crop_rule.view(crop[None])[0], box, landmarks)
            is_whole = bool((box[:2] >= 0).all() and (box[2:] <= self.size_hw[::-1]).all())
            look = Look(time_s, box, landmarks, float(faces.scores[face]), crop, quality, is_whole)
            if tracks[face] >= 0:
                self._open[tracks[face]].add(look, index)
            else:
                self._open.append(Track([look], 1, index, box))
        self._ended += [track for track in self._open if index - track.last_index > _MOST_MISSED]
        self._open = [track for track in self._open if index - track.last_index <= _MOST_MISSED]

    def tracks(self) -> list[Track]:
        """Return all tracks seen often enough to be a face."""
        least = min(_LEAST_SIGHTINGS, self.n_frames)
        return [track for track in (*self._ended, *self._open) if track.n_seen >= least]

    def _end_at_cut(self, image: np.ndarray) -> None:
        """End all tracks where another shot begins: who is then at the same place is somebody else."""
        rows, columns = (np.linspace(0, side - 1, _SMALL_SIDE).astype(int) for side in image.shape[:2])
        small = image[np.ix_(rows, columns)].mean(axis=2)
        if self._small is not None and np.abs(small - self._small).mean() > _CUT_LEVELS:
            self._ended += self._open
            self._open = []
        self._small = small


def follow_faces(frames: Iterator[tuple[float, np.ndarray]], detector: Detector, crop_rule: FaceCropper) -> FaceTracker:
    """Return what is seen of faces in `frames`, each its second and its pixels, uint8 (h, w, 3)."""
    tracker = FaceTracker(crop_rule)
    batch: list[tuple[float, np.ndarray]] = []

    def search() -> None:
        for (time_s, image), faces in zip(batch, detector.detect_batch([image for _, image in batch]), strict=True):
            tracker.add(time_s, image, faces)
        batch.clear()

    for frame in frames:
        batch.append(frame)
        pixels = frame[1].shape[0] * frame[1].shape[1]
        if len(batch) == MAX_FRAMES_A_BATCH or (len(batch) + 1) * pixels > _MAX_PIXELS_A_BATCH:
            search()
    if batch:
        search()
    return tracker


def _match(before: Sequence[np.ndarray], boxes: np.ndarray) -> list[int]:
    """Return which of the boxes `before` each of `boxes` (n, 4) goes on, -1 for none; the nearest pairs first."""
    found = [-1] * len(boxes)
    if not len(before) or not len(boxes):
        return found
    old, new = np.array(before, np.float64), boxes.astype(np.float64)
    sides = np.sqrt(np.maximum(areas(old), 1.0))[:, None], np.sqrt(np.maximum(areas(new), 1.0))[None]
    apart = np.linalg.norm(_centres(old)[:, None] - _centres(new)[None], axis=2) / np.maximum(*sides)
    grown = np.maximum(sides[0] / sides[1], sides[1] / sides[0])
    taken: set[int] = set()
    for pair in np.argsort(apart, axis=None, kind="stable").tolist():
        track, face = divmod(pair, len(new))
        if apart[track, face] > _MOST_MOVED:
            break
        if grown[track, face] <= _MOST_GROWN and found[face] < 0 and track not in taken:
            found[face] = track
            taken.add(track)
    return found


def _centres(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, :2] + boxes[:, 2:]) / 2
