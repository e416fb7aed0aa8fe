"""Identify the faces on photos: single images, or all images of folders."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classifiers.heads.head import Head
from embedder.finding.quarter_turns import turn_back, turn_image
from embedder.finding.upright import TurnedFaces, Upright, turn_upright
from embedder.images.reading import DEFAULT_MAX_PIXELS, read_image, read_time_taken
from embedder.networks.encoder import FaceEncoder
from foundation.paths import display_path
from foundation.text import sanitize_for_terminal
from recognition.events.event import EventSink, make_event
from recognition.outputs.image_files import write_image
from recognition.outputs.picture_folder import PictureFolder
from recognition.sources.clock import format_utc
from recognition.tracking.embedding_queue import view_of
from recognition.tracking.naming import name_faces

if TYPE_CHECKING:
    from recognition.outputs.overlay import Labels

logger = logging.getLogger(__name__)

_N_DIGITS = 8


@dataclass(frozen=True)
class PhotoJob:
    """A photo to process.

    Attributes
    ----------
    path : Path
        The file.
    name : str
        Its name in events.
    save_to : Path or None
        Path of its annotated copy.
    taken : str
        When it was taken, as its table says, see `embedder.tables.table.ImageLedger`; where that is nothing, the photo
        itself is asked.
    """

    path: Path
    name: str
    save_to: Path | None
    taken: str = ""


@dataclass(frozen=True)
class NamedFace:
    """A face on a photo and its identity.

    Attributes
    ----------
    box : (x_min, y_min, x_max, y_max)
        Pixels, max exclusive.
    identity : str
        ``unknown`` unless accepted.
    score : float
        Similarity to the nearest exemplar of the most similar identity.
    accepted : bool
    """

    box: tuple[float, float, float, float]
    identity: str
    score: float
    accepted: bool


@dataclass(frozen=True)
class PhotoRun:
    """Steps that are applied to each photo.

    Attributes
    ----------
    identify : callable
        Returns the faces of an image, uint8 (h, w, 3).
    annotate : callable
        Returns an annotated copy of an image, given its faces; called only if the copy is saved or shown.
    sink : EventSink
        Receives the `face` events.
    report_empty : callable
        Called with the name of each photo without a face.
    show : callable, optional
        Shows an annotated image; returns whether to go on.
    max_pixels : int
        Photos with more pixels are refused.
    source_name : str or None
        What the user calls the source.
    crops : PictureFolder, optional
        Gets a picture of each face.
    """

    identify: Callable[[np.ndarray], Sequence[NamedFace]]
    annotate: Callable[[np.ndarray, Sequence[NamedFace]], np.ndarray]
    sink: EventSink
    report_empty: Callable[[str], None]
    show: Callable[[np.ndarray], bool] | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS
    source_name: str | None = None
    crops: PictureFolder | None = None

    def needs_pixels(self, photo: PhotoJob) -> bool:
        """Whether something is to be done with the pixels of a photo whose faces are known."""
        return photo.save_to is not None or self.show is not None or self.crops is not None


@dataclass
class PhotoCounts:
    """Counts of a run over photos; `n_failed` photos could not be read and were logged."""

    n_photos: int = 0
    n_faces: int = 0
    n_named: int = 0
    n_without_face: int = 0
    n_failed: int = 0


def identify_faces(
    image: np.ndarray, encoder: FaceEncoder, head: Head, *, upright: Upright = "exif"
) -> list[NamedFace]:
    """Return the faces of an image with their identities; best detection first.

    Parameters
    ----------
    image : numpy.ndarray
        uint8 (h, w, 3), RGB.
    encoder : FaceEncoder
    head : Head
    upright : {"exif", "auto"}
        Look for faces as the image lies, or also the other ways up where none is sure.
    """
    detected = encoder.detect(image)
    found = TurnedFaces(0, detected) if upright == "exif" else turn_upright(encoder.detector, image, detected)
    vectors = encoder.embed(encoder.crop(turn_image(image, found.turned), found.faces))
    faces = turn_back(found.faces, found.turned, (image.shape[0], image.shape[1]))
    names = name_faces(head, vectors, encoder.fingerprint)
    return [
        NamedFace((float(x_min), float(y_min), float(x_max), float(y_max)), str(identity), float(score), bool(accepted))
        for (x_min, y_min, x_max, y_max), identity, score, accepted in zip(
            faces.boxes, names.identities, names.scores, names.accepted, strict=True
        )
    ]


def annotate_photo(
    image: np.ndarray,
    faces: Sequence[NamedFace],
    *,
    hide: str | None = None,
    others: Sequence[np.ndarray] | np.ndarray = (),
    labels: "Labels | None" = None,
) -> np.ndarray:
    """Return a copy of `image`, uint8 (h, w, 3) RGB, with boxes, names and scores.

    Where labels are numbers, each is that of `--face` and the copy is higher, by a legend below the photo.

    Parameters
    ----------
    image : numpy.ndarray
    faces : sequence of NamedFace
    hide : {None, "unknown", "all"}
        Whose faces are made unrecognizable: nobody's, everybody's who is not identified, or everybody's. Hidden faces
        have no box and no name.
    others : sequence of numpy.ndarray
        Boxes, (4,), of further faces, which are made unrecognizable unless a face stays visible there.
    labels : {None, "names", "numbers", "none"}
        What stands next to the boxes; None decides by the number of faces.
    """
    from recognition.anonymizing.places import find_same
    from recognition.outputs.anonymize import hide_faces
    from recognition.outputs.overlay import NAMED_COLOR, UNKNOWN_COLOR, Mark, choose_labels, draw_photo

    hidden = [face for face in faces if hide == "all" or (hide == "unknown" and not face.accepted)]
    visible = [np.array(face.box) for face in faces if face not in hidden]
    boxes = [*(np.array(face.box) for face in hidden), *(box for box in others if find_same(box, visible) is None)]
    if boxes:
        image = hide_faces(image, boxes)
    marks = [
        Mark(
            face.box,
            face.identity,
            NAMED_COLOR if face.accepted else UNKNOWN_COLOR,
            detail=f"{face.score:.2f}",
            number=number,
            is_named=face.accepted,
        )
        for number, face in enumerate(faces)
        if face not in hidden
    ]
    return draw_photo(image, marks, labels=choose_labels(len(marks), labels))


def recognize_photos(photos: Sequence[PhotoJob], run: PhotoRun) -> PhotoCounts:
    """Identify the faces of `photos` one by one, and write the events of each as soon as it is done.

    A photo that cannot be read is logged and counted.

    Raises
    ------
    OSError
        If output cannot be written.
    """
    counts = PhotoCounts()
    for photo in photos:
        counts.n_photos += 1
        image = read_photo(photo, run=run, counts=counts)
        if image is not None and not report_faces(photo, run.identify(image), image, run=run, counts=counts):
            break
    return counts


def read_photo(photo: PhotoJob, *, run: PhotoRun, counts: PhotoCounts) -> np.ndarray | None:
    """Return the pixels of a photo, uint8 (h, w, 3); one that cannot be read is logged and counted, and None."""
    try:
        return read_image(photo.path, max_pixels=run.max_pixels)
    except (ValueError, OSError) as error:
        counts.n_failed += 1
        logger.warning("%s", sanitize_for_terminal(_reason(error, photo.name)))
        return None


def report_faces(
    photo: PhotoJob, faces: Sequence[NamedFace], image: np.ndarray | None, *, run: PhotoRun, counts: PhotoCounts
) -> bool:
    """Write the events of a photo's faces and its annotated copy, and return whether to go on with the next photo.

    Parameters
    ----------
    photo : PhotoJob
    faces : sequence of NamedFace
    image : numpy.ndarray or None
        uint8 (h, w, 3); None where the pixels are not there: no picture is written or shown.
    run : PhotoRun
    counts : PhotoCounts
        What this photo adds is added to it.

    Raises
    ------
    OSError
        If output cannot be written.
    """
    at = _time_taken(photo) if faces else None
    for number, face in enumerate(faces):
        event = make_event(
            "face", photo.name, box=face.box, identity=face.identity, score=face.score, accepted=face.accepted
        )
        crop = None if run.crops is None or image is None else _save_crop(run.crops, photo, image, face, number)
        run.sink.write(replace(event, at=at, source_name=run.source_name, crop=crop))
    if not faces:
        counts.n_without_face += 1
        run.report_empty(photo.name)
    counts.n_faces += len(faces)
    counts.n_named += sum(face.accepted for face in faces)
    if image is None or (photo.save_to is None and run.show is None):
        return True
    annotated = run.annotate(image, faces)
    if photo.save_to is not None:
        write_image(photo.save_to, annotated, is_private=True)
    return run.show is None or run.show(annotated)


def _time_taken(photo: PhotoJob) -> str | None:
    """Return when a photo was taken, in UTC; None where its EXIF data does not say from which offset it counts."""
    taken = photo.taken or read_time_taken(photo.path)
    moment = datetime.fromisoformat(taken) if taken else None
    return None if moment is None or moment.tzinfo is None else format_utc(moment)


def _save_crop(folder: PictureFolder, photo: PhotoJob, image: np.ndarray, face: NamedFace, number: int) -> str | None:
    """Save a picture of a face and return its path; photos of one name in several folders have files of their own."""
    digest = hashlib.sha256(photo.name.encode()).hexdigest()[:_N_DIGITS]
    path = folder.save(view_of(image, face.box), photo.path.stem, f"{digest}-face{number}")
    return None if path is None else display_path(path)


def _reason(error: ValueError | OSError, name: str) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    return str(error)
