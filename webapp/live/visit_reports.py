"""What a camera's process tells of each visit: when, who, the best picture, and what a head needs to know the face."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from embedder.detection.quality import measure_pose, measure_sharpness
from embedder.networks.encoder import FaceEncoder
from recognition.tracking.embedding_queue import ProbeCrop, corner_of_view
from recognition.tracking.tracker import Track

SECONDS_BETWEEN = 0.5
"""Between two reports of a visit that goes on."""

_LARGEST_VIEW = 640


@dataclass
class _Visit:
    track: Track
    began: float
    best: ProbeCrop
    is_new: bool = True
    has_ended: bool = False
    reported: float = 0.0
    told: tuple[str, bool] = ("", False)


class VisitReports:
    """The visits of one camera: a track from its first embedding to its end.

    Parameters
    ----------
    encoder : FaceEncoder
    clock : callable
        Seconds since 1970.
    """

    def __init__(self, encoder: FaceEncoder, *, clock: Callable[[], float] = time.time) -> None:
        self._encoder, self._clock = encoder, clock
        self._run = secrets.token_hex(4)  # numbers of tracks begin again with each process
        self._visits: dict[int, _Visit] = {}

    def id_of(self, track: int | None) -> str | None:
        """Return the word for a track's visit; None while it is none."""
        return None if track is None else f"{self._run}-{track}"

    def add(self, track: Track, crop: ProbeCrop) -> None:
        """Note a crop of a track."""
        if track.number is None or crop.view is None:
            return
        visit = self._visits.get(track.number)
        if visit is None:
            self._visits[track.number] = _Visit(track, self._clock(), crop)
        elif crop.quality > visit.best.quality:
            visit.best, visit.is_new = crop, True

    def end(self, track: Track) -> None:
        """Note that a track has ended."""
        visit = None if track.number is None else self._visits.get(track.number)
        if visit is not None:
            visit.has_ended = True

    def take(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield header and JPEG of each visit about which there is something new to tell."""
        now = self._clock()
        for number, visit in list(self._visits.items()):
            verdict = visit.track.evidence.verdict
            is_due = now - visit.reported >= SECONDS_BETWEEN
            is_changed = visit.is_new or visit.told != (verdict.identity, verdict.accepted)
            if visit.has_ended or (is_due and is_changed):
                yield self._report(number, visit, now)
                visit.reported, visit.is_new, visit.told = now, False, (verdict.identity, verdict.accepted)
            if visit.has_ended:
                del self._visits[number]

    def _report(self, number: int, visit: _Visit, now: float) -> tuple[dict[str, Any], bytes]:
        best, verdict = visit.best, visit.track.evidence.verdict
        assert best.view is not None
        view, scale = _bounded(best.view)
        moved = np.tile(corner_of_view(best.box), 2)
        turn, nose_height = measure_pose(best.landmarks)
        header = {
            "state": "visit",
            "id": self.id_of(number),
            "began": visit.began,
            "seen": now,
            "ended": visit.has_ended,
            "name": verdict.identity if verdict.accepted else "",
            "score": round(float(verdict.score), 4),
            "box": ((best.box - moved) * scale).round(2).tolist(),
            "landmarks": ((best.landmarks - moved[:2]) * scale).round(2).tolist(),
            "sharpness": float(measure_sharpness(self._encoder.view(best.image[None])[0])),
            "turn": float(turn),
            "nose_height": float(nose_height),
            "vector": visit.track.evidence.mean_vector().astype(float).round(6).tolist(),
        }
        jpeg = cv2.imencode(".jpg", cv2.cvtColor(view, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
        return header, jpeg.tobytes()


def _bounded(view: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a view, made smaller where it is large, and by how much."""
    scale = min(1.0, _LARGEST_VIEW / max(view.shape[:2]))
    if scale == 1.0:
        return view, scale
    size = (max(1, round(view.shape[1] * scale)), max(1, round(view.shape[0] * scale)))
    return cv2.resize(view, size, interpolation=cv2.INTER_AREA), scale
