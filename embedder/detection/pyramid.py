"""The image in falling sizes: levels that P-Net searches, in tiles, what lies where in them, and squares cut out."""

import math
import threading
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from embedder.detection.boxes import paired_overlap

CELL = 12
"""Side in pixels of what one cell of P-Net's output sees."""

STRIDE = 2
"""Pixels between two cells."""

_TILE_CELLS = 72
"""Most cells of a tile in each direction. What P-Net makes of a tile should stay in the processor's cache."""

_REACH = 2
"""Cells between two boxes of a level, each 6 cells wide, beyond which they cannot overlap by half."""


_CUT_AT_ONCE = 256
_LONGEST_SIDE = 32_766
"""OpenCV's `remap` reads and writes images of at most so many pixels in each direction."""


class Tile(NamedTuple):
    """A part of a level: its pixels, uint8 ``(h, w, 3)``, and which row and column of cells its first cell is."""

    pixels: np.ndarray
    first_row: int
    first_column: int


class Pyramid:
    """An image and, made when they are asked for, its halves.

    Parameters
    ----------
    image : np.ndarray
        uint8 ``(h, w, 3)``.

    Attributes
    ----------
    size_hw : tuple of int
        Height and width of the image in pixels.
    """

    def __init__(self, image: np.ndarray) -> None:
        self.size_hw = (image.shape[0], image.shape[1])
        self._lock = threading.Lock()
        self._halves = [image]

    def halved(self, times: int) -> np.ndarray:
        """Return the image, uint8, with each side halved `times` times; an odd last row or column is left out."""
        with self._lock:  # the threads of one detection share the halves
            while len(self._halves) <= times:
                last = self._halves[-1]
                height, width = last.shape[0] // 2, last.shape[1] // 2
                half = cv2.resize(last[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
                self._halves.append(half)
        return self._halves[times]

    def level(self, scale: float) -> np.ndarray:
        """Return the image, uint8, at `scale`, above 0 and below 1, its sides rounded up; each pixel is a mean."""
        height, width = math.ceil(self.size_hw[0] * scale), math.ceil(self.size_hw[1] * scale)
        # Nearly what one call with INTER_AREA gives, in a third of the time.
        doubled = cv2.resize(self.halved(halvings(scale)), (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
        return cv2.resize(doubled, (width, height), interpolation=cv2.INTER_AREA)


def halvings(scale: float) -> int:
    """Return how often an image may be halved before it is smaller than at `scale`.

    >>> [halvings(scale) for scale in (2, 1, 0.51, 0.5, 0.26, 0.1)]
    [0, 0, 0, 1, 1, 3]
    """
    return max(0, math.floor(math.log2(1 / scale)))


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


def cut_tiles(level: np.ndarray) -> Iterator[Tile]:
    """Yield tiles of `level`, uint8 ``(h, w, 3)``, that together have each of its cells once."""
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


def cut_squares(pyramid: Pyramid, squares: np.ndarray, size: int) -> np.ndarray:
    """Cut squares out of an image and resize them.

    Parameters
    ----------
    pyramid : Pyramid
        Of the image.
    squares : np.ndarray
        int ``(n, 4)`` in pixels; they may reach beyond the image, where the crops are black.
    size : int
        Side of the crops in pixels.

    Returns
    -------
    np.ndarray
        uint8 ``(n, size, size, 3)``.
    """
    sides = squares[:, 2] - squares[:, 0]
    # As often as `halvings` says, of all squares at once.
    times = np.maximum(np.frexp(sides / size)[1] - 1, 0)
    reach = sides[:, None] * ((np.arange(size) + 0.5) / size)
    shrunk = np.ldexp(1.0, -times)[:, None]
    # Pixels' centres lie at whole numbers for OpenCV.
    columns = ((squares[:, :1] + reach) * shrunk - 0.5).astype(np.float32)
    rows = ((squares[:, 1:2] + reach) * shrunk - 0.5).astype(np.float32)
    crops = np.empty((len(squares), size, size, 3), np.uint8)
    for halved in set(times.tolist()):
        chosen = np.flatnonzero(times == halved)
        image = pyramid.halved(halved)
        for first in range(0, len(chosen), _CUT_AT_ONCE):
            part = chosen[first : first + _CUT_AT_ONCE]
            crops[part] = _sample(image, columns[part], rows[part])
    return crops


def _sample(image: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the pixels of an image, black outside, at each pair of columns and rows, both float32 ``(n, size)``.

    Returns
    -------
    np.ndarray
        uint8 ``(n, size, size, 3)``, bilinear: each pixel is a mean of four.
    """
    n, size = columns.shape
    if max(image.shape[:2]) > _LONGEST_SIDE and n > 1:
        return np.concatenate([_sample(image, columns[[i]], rows[[i]]) for i in range(n)])
    if max(image.shape[:2]) > _LONGEST_SIDE:
        top, left = max(0, int(rows.min())), max(0, int(columns.min()))
        image = image[top : max(top, int(rows.max())) + 2, left : max(left, int(columns.max())) + 2]
        columns, rows = columns - left, rows - top
        if image.size == 0:
            return np.zeros((n, size, size, 3), np.uint8)
    across, down = np.empty((2, n, size, size), np.float32)
    across[:], down[:] = columns[:, None, :], rows[:, :, None]
    pixels = cv2.remap(
        image, across.reshape(-1, size), down.reshape(-1, size), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return pixels.reshape(n, size, size, 3)


def cells_to_boxes(cells: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return where in the image the cells of P-Net's outputs look.

    Parameters
    ----------
    cells : np.ndarray
        int ``(n, 2)``, row and column of each cell in its level.
    scales : np.ndarray
        ``(n,)``, scale of each cell's level.

    Returns
    -------
    np.ndarray
        Boxes ``(n, 4)`` in pixels of the image.

    Notes
    -----
    The rounding is that of the authors' code, which counts pixels from 1 and takes maxima inclusive: R-Net's answers
    depend on how the squares lie, and with boxes that are more exact it finds fewer faces.
    """
    corners, divisors = STRIDE * cells[:, ::-1], scales[:, None]
    return np.hstack([np.floor((corners + 1) / divisors) - 1, np.floor((corners + CELL) / divisors)])


def suppress_neighbours(
    cells: np.ndarray, levels: np.ndarray, boxes: np.ndarray, *, scores: np.ndarray, threshold: float
) -> np.ndarray:
    """Suppress non-maxima within each level; the same as `non_maximum_suppression` of each, in linear time.

    Parameters
    ----------
    cells : np.ndarray
        int ``(n, 2)``, row and column of each box in its level, all different.
    levels : np.ndarray
        int ``(n,)``, the level of each box.
    boxes, scores : np.ndarray
        ``(n, 4)`` and ``(n,)``.
    threshold : float
        Largest overlap allowed between two chosen boxes, at least 0.5.

    Returns
    -------
    np.ndarray
        Indices of the chosen boxes, by falling score.
    """
    order = np.argsort(-scores, kind="stable")
    ranks, neighbours = _neighbouring_pairs(cells[order], levels[order])
    conflicts = paired_overlap(boxes[order[ranks]], boxes[order[neighbours]]) > threshold
    better, worse = np.minimum(ranks, neighbours)[conflicts], np.maximum(ranks, neighbours)[conflicts]
    kept = np.ones(len(order), bool)
    while True:  # as in `embedder.detection.boxes`: the rule "no kept box before it conflicts", until nothing changes
        new = np.ones(len(order), bool)
        new[worse[kept[better]]] = False
        if np.array_equal(new, kept):
            return order[kept]
        kept = new


def _neighbouring_pairs(cells: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of all pairs of cells of one level that are at most `_REACH` apart, each pair once."""
    # All levels below each other on one map, framed so that no neighbour lies outside or in another level.
    width = cells[:, 1].max(initial=0) + 1 + 2 * _REACH
    heights = np.zeros(levels.max(initial=0) + 1, np.int64)
    np.maximum.at(heights, levels, cells[:, 0] + 1 + 2 * _REACH)
    tops = np.cumsum(heights) - heights
    positions = (tops[levels] + cells[:, 0] + _REACH) * width + cells[:, 1] + _REACH
    index_at = np.full(heights.sum() * width, -1, np.int32)
    index_at[positions] = np.arange(len(positions))
    steps = [
        row * width + column
        for row in range(_REACH + 1)
        for column in range(-_REACH, _REACH + 1)
        if row > 0 or column > 0
    ]
    found = index_at[positions[:, None] + np.array(steps)]
    indices, step = np.nonzero(found >= 0)
    return indices, found[indices, step]
