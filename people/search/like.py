"""Faces of a table that look like one on a photo from elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.similarity import COSINE_CURVE, SimilaritySpace, default_threshold, normalized_space
from classifiers.scores.normalization import choose_background
from classifiers.scores.thresholds import curve_for
from embedder.images.reading import read_image
from embedder.networks.encoder import EncoderOptions, FaceEncoder
from embedder.tables.table import EmbeddingTable
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint
from foundation.paths import display_path
from foundation.text import pluralize
from people.workspace.workspace import WorkspaceSettings

_BLOCK = 4_096
"""Vectors at once, so that little is computed beside the table."""


@dataclass(frozen=True, eq=False)
class AskedFace:
    """The face on a photo that others shall be like.

    Attributes
    ----------
    vector : (d,) float32
        Of unit length.
    number : int
        Which of the photo's faces it is, from 0.
    n_faces : int
        How many the photo shows.
    box : tuple of 4 float
        x_min, y_min, x_max, y_max in pixels of the upright photo.
    """

    vector: NDArray[np.float32]
    number: int
    n_faces: int
    box: tuple[float, ...]


@dataclass(frozen=True)
class LikeFaces:
    """Faces of a table that are like one.

    Attributes
    ----------
    similarities : dict
        Row to similarity of those that reach the threshold, the most alike first.
    threshold : float
    """

    similarities: dict[int, float]
    threshold: float


def read_face(photo: Path, table: EmbeddingTable, settings: WorkspaceSettings, *, number: int | None) -> AskedFace:
    """Find a face on a photo and make its vector as those of a table were made.

    Parameters
    ----------
    photo : Path
    table : EmbeddingTable
    settings : WorkspaceSettings
        Of the workspace that the table is of: which network, how small faces are.
    number : int or None
        Which face, from 0 in the order of detection; None for the main one: the largest near the middle.

    Raises
    ------
    ValueError
        If the photo cannot be read, shows no face or not so many, or the network is another than the table's.
    OSError
        If the photo is missing or may not be read.
    """
    image = read_image(photo)
    options = EncoderOptions(
        preset=settings.preset or None, min_face_size=settings.min_face_size, detector=settings.detector
    )
    encoder = FaceEncoder.for_fingerprint(table.fingerprint, options, source="the workspace")
    table.fingerprint.check_same_space(encoder.fingerprint, source="the table's")
    encoded = encoder.encode(image)
    if not len(encoded):
        raise InputError(f"{display_path(photo)}: expected a photo with a face, found none; name another photo")
    if number is None:
        number = encoded.faces.primary((image.shape[0], image.shape[1]))
    if not 0 <= number < len(encoded):
        raise InputError(
            f"{display_path(photo)}: expected a face number below {len(encoded)}, the faces found, got {number}; "
            "counting begins with 0"
        )
    box = tuple(round(float(side), 1) for side in encoded.faces.boxes[number])
    return AskedFace(encoded.embeddings[number], number, len(encoded), box)


def find_like(face: AskedFace, table: EmbeddingTable) -> LikeFaces:
    """Return the faces of a table like `face`; see `find_like_rows`."""
    blocks = (table.embeddings[start : start + _BLOCK] for start in range(0, len(table), _BLOCK))
    return find_like_rows(face.vector, blocks, fingerprint=table.fingerprint)


def find_like_rows(
    vector: NDArray[np.float32], blocks: Iterable[NDArray[np.float32]], *, fingerprint: Fingerprint
) -> LikeFaces:
    """Return the rows like a vector, of a table that need not be in memory.

    The threshold is that of the preset's curve for as many enrolled photos as the table has faces: a stranger's photo
    would find anybody once in a hundred times.

    Parameters
    ----------
    vector : (d,) float32
        Of unit length.
    blocks : iterable of (n, d) float32
        The table's vectors from its first row on.
    fingerprint : Fingerprint
        Of the table.
    """
    background = choose_background(fingerprint)
    parts, ordinary = [np.empty(0, np.float32)], COSINE_CURVE
    for block in blocks:
        vectors = np.concatenate([vector[None], block])
        space = (
            SimilaritySpace(vectors, np.zeros(len(vectors), np.float32), COSINE_CURVE)
            if background is None
            else normalized_space(vectors, background)
        )
        parts.append(space.vectors[1:] @ space.vectors[0] - space.offsets[1:] - space.offsets[0])
        ordinary = space.curve
    similarities = np.concatenate(parts)
    if not len(similarities):
        return LikeFaces({}, 1.0)
    curve = curve_for(fingerprint, background)
    threshold = default_threshold(len(similarities), ordinary) if curve is None else curve.at(len(similarities))
    order = np.argsort(-similarities, kind="stable")
    kept = order[similarities[order] >= threshold]
    return LikeFaces({int(row): float(similarities[row]) for row in kept}, threshold)


def describe_asked(photo: Path, face: AskedFace) -> str:
    """Return which face of a photo was taken, in one line."""
    if face.n_faces == 1:
        return f"{display_path(photo)}: 1 face, searched for"
    box = ", ".join(f"{side:.0f}" for side in face.box)
    return (
        f"{display_path(photo)}: {pluralize(face.n_faces, 'face')}, searched for face {face.number} (box {box}); "
        "--face N takes another, from 0"
    )
