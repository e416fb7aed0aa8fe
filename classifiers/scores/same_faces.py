"""Find the same face of the same photo in two galleries: by the photo's hash, then by box or vector."""

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.gallery import Gallery
from foundation.paths import split_moment

# Cosine above which two faces of one photo are one face that was found twice: with other settings of the detector its
# box differs by some pixels, while two people on one photo are far less alike.
_SAME_FACE_COSINE = 0.9

# Overlap (intersection over union) from which on two boxes are one object (Everingham et al., "The Pascal visual object
# classes challenge", IJCV 88, 2010).
_SAME_FACE_OVERLAP = 0.5


def same_faces(gallery: Gallery, others: Gallery, *, compare_vectors: bool = True) -> NDArray[np.bool_]:
    """Return ``(m,)`` bool: for each row of `gallery`, whether `others` hold the same face of the same photo."""
    same = np.zeros(len(gallery), np.bool_)
    same[same_face_pairs(gallery, others, compare_vectors=compare_vectors)[0]] = True
    return same


def same_face_pairs(
    first: Gallery, second: Gallery, *, compare_vectors: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of rows that show the same face of the same photo, as rows ``(p,)`` of either gallery.

    The photos are equal to the byte, and the boxes overlap by half or the vectors are nearly equal. Rows whose photo's
    hash is not known are in no pair, nor are two moments of one clip (see `foundation.paths.path_at`).

    Parameters
    ----------
    first, second : Gallery
    compare_vectors : bool
        Whether the vectors are of one space, and say something where a box is not known or not quite the same.
    """
    by_photo = np.argsort(second.image_sha256, kind="stable")
    hashes = second.image_sha256[by_photo]
    starts = np.searchsorted(hashes, first.image_sha256, side="left")
    counts = np.searchsorted(hashes, first.image_sha256, side="right") - starts
    counts[first.image_sha256 == ""] = 0
    rows = np.repeat(np.arange(len(first)), counts)
    positions = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    others = by_photo[np.repeat(starts, counts) + positions]
    same = overlaps(first.boxes[rows], second.boxes[others]) >= _SAME_FACE_OVERLAP
    if compare_vectors:
        same |= np.einsum("ij,ij->i", first.vectors[rows], second.vectors[others]) >= _SAME_FACE_COSINE
    same[same] = _same_moment(first.paths[rows[same]], second.paths[others[same]])
    return rows[same], others[same]


def _same_moment(paths: NDArray[np.str_], others: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return ``(p,)`` bool: whether the paths of one file name the same moment of it, or one of them names none."""
    moments = (
        (split_moment(str(path))[1], split_moment(str(other))[1]) for path, other in zip(paths, others, strict=True)
    )
    return np.array([None in pair or pair[0] == pair[1] for pair in moments], np.bool_)


def overlaps(boxes: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the intersection over union ``(n,)`` of each of `boxes (n, 4)` with its one of `others (n, 4)`.

    It is 0 where one of the two is not known or has no area.

    >>> overlaps(np.float32([[0, 0, 2, 2], [0, 0, 2, 2]]), np.float32([[0, 1, 2, 3], [np.nan] * 4])).round(3).tolist()
    [0.333, 0.0]
    """
    wide, other = boxes.astype(np.float64), others.astype(np.float64)
    sides = np.minimum(wide[:, 2:], other[:, 2:]) - np.maximum(wide[:, :2], other[:, :2])
    shared = np.prod(np.maximum(sides, 0.0), axis=1)
    both = np.prod(wide[:, 2:] - wide[:, :2], axis=1) + np.prod(other[:, 2:] - other[:, :2], axis=1) - shared
    known = np.isfinite(both) & (both > 0)
    shares: NDArray[np.float64] = np.divide(shared, both, out=np.zeros_like(shared), where=known)
    return shares
