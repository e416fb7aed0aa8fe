"""Anonymization: make faces unrecognizable."""

from collections.abc import Sequence

import cv2
import numpy as np

_GROWN = 0.35
"""Share of a box's side by which it is widened on each side, so that hair, ears and chin are hidden too."""

_CELLS = 6
"""Cells along the longer side of a widened face, about four along the face itself: eyes, nose and mouth run together.
They are square, so that a face that the edge cuts to a strip has no finer ones."""


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
        low, high = hidden_area(box, (image.shape[0], image.shape[1]))
        if np.any(high <= low):
            continue
        face = hidden[low[1] : high[1], low[0] : high[0]]
        n_cells = np.maximum(np.round(_CELLS * (high - low) / np.max(high - low)), 1).astype(int)
        cells = cv2.resize(face, (int(n_cells[0]), int(n_cells[1])), interpolation=cv2.INTER_AREA)
        hidden[low[1] : high[1], low[0] : high[0]] = cv2.resize(
            cells, (face.shape[1], face.shape[0]), interpolation=cv2.INTER_LINEAR
        )
    return hidden


def hidden_area(box: np.ndarray, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return what is hidden of an image when the face in a box is: the box widened, within the image.

    Parameters
    ----------
    box : numpy.ndarray
        (4,), pixels.
    size_hw : tuple of int
        Height and width of the image in pixels.

    Returns
    -------
    low, high : numpy.ndarray
        int (2,), x and y of the corners, maxima exclusive; of a box beyond the image a maximum is no larger than its
        minimum.
    """
    limit = np.array([size_hw[1], size_hw[0]])
    size = np.maximum(box[2:] - box[:2], 1.0)
    if np.any(box[:2] <= 0) or np.any(box[2:] >= limit):
        # Of a face cut off by the edge the box may be a strip: its longer side tells how large the face is.
        size = np.full(2, size.max())
    low = np.floor(np.maximum(box[:2] - _GROWN * size, 0)).astype(int)
    high = np.ceil(np.minimum(box[2:] + _GROWN * size, limit)).astype(int)
    return low, high
