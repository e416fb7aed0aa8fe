"""Boxes in the upright picture and in the stored one, which programs that write XMP mean.

Metadata Working Group, Guidelines for Handling Image Metadata 2.0 (2010), section 5.9: regions belong to the picture as
it is stored.
"""

from typing import NamedTuple

Box = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in fractions of the picture."""


class _Turn(NamedTuple):
    """Whether x and y of the upright picture change places, and which side of the stored one is then counted back."""

    is_swapped: bool
    is_x_flipped: bool
    is_y_flipped: bool


_TURNS = {
    1: _Turn(False, False, False),
    2: _Turn(False, True, False),
    3: _Turn(False, True, True),
    4: _Turn(False, False, True),
    5: _Turn(True, False, False),
    6: _Turn(True, False, True),
    7: _Turn(True, True, True),
    8: _Turn(True, True, False),
}
"""EXIF orientation (Exif 2.32, tag 0x0112) to what leads from the upright picture to the stored one."""


def to_stored(box: Box, orientation: int) -> Box:
    """Return the place in the stored picture of a box in the upright one; unknown orientations are 1.

    >>> to_stored((0.0, 0.0, 0.25, 0.5), 6)  # top left, turned to the right to be upright: stored at the bottom left
    (0.0, 0.75, 0.5, 1.0)
    """
    turn = _TURNS.get(orientation, _TURNS[1])
    return _flip(_swap(box) if turn.is_swapped else box, turn)


def to_upright(box: Box, orientation: int) -> Box:
    """Return the place in the upright picture of a box in the stored one.

    >>> to_upright((0.0, 0.75, 0.5, 1.0), 6)
    (0.0, 0.0, 0.25, 0.5)
    """
    turn = _TURNS.get(orientation, _TURNS[1])
    flipped = _flip(box, turn)
    return _swap(flipped) if turn.is_swapped else flipped


def stored_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return width and height of the stored picture from those of the upright one; the same the other way round.

    >>> stored_size((300, 400), 6), stored_size((300, 400), 3)
    ((400, 300), (300, 400))
    """
    return (size[1], size[0]) if _TURNS.get(orientation, _TURNS[1]).is_swapped else size


def _swap(box: Box) -> Box:
    return box[1], box[0], box[3], box[2]


def _flip(box: Box, turn: _Turn) -> Box:
    x_min, y_min, x_max, y_max = box
    if turn.is_x_flipped:
        x_min, x_max = 1 - x_max, 1 - x_min
    if turn.is_y_flipped:
        y_min, y_max = 1 - y_max, 1 - y_min
    return x_min, y_min, x_max, y_max
