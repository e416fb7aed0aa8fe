"""What finds faces: the protocol of detectors."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np

from embedder.detection.faces import Faces

FaceSelection = Literal["all", "one"]


class Detector(Protocol):
    """What finds faces, such as `embedder.detection.mtcnn.MTCNN`."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Return all settings that decide which faces are found, ready for JSON."""

    def detect(self, image: np.ndarray) -> Faces:
        """Return the faces of one image, uint8 (h, w, 3)."""

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Faces]:
        """Return the faces of each image, uint8 (h, w, 3)."""
