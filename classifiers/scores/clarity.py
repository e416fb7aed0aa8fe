"""Tell faces that are too blurred or too small to be told apart by their vectors alone.

A network makes of a blurred face a vector that says little of who is seen and much of the blur: such faces lie in a
region of their own, away from the population, so that unrelated ones are as alike as two photos of one person. One
direction separates them from clear ones. It is Fisher's linear discriminant (Fisher, "The use of multiple measurements
in taxonomic problems", Annals of Eugenics 7, 1936) with the shrunk covariance of Ledoit and Wolf ("A well-conditioned
estimator for large-dimensional covariance matrices", Journal of Multivariate Analysis 88, 2004), fitted for each preset
by ``python -m experiments.poor_faces`` on photos blurred and made smaller.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.errors import BackgroundError
from classifiers.scores.neighbors import check_vectors
from classifiers.scores.normalization import BACKGROUND_FOLDER
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint

# Rows at once, so that what is computed beside the result stays small.
_BLOCK = 100_000


@dataclass(frozen=True, eq=False)
class Clarity:
    """Direction of clear faces, and how far along it a face must lie to be told from others.

    Attributes
    ----------
    direction : (d,) float32
    threshold : float
        Faces below it are too poor.
    weights_sha256 : str
        The network whose vectors it is for.
    """

    direction: NDArray[np.float32]
    threshold: float
    weights_sha256: str

    def __post_init__(self) -> None:
        if self.direction.ndim != 1 or not np.isfinite(self.direction).all() or not np.isfinite(self.threshold):
            raise InputError("`direction` must be a finite vector and `threshold` finite; measure them again")

    def scores(self, embeddings: ArrayLike) -> NDArray[np.float32]:
        """Return ``(n,)`` float32: how far the unit vectors `embeddings (n, d)` lie along the direction.

        Raises
        ------
        ValueError
            If the vectors are not finite or of another length.
        """
        vectors = check_vectors("embeddings", embeddings, length=len(self.direction))
        scores = np.empty(len(vectors), np.float32)
        for begin in range(0, len(vectors), _BLOCK):
            block = slice(begin, begin + _BLOCK)
            # Summed row by row: a matrix product rounds an entry depending on the others, and a face is clear or not.
            scores[block] = np.einsum("ij,j->i", vectors[block], self.direction)
        return scores

    def are_poor(self, embeddings: ArrayLike) -> NDArray[np.bool_]:
        """Return ``(n,)`` bool: which of the unit vectors `embeddings (n, d)` are of faces too poor to be told apart.

        Raises
        ------
        ValueError
            If the vectors are not finite or of another length.
        """
        return self.scores(embeddings) < self.threshold


def find_clarity(fingerprint: Mapping[str, Any] | None, *, folder: Path = BACKGROUND_FOLDER) -> Clarity | None:
    """Return what was measured for the weights that a fingerprint names, or None if nothing was.

    Raises
    ------
    BackgroundError
        If the file is damaged.
    """
    weights = Fingerprint.of(fingerprint).space.weights_sha256
    path = folder / f"{weights[:12]}.clarity.json"
    if not weights or not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        clarity = Clarity(
            np.asarray(record["direction"], np.float32), float(record["threshold"]), str(record["weights_sha256"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BackgroundError(
            f"{path}: expected the clarity direction of a preset, found something else ({error}); install the program "
            "again"
        ) from error
    return clarity if clarity.weights_sha256 == weights else None
