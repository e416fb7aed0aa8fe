"""Mapper: photos and videos to faces and vectors, several at a time, each photo on its own where a batch fails."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embedder.detection.faces import Faces
from embedder.finding.finder import FaceFinder, FoundFaces, isolate_failures, mark_failed
from embedder.finding.second_score import load_second_scorer
from embedder.finding.upright import DEFAULT_UPRIGHT
from embedder.images.listing import PhotoFile
from embedder.images.photo import Photo
from embedder.networks.encoder import FaceEncoder
from embedder.pipeline.settings import EmbedSettings
from embedder.pipeline.stored_faces import StoredFacesReader
from embedder.pipeline.videos import MappedFaces, VideoFaceFinder
from embedder.tables.columns import ORIGINS
from embedder.tables.content import is_unit


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
    origins : numpy.ndarray
        (n_faces,) str, see `embedder.tables.columns.ORIGINS`.
    times : numpy.ndarray
        float64 (n_faces,): seconds from the beginning of a video, NaN on photos.
    second_scores : numpy.ndarray
        float32 (n_faces,): what a second detector gives them; NaN where none was asked, and in videos.
    turned : {0, 90, 180, 270}
        See `embedder.finding.finder.FoundFaces`.
    """

    photo: Photo
    size_hw: tuple[int, int]
    faces: Faces
    embeddings: np.ndarray
    identities: list[str]
    origins: np.ndarray
    times: np.ndarray
    second_scores: np.ndarray
    turned: int = 0


class FaceMapper:
    """Finds, cuts out and embeds the faces of photos.

    Parameters
    ----------
    encoder : FaceEncoder
        Detector, crop rule and network.
    settings : EmbedSettings
        Face selection and identity rule.
    stored : StoredFacesReader, optional
        A table whose faces are taken instead of being looked for.
    """

    def __init__(self, encoder: FaceEncoder, settings: EmbedSettings, stored: StoredFacesReader | None = None) -> None:
        self._finder = FaceFinder(
            encoder.detector,
            encoder.crop_rule,
            select=settings.faces,
            upright=settings.upright or DEFAULT_UPRIGHT,
            second=None if settings.second_detector is None else load_second_scorer(settings.second_detector),
        )
        self._videos = VideoFaceFinder(encoder, settings, stored)
        self._encoder = encoder
        self._settings = settings
        self._length = encoder.embedding_length
        self._stored = stored
        self._keeps_names = stored is not None and stored.identity_from == settings.identity_from

    def find(self, photos: Sequence[Photo]) -> list[MappedFaces]:
        """Find and cut out the faces of `photos`; a failure is its photo's `status` and `message`."""
        stored = [None if self._stored is None else self._stored.find(photo) for photo in photos]
        found = self._finder.find(photos, [None if before is None else before.faces for before in stored])
        return [
            MappedFaces(one.photo, one.size_hw, one.faces, one.crops, one.turned, one.second_scores, stored=before)
            for one, before in zip(found, stored, strict=True)
        ]

    def find_in_video(self, video: PhotoFile) -> MappedFaces:
        """Find and cut out the best looks of the faces in a video; a failure is its `status` and `message`."""
        return self._videos.find(video)

    def embed(self, found: Sequence[MappedFaces]) -> list[PhotoResult]:
        """Embed what `find` has found; vectors that are not finite and of unit length make their photo an error."""
        return [self._result(*pair) for pair in zip(found, isolate_failures(self._embed, found), strict=True)]

    def _embed(self, found: Sequence[FoundFaces]) -> list[np.ndarray]:
        ends = np.cumsum([len(photo.faces) for photo in found])
        if not ends[-1]:
            return [np.empty((0, self._length), np.float32)] * len(found)
        return np.split(self._encoder.embed(np.concatenate([photo.crops for photo in found])), ends[:-1])

    def _result(self, found: MappedFaces, vectors: np.ndarray | Exception) -> PhotoResult:
        photo, faces = found.photo, found.faces
        if not isinstance(vectors, Exception) and not (
            vectors.shape == (len(faces), self._length) and is_unit(vectors).all()
        ):
            vectors = ArithmeticError(
                f"expected {len(faces)} finite vectors of unit length, got others; embed the "
                "photo again or convert it to JPEG"
            )
        if isinstance(vectors, Exception):
            photo, faces = mark_failed(photo, vectors), Faces.empty()
            vectors = np.empty((0, self._length), np.float32)
        identities = self._settings.identities(photo.path, found.size_hw, faces)
        origins, times = np.full(len(faces), ORIGINS[0], dtype=object), np.full(len(faces), np.nan)
        second_scores = np.full(len(faces), np.nan, np.float32)
        if found.times is not None and len(faces):
            times = found.times
        if found.second_scores is not None and len(faces):
            second_scores = found.second_scores
        if found.stored is not None and len(faces):
            origins, times = found.stored.origins, found.stored.times
            if self._keeps_names and found.stored.path == photo.path:
                identities = found.stored.identities
        return PhotoResult(
            photo, found.size_hw, faces, vectors, identities, origins, times, second_scores, found.turned
        )
