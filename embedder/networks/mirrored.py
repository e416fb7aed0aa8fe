"""The mean vector of a crop and its mirror image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedder.detection.alignment import FaceCropper
from embedder.networks.embedder import default_crop_rule, mirror_crops
from embedder.networks.preset import MIRRORED_COPY

__all__ = ["MIRRORED_COPY", "MirroredEmbedder"]


class MirroredEmbedder:
    """An embedder whose vectors are those of another, followed by those of the mirrored crops, of unit length.

    Parameters
    ----------
    embedder : FaceEmbedder
        Or anything with its `space`, `provenance` and `embed`.
    """

    def __init__(self, embedder: Any) -> None:
        self.embedder = embedder

    @property
    def crop_rule(self) -> FaceCropper:
        """The embedder's."""
        return default_crop_rule(self.embedder)

    def mirror(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the mirror images of `crops`."""
        return mirror_crops(self.embedder, crops)

    @property
    def space(self) -> dict[str, Any]:
        """The embedder's, with twice its embedding length and `MIRRORED_COPY` set."""
        space = dict(self.embedder.space)
        return {**space, "embedding_length": 2 * space["embedding_length"], MIRRORED_COPY: True}

    @property
    def provenance(self) -> dict[str, Any]:
        """The embedder's."""
        return dict(self.embedder.provenance)

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return vectors (n, 2 d) float32 of unit length of `crops` (n, s, s, 3) uint8."""
        both = self.embedder.embed(np.concatenate([crops, mirror_crops(self.embedder, crops)]))
        return (np.hstack(np.split(both, 2)) / np.sqrt(2)).astype(np.float32)
