"""Find places for labels: near their faces, where they cover no face and no other label, as long as there is room."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

# Which side of its face a label takes where several are as near: above, as everybody expects, then below, then beside.
_ABOVE, _BELOW, _BESIDE = 0.0, 0.25, 0.5
# x_min, y_min, x_max, y_max in pixels, max exclusive.
_Box = tuple[int, int, int, int]
_N_BANDS = 16
# Places away from a face of which the first is taken whose line crosses nobody.
_MOST_LEADERS = 32
_N_SIDES = 6


class Spot(NamedTuple):
    """Where a label stands, seen from its face, which moves.

    Attributes
    ----------
    side : int or None
        Which side of the face it touches, see `_corner`; None for a label farther away.
    offset : (right, down)
        Pixels from the upper left corner of the face to that of the label.
    """

    side: int | None
    offset: tuple[int, int]


class Place(NamedTuple):
    """Where a label is.

    Attributes
    ----------
    left, top : int
        Pixels.
    distance : float
        How many pixels lie between it and its face.
    spot : Spot or None
        The same seen from its face; None where there is no label.
    """

    left: int
    top: int
    distance: float
    spot: Spot | None = None


def find_places(
    boxes: Sequence[Sequence[float] | np.ndarray] | np.ndarray,
    sizes_wh: Sequence[tuple[int, int]],
    *,
    image_wh: tuple[int, int],
    spots: Sequence[Spot | None] = (),
) -> list[Place]:
    """Return a place for the label of each box; the same input gives the same places.

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
    spots : sequence of (Spot or None), optional
        Where each label stood on the frame before. It stays there, wherever else there is room, until a face or another
        label takes the place; one that stands away from its face goes back when there is plenty of room beside it.
    """
    faces = [_box_of(box) for box in np.rint(np.asarray(boxes, np.float64).reshape(-1, 4)).astype(int).tolist()]
    taken = _Taken(image_wh)
    for face in faces:
        taken.add(face)
    places = [Place(0, 0, 0.0)] * len(faces)
    waiting: list[int] = []
    for row, (face, size_wh) in enumerate(zip(faces, sizes_wh, strict=True)):
        spot = spots[row] if spots else None
        kept = None if spot is None or size_wh[0] == 0 else _place_as_before(spot, face, size_wh, taken)
        if kept is not None:
            places[row] = kept
            taken.add((kept.left, kept.top, kept.left + size_wh[0], kept.top + size_wh[1]))
        elif size_wh[0] > 0:
            waiting.append(row)
    # Faces with few free sides first: others leave the place to them that is their only one.
    for row in sorted(waiting, key=lambda row: _n_free_sides(faces[row], sizes_wh[row], taken)):
        face, size_wh = faces[row], sizes_wh[row]
        place = _place_beside(face, size_wh, taken) or _find_place(face, size_wh, taken)
        places[row] = place
        taken.add((place.left, place.top, place.left + size_wh[0], place.top + size_wh[1]))
    return places


class _Taken:
    """What is taken of a picture by faces and labels, in bands across it: few boxes are looked at for each place."""

    def __init__(self, image_wh: tuple[int, int]) -> None:
        self.image_wh = image_wh
        self.boxes: list[_Box] = []
        self._band_height = max(1, -(-image_wh[1] // _N_BANDS))
        self._bands: list[list[_Box]] = [[] for _ in range(_N_BANDS)]

    def add(self, box: _Box) -> None:
        """Take the part of `box` that is within the picture."""
        x_min, y_min, x_max, y_max = box
        width, height = self.image_wh
        if x_min < 0 or y_min < 0 or x_max > width or y_max > height:
            box = x_min, y_min, x_max, y_max = max(x_min, 0), max(y_min, 0), min(x_max, width), min(y_max, height)
        if x_min < x_max and y_min < y_max:
            self.boxes.append(box)
            for band in self._bands_of(y_min, y_max):
                band.append(box)

    def is_free(self, x_min: int, y_min: int, x_max: int, y_max: int) -> bool:
        """Return whether a place within the picture has no pixel of any box."""
        for band in self._bands_of(y_min, y_max):
            for left, top, right, bottom in band:
                if x_min < right and x_max > left and y_min < bottom and y_max > top:
                    return False
        return True

    def _bands_of(self, y_min: int, y_max: int) -> list[list[_Box]]:
        return self._bands[y_min // self._band_height : (y_max - 1) // self._band_height + 1]


def _box_of(edges: Sequence[int]) -> _Box:
    x_min, y_min, x_max, y_max = edges
    return x_min, y_min, x_max, y_max


def _place_as_before(spot: Spot, face: _Box, size_wh: tuple[int, int], taken: _Taken) -> Place | None:
    """Return the place of a label that stays where it stood; None where it cannot, or has a better one."""
    if spot.side is not None:
        corner = _corner(spot.side, face, size_wh, taken.image_wh[0])
        return _beside(spot.side, corner, face) if _is_beside(corner, face, size_wh, taken) else None
    (width, height), left, top = size_wh, face[0] + spot.offset[0], face[1] + spot.offset[1]
    right, bottom = left + width, top + height
    if left < 0 or top < 0 or right > taken.image_wh[0] or bottom > taken.image_wh[1]:
        return None
    # Half a label's height around it: what is free only just now is taken again on the next frame.
    if not taken.is_free(left, top, right, bottom) or _place_beside(face, size_wh, taken, margin=height // 2):
        return None
    gap_x, gap_y = max(0, face[0] - right, left - face[2]), max(0, face[1] - bottom, top - face[3])
    return Place(left, top, float(np.hypot(gap_x, gap_y)), spot)


def _place_beside(face: _Box, size_wh: tuple[int, int], taken: _Taken, *, margin: int = 0) -> Place | None:
    """Return the first free place of those that touch the face, above, below and beside it; None without one.

    Nearly all labels of a camera's frame end here, in microseconds.
    """
    for side in range(_N_SIDES):
        corner = _corner(side, face, size_wh, taken.image_wh[0])
        if _is_beside(corner, face, size_wh, taken) and (
            not margin or _has_margin(side, corner, size_wh, taken, margin)
        ):
            return _beside(side, corner, face)
    return None


def _n_free_sides(face: _Box, size_wh: tuple[int, int], taken: _Taken) -> int:
    """Return how many of the places beside a face are free."""
    corners = (_corner(side, face, size_wh, taken.image_wh[0]) for side in range(_N_SIDES))
    return sum(_is_beside(corner, face, size_wh, taken) for corner in corners)


def _beside(side: int, corner: tuple[int, int], face: _Box) -> Place:
    return Place(corner[0], corner[1], 0.0, Spot(side, (corner[0] - face[0], corner[1] - face[1])))


def _has_margin(side: int, corner: tuple[int, int], size_wh: tuple[int, int], taken: _Taken, margin: int) -> bool:
    """Return whether nothing is within `margin` pixels of a label beside its face, on the sides away from the face."""
    (x, y), (width, height) = corner, size_wh
    above, below = 0 if side in (2, 3) else margin, 0 if side in (0, 1) else margin
    before, behind = 0 if side == 4 else margin, 0 if side == 5 else margin
    return taken.is_free(max(0, x - before), max(0, y - above), x + width + behind, y + height + below)


def _corner(side: int, face: _Box, size_wh: tuple[int, int], image_width: int) -> tuple[int, int]:
    """Return left and top of a label on one side of its face: above, below, beside it, the better one first."""
    (width, height), (x_min, y_min, x_max, y_max) = size_wh, face
    top = y_min - height if side < 2 else y_max if side < 4 else y_min
    if side in (0, 2):
        return max(0, min(x_min, image_width - width)), top
    return (x_max if side == 4 else x_min - width if side == 5 else x_max - width), top


def _is_beside(corner: tuple[int, int], face: _Box, size_wh: tuple[int, int], taken: _Taken) -> bool:
    """Return whether a label at `corner` is within the picture, touches its face and covers nothing."""
    (x, y), (x_min, y_min, x_max, y_max) = corner, face
    right, bottom = x + size_wh[0], y + size_wh[1]
    if x < 0 or y < 0 or right > taken.image_wh[0] or bottom > taken.image_wh[1]:
        return False
    # A face outside the picture is touched by no label.
    if x_min > right or x > x_max or y_min > bottom or y > y_max:
        return False
    return taken.is_free(x, y, right, bottom)


def _find_place(face: _Box, size_wh: tuple[int, int], among: _Taken) -> Place:
    """Return the free place nearest to the face, or the one that covers least."""
    (width, height), (x_min, y_min, x_max, y_max), image_wh = size_wh, face, among.image_wh
    taken = np.asarray(among.boxes).reshape(-1, 4)
    own_lefts = [x_min, x_max - width, np.floor((x_min + x_max - width) / 2), x_max, x_min - width]
    own_tops = [y_min - height, y_max, y_min, y_max - height]
    # Around the face first, then farther and farther: few places are tried unless the picture is crowded.
    reach = 2.0 * max(height, 1)
    while True:
        lefts = _starts(own_lefts, taken[:, [0, 2]], size=width, limit=image_wh[0], reach=reach)
        tops = _starts(own_tops, taken[:, [1, 3]], size=height, limit=image_wh[1], reach=reach)
        near = taken[_are_near(taken, lefts, tops, size_wh=size_wh)]
        covered = _shared(lefts, width, near[:, 0], near[:, 2]) @ _shared(tops, height, near[:, 1], near[:, 3]).T
        if covered.min() == 0 or reach > sum(image_wh):
            break
        reach *= 3
    gap_x = np.maximum(0, np.maximum(x_min - (lefts + width), lefts - x_max))
    gap_y = np.maximum(0, np.maximum(y_min - (tops + height), tops - y_max))
    distance = np.hypot(gap_x[:, None], gap_y[None, :])
    side = np.where(tops + height <= y_min, _ABOVE, np.where(tops >= y_max, _BELOW, _BESIDE))
    # Of places as near, the one that begins where its face begins.
    shift = np.abs(lefts - x_min) / (4 * image_wh[0])
    cost = distance + side[None, :] + shift[:, None]
    free = np.where(covered == covered.min(), cost, np.inf)
    best = np.argsort(free, axis=None)[:_MOST_LEADERS]
    ways = [np.unravel_index(int(place), free.shape) for place in best if np.isfinite(free.flat[place])]
    # A line across somebody else's face or label seems to be theirs.
    corners = [(int(lefts[row]), int(tops[column])) for row, column in ways]
    lines = (leader_of(face, corner, size_wh) for corner in corners)
    chosen = next((number for number, line in enumerate(lines) if not _crosses(line, face, among)), 0)
    left, top = corners[chosen]
    return Place(left, top, float(distance[ways[chosen]]), Spot(None, (left - x_min, top - y_min)))


def leader_of(face: _Box, corner: tuple[int, int], size_wh: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the points of a face and of its label at `corner`, (x, y) each, that are nearest to each other."""
    x_face, x_label = _nearest(face[0], face[2] - 1, corner[0], corner[0] + size_wh[0] - 1)
    y_face, y_label = _nearest(face[1], face[3] - 1, corner[1], corner[1] + size_wh[1] - 1)
    return (x_face, y_face), (x_label, y_label)


def _nearest(low: int, high: int, start: int, end: int) -> tuple[int, int]:
    """Return the points of [low, high] and [start, end] nearest to each other: the middle of what they share."""
    if start > high:
        return high, start
    if end < low:
        return low, end
    middle = (max(low, start) + min(high, end)) // 2
    return middle, middle


def _crosses(line: tuple[tuple[int, int], tuple[int, int]], face: _Box, taken: _Taken) -> bool:
    """Return whether a line crosses a face or label other than its own face and those that overlap with it."""
    start, end = line
    for x_min, y_min, x_max, y_max in taken.boxes:
        if x_min < face[2] and x_max > face[0] and y_min < face[3] and y_max > face[1]:
            continue
        if cv2.clipLine((x_min, y_min, x_max - x_min, y_max - y_min), start, end)[0]:
            return True
    return False


def _starts(own: Sequence[float], edges: np.ndarray, *, size: int, limit: int, reach: float) -> np.ndarray:
    """Return where a label of `size` may begin along one axis: at its own face, and against edges within `reach`."""
    starts = np.concatenate([edges[:, 1], edges[:, 0] - size, [0, limit - size]])
    near = starts[(starts >= min(own) - reach) & (starts <= max(own) + reach)]
    return np.unique(np.clip(np.concatenate([own, near]), 0, max(0, limit - size)))


def _are_near(taken: np.ndarray, lefts: np.ndarray, tops: np.ndarray, *, size_wh: tuple[int, int]) -> np.ndarray:
    """Return which boxes a label that begins at one of `lefts` and `tops` may cover."""
    across = (taken[:, 0] < lefts[-1] + size_wh[0]) & (taken[:, 2] > lefts[0])
    return across & (taken[:, 1] < tops[-1] + size_wh[1]) & (taken[:, 3] > tops[0])


def _shared(starts: np.ndarray, size: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return how many pixels of [low, high) each label shares along one axis: (n_starts, n_taken)."""
    first, last = np.maximum(starts[:, None], low[None, :]), np.minimum(starts[:, None] + size, high[None, :])
    return np.maximum(0.0, last - first)
