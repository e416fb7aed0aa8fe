"""What turns crops into vectors: the protocol of embedding networks."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from embedder.detection.alignment import CropRule


class Embedder(Protocol):
    """What turns crops into vectors, such as `embedder.networks.face_embedder.FaceEmbedder`."""

    @property
    def space(self) -> Mapping[str, Any]:
        """Return what decides whether two vectors may be compared, with `crop_size` and `embedding_length`."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Return the other settings, ready for JSON."""

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Return unit vectors, float32 (n, d), of crops, uint8 (n, s, s, 3)."""


def default_crop_rule(embedder: Embedder) -> CropRule:
    """Return how faces are cut out for `embedder`, unless somebody says otherwise: by its preset, if it has one."""
    rule = getattr(embedder, "crop_rule", None)
    return rule if rule is not None else CropRule(size=int(embedder.space["crop_size"]))
