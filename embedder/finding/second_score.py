"""What a second detector says of faces that the first has found: a witness of what is no face.

The boxes that one detector puts on no face are seldom those of another. CenterFace (`embedder.detection.centerface`) is
asked for each face alone, on the little of the image that is around it, brought to the size at which it is surest: that
takes some milliseconds a face, whatever the size of the image. `LEAST_SECOND_SCORE` and what it tells apart were
measured by ``python -m experiments.false_faces``.
"""

from functools import lru_cache

import cv2
import numpy as np

from embedder.detection.boxes import pairwise_overlap
from embedder.detection.centerface import CenterFace
from embedder.detection.detector import Detector
from foundation.errors import InputError

SECOND_DETECTORS = ("centerface",)
"""The names that `load_second_scorer` takes."""

LEAST_SECOND_SCORE = 0.22
"""A face with less is rather none: so are 28 of MTCNN's 41 false boxes on WIDER FACE, and 3 of 540 true ones."""

_FACE_SIDE, _AROUND = 32, 3.0
"""Pixels that a face's longer side gets, and how many times as wide and high as the face the looked-at part is."""

_SAME_PLACE = 0.4
"""Intersection over union from which both have found one face."""

_LEAST_FOUND = 0.1
"""Below this nothing is told from 0."""


class SecondScorer:
    """Ask a detector what it says of faces found by another.

    Parameters
    ----------
    detector : Detector
        Finds faces of `_FACE_SIDE` pixels, those it is unsure of, too.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def scores(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Return the best score of what is found at each box's place, float32 ``(n,)`` in 0..1; 0 where nothing is.

        Parameters
        ----------
        image : np.ndarray
            uint8 ``(h, w, 3)`` RGB.
        boxes : np.ndarray
            ``(n, 4)``: x_min, y_min, x_max, y_max in pixels of it.
        """
        return np.array([self._score(image, box) for box in np.asarray(boxes, np.float64)], np.float32)

    def _score(self, image: np.ndarray, box: np.ndarray) -> float:
        side, centre = float((box[2:] - box[:2]).max()), (box[:2] + box[2:]) / 2
        size_wh = np.array([image.shape[1], image.shape[0]])
        low = np.clip(np.floor(centre - side * _AROUND / 2), 0, size_wh).astype(int)
        high = np.clip(np.ceil(centre + side * _AROUND / 2), 0, size_wh).astype(int)
        if side <= 0 or (high <= low).any():
            return 0.0
        scale = _FACE_SIDE / side
        part = image[low[1] : high[1], low[0] : high[0]]
        wanted_wh = tuple(int(length) for length in np.maximum(1, np.round((high - low) * scale)))
        smaller = cv2.resize(part, wanted_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        found = self._detector.detect(np.ascontiguousarray(smaller))
        if not len(found):
            return 0.0
        place = ((box - np.tile(low, 2)) * scale)[None]
        is_same = pairwise_overlap(place, found.boxes.astype(np.float64))[0] > _SAME_PLACE
        return float(np.where(is_same, found.scores, 0).max())


# A worker process makes its network once, not for every shard.
@lru_cache(maxsize=1)
def load_second_scorer(name: str, *, threads: int = 1) -> SecondScorer:
    """Return the scorer with the detector of a name.

    Parameters
    ----------
    name : {"centerface"}
    threads : int
        Threads to use.

    Raises
    ------
    ValueError
        If there is no such detector.
    WeightsError
        If its weights are missing or damaged.
    """
    check_second_detector(name)
    return SecondScorer(CenterFace(20, thresholds=[_LEAST_FOUND], threads=threads))


def check_second_detector(name: str) -> None:
    """Refuse a name that is none of `SECOND_DETECTORS`.

    Raises
    ------
    ValueError
        If it is none; the message lists them.
    """
    if name not in SECOND_DETECTORS:
        raise InputError(f"`second_detector` must be one of {', '.join(SECOND_DETECTORS)} or nothing, got {name!r}")
