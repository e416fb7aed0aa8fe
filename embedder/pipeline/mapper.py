"""Mapper: photos to faces and vectors, several at a time, each photo on its own where a batch fails."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from embedder.detection.detector import Detector
from embedder.detection.faces import Faces
from embedder.detection.finder import FoundFaces, _each, _failed
from embedder.images.photo import Photo
from embedder.networks.embedder import Embedder
from embedder.pipeline.settings import EmbedSettings
from embedder.tables.table import is_unit

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PhotoResult:
    """What the table shall hold for one photo.

    Attributes
    ----------
    photo : Photo
        Without pixels; `status` is final.
    size_hw : tuple of int
        Height and width of the upright photo, 0 where it could not be read.
    faces : Faces
    embeddings : numpy.ndarray
        float32 (n_faces, d), unit length.
    identities : list of str
        One for each face.
    """

    photo: Photo
    size_hw: tuple[int, int]
    faces: Faces
    embeddings: np.ndarray
    identities: list[str]


class FaceMapper:
    """Finds, cuts out and embeds the faces of photos.

    Parameters
    ----------
    detector, embedder
        The networks, or stand-ins.
    settings : EmbedSettings
        Face selection, margin, alignment and identity rule.
    """

    def __init__(self, detector: Detector, embedder: Embedder, settings: EmbedSettings) -> None:
        self._detector = detector
        self._embedder = embedder
        self._settings = settings
        self._crop_size: int = embedder.space["crop_size"]
        self._length: int = embedder.space["embedding_length"]

    def find(self, photos: Sequence[Photo]) -> list[FoundFaces]:
        """Find and cut out the faces of `photos`; a failure is its photo's `status` and `message`."""
        readable = [photo for photo in photos if photo.image is not None]
        detected = iter(_each(self._detect, readable))
        return [
            self._without_faces(photo) if photo.image is None else self._cut_out(photo, photo.image, next(detected))
            for photo in photos
        ]

    def embed(self, found: Sequence[FoundFaces]) -> list[PhotoResult]:
        """Embed what `find` has found; vectors that are not finite and of unit length make their photo an error."""
        return [self._result(*pair) for pair in zip(found, _each(self._embed, found), strict=True)]

    def _detect(self, photos: Sequence[Photo]) -> list[Faces]:
        return self._detector.detect_batch([photo.image for photo in photos if photo.image is not None])

    def _cut_out(self, photo: Photo, image: np.ndarray, detected: Faces | Exception) -> FoundFaces:
        size_hw = (image.shape[0], image.shape[1])
        cropped = [detected] if isinstance(detected, Exception) else _each(self._crop, [(image, detected)])
        if isinstance(cropped[0], Exception):
            return self._without_faces(_failed(photo, cropped[0]), size_hw)
        faces, crops = cropped[0]
        photo = replace(photo, image=None, status="ok" if len(faces) else "no_face")
        return FoundFaces(photo, size_hw, faces, crops)

    def _crop(self, detected: Sequence[tuple[np.ndarray, Faces]]) -> list[tuple[Faces, np.ndarray]]:
        cropped = []
        for image, faces in detected:
            if self._settings.faces == "one" and len(faces):
                faces = faces[faces.primary((image.shape[0], image.shape[1]))]
            cropped.append(
                (
                    faces,
                    faces.crop(
                        image,
                        self._crop_size,
                        self._settings.margin,
                        margin_mode=self._settings.margin_mode,
                        alignment=self._settings.alignment,
                    ),
                )
            )
        return cropped

    def _without_faces(self, photo: Photo, size_hw: tuple[int, int] = (0, 0)) -> FoundFaces:
        crops = np.empty((0, self._crop_size, self._crop_size, 3), np.uint8)
        return FoundFaces(photo, size_hw, Faces.empty(), crops)

    def _embed(self, found: Sequence[FoundFaces]) -> list[np.ndarray]:
        ends = np.cumsum([len(photo.faces) for photo in found])
        if not ends[-1]:
            return [np.empty((0, self._length), np.float32)] * len(found)
        return np.split(self._embedder.embed(np.concatenate([photo.crops for photo in found])), ends[:-1])

    def _result(self, found: FoundFaces, vectors: np.ndarray | Exception) -> PhotoResult:
        photo, faces = found.photo, found.faces
        if not isinstance(vectors, Exception) and not (
            vectors.shape == (len(faces), self._length) and is_unit(vectors).all()
        ):
            vectors = ArithmeticError(
                f"expected {len(faces)} finite vectors of unit length, got others; embed the "
                "photo again or convert it to JPEG"
            )
        if isinstance(vectors, Exception):
            photo, faces = _failed(photo, vectors), Faces.empty()
            vectors = np.empty((0, self._length), np.float32)
        identities = self._settings.identities(photo.path, found.size_hw, faces)
        return PhotoResult(photo, found.size_hw, faces, vectors, identities)
