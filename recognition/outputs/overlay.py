"""Draw boxes and names on images; names are drawn with Pillow, which has fonts for every script."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal, NamedTuple

import cv2
import numpy as np

from foundation.drawing.rendered_text import Color, label_plate, text_plate
from recognition.outputs.label_memory import KeptLabel, LabelMemory
from recognition.outputs.label_places import Place, find_places, leader_of
from recognition.outputs.legend import add_legend, paste_plate

Labels = Literal["names", "numbers", "none"]

NAMED_COLOR: Color = (22, 128, 60)
UNKNOWN_COLOR: Color = (176, 96, 0)
SELECTED_COLOR: Color = (24, 92, 196)

MOST_NAMES = 24
"""Faces up to which names are drawn on a photo; names of more would fill it."""

# A label is as tall as a fifth of its face, but readable, and never taller than a thirtieth of the image's shorter side
# (readable when the image fills a screen).
_FACE_PER_TEXT = 5
_IMAGE_PER_TEXT = 30
_SMALLEST_TEXT = 10
_SMALLEST_NOTE = 12
_IMAGE_PER_LINE = 300
# Text has one of these sizes, so that a face that moves does not make its label anew with each frame.
_SIZES = (10, 11, 12, 13, 14, 16, 18, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128)
# A label keeps its size until its face asks for one that is smaller or larger by so many times.
_SIZE_SLACK = 1.08
# Pixels around each label, so that two of one colour stay two.
_GAP = 1
# The widest label: so many times its face, or so many times its own height.
_WIDEST_PER_FACE = 1.5
_WIDEST_PER_TEXT = 11

# Whole pixels: x_min, y_min, x_max, y_max, max exclusive.
_Box = tuple[int, int, int, int]


class Mark(NamedTuple):
    """Box and label of a face.

    Attributes
    ----------
    box : (4,) float
        Pixels: x_min, y_min, x_max, y_max, max exclusive.
    text : str
        What stands next to it: a name, shortened where it is too long.
    color : (red, green, blue)
        Of both.
    detail : str
        Stands behind the text and is never shortened: a score.
    number : int or None
        What stands next to the box instead of the text where labels are numbers.
    is_named : bool
        Whether the text is a name: those that are not share a line of the legend.
    """

    box: Sequence[float] | np.ndarray
    text: str
    color: Color
    detail: str = ""
    number: int | None = None
    is_named: bool = True


def choose_labels(n_faces: int, wanted: Labels | None) -> Labels:
    """Return how a photo's faces are labelled: as is wanted, else with numbers if there are more than `MOST_NAMES`."""
    if wanted is not None:
        return wanted
    return "numbers" if n_faces > MOST_NAMES else "names"


def draw_marks(
    image: np.ndarray, marks: Sequence[Mark], *, labels: Labels = "names", memory: LabelMemory | None = None
) -> np.ndarray:
    """Return a copy of `image` with `marks` drawn on it.

    A label takes the free place nearest to its face, see `recognition.outputs.label_places.find_places`; a line leads
    to it where that is not beside the face.

    Parameters
    ----------
    image : uint8 (height, width, 3), RGB
    marks : sequence of Mark
        Boxes may extend beyond the image.
    labels : {"names", "numbers", "none"}
        What stands next to the boxes.
    memory : LabelMemory, optional
        The labels of the frames before, by the number of each mark: they keep their sides and sizes as far as they can.

    Returns
    -------
    numpy.ndarray
        uint8, shape of `image`.
    """
    drawn = np.ascontiguousarray(image).copy()
    height, width = image.shape[:2]
    thickness = max(1, round(min(height, width) / _IMAGE_PER_LINE))
    boxes = [_edges_of(mark) for mark in marks]
    for mark, box in zip(marks, boxes, strict=True):
        _draw_box(drawn, box, mark.color, thickness)
    found = _lay_out(marks, boxes, labels, memory, image_wh=(width, height))
    # All lines first: none crosses a label.
    for (mark, plate, place), box in zip(found, boxes, strict=True):
        if plate is not None and place.distance > 2 * thickness:
            ends = leader_of(box, place[:2], (plate.shape[1], plate.shape[0]))
            cv2.line(drawn, *ends, mark.color, thickness, cv2.LINE_AA)
    for _, plate, place in found:
        if plate is not None:
            paste_plate(drawn, plate, (place.left + _GAP, place.top + _GAP))
    return drawn


def _lay_out(
    marks: Sequence[Mark],
    boxes: Sequence[_Box],
    labels: Labels,
    memory: LabelMemory | None,
    *,
    image_wh: tuple[int, int],
) -> list[tuple[Mark, np.ndarray | None, Place]]:
    """Return each mark with its label, uint8 (height, width, 3) or None, and the place of that."""
    kept = [None if memory is None else memory.label_of(mark.number) for mark in marks]
    forms = [_form_of(box, before, image_wh) for box, before in zip(boxes, kept, strict=True)]
    plates = [_plate_of(mark, form, labels, image_wh[0]) for mark, form in zip(marks, forms, strict=True)]
    sizes = [(0, 0) if plate is None else (plate.shape[1] + 2 * _GAP, plate.shape[0] + 2 * _GAP) for plate in plates]
    spots = [None if before is None else before.spot for before in kept]
    places = find_places(boxes, sizes, image_wh=image_wh, spots=spots)
    if memory is not None:
        for mark, form, place in zip(marks, forms, places, strict=True):
            memory.keep(mark.number, form._replace(spot=place.spot))
    return list(zip(marks, plates, places, strict=True))


def draw_photo(image: np.ndarray, marks: Sequence[Mark], *, labels: Labels) -> np.ndarray:
    """Return a copy of a photo with `marks` drawn on it; with numbers it grows by a legend at its lower edge.

    Parameters
    ----------
    image : uint8 (height, width, 3), RGB
    marks : sequence of Mark
        Those with a number and a text stand in the legend.
    labels : {"names", "numbers", "none"}
    """
    drawn = draw_marks(image, marks, labels=labels)
    return add_legend(drawn, _legend_of(marks)) if labels == "numbers" else drawn


def draw_note(image: np.ndarray, text: str) -> np.ndarray:
    """Return a copy of `image`, uint8 (height, width, 3), with a line of text at its lower edge."""
    drawn = image.copy()
    size = max(_SMALLEST_NOTE, round(min(image.shape[:2]) / _IMAGE_PER_TEXT))
    plate = text_plate(text, size, SELECTED_COLOR)
    paste_plate(drawn, plate, (0, max(0, image.shape[0] - plate.shape[0])))
    return drawn


def _edges_of(mark: Mark) -> _Box:
    x_min, y_min, x_max, y_max = mark.box
    return round(float(x_min)), round(float(y_min)), round(float(x_max)), round(float(y_max))


def _draw_box(image: np.ndarray, box: _Box, color: Color, thickness: int) -> None:
    """Draw the outline of a box as four filled bars, in half the time of OpenCV's thick lines."""
    half, more = thickness // 2, thickness - 1
    x_min, y_min, x_max, y_max = box[0] - half, box[1] - half, box[2] - half - 1, box[3] - half - 1
    for corner, opposite in (
        ((x_min, y_min), (x_max + more, y_min + more)),
        ((x_min, y_max), (x_max + more, y_max + more)),
        ((x_min, y_min), (x_min + more, y_max + more)),
        ((x_max, y_min), (x_max + more, y_max + more)),
    ):
        cv2.rectangle(image, corner, opposite, color, cv2.FILLED)


def _legend_of(marks: Sequence[Mark]) -> list[tuple[str, str, Color]]:
    named = [
        (str(mark.number), f"{mark.text} {mark.detail}".strip(), mark.color)
        for mark in marks
        if mark.is_named and mark.number is not None
    ]
    others = [mark for mark in marks if not mark.is_named and mark.number is not None]
    return named + ([(f"{len(others)}×", others[0].text, others[0].color)] if others else [])


def _form_of(box: _Box, before: KeptLabel | None, image_wh: tuple[int, int]) -> KeptLabel:
    """Return how large the label of a face is: as before, until its face has clearly another size."""
    x_min, y_min, x_max, y_max = box
    size = _text_size(min(x_max - x_min, y_max - y_min), min(image_wh), None if before is None else before.size)
    most = min(image_wh[0], max(round(_WIDEST_PER_FACE * (x_max - x_min)), _WIDEST_PER_TEXT * size))
    # Rounded, as sizes are: what is shortened is looked up.
    most -= most % size
    if before is not None and before.size == size and abs(before.max_width - most) <= size:
        most = min(before.max_width, image_wh[0])
    return KeptLabel(size, most)


def _plate_of(mark: Mark, form: KeptLabel, labels: Labels, image_width: int) -> np.ndarray | None:
    """Return the label of a face, uint8 (height, width, 3); None without one."""
    if labels == "none" or not mark.text:
        return None
    if labels == "numbers":
        return None if mark.number is None else text_plate(str(mark.number), form.size, mark.color)
    plate = label_plate(mark.text, mark.detail, size=form.size, max_width=form.max_width, color=mark.color)
    if mark.detail and plate.shape[1] > image_width:
        return label_plate(mark.text, "", size=form.size, max_width=image_width, color=mark.color)
    return plate


def _text_size(face_side: float, image_side: int, before: int | None = None) -> int:
    largest = max(_SMALLEST_TEXT, image_side / _IMAGE_PER_TEXT)
    wanted = min(max(face_side / _FACE_PER_TEXT, _SMALLEST_TEXT), largest)
    place = bisect_right(_SIZES, wanted) - 1
    if before in _SIZES:
        # The boxes of a face differ by some pixels from frame to frame.
        next_larger = _SIZES[min(_SIZES.index(before) + 1, len(_SIZES) - 1)]
        if before / _SIZE_SLACK <= wanted < max(before, next_larger) * _SIZE_SLACK and before <= largest:
            return before
    return _SIZES[place]
