"""Photos in, embedding tables out: MTCNN detection, alignment, FaceNet embeddings.

Names load on first use: importing the package loads neither TensorFlow nor ONNX Runtime.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_MODULE_OF_NAME = {
    "MTCNN": "mtcnn",
    "EmbeddingTable": "table",
    "FaceEmbedder": "face_embedder",
    "Faces": "faces",
    "embed_folder": "pipeline",
    "read_image": "images",
}

__all__ = ["MTCNN", "EmbeddingTable", "FaceEmbedder", "Faces", "embed_folder", "read_image"]

if TYPE_CHECKING:
    from embedder.face_embedder import FaceEmbedder
    from embedder.faces import Faces
    from embedder.images import read_image
    from embedder.mtcnn import MTCNN
    from embedder.pipeline import embed_folder
    from embedder.table import EmbeddingTable


def __getattr__(name: str) -> Any:
    """Load the module that defines `name` on first use."""
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF_NAME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
