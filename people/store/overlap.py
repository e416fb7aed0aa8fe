"""Which faces are the same face: equal photo, overlapping boxes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.same_faces import overlaps

LEAST_OVERLAP = 0.5
"""Intersection over union from which two boxes on one photo are one face, as is usual in detection since PASCAL VOC
(Everingham et al., IJCV 88, 2010)."""

SAME_MOMENT_SECONDS = 0.25
"""How far apart in time two boxes of a video may be and still be one face."""


def match_faces(
    photos: Sequence[str] | NDArray[np.str_],
    places: NDArray[np.float64],
    other_photos: Sequence[str] | NDArray[np.str_],
    other_places: NDArray[np.float64],
    *,
    files: NDArray[np.integer] | None = None,
) -> NDArray[np.int64]:
    """Return for each face which of the others is the same, int64 (n,), -1 for none; the best takes each of them once.

    Parameters
    ----------
    photos, other_photos : sequence of str
        SHA-256 of each face's photo, n and m of them.
    places, other_places : numpy.ndarray
        float64 (n, 5) and (m, 5): x_min, y_min, x_max, y_max in fractions of the photo, seconds into a video (0 for
        photos).
    files : numpy.ndarray, optional
        int (n,): the file each face is in, where equal photos lie under several paths; each file takes the others anew.
    """
    match = np.full(len(places), -1, np.int64)
    if not len(places) or not len(other_places):
        return match
    first, second = _pairs_on_one_photo(np.asarray(photos), np.asarray(other_photos))
    overlap = overlaps(places[first, :4], other_places[second, :4])
    is_near = np.abs(places[first, 4] - other_places[second, 4]) <= SAME_MOMENT_SECONDS
    kept = np.flatnonzero((overlap >= LEAST_OVERLAP) & is_near)
    kept = kept[np.argsort(-overlap[kept], kind="stable")]
    owners = np.zeros(len(places), np.int64) if files is None else files
    taken: set[tuple[int, int]] = set()
    for face, other, owner in zip(
        *(side.tolist() for side in (first[kept], second[kept], owners[first[kept]])), strict=True
    ):
        if match[face] < 0 and (owner, other) not in taken:
            match[face] = other
            taken.add((owner, other))
    return match


def _pairs_on_one_photo(
    photos: NDArray[np.str_], others: NDArray[np.str_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of all pairs of a face and another one on the same photo."""
    order = np.argsort(others, kind="stable")
    ordered = others[order]
    begin, end = np.searchsorted(ordered, photos, "left"), np.searchsorted(ordered, photos, "right")
    counts = end - begin
    first = np.repeat(np.arange(len(photos)), counts)
    within = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first, order[np.repeat(begin, counts) + within]
