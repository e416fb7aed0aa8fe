"""A closer look for faces: detectors on several altered copies of an image, for those who must not miss a face.

What MTCNN misses on an image it often finds on a copy of it that is framed, mirrored, scaled or turned (test-time
augmentation), all the more with lower thresholds. CenterFace, where its network is at hand, finds what is left of a
face that an edge cuts off once the image goes on beyond its edges as its own mirror image. All this finds more of what
is no face, too, and takes about twenty times as long, so it is for hiding faces, not for naming them.
``experiments/anonymizing.py`` measures all three.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from embedder.detection.alignment import check_rgb
from embedder.detection.boxes import areas, clip_boxes, non_maximum_suppression, pairwise_overlap
from embedder.detection.centerface import is_at_hand
from embedder.detection.detector import Detector, DetectorName, load_detector
from embedder.detection.faces import Faces
from embedder.detection.mtcnn import DEFAULT_MIN_FACE_SIZE, smallest_face

_UPRIGHT_THRESHOLDS = (0.4, 0.4, 0.4)
_TURNED_THRESHOLDS = (0.5, 0.6, 0.95)
"""Scores that P-Net, R-Net and O-Net must give a face on a copy that is upright, or turned by a quarter or more: few
faces lie on their sides, so that more of what is found there is none."""

_SMALLEST_ON_COPY = 20
"""Side in pixels of the smallest face looked for on a copy of zoom 1; the image is scaled so that it has this size."""

_SAME_OVERLAP = 0.5
_PART_OVERLAP = 0.8
"""Intersection over union, and over the smaller box, above which two boxes are of one face."""

_FRAME_GREY = (128, 128, 128)

_LEAST_VISIBLE = 2.0
"""Pixels of a box that must lie in the image, in each direction."""

_LEAST_SHARE = 0.2
"""Share of a box that must lie in the image where the surround is its mirror image, so that no reflection counts."""


@dataclass(frozen=True)
class Copy:
    """An altered copy of an image.

    Attributes
    ----------
    degrees : float
        How far it is turned, counter-clockwise.
    zoom : float
        How much larger it is: above 1 smaller faces are found.
    mirrored : bool
    frame : float
        Width of a frame around it, as a share of the image's longer side: MTCNN finds faces that the image's edge cuts
        off once they do not touch the edge.
    is_reflected : bool
        Whether the image goes on in the frame as its own mirror image; else the frame is grey.
    thresholds : tuple of float
        Scores that a face must reach, see `embedder.detection.detector.load_detector`.
    detector : {"mtcnn", "centerface"}
        What searches it.
    """

    degrees: float = 0.0
    zoom: float = 1.0
    mirrored: bool = False
    frame: float = 0.0
    is_reflected: bool = False
    thresholds: tuple[float, ...] = _UPRIGHT_THRESHOLDS
    detector: DetectorName = "mtcnn"


COPIES = (
    Copy(frame=0.15, mirrored=True),
    Copy(zoom=1.5, frame=0.05),
    Copy(zoom=0.7, frame=0.3, mirrored=True),
    Copy(degrees=25, frame=0.05),
    Copy(degrees=-25, frame=0.05, mirrored=True),
    Copy(degrees=90, thresholds=_TURNED_THRESHOLDS),
    Copy(degrees=180, thresholds=_TURNED_THRESHOLDS),
    Copy(degrees=270, thresholds=_TURNED_THRESHOLDS),
)
"""The copies that are searched, beside the image itself. What each of them adds is measured by
``experiments/anonymizing.py``."""

REFLECTED_COPY = Copy(frame=0.15, is_reflected=True, thresholds=(0.2,), detector="centerface")
"""One more, where the network of CenterFace is at hand."""


class ThoroughDetector:
    """Find what another detector finds, and further faces on altered copies of the image.

    Parameters
    ----------
    plain : Detector
        What is asked first: its faces come first, unchanged.
    min_face_size : int or "auto"
        Side in pixels of the smallest face that `plain` looks for; on one copy two thirds of it are enough.
    thresholds : sequence of 3 float, optional
        Scores that are enough for a face in `plain`; where they are lower than those of a copy, they count there too.
    copies : sequence of Copy, optional
        What is searched beside the image; by default `COPIES`, and `REFLECTED_COPY` where CenterFace is at hand.
    threads : int, optional
        Threads to use; by default `foundation.threads.thread_count`.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    WeightsError
        If the weights are missing or damaged.
    """

    def __init__(
        self,
        plain: Detector,
        *,
        min_face_size: int | Literal["auto"] = DEFAULT_MIN_FACE_SIZE,
        thresholds: Sequence[float] | None = None,
        copies: Sequence[Copy] | None = None,
        threads: int | None = None,
    ) -> None:
        self._plain = plain
        self._min_face_size = min_face_size
        if copies is None:
            copies = (*COPIES, REFLECTED_COPY) if is_at_hand() else COPIES
        self.copies = tuple(copies)
        self._wanted = [(copy.detector, _lowered(copy.thresholds, thresholds)) for copy in self.copies]
        self._detectors = {
            (name, scores): load_detector(name, min_face_size=_SMALLEST_ON_COPY, thresholds=scores, threads=threads)
            for name, scores in dict.fromkeys(self._wanted)
        }

    @property
    def provenance(self) -> dict[str, Any]:
        """Settings that decide which faces are found and where, for `json.dumps`."""
        copies = [
            {"degrees": copy.degrees, "zoom": copy.zoom, "mirrored": copy.mirrored, "frame": copy.frame}
            | {"is_reflected": copy.is_reflected, "detector": name, "thresholds": list(scores)}
            for copy, (name, scores) in zip(self.copies, self._wanted, strict=True)
        ]
        return {**self._plain.provenance, "copies": copies}

    @property
    def n_copies(self) -> int:
        """Return how many copies of an image are searched."""
        return len(self.copies)

    def detect(self, image: np.ndarray) -> Faces:
        """Return the faces of one image, uint8 (h, w, 3): those of the plain detector, then others, best first.

        Boxes are clipped to the image.

        Raises
        ------
        ValueError
            If `image` is not uint8 RGB.
        """
        plain = self._plain.detect(image)
        others = self.find_others(image, plain.boxes)
        return Faces(
            np.concatenate([plain.boxes, clip_boxes(others.boxes, (image.shape[0], image.shape[1]))]),
            np.concatenate([plain.landmarks, others.landmarks]),
            np.concatenate([plain.scores, others.scores]),
        )

    def detect_batch(self, images: Iterable[np.ndarray]) -> list[Faces]:
        """Return the faces of each image, uint8 (h, w, 3)."""
        return [self.detect(image) for image in images]

    def find_others(self, image: np.ndarray, known: np.ndarray, *, copies: Iterable[int] | None = None) -> Faces:
        """Find faces on copies of an image that are not among those known.

        Parameters
        ----------
        image : np.ndarray
            uint8 ``(h, w, 3)``, RGB.
        known : np.ndarray
            Boxes ``(n, 4)``.
        copies : iterable of int, optional
            Numbers of the copies that are searched; all by default.

        Returns
        -------
        Faces
            Best score first. Boxes reach beyond the image where the faces do.

        Raises
        ------
        ValueError
            If `image` is not uint8 RGB.
        """
        check_rgb(image)
        scale = _SMALLEST_ON_COPY / smallest_face(self._min_face_size, (image.shape[0], image.shape[1]))
        numbers = range(len(self.copies)) if copies is None else copies
        found = [
            _search(image, self.copies[number], scale=scale, detector=self._detectors[self._wanted[number]])
            for number in numbers
        ]
        if not found:
            return Faces.empty()
        boxes = np.concatenate([faces.boxes for faces in found])
        scores = np.concatenate([faces.scores for faces in found])
        landmarks = np.concatenate([faces.landmarks for faces in found])
        fresh = np.flatnonzero(_is_new(boxes, np.reshape(known, (-1, 4))))
        chosen = fresh[non_maximum_suppression(boxes[fresh], scores[fresh], _SAME_OVERLAP)]
        chosen = chosen[non_maximum_suppression(boxes[chosen], scores[chosen], _PART_OVERLAP, measure="minimum")]
        return Faces(boxes[chosen], landmarks[chosen], scores[chosen])


def _lowered(scores: tuple[float, ...], others: Sequence[float] | None) -> tuple[float, ...]:
    """Return the lower of each two scores; `scores` where the others are those of a detector with other stages."""
    if others is None or len(others) != len(scores):
        return scores
    return tuple(np.minimum(scores, others).tolist())


def _is_new(boxes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return which of `boxes`, (n, 4), are of none of the known faces, (m, 4)."""
    same = pairwise_overlap(boxes, known) > _SAME_OVERLAP
    # What holds a known face in it is larger than that face, and is kept.
    part = pairwise_overlap(boxes, known, measure="minimum") > _PART_OVERLAP
    is_smaller = areas(boxes)[:, None] <= areas(known)[None, :]
    return np.asarray(~(same | (part & is_smaller)).any(axis=1))


def _search(image: np.ndarray, copy: Copy, *, scale: float, detector: Detector) -> Faces:
    """Return the faces found on a copy, at their places in the image."""
    height, width = image.shape[:2]
    altered, back = _alter(image, copy, scale)
    found = detector.detect(altered)
    if len(found) == 0:
        return found
    boxes = found.boxes.astype(np.float64)
    centres = _apply(back, (boxes[:, :2] + boxes[:, 2:]) / 2)
    halves = (boxes[:, 2:] - boxes[:, :2]) / 2 / (scale * copy.zoom)
    if round(copy.degrees / 90) % 2:
        halves = halves[:, ::-1]
    boxes = np.hstack([centres - halves, centres + halves])
    inside = clip_boxes(boxes, (height, width))
    there = (inside[:, 2:] - inside[:, :2] > _LEAST_VISIBLE).all(axis=1)
    if copy.is_reflected:
        there &= areas(inside) >= _LEAST_SHARE * areas(boxes)
    landmarks = _apply(back, found.landmarks.reshape(-1, 2).astype(np.float64)).reshape(-1, 5, 2)
    return Faces(boxes[there], landmarks[there], found.scores[there])


def _alter(image: np.ndarray, copy: Copy, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a copy of an image and the affine map, (2, 3), from its pixels to those of the image."""
    height, width = image.shape[:2]
    zoom = scale * copy.zoom
    source, reduced = image, min(1.0, zoom)
    if reduced < 1:  # first smaller, each pixel a mean, then turned: turning reads four pixels a pixel at most
        size = (max(1, round(width * reduced)), max(1, round(height * reduced)))
        source = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    across, down = source.shape[1] / width, source.shape[0] / height
    turn = math.radians(copy.degrees)
    cosine, sine = math.cos(turn), math.sin(turn)
    frame = 2 * copy.frame * max(height, width)
    new_width = round(zoom * (width * abs(cosine) + height * abs(sine) + frame))
    new_height = round(zoom * (width * abs(sine) + height * abs(cosine) + frame))
    side = -1.0 if copy.mirrored else 1.0
    # Pixel centres lie at whole numbers for OpenCV, hence the halves.
    there = zoom * np.array([[side * cosine, side * sine], [-sine, cosine]])
    shift = np.array([new_width, new_height]) / 2 - there @ (np.array([width, height]) / 2)
    to_copy = np.column_stack([there, shift])
    from_source = to_copy @ np.array([[1 / across, 0, 0], [0, 1 / down, 0], [0, 0, 1]])
    from_source[:, 2] += from_source[:, :2] @ np.array([0.5, 0.5]) - 0.5
    altered = cv2.warpAffine(
        source,
        from_source,
        (new_width, new_height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT if copy.is_reflected else cv2.BORDER_CONSTANT,
        borderValue=_FRAME_GREY,
    )
    return altered, cv2.invertAffineTransform(to_copy)


def _apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return `points`, (n, 2), moved by an affine map, (2, 3)."""
    return points @ transform[:, :2].T + transform[:, 2]
