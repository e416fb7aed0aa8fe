"""Everything about a checkpoint in one frozen record: weights, preprocessing, threshold, licence, accuracy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedder.detection.alignment import DEFAULT_CROP_SIZE, DEFAULT_MARGIN, DEFAULT_TEMPLATE, Alignment, CropRule
from embedder.errors import WeightsError
from embedder.runtime.weights import check_sha256, fetched_file, package_file

STANDARDIZATIONS = ("fixed", "per_image")

LAYOUTS = ("NHWC", "NCHW")
"""Order of the axes of a batch: number, height, width, channels, or number, channels, height, width."""

CHANNEL_ORDERS = ("RGB", "BGR")

CROPS: dict[str, Alignment] = {"box": "box", "five_points": "similarity"}
"""How a preset's record calls the ways to cut a face out, and how `CropRule` and fingerprints do."""

FIXED_MEAN, FIXED_SCALE = 127.5, 128.0
"""Sandberg's FaceNet, ``--use_fixed_image_standardization``: (x - 127.5) / 128."""

MIRRORED_COPY = "mirrored_copy"
"""Marks, in a `space`, vectors followed by those of the mirrored crops."""

Channels = tuple[float, float, float]

_SAID_WHERE_UNUSUAL = ("layout", "channel_order", "mean", "scale", "output")
"""What stands in a `space` only where it is not the default, so that fingerprints of before stay equal."""


@dataclass(frozen=True)
class Preset:
    """A checkpoint of an embedding network.

    Attributes
    ----------
    name : str
        The word that ``--preset`` takes; for a training run its folder's name.
    builder : str
        ``"module:function"`` that reads the weights file and returns it as ONNX.
    weights_file : str
        Name of the weights file: inside `weights_package`, or a path; empty where the user brings the file.
    weights_package : str
        Import name of the installed package that carries the file; empty when none does.
    weights_sha256 : str
        SHA-256 of the weights file in hexadecimal.
    input_size : int
        Height and width of a crop in pixels.
    embedding_size : int
        Length of the vector that the network gives.
    standardization : str
        How pixels are scaled before they enter the network: ``"fixed"``, by `mean` and `scale`, or ``"per_image"``.
    verification_threshold : float or None
        Euclidean distance of unit vectors below which two faces are the same person; None when never measured.
    accuracy : str
        What was measured, on what.
    licence : str
        Of the weights, and what is known of their training data.
    how_to_get : str
        How the user gets the file that no package carries.
    fetched_as : str
        Name under which ``data.models`` or ``data.samples`` keep the file; empty where they do not fetch it.
    layout : str
        Order of the axes that the network takes: ``"NHWC"`` or ``"NCHW"``.
    channel_order : str
        ``"RGB"`` or ``"BGR"``.
    mean, scale : float or three floats
        Pixels enter as ``(x - mean) / scale``, one number for all channels, or one each in the network's order.
    alignment : str
        ``"box"``, the box with `margin`, or ``"five_points"``, the landmarks on `template`.
    margin : float
        Pixels added to the box, see `embedder.detection.alignment.add_margin`.
    template : str
        Name of the five points, a key of `embedder.detection.alignment.FIVE_POINT_TEMPLATES`.
    mirrored_copy : bool
        Whether a vector is followed by that of the mirrored crop, which doubles its length.
    output : str
        Name of the network's output that is the vector; empty where there is one alone.
    source : str
        Where the network comes from.
    """

    name: str
    builder: str
    weights_file: str
    weights_sha256: str
    weights_package: str = ""
    input_size: int = DEFAULT_CROP_SIZE
    embedding_size: int = 512
    standardization: str = "fixed"
    verification_threshold: float | None = None
    accuracy: str = "not measured"
    licence: str = "unknown"
    how_to_get: str = ""
    fetched_as: str = ""
    layout: str = "NHWC"
    channel_order: str = "RGB"
    mean: float | Channels = FIXED_MEAN
    scale: float | Channels = FIXED_SCALE
    alignment: str = "box"
    margin: float = DEFAULT_MARGIN
    template: str = DEFAULT_TEMPLATE
    mirrored_copy: bool = False
    output: str = ""
    source: str = ""

    def find_weights(self, weights: str | Path | None = None) -> Path:
        """Return the path of the weights file; `weights` is the user's own copy of it, which is checked.

        Raises
        ------
        WeightsError
            If the file is missing, or `weights` is not the preset's file.
        """
        if weights is not None:
            check_sha256(Path(weights), self.weights_sha256)
            return Path(weights)
        if self.weights_package:
            return package_file(self.weights_package, self.weights_file)
        if self.weights_file:
            return Path(self.weights_file)
        fetched = fetched_file(self.fetched_as) if self.fetched_as else None
        if fetched is None:
            raise WeightsError(
                f"`preset` {self.name} needs its weights file: {self.how_to_get}, "
                "or pass it with --weights FILE where the command takes that (in Python: weights=FILE)"
            )
        return fetched

    @property
    def crop_rule(self) -> CropRule:
        """Return how faces are cut out for the network, unless somebody says otherwise."""
        return CropRule(self.input_size, self.margin, alignment=CROPS[self.alignment], template=self.template)

    @property
    def embedding_length(self) -> int:
        """Length of a finished vector."""
        return self.embedding_size * (2 if self.mirrored_copy else 1)

    @property
    def space(self) -> dict[str, Any]:
        """What decides, beside the crop rule, whether vectors may be compared."""
        unusual = {
            name: getattr(self, name) for name in _SAID_WHERE_UNUSUAL if getattr(self, name) != getattr(Preset, name)
        }
        return {
            "weights_sha256": self.weights_sha256,
            "crop_size": self.input_size,
            "standardization": self.standardization,
            "embedding_length": self.embedding_length,
            **unusual,
            **({MIRRORED_COPY: True} if self.mirrored_copy else {}),
        }

    def standardize(self, crops: np.ndarray) -> np.ndarray:
        """Return uint8 RGB crops ``(n, h, w, 3)`` as the float32 batch the network takes."""
        if self.channel_order == "BGR":
            crops = crops[..., ::-1]
        if self.standardization == "per_image":
            x = standardize_per_image(crops)
        elif (self.mean, self.scale) == (FIXED_MEAN, FIXED_SCALE):
            x = standardize_fixed(crops)
        else:
            x = (crops - np.asarray(self.mean, np.float32)) / np.asarray(self.scale, np.float32)
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if self.layout == "NCHW" else x


def standardize_fixed(crops: np.ndarray) -> np.ndarray:
    """Return ``(crops - 127.5) / 128`` as float32."""
    x = np.subtract(crops, FIXED_MEAN, dtype=np.float32)
    x *= np.float32(1 / FIXED_SCALE)
    return x


def standardize_per_image(crops: np.ndarray) -> np.ndarray:
    """Return each crop minus its mean, divided by its standard deviation, as float32.

    The deviation is at least ``1 / sqrt(number of values)``, so that a crop of one colour stays finite
    (Sandberg's ``prewhiten``).
    """
    axes = (1, 2, 3)
    mean = crops.mean(axis=axes, keepdims=True, dtype=np.float64)
    deviation = crops.std(axis=axes, keepdims=True, dtype=np.float64)
    deviation = np.maximum(deviation, 1 / np.sqrt(np.prod(crops.shape[1:])))
    return ((crops - mean) / deviation).astype(np.float32)
