"""Anonymization: make faces unrecognizable."""

from collections.abc import Sequence

import cv2
import numpy as np

_GROWN = 0.35
"""Share of a box's side by which it is widened on each side, so that hair, ears and chin are hidden too."""

_CELLS = 6
"""Cells across a widened face, about four across the face itself: eyes, nose and mouth run together."""


def hide_faces(image: np.ndarray, boxes: Sequence[np.ndarray]) -> np.ndarray:
    """Return a copy of `image` in which the faces in `boxes` cannot be recognized.

    Each face is reduced to the mean colours of a few cells and scaled up again; no finer detail can be restored.

    Parameters
    ----------
    image : numpy.ndarray
        uint8 (h, w, 3).
    boxes : sequence of (4,) arrays
        Pixels; parts outside of the image are ignored.
    """
    hidden = image.copy()
    for box in boxes:
        size = np.maximum(box[2:] - box[:2], 1.0)
        low = np.floor(np.maximum(box[:2] - _GROWN * size, 0)).astype(int)
        high = np.ceil(np.minimum(box[2:] + _GROWN * size, image.shape[1::-1])).astype(int)
        if np.any(high <= low):
            continue
        face = hidden[low[1] : high[1], low[0] : high[0]]
        cells = cv2.resize(face, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        hidden[low[1] : high[1], low[0] : high[0]] = cv2.resize(
            cells, (face.shape[1], face.shape[0]), interpolation=cv2.INTER_LINEAR
        )
    return hidden
