"""Draw boxes and names on images; names are drawn with Pillow, which has fonts for every script."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

from foundation.text import sanitize_for_terminal
from recognition.outputs.fonts import font_runs, open_font

Color = tuple[int, int, int]

NAMED_COLOR: Color = (22, 128, 60)
UNKNOWN_COLOR: Color = (176, 96, 0)
SELECTED_COLOR: Color = (24, 92, 196)
_TEXT_COLOR: Color = (255, 255, 255)

# A label is as tall as a thirtieth of the image's shorter side: readable when the image fills a screen.
_IMAGE_PER_TEXT = 30
_SMALLEST_TEXT = 12
_IMAGE_PER_LINE = 300


class Mark(NamedTuple):
    """Box and label of a face: `box` in pixels, `text` next to it, both in `color` (RGB)."""

    box: Sequence[float] | np.ndarray
    text: str
    color: Color


def draw_marks(image: np.ndarray, marks: Sequence[Mark]) -> np.ndarray:
    """Return a copy of `image` with `marks` drawn on it.

    Parameters
    ----------
    image : uint8 (height, width, 3), RGB
    marks : sequence of Mark
        Boxes may extend beyond the image.

    Returns
    -------
    numpy.ndarray
        uint8, shape of `image`.
    """
    drawn = np.ascontiguousarray(image).copy()
    shorter_side = min(image.shape[:2])
    thickness = max(1, round(shorter_side / _IMAGE_PER_LINE))
    for mark in marks:
        x_min, y_min, x_max, y_max = (round(float(edge)) for edge in mark.box)
        cv2.rectangle(drawn, (x_min, y_min), (x_max - 1, y_max - 1), mark.color, thickness)
    for mark in marks:
        draw_text(drawn, mark.text, mark.box, size=_text_size(image), color=mark.color)
    return drawn


def draw_note(image: np.ndarray, text: str) -> np.ndarray:
    """Return a copy of `image`, uint8 (height, width, 3), with a line of text at its lower edge."""
    drawn = image.copy()
    height = image.shape[0]
    draw_text(drawn, text, (0, height, 1, height), size=_text_size(image), color=SELECTED_COLOR)
    return drawn


def draw_text(image: np.ndarray, text: str, box: Sequence[float] | np.ndarray, *, size: int, color: Color) -> None:
    """Draw `text` on a background of `color` into `image`: above `box`, else below it, else inside; clipped."""
    if not text:
        return
    plate = text_plate(text, size, color)
    height, width = image.shape[:2]
    x_min, y_min, _, y_max = (round(float(edge)) for edge in box)
    top = y_min - plate.shape[0]
    if top < 0:
        top = max(0, y_max) if y_max + plate.shape[0] <= height else max(0, y_min)
    left = min(max(0, x_min), max(0, width - plate.shape[1]))
    visible = plate[: max(0, height - top), : max(0, width - left)]
    image[top : top + visible.shape[0], left : left + visible.shape[1]] = visible


def _text_size(image: np.ndarray) -> int:
    return max(_SMALLEST_TEXT, round(min(image.shape[:2]) / _IMAGE_PER_TEXT))


@lru_cache(maxsize=256)
def text_plate(text: str, size: int, color: Color) -> np.ndarray:
    """Return `text` in white on `color`: uint8 (height, width, 3), letters `size` pixels tall, read-only."""
    runs = [(open_font(font, size), part) for font, part in font_runs(sanitize_for_terminal(text))]
    widths = [font.getlength(part) for font, part in runs]
    padding = max(2, size // 5)
    plate = Image.new("RGB", (round(sum(widths)) + 2 * padding, round(size * 1.3) + padding), color)
    draw = ImageDraw.Draw(plate)
    left = float(padding)
    for (font, part), width in zip(runs, widths, strict=True):
        draw.text((left, size + padding // 2), part, font=font, fill=_TEXT_COLOR, anchor="ls")
        left += width
    pixels = np.asarray(plate)
    pixels.flags.writeable = False
    return pixels
