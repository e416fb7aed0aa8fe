"""Compare faces that are grouped: the space similarity is measured in, and the threshold for so many people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.scores.neighbors import check_vectors, unit_rows
from classifiers.scores.preset_files import read_record

if TYPE_CHECKING:
    from classifiers.scores.normalization import Background

ThresholdByPeople = Sequence[tuple[int, float]]
"""Numbers of people, ascending, each with the threshold for it."""

# For presets that nothing was measured for: those of facenet-casia-20180408, by ``python -m experiments.clustering
# --curves`` on LFW View 1 training people (deep-funneled).
COSINE_CURVE: ThresholdByPeople = ((20, 0.443), (100, 0.485), (500, 0.53), (2000, 0.56), (4000, 0.575))
NORMALIZED_CURVE: ThresholdByPeople = ((20, 0.254), (100, 0.31), (500, 0.35), (2000, 0.365))

# Squared length of a row that counts as a unit row.
_UNIT_TOLERANCE = 1e-5

# Rows at once, so that what is computed beside the result stays small.
_BLOCK = 100_000


@dataclass(frozen=True)
class SimilaritySpace:
    """Vectors in which faces are compared: similarity is ``v_i @ v_j - offset_i - offset_j``.

    Attributes
    ----------
    vectors : (n, d) float32 of unit length
    offsets : (n,) float32
        Half of each face's level, how alike it is to faces in general; zeros without a background.
    curve : sequence of pairs
        Number of people and the threshold for it, ascending; see `default_threshold`.
    is_normalized : bool
        Whether a background has a say.
    """

    vectors: NDArray[np.float32]
    offsets: NDArray[np.float32]
    curve: ThresholdByPeople
    is_normalized: bool = True


def plain_space(embeddings: ArrayLike, fingerprint: Mapping[str, Any] | None = None) -> SimilaritySpace:
    """Return the space of plain cosines, with the thresholds of a fingerprint's preset.

    Raises
    ------
    ValueError
        If an embedding is not finite.
    """
    unit = as_unit_rows(check_vectors("embeddings", embeddings))
    curve = cluster_curve(fingerprint, normalized=False)
    return SimilaritySpace(unit, np.zeros(len(unit), np.float32), curve, is_normalized=False)


def cluster_curve(fingerprint: Mapping[str, Any] | None, *, normalized: bool) -> ThresholdByPeople:
    """Return the thresholds measured for the preset of a fingerprint, else those of the default preset."""
    usual = NORMALIZED_CURVE if normalized else COSINE_CURVE
    measured = read_record(fingerprint).get("clustering", {}).get("normalized" if normalized else "cosine")
    return usual if measured is None else tuple((int(size), float(value)) for size, value in measured)


def normalized_space(embeddings: ArrayLike, background: "Background") -> SimilaritySpace:
    """Return the space in which similarities are normalized by a background: strangers are about equally alike.

    Half of both faces' level is subtracted from their cosine (see `classifiers.scores.normalization`), which keeps the
    mean similarities of groups additive.

    Parameters
    ----------
    embeddings : array_like, shape (n, d)
    background : Background
        From `classifiers.scores.normalization.find_background`, or anything with its `center` and `level`.

    Raises
    ------
    ValueError
        If an embedding is not finite.
    """
    unit = as_unit_rows(check_vectors("embeddings", embeddings))
    vectors, offsets = np.empty(unit.shape, np.float32), np.empty(len(unit), np.float32)
    for begin in range(0, len(unit), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        vectors[block] = background.center(unit[block])
        offsets[block] = background.level(vectors[block]) / 2
    record = getattr(background, "record", {})
    space = record.get("space") or {"weights_sha256": record.get("weights_sha256", "")}
    return SimilaritySpace(vectors, offsets, cluster_curve({"space": space}, normalized=True))


def similarity_space(
    embeddings: ArrayLike, background: "Background | None", fingerprint: Mapping[str, Any] | None = None
) -> SimilaritySpace:
    """Return the space in which grouping compares: `normalized_space`, or `plain_space` where there is no background.

    Raises
    ------
    ValueError
        If an embedding is not finite.
    """
    return plain_space(embeddings, fingerprint) if background is None else normalized_space(embeddings, background)


def default_threshold(n_people: int, curve: ThresholdByPeople) -> float:
    """Return the mean similarity at which two groups are taken for one person, among `n_people` groups.

    The more people there are, the more alike are the most alike strangers; `curve` is interpolated in log n, and its
    last segment continued.

    Parameters
    ----------
    n_people : int
    curve : sequence of pairs
        Numbers of people, ascending, each with the threshold for it; at least two.

    >>> round(default_threshold(100, ((10, 0.4), (1000, 0.6))), 3)
    0.5
    """
    sizes, thresholds = np.log([point[0] for point in curve]), [point[1] for point in curve]
    size = np.log(max(n_people, 1))
    beyond = max(0.0, size - sizes[-1]) * (thresholds[-1] - thresholds[-2]) / (sizes[-1] - sizes[-2])
    return float(np.interp(size, sizes, thresholds) + beyond)


def as_unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return `vectors (n, d)` as float32 rows of unit length: themselves, not a copy, where they are."""
    blocks = [slice(begin, begin + _BLOCK) for begin in range(0, len(vectors), _BLOCK)]
    squares = (np.einsum("ij,ij->i", vectors[block], vectors[block]) for block in blocks)
    if vectors.dtype == np.float32 and all((np.abs(square - 1) < _UNIT_TOLERANCE).all() for square in squares):
        return vectors
    unit = np.empty(vectors.shape, np.float32)
    for block in blocks:
        unit[block] = unit_rows(vectors[block])
    return unit
