"""A legend below a picture: the number of each face and the name that belongs to it."""

from collections.abc import Sequence

import numpy as np

from foundation.drawing.rendered_text import Color, plate_height, plate_width, shorten, text_plate

_BACKGROUND: Color = (32, 32, 32)
_IMAGE_PER_TEXT = 60
_SMALLEST_TEXT = 12
_LARGEST_SHARE = 0.5


def add_legend(image: np.ndarray, entries: Sequence[tuple[str, str, Color]]) -> np.ndarray:
    """Return `image` with the entries in columns below it: as wide as before, and higher.

    Parameters
    ----------
    image : uint8 (height, width, 3), RGB
    entries : sequence of (number, text, color)
        The number stands on a plate of `color`, the text beside it; texts wider than half the picture are shortened.
    """
    if not entries:
        return image
    width = image.shape[1]
    size = max(_SMALLEST_TEXT, round(width / _IMAGE_PER_TEXT))
    number_width = max(plate_width(number, size) for number, _, _ in entries)
    most = max(1, round(width * _LARGEST_SHARE) - number_width - size)
    texts = [shorten(text, size, most) for _, text, _ in entries]
    column_width = number_width + max(plate_width(text, size) for text in texts) + size
    n_columns = max(1, width // column_width)
    n_rows = -(-len(entries) // n_columns)
    row_height = plate_height(size) + max(2, size // 4)
    legend = np.full((n_rows * row_height + size, width, 3), _BACKGROUND, np.uint8)
    for place, ((number, _, color), text) in enumerate(zip(entries, texts, strict=True)):
        left, top = place // n_rows * column_width + size // 2, place % n_rows * row_height + size // 2
        paste_plate(legend, text_plate(number, size, color), (left, top))
        paste_plate(legend, text_plate(text, size, _BACKGROUND), (left + number_width, top))
    return np.vstack([image, legend])


def paste_plate(image: np.ndarray, plate: np.ndarray, corner: tuple[int, int]) -> None:
    """Copy a plate into `image` with its upper left corner at `corner`, (left, top); what is outside is cut off."""
    left, top = corner
    visible = plate[: max(0, image.shape[0] - top), : max(0, image.shape[1] - left)]
    image[top : top + visible.shape[0], left : left + visible.shape[1]] = visible
