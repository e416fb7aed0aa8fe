"""What turns crops into vectors: the protocol of embedding networks."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from embedder.detection.alignment import CropRule, FaceCropper


class Embedder(Protocol):
    """What turns crops into vectors, such as `embedder.networks.face_embedder.FaceEmbedder`."""

    @property
    def space(self) -> Mapping[str, Any]:
        """Return what decides whether two vectors may be compared, with `embedding_length`."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Return the other settings, ready for JSON."""

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Return unit vectors, float32 (n, d), of crops, uint8 (n, h, w, 3)."""


def default_crop_rule(embedder: Embedder) -> FaceCropper:
    """Return how faces are cut out for `embedder`, unless somebody says otherwise: by its preset, if it has one."""
    rule: FaceCropper | None = getattr(embedder, "crop_rule", None)
    return rule if rule is not None else CropRule(size=int(embedder.space["crop_size"]))


def mirror_crops(embedder: Embedder, crops: np.ndarray) -> np.ndarray:
    """Return the mirror images of `crops` as `embedder` takes them: it may look at several pictures of a face."""
    mirror = getattr(embedder, "mirror", None)
    mirrored: np.ndarray = crops[:, :, ::-1] if mirror is None else mirror(crops)
    return mirrored
