"""Faces of photos: detected, chosen and cut out in batches, one bad photo costing no other."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np

from embedder.detection.alignment import FaceCropper
from embedder.detection.detector import Detector, FaceSelection
from embedder.detection.faces import Faces
from embedder.errors import WeightsError
from embedder.finding.quarter_turns import turn_back, turn_image
from embedder.finding.second_score import SecondScorer
from embedder.finding.upright import TurnedFaces, Upright, turn_upright
from embedder.images.photo import Photo, failure_reason

logger = logging.getLogger(__name__)


_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

MAX_PHOTOS_A_BATCH = 32


MAX_PIXELS_A_BATCH = 32_000_000
"""Photos go through the networks together up to this number and this many pixels; a larger one goes alone."""


@dataclass(frozen=True)
class FoundFaces:
    """A photo's ledger columns and its faces, cut out; its pixels are no longer needed.

    Attributes
    ----------
    photo : Photo
        Without pixels.
    size_hw : tuple of int
        Height and width of the upright photo, 0 where it could not be read.
    faces : Faces
        At their places on the upright photo as it is stored, not on the turned one.
    crops : numpy.ndarray
        uint8 (n_faces, h, w, 3), as the network takes them; cut from the turned photo.
    turned : {0, 90, 180, 270}
        Degrees clockwise by which the upright photo was turned before faces were found.
    second_scores : numpy.ndarray, optional
        float32 (n_faces,): what a second detector gives them, None where none was asked.
    """

    photo: Photo
    size_hw: tuple[int, int]
    faces: Faces
    crops: np.ndarray
    turned: int = 0
    second_scores: np.ndarray | None = None


class _Cropped(NamedTuple):
    found: TurnedFaces
    crops: np.ndarray
    second_scores: np.ndarray | None


class FaceFinder:
    """Finds and cuts out the faces of photos, several photos at a time.

    Parameters
    ----------
    detector : Detector
    crop_rule : FaceCropper
    select : {"all", "one"}
        Which faces of a photo are kept; ``"one"`` is the largest, weighted to the centre.
    upright : {"exif", "auto"}
        Take photos as the mark in their file says they lie, or look for faces the other ways up too.
    second : SecondScorer, optional
        Asked about each face.
    """

    def __init__(
        self,
        detector: Detector,
        crop_rule: FaceCropper,
        *,
        select: FaceSelection = "all",
        upright: Upright = "exif",
        second: SecondScorer | None = None,
    ) -> None:
        self._detector = detector
        self._rule = crop_rule
        self._select = select
        self._upright = upright
        self._second = second

    def find(self, photos: Sequence[Photo], known: Sequence[Faces | None] | None = None) -> list[FoundFaces]:
        """Find and cut out the faces of `photos`; a failure is its photo's `status` and `message`.

        Where `known` has the faces of a photo, none are looked for, and all of them are kept.
        """
        before = [None] * len(photos) if known is None else known
        readable = [
            photo for photo, faces in zip(photos, before, strict=True) if photo.image is not None and faces is None
        ]
        detected = iter(isolate_failures(self._detect, readable))
        found = []
        for photo, faces in zip(photos, before, strict=True):
            if photo.image is None:
                found.append(self._without_faces(photo))
            elif faces is None:
                found.append(self._cut_out(photo, photo.image, next(detected)))
            else:
                found.append(self._cut_out(photo, photo.image, faces, is_known=True))
        return found

    def _detect(self, photos: Sequence[Photo]) -> list[Faces]:
        return self._detector.detect_batch([photo.image for photo in photos if photo.image is not None])

    def _cut_out(
        self, photo: Photo, image: np.ndarray, detected: Faces | Exception, *, is_known: bool = False
    ) -> FoundFaces:
        size_hw = (image.shape[0], image.shape[1])
        crop = self._crop_known if is_known else self._crop
        cropped = [detected] if isinstance(detected, Exception) else isolate_failures(crop, [(image, detected)])
        if isinstance(cropped[0], Exception):
            return self._without_faces(mark_failed(photo, cropped[0]), size_hw)
        found, crops, second_scores = cropped[0]
        photo = replace(photo, image=None, status="ok" if len(found.faces) else "no_face")
        faces = turn_back(found.faces, found.turned, size_hw)
        return FoundFaces(photo, size_hw, faces, crops, found.turned, second_scores)

    def _crop(self, detected: Sequence[tuple[np.ndarray, Faces]]) -> list[_Cropped]:
        cropped = []
        for image, as_it_is in detected:
            found = TurnedFaces(0, as_it_is)
            if self._upright == "auto":
                found = turn_upright(self._detector, image, as_it_is)
            turned, faces = turn_image(image, found.turned), found.faces
            if self._select == "one" and len(faces):
                faces = faces[faces.primary((turned.shape[0], turned.shape[1]))]
            cropped.append(self._cropped(turned, TurnedFaces(found.turned, faces)))
        return cropped

    def _crop_known(self, known: Sequence[tuple[np.ndarray, Faces]]) -> list[_Cropped]:
        return [self._cropped(image, TurnedFaces(0, faces)) for image, faces in known]

    def _cropped(self, turned: np.ndarray, found: TurnedFaces) -> _Cropped:
        crops = self._rule.crop(turned, found.faces.boxes, found.faces.landmarks)
        second_scores = None if self._second is None else self._second.scores(turned, found.faces.boxes)
        return _Cropped(found, crops, second_scores)

    def _without_faces(self, photo: Photo, size_hw: tuple[int, int] = (0, 0)) -> FoundFaces:
        crops = np.empty((0, *self._rule.shape), np.uint8)
        return FoundFaces(photo, size_hw, Faces.empty(), crops)


def in_batches(photos: Iterable[Photo]) -> Iterator[list[Photo]]:
    """Yield `photos` in lists of at most `MAX_PHOTOS_A_BATCH` and, unless alone, `MAX_PIXELS_A_BATCH`."""
    batch: list[Photo] = []
    n_pixels = 0
    for photo in photos:
        size = 0 if photo.image is None else photo.image.shape[0] * photo.image.shape[1]
        if batch and (len(batch) == MAX_PHOTOS_A_BATCH or n_pixels + size > MAX_PIXELS_A_BATCH):
            yield batch
            batch, n_pixels = [], 0
        batch.append(photo)
        n_pixels += size
    if batch:
        yield batch


def mark_failed(photo: Photo, error: Exception) -> Photo:
    """Return `photo` without pixels, its status ``error`` and its message saying why."""
    logger.debug("%s failed", photo.path, exc_info=error)
    return replace(photo, image=None, status="error", message=failure_reason(error, photo.path))


def isolate_failures(
    function: Callable[[Sequence[_Item]], Sequence[_Result]], items: Sequence[_Item]
) -> list[_Result | Exception]:
    """Return ``function(items)``; if that fails, what it gives or raises for each item alone."""
    if not items:
        return []
    try:
        results = list(function(items))
        if len(results) != len(items):
            raise ValueError(f"expected {len(items)} results of a batch, got {len(results)}")
        return [*results]
    except WeightsError:
        raise  # no photo's fault: the next one would fail too
    except Exception as error:  # one bad photo must not cost the others, whatever it raises
        if len(items) == 1:
            return [error]
        logger.debug("a batch of %d failed, going on one by one", len(items), exc_info=True)
    return [result for item in items for result in isolate_failures(function, [item])]
