"""Photos in, embedding tables out: MTCNN detection, alignment, FaceNet embeddings.

Names load on first use: importing the package does not load ONNX Runtime.
"""

from typing import TYPE_CHECKING

from foundation import __version__ as __version__
from foundation import lazy_names

_MODULE_OF_NAME = {
    "MTCNN": "detection.mtcnn",
    "EmbeddingTable": "tables.table",
    "FaceEmbedder": "networks.face_embedder",
    "FaceEncoder": "networks.encoder",
    "FaceTransformer": "scikit_learn.transformer",
    "Faces": "detection.faces",
    "embed_folder": "pipeline.runner",
    "read_image": "images.reading",
}

__all__ = [
    "MTCNN",
    "EmbeddingTable",
    "FaceEmbedder",
    "FaceEncoder",
    "FaceTransformer",
    "Faces",
    "embed_folder",
    "read_image",
]

if TYPE_CHECKING:
    from embedder.detection.faces import Faces
    from embedder.detection.mtcnn import MTCNN
    from embedder.images.reading import read_image
    from embedder.networks.encoder import FaceEncoder
    from embedder.networks.face_embedder import FaceEmbedder
    from embedder.pipeline.runner import embed_folder
    from embedder.scikit_learn.transformer import FaceTransformer
    from embedder.tables.table import EmbeddingTable


__getattr__, __dir__ = lazy_names(__name__, _MODULE_OF_NAME)
