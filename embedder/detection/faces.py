"""Faces: what a detector found in one image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from embedder.detection.alignment import (
    DEFAULT_CROP_SIZE,
    DEFAULT_MARGIN,
    Alignment,
    MarginMode,
    check_rgb,
    crop_faces,
)
from embedder.detection.boxes import areas
from foundation.errors import InputError

_CENTRE_WEIGHT = 2.0
"""How many square pixels of area one squared pixel of distance from the centre outweighs (FaceNet's reference code,
``align_dataset_mtcnn.py``, D. Sandberg 2017)."""

_LESS_CERTAIN = 0.1
"""A main face's score may be so much below the best."""

# Faces that a description lists.
_N_SHOWN = 3

# A line is one pixel wide for so many pixels of the image's longer side.
_PIXELS_PER_LINE = 400
_LINE_COLOUR = (0, 200, 0)
_POINT_COLOUR = (255, 210, 0)


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces of one image as parallel arrays, best score first when a detector made them.

    Attributes
    ----------
    boxes : np.ndarray
        float32 ``(n, 4)``: ``x_min, y_min, x_max, y_max`` in pixels, maxima exclusive.
    landmarks : np.ndarray
        float32 ``(n, 5, 2)``: ``x, y`` in pixels of left eye, right eye, nose, left and right corner of the mouth, as
        seen in the image.
    scores : np.ndarray
        float32 ``(n,)``: the detector's confidence, 0..1.

    Raises
    ------
    ValueError
        If an array has another shape.
    """

    boxes: np.ndarray
    landmarks: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        n = np.shape(self.boxes)[0] if np.ndim(self.boxes) else 0
        for name, shape in (("boxes", (n, 4)), ("landmarks", (n, 5, 2)), ("scores", (n,))):
            array = np.asarray(getattr(self, name), dtype=np.float32)
            if array.shape != shape:
                raise InputError(f"`{name}` must have shape {shape} for {n} boxes, got {array.shape}")
            object.__setattr__(self, name, array)

    @classmethod
    def empty(cls) -> "Faces":
        """Return no faces."""
        return cls(np.empty((0, 4)), np.empty((0, 5, 2)), np.empty(0))

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        boxes = [" ".join(f"{number:.0f}" for number in box) for box in self.boxes[:_N_SHOWN]]
        lines = [f"  box {box}, score {score:.3f}" for box, score in zip(boxes, self.scores, strict=False)]
        more = [f"  and {len(self) - _N_SHOWN} more"] if len(self) > _N_SHOWN else []
        return "\n".join([f"Faces: {len(self)}", *lines, *more])

    def draw(self, image: np.ndarray) -> np.ndarray:
        """Return a copy of `image` with boxes and landmarks drawn on it: uint8 ``(h, w, 3)``.

        Parameters
        ----------
        image : np.ndarray
            uint8 RGB ``(h, w, 3)``, the image the faces were found in.

        Raises
        ------
        ValueError
            If `image` is not uint8 RGB.
        """
        check_rgb(image)
        drawn = np.ascontiguousarray(image).copy()
        width = max(1, round(max(image.shape[:2]) / _PIXELS_PER_LINE))
        for box, points in zip(self.boxes, self.landmarks, strict=True):
            x_min, y_min, x_max, y_max = np.rint(box).astype(int).tolist()
            cv2.rectangle(drawn, (x_min, y_min), (x_max - 1, y_max - 1), _LINE_COLOUR, width)
            for x, y in np.rint(points).astype(int).tolist():
                cv2.circle(drawn, (x, y), 2 * width, _POINT_COLOUR, cv2.FILLED)
        return drawn

    def __getitem__(self, index: int | slice | np.ndarray | Sequence[int]) -> "Faces":
        """Return the chosen faces; a single number gives one face, still as `Faces`."""
        chosen: Any = [index] if isinstance(index, (int, np.integer)) else index
        return Faces(self.boxes[chosen], self.landmarks[chosen], self.scores[chosen])

    def crop(
        self,
        image: np.ndarray,
        size: int = DEFAULT_CROP_SIZE,
        margin: float = DEFAULT_MARGIN,
        *,
        margin_mode: MarginMode = "scaled",
        alignment: Alignment = "box",
    ) -> np.ndarray:
        """Cut the faces out of `image`, ready for the embedding network.

        Parameters
        ----------
        image : np.ndarray
            uint8 ``(h, w, 3)``, the image the faces were found in.
        size : int
            Side of the square crops in pixels.
        margin : float
            What is added around the box, see `embedder.detection.alignment.add_margin`; similarity alignment
            does not use it.
        margin_mode : {"scaled", "absolute"}
            Whether the margin grows with the face.
        alignment : {"box", "similarity"}
            Cut out the box, or turn, scale and shift the face so that its landmarks meet a template.

        Returns
        -------
        np.ndarray
            uint8 ``(n, size, size, 3)``.

        Raises
        ------
        ValueError
            If `image` is not uint8 RGB, a box lies outside of it, or an option is unknown.
        """
        return crop_faces(
            image, self.boxes, self.landmarks, size=size, margin=margin, margin_mode=margin_mode, alignment=alignment
        )

    def primary(self, size_hw: tuple[int, int]) -> int:
        """Return the index of the main face: the largest, weighted to the centre of the image.

        Faces much less certain than the surest one do not count: a chin is sometimes found as a face of its own,
        nearer to the centre than the whole face.

        Parameters
        ----------
        size_hw : tuple of int
            Height and width of the image in pixels.

        Raises
        ------
        ValueError
            If there is no face.
        """
        if len(self) == 0:
            raise InputError("`faces` must hold at least one face to have a primary one, got none; check len(faces)")
        centre_xy = np.array([size_hw[1], size_hw[0]]) / 2
        boxes = self.boxes.astype(np.float64)
        distances = ((boxes[:, :2] + boxes[:, 2:]) / 2 - centre_xy) ** 2
        values = areas(boxes) - _CENTRE_WEIGHT * distances.sum(axis=1)
        values[self.scores < self.scores.max() - _LESS_CERTAIN] = -np.inf
        return int(np.argmax(values))
