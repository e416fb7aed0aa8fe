"""Made-up people: unit vectors around one direction per person."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.normalization import Background

FINGERPRINT: dict[str, Any] = {
    "space": {"weights_sha256": "0" * 64, "crop_size": 160, "alignment": "box"},
    "provenance": {"detector": "mtcnn", "precision": "fp32"},
}


class People(NamedTuple):
    """Vectors `(n, d)` float32 of unit length, and the identity of each."""

    vectors: NDArray[np.float32]
    identities: NDArray[np.str_]


def make_people(n_people: int, n_photos: int, *, length: int = 32, spread: float = 0.4, seed: int = 0) -> People:
    """Return `n_photos` vectors of each of `n_people` people; a larger `spread` makes them harder to tell apart."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(n_people, 1, length))
    centers /= np.linalg.norm(centers, axis=2, keepdims=True)
    noise = rng.normal(size=(n_people, n_photos, length)) * spread / np.sqrt(length)
    vectors = (centers + noise).reshape(-1, length)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = np.repeat([f"person {number:03d}" for number in range(n_people)], n_photos)
    return People(vectors.astype(np.float32), names)


def make_background(*, length: int = 32, n_components: int = 3, n_directions: int = 8, seed: int = 7) -> Background:
    """Return a background model with made-up numbers, its mean not at the origin."""
    rng = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(rng.normal(size=(length, n_directions)))
    return Background(
        mean=(rng.normal(size=length) * 0.05).astype(np.float32),
        components=directions.T.astype(np.float32),
        weights=np.full(n_components, 1 / n_components, np.float32),
        means=(rng.normal(size=(n_components, n_directions)) * 0.2).astype(np.float32),
        variances=rng.uniform(0.01, 0.05, size=(n_components, n_directions)).astype(np.float32),
        residual_variance=0.02,
        temperature=0.1,
        n_identities=100,
        record={"weights_sha256": "0" * 64, "measured_on": "made-up people"},
        cohort=np.zeros((0, length), np.float32),
    )
