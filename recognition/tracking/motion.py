"""Motion between two frames: move boxes by optical flow, and detect cuts."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

# Flow is computed on frames scaled down to this side: more pixels do not make it more accurate.
_FLOW_SIDE = 640
_GRID = 5
_WINDOW = (15, 15)
_LEVELS = 3
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.03)
# A point that does not come back to within this many pixels was not the same point
# (Kalal, Mikolajczyk, Matas: Forward-Backward Error, ICPR 2010, which takes the better half of the points; both here).
_MAX_RETURN_ERROR = 1.5
_MIN_POINTS = 8
# No face grows or shrinks by more from one frame to the next; points that seem to do so have moved onto others.
_MAX_SCALE = 1.5

_THUMBNAIL_HW = (36, 64)
_HISTOGRAM_BINS = 32
# Between what was measured inside shots (difference up to 0.053, histogram up to 0.067) and at cuts (from 0.108 and
# 0.212) of two clips, one with fast pans.
_CUT_DIFFERENCE = 0.075
_CUT_HISTOGRAM = 0.12
_CUT_RATIO = 3.0


@dataclass(frozen=True)
class BoxMotion:
    """Motion of a box from one frame to another.

    Attributes
    ----------
    box : numpy.ndarray
        float64 (4,), pixels: the box on the later frame.
    scale : float
    shift_xy : numpy.ndarray
        float64 (2,), pixels: ``new = centre + scale * (old - centre) + shift``.
    """

    box: np.ndarray
    scale: float
    shift_xy: np.ndarray

    def apply(self, points: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Return `points`, (n, 2), moved as the box was; `box`, (4,), is the box on the earlier frame."""
        centre = (box[:2] + box[2:]) / 2
        return centre + self.scale * (points - centre) + self.shift_xy


@dataclass(frozen=True, eq=False)
class FlowFrame:
    """A frame for optical flow: greyscale, uint8 (h, w), scaled by `factor`."""

    grey: np.ndarray
    factor: float


@dataclass(frozen=True, eq=False)
class ReducedFrame:
    """A frame scaled down, for `Motion` and `CutDetector`.

    Attributes
    ----------
    flow : FlowFrame
    thumbnail : numpy.ndarray
        uint8 (36, 64, 3) RGB.
    """

    flow: FlowFrame
    thumbnail: np.ndarray


def reduce_frame(image: np.ndarray) -> ReducedFrame:
    """Scale a frame, uint8 (h, w, 3) RGB, down for flow and for cuts.

    Each step averages the pixels of the one before: a large frame is halved first, and the thumbnail is made of what is
    left, which together takes half the time at 1920x1080.
    """
    factor = min(1.0, _FLOW_SIDE / max(image.shape[:2]))
    # Each side keeps at least a pixel, however long and narrow the frame.
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    while min(image.shape[0] / height, image.shape[1] / width) >= 2:
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    if image.shape[:2] != (height, width):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    thumbnail = cv2.resize(image, _THUMBNAIL_HW[::-1], interpolation=cv2.INTER_AREA)
    return ReducedFrame(FlowFrame(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), factor), thumbnail)


class Motion:
    """Move boxes from frame to frame by sparse optical flow (pyramidal Lucas-Kanade)."""

    def __init__(self) -> None:
        self._previous: FlowFrame | None = None
        self._newest: FlowFrame | None = None

    def update(self, frame: FlowFrame) -> None:
        """Add the next frame; from one frame size to another no box can be moved."""
        self._previous, self._newest = self._newest, frame

    @property
    def flow_frame(self) -> FlowFrame | None:
        """Return the newest frame, for `propagate_from`."""
        return self._newest

    def reset(self) -> None:
        """Forget all frames, as at a cut."""
        self._previous = self._newest = None

    def propagate(self, boxes: Sequence[np.ndarray]) -> list[BoxMotion | None]:
        """Return the motion of each of `boxes` from the frame before to the newest; None where flow is unreliable."""
        return self.propagate_from(self._previous, boxes)

    def propagate_from(self, start: FlowFrame | None, boxes: Sequence[np.ndarray]) -> list[BoxMotion | None]:
        """Return the motion of each of `boxes` from the frame `start` to the newest; None where flow is unreliable."""
        return propagate_between(start, self._newest, boxes)


def propagate_between(
    start: FlowFrame | None, end: FlowFrame | None, boxes: Sequence[np.ndarray]
) -> list[BoxMotion | None]:
    """Return the motion of each of `boxes`, (4,), from one frame to another, be it later or earlier.

    It is None where flow is unreliable, and between frames of two sizes.
    """
    if start is None or end is None or start.grey.shape != end.grey.shape or not len(boxes):
        return [None] * len(boxes)
    grids = [_grid(box * end.factor) for box in boxes]
    points = np.concatenate(grids).astype(np.float32)[:, None]
    there, found = _flow(start.grey, end.grey, points)
    back, returned = _flow(end.grey, start.grey, there)
    error = np.linalg.norm((back - points)[:, 0], axis=1)
    good = found & returned & (error < _MAX_RETURN_ERROR)
    parts = zip(*(np.split(part, len(boxes)) for part in (points[:, 0], there[:, 0], error, good)), strict=True)
    return [
        _median_motion(np.asarray(box, np.float64), *ways, error=error, good=good, factor=end.factor)
        for box, (*ways, error, good) in zip(boxes, parts, strict=True)
    ]


def _median_motion(
    box: np.ndarray, before: np.ndarray, after: np.ndarray, *, error: np.ndarray, good: np.ndarray, factor: float
) -> BoxMotion | None:
    """Return the median motion of the better half of the points."""
    if good.sum() < _MIN_POINTS:
        return None
    good &= error <= np.median(error[good])
    if good.sum() < 2:
        return None
    before, after = before[good].astype(np.float64), after[good].astype(np.float64)
    first, second = np.triu_indices(len(before), k=1)
    apart = np.linalg.norm(before[first] - before[second], axis=1)
    scale = float(np.median(np.linalg.norm(after[first] - after[second], axis=1) / apart))
    if not 1 / _MAX_SCALE < scale < _MAX_SCALE:
        return None
    shift = np.median(after - before, axis=0) / factor
    centre, half = (box[:2] + box[2:]) / 2 + shift, (box[2:] - box[:2]) / 2 * scale
    return BoxMotion(np.concatenate([centre - half, centre + half]), scale, shift)


class CutDetector:
    """Detect cuts: frames that begin another shot."""

    def __init__(self) -> None:
        self._thumbnail: np.ndarray | None = None
        self._histogram: np.ndarray | None = None
        self._usual = 0.0

    def is_cut(self, colours: np.ndarray) -> bool:
        """Add the next frame's thumbnail, uint8 (36, 64, 3), and return whether a cut separates it from the one before.

        At a cut the image changes everywhere, by far more than lately, and so does the histogram of its colours.
        """
        height, width = _THUMBNAIL_HW
        thumbnail = colours.astype(np.float32) / 255
        histogram = np.concatenate(
            [cv2.calcHist([colours], [channel], None, [_HISTOGRAM_BINS], [0, 256]).ravel() for channel in range(3)]
        ) / (3 * height * width)
        before, histogram_before = self._thumbnail, self._histogram
        self._thumbnail, self._histogram = thumbnail, histogram
        if before is None or histogram_before is None:
            return False
        difference = float(np.abs(thumbnail - before).mean())
        changed = 0.5 * float(np.abs(histogram - histogram_before).sum())
        is_cut = difference > max(_CUT_DIFFERENCE, _CUT_RATIO * self._usual) and changed > _CUT_HISTOGRAM
        self._usual = 0.0 if is_cut else 0.8 * self._usual + 0.2 * difference
        return is_cut


def _flow(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of `points`, float32 (n, 1, 2), on the later frame, and which were found, bool (n,)."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points,
        None,
        winSize=_WINDOW,  # type: ignore[call-overload]
        maxLevel=_LEVELS,
        criteria=_CRITERIA,
    )
    return there, found.ravel() == 1


def _grid(box: np.ndarray) -> np.ndarray:
    """Return a grid of points on the inner part of `box`, float (25, 2): near its edge there is more background."""
    steps = np.linspace(0.2, 0.8, _GRID)
    x = box[0] + steps * (box[2] - box[0])
    y = box[1] + steps * (box[3] - box[1])
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
