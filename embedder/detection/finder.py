"""Faces of photos: detected, chosen and cut out in batches, one bad photo costing no other."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from embedder.detection.faces import Faces
from embedder.errors import WeightsError
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
    crops : numpy.ndarray
        uint8 (n_faces, s, s, 3).
    """

    photo: Photo
    size_hw: tuple[int, int]
    faces: Faces
    crops: np.ndarray


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


def _failed(photo: Photo, error: Exception) -> Photo:
    logger.debug("%s failed", photo.path, exc_info=error)
    return replace(photo, image=None, status="error", message=failure_reason(error, photo.path))


def _each(
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
    return [result for item in items for result in _each(function, [item])]
