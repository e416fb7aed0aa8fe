"""From a face in a photo to the square crop an embedding network takes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, get_args

import cv2
import numpy as np

from embedder.detection.boxes import clip_boxes, pad_boxes
from foundation.errors import InputError

MarginMode = Literal["scaled", "absolute"]
Alignment = Literal["box", "similarity"]

REFERENCE_FACE = 108.0
"""Side in pixels, sqrt(width * height), of the faces for which FaceNet's margin of 32 pixels was chosen: MTCNN boxes on
250x250 photos of Labeled Faces in the Wild."""

FIVE_POINT_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where the five landmarks lie in a 112x112 crop: the template of SphereFace (Liu et al., CVPR 2017), there for 96x112,
shifted by 8 pixels to the square that ArcFace (Deng et al., CVPR 2019) made the field's standard."""

FIVE_POINT_TEMPLATES = {
    "arcface_112": (FIVE_POINT_TEMPLATE, 112.0),
    "arcface_128": (FIVE_POINT_TEMPLATE + np.array([8.0, 0.0]), 128.0),
}
"""Templates by name, each with the side in pixels of the crop it is made for; the second one is what InsightFace takes
for networks of 128, 256 or 512 pixels."""

DEFAULT_TEMPLATE = "arcface_112"

DEFAULT_CROP_SIZE = 160
"""Side in pixels of the crops that FaceNet's published networks take."""

DEFAULT_MARGIN = 32.0
"""What FaceNet's reference code (``align_dataset_mtcnn.py``, D. Sandberg 2017) adds to a box, for `REFERENCE_FACE`."""


class FaceCropper(Protocol):
    """What cuts faces out for a network, such as `CropRule`."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of a crop: height, width, channels."""

    @property
    def space(self) -> dict[str, Any]:
        """Return the rule's part of a fingerprint's space."""

    def like(self, space: Mapping[str, Any]) -> "FaceCropper":
        """Return the rule by which the vectors of `space` were cut out; what it does not say is as in this rule."""

    def changed(
        self,
        *,
        margin: float | None = None,
        margin_mode: MarginMode | None = None,
        alignment: Alignment | None = None,
    ) -> "FaceCropper":
        """Return the rule with what is not None instead of its own."""

    def crop(self, image: np.ndarray, boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Return the faces of `image`, uint8 (h, w, 3), cut out: uint8 (n, *shape)."""

    def view(self, crops: np.ndarray) -> np.ndarray:
        """Return what a person would look at: uint8 (n, s, s, 3)."""


@dataclass(frozen=True)
class CropRule:
    """How a face is cut out of its photo: everything between a detector's box and the pixels a network takes.

    Vectors of crops made by different rules may not be compared, so `space` is part of every fingerprint.

    Attributes
    ----------
    size : int
        Side of the square crop in pixels; the network decides it.
    margin : float
        Pixels added to the box in all, half on each side, see `add_margin`. Less shows too little of chin and forehead,
        more shows what is behind; on LFW View 2 32 and 44 differ by a tenth of a point. Similarity alignment uses none.
    margin_mode : {"scaled", "absolute"}
        ``"scaled"`` lets the margin grow with the face, so that an enlarged photo gives the same vector;
        ``"absolute"`` is FaceNet's original rule, right only for faces of `REFERENCE_FACE` pixels.
    alignment : {"box", "similarity"}
        Cut out the box, or turn, scale and shift the face so that its landmarks meet the template.
    template : str
        Where the landmarks go in similarity alignment, a key of `FIVE_POINT_TEMPLATES`.

    Raises
    ------
    ValueError
        If a value is out of its range.

    Examples
    --------
    >>> CropRule(size=112, margin=20).space
    {'margin': {'mode': 'scaled', 'value': 20.0}, 'alignment': 'box'}
    """

    size: int = DEFAULT_CROP_SIZE
    margin: float = DEFAULT_MARGIN
    margin_mode: MarginMode = "scaled"
    alignment: Alignment = "box"
    template: str = DEFAULT_TEMPLATE

    def __post_init__(self) -> None:
        known_values = (
            ("margin_mode", get_args(MarginMode)),
            ("alignment", get_args(Alignment)),
            ("template", tuple(FIVE_POINT_TEMPLATES)),
        )
        for name, known in known_values:
            if getattr(self, name) not in known:
                raise InputError(f"`{name}` must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if not 0 <= self.margin < math.inf:
            raise InputError(f"`margin` must be a finite number of pixels, at least 0, got {self.margin}")
        if self.size < 1:
            raise InputError(f"`size` must be at least 1 pixel, got {self.size}")

    @property
    def space(self) -> dict[str, Any]:
        """Return the rule's part of a fingerprint's space; the network's own part holds the size."""
        is_usual = self.alignment == "box" or self.template == DEFAULT_TEMPLATE
        return {
            "margin": {"mode": self.margin_mode, "value": float(self.margin)},
            "alignment": self.alignment,
            **({} if is_usual else {"template": self.template}),
        }

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of a crop: height, width, channels."""
        return self.size, self.size, 3

    def like(self, space: Mapping[str, Any]) -> "CropRule":
        """Return the rule by which the vectors of `space` were cut out; what it does not say is as in this rule."""
        margin = space.get("margin", {"mode": self.margin_mode, "value": self.margin})
        alignment = space.get("alignment", self.alignment)
        # A space that says how it was aligned leaves the usual template unsaid.
        template = space.get("template", DEFAULT_TEMPLATE if "alignment" in space else self.template)
        return CropRule(self.size, margin["value"], margin["mode"], alignment, template)

    def changed(
        self,
        *,
        margin: float | None = None,
        margin_mode: MarginMode | None = None,
        alignment: Alignment | None = None,
    ) -> "CropRule":
        """Return the rule with what is not None instead of its own."""
        given = {"margin": margin, "margin_mode": margin_mode, "alignment": alignment}
        return replace(self, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]

    def view(self, crops: np.ndarray) -> np.ndarray:
        """Return what a person would look at: these crops themselves."""
        return crops

    def crop(self, image: np.ndarray, boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Return the faces of `image`, uint8 (h, w, 3), cut out: uint8 (n, size, size, 3); see `crop_faces`."""
        return crop_faces(
            image,
            boxes,
            landmarks,
            size=self.size,
            margin=self.margin,
            margin_mode=self.margin_mode,
            alignment=self.alignment,
            template=self.template,
        )


def crop_faces(
    image: np.ndarray,
    boxes: np.ndarray,
    landmarks: np.ndarray,
    *,
    size: int = DEFAULT_CROP_SIZE,
    margin: float = DEFAULT_MARGIN,
    margin_mode: MarginMode = "scaled",
    alignment: Alignment = "box",
    template: str = DEFAULT_TEMPLATE,
) -> np.ndarray:
    """Cut faces out of an image.

    Parameters
    ----------
    image : np.ndarray
        uint8 ``(h, w, 3)``.
    boxes : np.ndarray
        ``(n, 4)`` in pixels, maxima exclusive.
    landmarks : np.ndarray
        ``(n, 5, 2)`` in pixels.
    size : int
        Side of the crops in pixels.
    margin, margin_mode
        As in `add_margin`; not used by similarity alignment, whose template fixes what surrounds the face.
    alignment : {"box", "similarity"}
        ``"box"``: the box with its margin, clipped to the image and resized without keeping its aspect.
        ``"similarity"``: turned, scaled and shifted so that the landmarks meet the template; black outside of the
        image.
    template : str
        A key of `FIVE_POINT_TEMPLATES`.

    Returns
    -------
    np.ndarray
        uint8 ``(n, size, size, 3)``.

    Raises
    ------
    ValueError
        If `image` is not uint8 RGB, a box lies outside of it, `size` is below 1, or an option is unknown.
    """
    check_rgb(image)
    if size < 1:
        raise InputError(f"`size` must be at least 1 pixel, got {size}")
    crops = np.empty((len(boxes), size, size, 3), np.uint8)
    if template not in FIVE_POINT_TEMPLATES:
        raise InputError(f"`template` must be one of {', '.join(FIVE_POINT_TEMPLATES)}, got {template!r}")
    if alignment == "similarity":
        target, template_size = FIVE_POINT_TEMPLATES[template]
        for crop, points in zip(crops, landmarks, strict=True):
            crop[...] = _warp(image, estimate_similarity(points, target * (size / template_size)), size)
    elif alignment == "box":
        widened = add_margin(np.asarray(boxes, np.float64), margin, margin_mode=margin_mode)
        for crop, box in zip(crops, np.rint(widened), strict=True):
            crop[...] = _resize(_cut(image, box), size)
    else:
        raise InputError(f"`alignment` must be one of {', '.join(get_args(Alignment))}, got {alignment!r}")
    return crops


def add_margin(boxes: np.ndarray, margin: float, *, margin_mode: MarginMode = "scaled") -> np.ndarray:
    """Widen boxes by a margin, half of it on each side.

    Parameters
    ----------
    boxes : np.ndarray
        ``(n, 4)`` in pixels.
    margin : float
        Pixels in all, at least 0.
    margin_mode : {"scaled", "absolute"}
        ``"scaled"``: `margin` holds for faces of `REFERENCE_FACE` pixels and grows with the face, so that an enlarged
        photo gives the same crop. ``"absolute"``: pixels of the photo, as in FaceNet's reference code.

    Returns
    -------
    np.ndarray
        ``(n, 4)``; boxes may reach beyond the image.

    Raises
    ------
    ValueError
        If `margin` is negative or not finite, or `margin_mode` is unknown.

    Examples
    --------
    >>> add_margin(np.array([[100.0, 100.0, 316.0, 316.0]]), 32).tolist()
    [[68.0, 68.0, 348.0, 348.0]]
    """
    if not (math.isfinite(margin) and margin >= 0):
        raise InputError(f"`margin` must be a number of pixels, at least 0, got {margin}")
    if margin_mode == "absolute":
        return pad_boxes(boxes, np.array([margin, margin], float))
    if margin_mode != "scaled":
        raise InputError(f"`margin_mode` must be one of {', '.join(get_args(MarginMode))}, got {margin_mode!r}")
    sides = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True))
    return pad_boxes(boxes, margin * sides / REFERENCE_FACE)


def estimate_similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the rotation, scaling and shift that bring `points` closest to `target` in the least-squares sense.

    Parameters
    ----------
    points, target : np.ndarray
        ``(n, 2)``, at least two different points.

    Returns
    -------
    np.ndarray
        float64 ``(2, 3)`` matrix ``[s R | t]`` without reflection.

    Raises
    ------
    ValueError
        If all `points` coincide.

    Notes
    -----
    S. Umeyama, Least-squares estimation of transformation parameters between two point patterns, IEEE TPAMI 13(4),
    1991, equations 38 to 43.
    """
    points, target = np.asarray(points, np.float64), np.asarray(target, np.float64)
    mean, target_mean = points.mean(axis=0), target.mean(axis=0)
    centred = points - mean
    variance = (centred**2).sum() / len(points)
    if not variance > 0:
        raise InputError("`points` must be at least two different finite points, got all in one place")
    left, singular_values, right = np.linalg.svd((target - target_mean).T @ centred / len(points))
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    rotation = left @ np.diag(signs) @ right
    scaled = rotation * (singular_values @ signs / variance)
    return np.hstack([scaled, (target_mean - scaled @ mean)[:, None]])


def check_rgb(image: np.ndarray) -> None:
    """Refuse anything but an RGB image.

    Raises
    ------
    ValueError
        If `image` is not a uint8 array of shape ``(h, w, 3)`` with at least one pixel.
    """
    is_rgb = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    if not is_rgb or image.size == 0:
        got = f"{image.dtype} of shape {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(
            f"`image` must be an RGB array, uint8 of shape (h, w, 3), got {got}; "
            "embedder.read_image makes one of any image file"
        )


def _cut(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    x_min, y_min, x_max, y_max = clip_boxes(box[None], (image.shape[0], image.shape[1]))[0].astype(int)
    if x_max <= x_min or y_max <= y_min:
        raise ValueError(
            f"`boxes` must overlap the image of {image.shape[1]}x{image.shape[0]} pixels, got "
            f"{box.tolist()}; take the boxes of this image"
        )
    return image[y_min:y_max, x_min:x_max]


def _resize(patch: np.ndarray, size: int) -> np.ndarray:
    # Bilinear sampling looks at four pixels: above twice the size it would skip some, so those are averaged first.
    return cv2.resize(_shrink(patch, min(patch.shape[:2]) // size), (size, size), interpolation=cv2.INTER_LINEAR)


def _warp(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Return the `size` x `size` pixels that `matrix` maps to, from no more of `image` than they need."""
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - matrix[:, 2]
    corners = corners @ matrix[:, :2] / scale**2
    factor = max(1, int(1 / scale))
    low, high = np.floor(corners.min(axis=0)) - 2 * factor, np.ceil(corners.max(axis=0)) + 2 * factor
    patch = _cut(image, np.concatenate([low, high]))
    offset = np.maximum(low, 0)
    # Pixel centres: x of the patch, shrunk by the factor, is (x - offset + 0.5) / factor - 0.5.
    from_patch = matrix.copy()
    from_patch[:, :2] *= factor
    from_patch[:, 2] += matrix[:, :2] @ (offset + (factor - 1) / 2)
    return cv2.warpAffine(_shrink(patch, factor), from_patch, (size, size), flags=cv2.INTER_LINEAR)


def _shrink(patch: np.ndarray, factor: int) -> np.ndarray:
    """Return `patch` with each block of `factor` x `factor` pixels averaged; what fills no whole block is left out."""
    if factor < 2 or min(patch.shape[:2]) < factor:
        return patch
    height, width = patch.shape[0] // factor, patch.shape[1] // factor
    return cv2.resize(patch[: height * factor, : width * factor], (width, height), interpolation=cv2.INTER_AREA)
