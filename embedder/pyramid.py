"""The image pyramid that P-Net searches: the photo in falling sizes, cut into tiles."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

CELL = 12
"""Side in pixels of what one cell of P-Net's output sees."""

STRIDE = 2
"""Pixels between two cells."""

_TILE_CELLS = 120
"""Most cells of a tile in each direction. What P-Net makes of a tile should stay in the processor's cache."""


class Tile(NamedTuple):
    """A part of a level: its pixels, and which row and column of cells its first cell is."""

    pixels: np.ndarray
    first_row: int
    first_column: int


def level_scales(size_hw: tuple[int, int], min_face_size: float, scale_factor: float) -> list[float]:
    """Return the scales, largest first, at which faces of at least `min_face_size` pixels become `CELL` pixels.

    >>> [round(scale, 3) for scale in level_scales((40, 60), 20, 0.5)]
    [0.6, 0.3]
    """
    scales = []
    scale = CELL / min_face_size
    while min(size_hw) * scale >= CELL:
        scales.append(scale)
        scale *= scale_factor
    return scales


def build_level(image: np.ndarray, scale: float) -> np.ndarray:
    """Return `image` at `scale`, its sides rounded up."""
    size = (math.ceil(image.shape[1] * scale), math.ceil(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def cut_tiles(level: np.ndarray) -> Iterator[Tile]:
    """Yield tiles of `level` that together have each of its cells once."""
    for top, bottom, first_row in _spans(level.shape[0]):
        for left, right, first_column in _spans(level.shape[1]):
            yield Tile(level[top:bottom, left:right], first_row, first_column)


def _spans(length: int) -> Iterator[tuple[int, int, int]]:
    """Yield start and end in pixels, and the first cell, of equally long parts of `length` pixels."""
    n_cells = (length - 1) // STRIDE - CELL // 2 + 2
    n_parts = max(1, math.ceil(n_cells / _TILE_CELLS))
    for part in range(n_parts):
        first, last = n_cells * part // n_parts, n_cells * (part + 1) // n_parts - 1
        end = length if part == n_parts - 1 else STRIDE * last + CELL
        yield STRIDE * first, end, first
