"""What turns crops into vectors: the protocol of embedding networks."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np


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
