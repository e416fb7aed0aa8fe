"""Box geometry in NumPy.

Boxes are ``(n, 4)`` arrays of ``x_min, y_min, x_max, y_max`` in pixels. Maxima are exclusive, so that a width is
``x_max - x_min`` and the box of a whole image is ``0, 0, width, height``.
"""

from typing import Literal

import numpy as np

OverlapMeasure = Literal["union", "minimum"]

_BLOCK = 256
"""Boxes compared at a time: bounds memory, and in `non_maximum_suppression` most boxes fall to the first block."""


def areas(boxes: np.ndarray) -> np.ndarray:
    """Return the area of each box, ``(n,)``; a box whose maximum lies below its minimum has area 0.

    >>> areas(np.array([[0, 0, 4, 5], [3, 3, 2, 9]])).tolist()
    [20, 0]
    """
    return _area(boxes[:, :2], boxes[:, 2:])


def clip_boxes(boxes: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Return `boxes` limited to an image of `size_hw` (height, width) pixels.

    >>> clip_boxes(np.array([[-3.0, 2.0, 5.0, 30.0]]), (20, 10)).tolist()
    [[0.0, 2.0, 5.0, 20.0]]
    """
    height, width = size_hw
    return np.clip(boxes, 0, np.array([width, height, width, height], dtype=boxes.dtype))


def square_boxes(boxes: np.ndarray) -> np.ndarray:
    """Return the squares around the centres of `boxes` whose sides are the longer sides of `boxes`.

    >>> square_boxes(np.array([[0.0, 0.0, 2.0, 6.0]])).tolist()
    [[-2.0, 0.0, 4.0, 6.0]]
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    corners = boxes[:, :2] + (sides - sides.max(axis=1, keepdims=True)) / 2
    return np.hstack([corners, corners + sides.max(axis=1, keepdims=True)])


def pad_boxes(boxes: np.ndarray, padding_wh: np.ndarray) -> np.ndarray:
    """Return `boxes` widened by `padding_wh` pixels in all, half of it on each side.

    Parameters
    ----------
    boxes : np.ndarray
        ``(n, 4)``.
    padding_wh : np.ndarray
        Broadcastable to ``(n, 2)``: pixels added to each width and height.

    Examples
    --------
    >>> pad_boxes(np.array([[10.0, 10.0, 20.0, 30.0]]), np.array([4.0, 8.0])).tolist()
    [[8.0, 6.0, 22.0, 34.0]]
    """
    half = np.broadcast_to(np.asarray(padding_wh) / 2, (len(boxes), 2))
    return boxes + np.hstack([-half, half])


def pairwise_overlap(boxes: np.ndarray, others: np.ndarray, *, measure: OverlapMeasure = "union") -> np.ndarray:
    """Return how much each of `boxes` overlaps each of `others`.

    Parameters
    ----------
    boxes, others : np.ndarray
        ``(n, 4)`` and ``(m, 4)``.
    measure : {"union", "minimum"}
        Divide the shared area by the area of the union (intersection over union) or by the smaller box's area.

    Returns
    -------
    np.ndarray
        ``(n, m)`` in 0..1; 0 where a box has no area.
    """
    return paired_overlap(boxes[:, None], others[None, :], measure=measure)


def paired_overlap(boxes: np.ndarray, others: np.ndarray, *, measure: OverlapMeasure = "union") -> np.ndarray:
    """Return how much each of `boxes` overlaps the one of `others` at the same place, as `pairwise_overlap`.

    Parameters
    ----------
    boxes, others : np.ndarray
        ``(..., 4)``, of shapes that broadcast.

    Returns
    -------
    np.ndarray
        ``(...)``.
    """
    shared = _area(np.maximum(boxes[..., :2], others[..., :2]), np.minimum(boxes[..., 2:], others[..., 2:]))
    of_boxes, of_others = _area(boxes[..., :2], boxes[..., 2:]), _area(others[..., :2], others[..., 2:])
    whole = np.minimum(of_boxes, of_others) if measure == "minimum" else of_boxes + of_others - shared
    return np.divide(shared, whole, out=np.zeros(shared.shape, np.result_type(shared, np.float32)), where=whole > 0)


def non_maximum_suppression(
    boxes: np.ndarray, scores: np.ndarray, threshold: float, *, measure: OverlapMeasure = "union"
) -> np.ndarray:
    """Choose boxes greedily by score, dropping each that overlaps a chosen one by more than `threshold`.

    Parameters
    ----------
    boxes : np.ndarray
        ``(n, 4)``.
    scores : np.ndarray
        ``(n,)``; among equal scores the earlier box goes first.
    threshold : float
        Largest overlap allowed between two chosen boxes, in 0..1.
    measure : {"union", "minimum"}
        As in `pairwise_overlap`.

    Returns
    -------
    np.ndarray
        Indices of the chosen boxes, by falling score.

    Examples
    --------
    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]])
    >>> non_maximum_suppression(boxes, np.array([0.8, 0.9, 0.7]), 0.5).tolist()
    [1, 2]
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    chosen = order[:0]
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        if len(chosen):
            free = ~(pairwise_overlap(boxes[chosen], boxes[block], measure=measure) > threshold).any(axis=0)
            block = block[free]
        conflicts = pairwise_overlap(boxes[block], boxes[block], measure=measure) > threshold
        chosen = np.concatenate([chosen, block[_choose_greedily(conflicts)]])
    return chosen


def vote_boxes(boxes: np.ndarray, scores: np.ndarray, chosen: np.ndarray, *, threshold: float) -> np.ndarray:
    """Return, for each chosen box, the mean of the boxes around it, weighted by score.

    Parameters
    ----------
    boxes : np.ndarray
        ``(n, 4)``, before non-maximum suppression.
    scores : np.ndarray
        ``(n,)``, above 0.
    chosen : np.ndarray
        int ``(m,)``, indices of boxes.
    threshold : float
        Boxes whose intersection over union with the chosen one is above this vote, and so does the chosen one itself.

    Returns
    -------
    np.ndarray
        ``(m, 4)``.

    Notes
    -----
    Box voting: S. Gidaris, N. Komodakis, Object Detection via a Multi-region and Semantic Segmentation-aware CNN Model,
    ICCV 2015, section 4.

    Examples
    --------
    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]])
    >>> vote_boxes(boxes, np.array([0.25, 0.75, 0.5]), np.array([1, 2]), threshold=0.5).tolist()
    [[0.75, 0.0, 10.75, 10.0], [20.0, 0.0, 30.0, 10.0]]
    """
    votes = np.empty((len(chosen), 4), np.result_type(boxes, scores))
    for start in range(0, len(chosen), _BLOCK):
        block = chosen[start : start + _BLOCK]
        is_voter = pairwise_overlap(boxes[block], boxes) > threshold
        is_voter[np.arange(len(block)), block] = True
        weights = is_voter * scores
        votes[start : start + _BLOCK] = weights @ boxes / weights.sum(axis=1, keepdims=True)
    return votes


def _area(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    sides = np.maximum(high - low, 0)
    return sides[..., 0] * sides[..., 1]


def _choose_greedily(conflicts: np.ndarray) -> np.ndarray:
    """Return which items a greedy choice keeps; `conflicts` is symmetric, the items are in order of preference.

    An item is kept if no kept item before it conflicts. Applying this rule to all items at once until nothing changes
    gives the same as going through them one by one, in as many steps as the longest chain of conflicts.
    """
    conflicts_with_earlier = np.tril(conflicts, -1)
    kept: np.ndarray = np.ones(len(conflicts), bool)
    while True:
        new: np.ndarray = ~(conflicts_with_earlier & kept).any(axis=1)
        if np.array_equal(new, kept):
            return kept
        kept = new
