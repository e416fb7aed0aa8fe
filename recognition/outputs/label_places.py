"""Find places for labels: near their faces, where they cover no face and no other label, as long as there is room."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Which side of its face a label takes where several are as near: above, as everybody expects, then below, then beside.
_ABOVE, _BELOW, _BESIDE = 0.0, 0.25, 0.5


class Place(NamedTuple):
    """Where a label is: `left`, `top` in pixels, and how many pixels lie between it and its face."""

    left: int
    top: int
    distance: float


def find_places(
    boxes: Sequence[Sequence[float] | np.ndarray] | np.ndarray,
    sizes_wh: Sequence[tuple[int, int]],
    *,
    image_wh: tuple[int, int],
) -> list[Place]:
    """Return a place for the label of each box, one after the other; the same input gives the same places.

    A label that can be moved anywhere can be moved left and up until it touches an edge of the picture, of a face or of
    another label. So those edges, and those of its own face, are all the places there are to try: where there is room
    anywhere, a label finds it. Where there is none, it covers as few pixels of faces and labels as possible.

    Parameters
    ----------
    boxes : (n, 4) float
        Faces, pixels: x_min, y_min, x_max, y_max, max exclusive; they may extend beyond the picture.
    sizes_wh : sequence of (width, height)
        Size of each label, pixels; a width of 0 is a face without a label, which is not covered either.
    image_wh : (width, height)
        Of the picture, pixels; a larger label begins at its edge.
    """
    width, height = image_wh
    faces = np.rint(np.asarray(boxes, np.float64).reshape(-1, 4))
    taken = np.clip(faces, 0, [width, height, width, height])
    places: list[Place] = []
    for face, size_wh in zip(faces, sizes_wh, strict=True):
        if size_wh[0] == 0:
            places.append(Place(0, 0, 0.0))
            continue
        place = _place_beside(face.tolist(), size_wh, taken.tolist(), image_wh=image_wh)
        if place is None:
            place = _find_place(face, size_wh, taken, image_wh=image_wh)
        places.append(place)
        corner = [place.left, place.top, place.left + size_wh[0], place.top + size_wh[1]]
        taken = np.vstack([taken, corner])
    return places


def _place_beside(
    face: list[float], size_wh: tuple[int, int], taken: list[list[float]], *, image_wh: tuple[int, int]
) -> Place | None:
    """Return the first free place of those that touch the face, above, below and beside it; None without one.

    Nearly all labels of a camera's frame end here, in microseconds.
    """
    (width, height), (x_min, y_min, x_max, y_max) = size_wh, face
    left = max(0.0, min(x_min, image_wh[0] - width))
    above, below = y_min - height, y_max
    for x, y in (
        (left, above), (x_max - width, above), (left, below), (x_max - width, below), (x_max, y_min),
        (x_min - width, y_min),
    ):  # fmt: skip
        right, bottom = x + width, y + height
        touches = max(x_min - right, x - x_max, y_min - bottom, y - y_max) <= 0
        if not (touches and x >= 0 and y >= 0 and right <= image_wh[0] and bottom <= image_wh[1]):
            continue
        if not any(x < box[2] and right > box[0] and y < box[3] and bottom > box[1] for box in taken):
            return Place(int(x), int(y), 0.0)
    return None


def _find_place(face: np.ndarray, size_wh: tuple[int, int], taken: np.ndarray, *, image_wh: tuple[int, int]) -> Place:
    (width, height), (x_min, y_min, x_max, y_max) = size_wh, face
    own_lefts = [x_min, x_max - width, np.floor((x_min + x_max - width) / 2), x_max, x_min - width]
    own_tops = [y_min - height, y_max, y_min, y_max - height]
    # Around the face first, then farther and farther: few places are tried unless the picture is crowded.
    reach = 0.0
    while True:
        lefts = _starts(own_lefts, taken[:, [0, 2]], size=width, limit=image_wh[0], reach=reach)
        tops = _starts(own_tops, taken[:, [1, 3]], size=height, limit=image_wh[1], reach=reach)
        near = taken[_are_near(taken, lefts, tops, size_wh=size_wh)]
        covered = _shared(lefts, width, near[:, 0], near[:, 2]) @ _shared(tops, height, near[:, 1], near[:, 3]).T
        if covered.min() == 0 or reach > sum(image_wh):
            break
        reach = 2 * reach + max(2 * height, 1)
    gap_x = np.maximum(0, np.maximum(x_min - (lefts + width), lefts - x_max))
    gap_y = np.maximum(0, np.maximum(y_min - (tops + height), tops - y_max))
    distance = np.hypot(gap_x[:, None], gap_y[None, :])
    side = np.where(tops + height <= y_min, _ABOVE, np.where(tops >= y_max, _BELOW, _BESIDE))
    # Of places as near, the one that begins where its face begins.
    shift = np.abs(lefts - x_min) / (4 * image_wh[0])
    cost = distance + side[None, :] + shift[:, None]
    free = np.where(covered == covered.min(), cost, np.inf)
    row, column = np.unravel_index(int(np.argmin(free)), free.shape)
    return Place(int(lefts[row]), int(tops[column]), float(distance[row, column]))


def _starts(own: Sequence[float], edges: np.ndarray, *, size: int, limit: int, reach: float) -> np.ndarray:
    """Return where a label of `size` may begin along one axis: at its own face, and against edges within `reach`."""
    starts = np.concatenate([edges[:, 1], edges[:, 0] - size, [0, limit - size]])
    near = starts[(starts >= min(own) - reach) & (starts <= max(own) + reach)] if reach else starts[:0]
    return np.unique(np.clip(np.concatenate([own, near]), 0, max(0, limit - size)))


def _are_near(taken: np.ndarray, lefts: np.ndarray, tops: np.ndarray, *, size_wh: tuple[int, int]) -> np.ndarray:
    """Return which boxes a label that begins at one of `lefts` and `tops` may cover."""
    across = (taken[:, 0] < lefts[-1] + size_wh[0]) & (taken[:, 2] > lefts[0])
    return across & (taken[:, 1] < tops[-1] + size_wh[1]) & (taken[:, 3] > tops[0])


def _shared(starts: np.ndarray, size: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return how many pixels of [low, high) each label shares along one axis: (n_starts, n_taken)."""
    first, last = np.maximum(starts[:, None], low[None, :]), np.minimum(starts[:, None] + size, high[None, :])
    return np.maximum(0.0, last - first)
