"""Images turned by quarters, and faces found on them given on the image as it was."""

import numpy as np

from embedder.detection.faces import Faces


def turn_image(image: np.ndarray, degrees: int) -> np.ndarray:
    """Return `image` turned clockwise.

    Parameters
    ----------
    image : numpy.ndarray
        uint8 ``(h, w, 3)``.
    degrees : {0, 90, 180, 270}

    Returns
    -------
    numpy.ndarray
        uint8, C-contiguous, ``(w, h, 3)`` after 90 and 270 degrees; `image` itself after 0.
    """
    return np.ascontiguousarray(np.rot90(image, -degrees // 90)) if degrees else image


def turn_back(faces: Faces, degrees: int, size_hw: tuple[int, int]) -> Faces:
    """Return faces found on a turned image at their places on the image as it was.

    The order of the landmarks stays that of the face: its left eye, seen upright, comes first.

    Parameters
    ----------
    faces : Faces
        On the turned image.
    degrees : {0, 90, 180, 270}
        How far it was turned clockwise.
    size_hw : tuple of int
        Height and width of the image as it was.
    """
    if not degrees:
        return faces
    corners = _points_back(faces.boxes.reshape(-1, 2, 2), degrees, size_hw)
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return Faces(boxes, _points_back(faces.landmarks, degrees, size_hw), faces.scores)


def _points_back(points: np.ndarray, degrees: int, size_hw: tuple[int, int]) -> np.ndarray:
    height, width = size_hw
    x, y = points[..., 0], points[..., 1]
    back = {90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}
    return np.stack(back[degrees], axis=-1)
