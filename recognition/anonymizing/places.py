"""Places to hide: where faces were found, carried by optical flow to the frames after and before."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embedder.detection.boxes import pairwise_overlap
from recognition.tracking.motion import BoxMotion, FlowFrame, Motion, propagate_between, reduce_frame

CARRIED_S = 1.0
"""Seconds for which a place stays hidden after a face was last found there, and before it was first found. Longer
bridges longer gaps, and hides longer what only looked like a face."""

_SAME_OVERLAP = 0.3
"""Intersection over union from which two boxes are one place."""


@dataclass(eq=False)
class Place:
    """A place to hide.

    Attributes
    ----------
    box : numpy.ndarray
        float64 (4,), pixels of the newest frame; it may reach beyond the frame.
    found_s : float
        When a face was last found there, in seconds.
    """

    box: np.ndarray
    found_s: float


class Places:
    """Follow the places to hide from frame to frame."""

    def __init__(self) -> None:
        self._motion = Motion()
        self._places: list[Place] = []

    @property
    def boxes(self) -> list[np.ndarray]:
        """Return the box of each place on the newest frame, float64 (4,)."""
        return [place.box.copy() for place in self._places]

    @property
    def flow_frame(self) -> FlowFrame | None:
        """Return the newest frame, for `carry_back`."""
        return self._motion.flow_frame

    def reset(self) -> None:
        """Forget all places, as at a cut."""
        self._motion.reset()
        self._places = []

    def move(self, image: np.ndarray, now_s: float) -> None:
        """Move the places to the next frame, uint8 (h, w, 3) RGB, and forget those not found for `CARRIED_S`."""
        self._motion.update(reduce_frame(image).flow)
        self._places = [place for place in self._places if now_s - place.found_s <= CARRIED_S]
        moves = self._motion.propagate([place.box for place in self._places])
        for place, moved in zip(self._places, moves, strict=True):
            place.box = _moved(place.box, moved)

    def add(self, found: Sequence[np.ndarray], now_s: float) -> list[np.ndarray]:
        """Add boxes, (4,), in which a face was found on the newest frame, and return those that are no known place."""
        new = []
        before = list(self._places)
        for box in found:
            box = np.asarray(box, np.float64)
            row = find_same(box, [place.box for place in before])
            if row is None:
                new.append(box)
                self._places.append(Place(box, now_s))
            else:
                before[row].box, before[row].found_s = box, now_s
        return new


def find_same(box: np.ndarray, others: Sequence[np.ndarray]) -> int | None:
    """Return which of `others`, each (4,), is the same place as `box`; None if none is."""
    if not others:
        return None
    overlaps = pairwise_overlap(np.asarray(box, np.float64)[None], np.stack(others).astype(np.float64))[0]
    row = int(overlaps.argmax())
    return row if overlaps[row] >= _SAME_OVERLAP else None


def carry_back(boxes: Sequence[np.ndarray], start: FlowFrame | None, end: FlowFrame | None) -> list[np.ndarray]:
    """Return where `boxes`, each (4,), of one frame were on an earlier one; what flow loses stays where it was."""
    moves = propagate_between(start, end, boxes)
    return [_moved(box, moved) for box, moved in zip(boxes, moves, strict=True)]


def _moved(box: np.ndarray, moved: BoxMotion | None) -> np.ndarray:
    return box if moved is None else moved.box
