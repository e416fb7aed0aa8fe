"""Faces that no detector found, drawn by a person or told by another program: their rows in the workspace's table.

Which there are follows from the decisions alone. A row stays with its photo in all later scans; it goes once nothing
that holds is said about its face any more.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.same_faces import overlaps
from embedder.detection.boxes import clip_boxes
from embedder.detection.faces import Faces
from embedder.detection.mtcnn import MTCNN
from embedder.images.listing import PhotoFile
from embedder.images.photo import read_photo
from embedder.images.reading import Picture, read_picture
from embedder.networks.encoder import FaceEncoder
from embedder.pipeline.settings import EmbedSettings
from embedder.pipeline.worker import load_encoder
from embedder.tables.table import EmbeddingTable, ImageLedger
from embedder.videos.moment import read_moment
from foundation.paths import display_path
from foundation.text import pluralize
from foundation.threads import thread_count
from people.store.reader import PeopleReader
from people.store.records import Face
from people.store.scanned import ScannedFile

logger = logging.getLogger(__name__)

LANDMARKS_OF_BOX = np.array([[0.258, 0.377], [0.716, 0.369], [0.492, 0.570], [0.293, 0.742], [0.702, 0.736]])
"""Where the five landmarks lie within a box, in fractions of its sides: the median of what MTCNN finds on the 9,524
largest faces of LFW's View 1 training photos. Taken where none are found in a box."""

_THRESHOLDS = (0.3, 0.3, 0.3)
"""Of MTCNN where somebody has said that there is a face: half of what is usual, for no false face can come of it."""

_LEAST_SHARE = 0.25
"""Intersection over union from which what MTCNN finds is the face of a box, which may hold a whole head."""

_CONTEXT = 0.5
"""How much is cut out on each side of a box, in sides of it."""

_SIDE = 120.0
"""To so many pixels a box is scaled before landmarks are looked for, as on LFW's photos."""

_SMALLEST = 40
"""Side in pixels of the smallest face looked for in it: a third of the box."""


@dataclass(frozen=True)
class _Added:
    """Rows to be added: the file's path, its box in pixels, and the other columns, one face each."""

    path: str
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    embedding: NDArray[np.float32]
    origin: str
    time_s: float


def update_added_faces(reader: PeopleReader, table: EmbeddingTable, settings: EmbedSettings) -> EmbeddingTable | None:
    """Return `table` with a row for each face that was decided about and not found, or None if it has them already.

    Rows of such faces that nothing is said about any more are left out. Photos that cannot be read just now, or are
    others than those scanned, get no row; the next scan tries again.

    Parameters
    ----------
    reader : PeopleReader
        Of a store that has recorded `table`.
    table : EmbeddingTable
    settings : EmbedSettings
        By which its other faces were embedded.
    """
    decided = reader.rows_with_decisions()
    is_dropped = table.origins != "detected"
    is_dropped[sorted(decided)] = False
    added = list(_embed(table, reader.faces_without_row(), settings))
    return _changed(table, is_dropped.astype(bool), added) if added or is_dropped.any() else None


def find_in_box(image: np.ndarray, box: Sequence[float], detector: MTCNN) -> Faces:
    """Return the one face that is in a box, as the detector sees it: its own box, landmarks and score.

    Where it sees none, that is the box itself, with landmarks as on most faces (`LANDMARKS_OF_BOX`) and a score of 0.

    Parameters
    ----------
    image : numpy.ndarray
        uint8 (h, w, 3), RGB.
    box : sequence of 4 float
        x_min, y_min, x_max, y_max in pixels.
    detector : MTCNN
        With low thresholds; it sees the box with what is around it, `_SIDE` pixels large.
    """
    import cv2

    corners = np.asarray(box, np.float64)
    sides = corners[2:] - corners[:2]
    wide = np.concatenate([corners[:2] - _CONTEXT * sides, corners[2:] + _CONTEXT * sides])
    left, top, right, bottom = clip_boxes(np.rint(wide)[None], (image.shape[0], image.shape[1]))[0].astype(int)
    as_drawn = Faces(corners[None], (corners[:2] + LANDMARKS_OF_BOX * sides)[None], np.zeros(1))
    if right <= left or bottom <= top:
        return as_drawn
    cut = image[top:bottom, left:right]
    scale = _SIDE / float(np.sqrt(sides.prod()))
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    resized = cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    found = detector.detect(np.ascontiguousarray(resized))
    back, corner = np.array([cut.shape[1] / size[0], cut.shape[0] / size[1]]), np.array([left, top])
    boxes = found.boxes * np.tile(back, 2) + np.tile(corner, 2)
    shares = overlaps(np.tile(corners, (len(found), 1)), boxes)
    if not len(found) or shares.max() < _LEAST_SHARE:
        return as_drawn
    best = int(shares.argmax())
    return Faces(boxes[best][None], (found.landmarks[best] * back + corner)[None], found.scores[best][None])


def _embed(
    table: EmbeddingTable, missing: Sequence[tuple[ScannedFile, Face, str]], settings: EmbedSettings
) -> Iterator[_Added]:
    """Yield the rows of `missing` faces, photo by photo; networks are loaded for the first of them."""
    if not missing:
        return
    encoder = load_encoder(settings, thread_count(), None, None)
    if encoder.fingerprint.space != table.fingerprint.space:  # made with a network that only its maker has
        logger.warning(
            "%s drawn or imported cannot be embedded, the table's network is not the one of the settings",
            pluralize(len(missing), "face"),
        )
        return
    detector = MTCNN(_SMALLEST, thresholds=_THRESHOLDS, threads=1)
    for _, of_picture in groupby(missing, key=lambda one: (one[0].path, one[1].time_s)):
        faces = list(of_picture)
        image = _read(table, faces[0][0], settings, time_s=faces[0][1].time_s)
        if image is not None:
            yield from _embed_photo(image, faces, encoder=encoder, detector=detector)


def _read(table: EmbeddingTable, file: ScannedFile, settings: EmbedSettings, *, time_s: float) -> np.ndarray | None:
    place = table.find_photo(file.path)

    def read_frame(path: Path, *, max_pixels: int) -> Picture:
        return Picture(read_moment(path, time_s, max_pixels=max_pixels))

    read = read_frame if file.kind == "video" else read_picture
    photo = read_photo(PhotoFile(place.parent, Path(place.name)), partial(read, max_pixels=settings.max_pixels))
    in_table = table.images.image_sha256[table.images.path.tolist().index(file.path)]
    if photo.image is None or photo.image_sha256 != in_table:
        logger.warning(
            "%s: faces drawn on it are not embedded yet, %s; the next scan tries again",
            display_path(place),
            photo.message or "it was changed during the scan",
        )
        return None
    return photo.image if photo.image.shape[:2] == (file.height, file.width) else None


def _embed_photo(
    image: np.ndarray, shown: Sequence[tuple[ScannedFile, Face, str]], *, encoder: FaceEncoder, detector: MTCNN
) -> Iterator[_Added]:
    height, width = image.shape[:2]
    boxes = np.array([face.box for _, face, _ in shown]) * [width, height, width, height]
    is_inside = (clip_boxes(boxes, (height, width))[:, 2:] - clip_boxes(boxes, (height, width))[:, :2] >= 1).all(axis=1)
    for (file, _, by), box in zip(
        [one for one, inside in zip(shown, is_inside, strict=True) if inside], boxes[is_inside], strict=True
    ):
        # People and programs draw boxes of a whole head, which networks that take boxes have not learned from.
        found = find_in_box(image, box.tolist(), detector)
        embedding = encoder.embed(encoder.crop(image, found))[0]
        origin = "imported" if by.startswith("import ") else "drawn"
        time_s = shown[0][1].time_s if file.kind == "video" else np.nan
        score = float(found.scores[0])
        yield _Added(file.path, box.astype(np.float32), found.landmarks[0], score, embedding, origin, time_s)


def _changed(table: EmbeddingTable, is_dropped: NDArray[np.bool_], added: Sequence[_Added]) -> EmbeddingTable:
    """Return `table` without some rows and with others, each photo's new ones after those it has."""
    images = table.images
    number_of = {path: i for i, path in enumerate(images.path.tolist())}
    of_row = np.repeat(np.arange(len(images)), images.n_faces)
    of_added = np.array([number_of[one.path] for one in added], np.int64)
    next_index = np.zeros(len(images), np.int64)
    np.maximum.at(next_index, of_row, table.face_indices + 1)
    indices = []
    for i in of_added.tolist():
        indices.append(int(next_index[i]))
        next_index[i] += 1
    kept = np.flatnonzero(~is_dropped)
    numbers = np.concatenate([of_row[kept], of_added])
    order = np.argsort(numbers, kind="stable")

    def column(before: np.ndarray, new: Sequence[Any]) -> np.ndarray:
        if not len(new):
            return before[kept][order]
        values = np.array([None] * len(new), object) if before.dtype == object else np.array(new, before.dtype)
        if before.dtype == object:
            values[:] = new
        return np.concatenate([before[kept], values])[order]

    n_faces = np.bincount(numbers, minlength=len(images))
    status = images.status.copy()
    status[(n_faces > 0) & (status == "no_face")] = "ok"
    status[(n_faces == 0) & (status == "ok")] = "no_face"
    return replace(
        table,
        embeddings=column(table.embeddings, [one.embedding for one in added]),
        identities=column(table.identities, [""] * len(added)),
        paths=column(table.paths, [one.path for one in added]),
        face_indices=column(table.face_indices, indices),
        boxes=column(table.boxes, [one.box for one in added]),
        landmarks=column(table.landmarks, [one.landmarks for one in added]),
        detection_scores=column(table.detection_scores, [one.score for one in added]),
        image_sha256=column(table.image_sha256, images.image_sha256[of_added].tolist()),
        origins=column(table.origins, [one.origin for one in added]),
        times=column(table.times, [one.time_s for one in added]),
        second_scores=column(table.second_scores, [np.nan] * len(added)),
        images=ImageLedger(**{**images.columns(), "n_faces": n_faces, "status": status}),
    )
