"""Fit the background model of a preset.

A Gaussian mixture with diagonal covariances in the first principal components of the centred unit vectors, fitted on
**one photo per identity**, so that no component becomes one much-photographed person. What is written holds means and
variances of groups of people, nobody's vector; how well one can still tell who was among them is printed (the area
under the ROC of the likelihood, people of the fit against people kept out of it).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.gallery import Gallery
from classifiers.scores.neighbors import unit_rows
from classifiers.scores.normalization import Background
from foundation.errors import InputError

N_COMPONENTS = 64
N_DIRECTIONS = 100
TEMPERATURE = 0.06

# Every component must stand for a group, never for one person.
MIN_IDENTITIES_PER_COMPONENT = 10
MAX_SHARE_OF_ONE_IDENTITY = 0.2


def one_photo_each(gallery: Gallery) -> NDArray[np.int64]:
    """Return the row of each person's first photo in path order."""
    order = np.lexsort((gallery.paths, gallery.codes))
    _, first = np.unique(gallery.codes[order], return_index=True)
    return order[first]


def fit_background(
    vectors: NDArray[np.float32],
    *,
    n_components: int = N_COMPONENTS,
    n_directions: int = N_DIRECTIONS,
    temperature: float = TEMPERATURE,
    seed: int = 0,
    record: dict[str, Any] | None = None,
) -> Background:
    """Fit a background model on `vectors (n, d)`, one of each person.

    Raises
    ------
    ValueError
        If there are fewer than ten people for each component.
    """
    from sklearn.mixture import GaussianMixture

    if len(vectors) < MIN_IDENTITIES_PER_COMPONENT * n_components:
        raise InputError(
            f"a background of {n_components} components needs at least {MIN_IDENTITIES_PER_COMPONENT * n_components} "
            f"people, got {len(vectors)}; use a table of more people, or fewer components"
        )
    units = unit_rows(vectors).astype(np.float64)
    mean = units.mean(axis=0)
    centred = unit_rows(units - mean).astype(np.float64)
    n_directions = min(n_directions, vectors.shape[1])
    _, _, directions = np.linalg.svd(centred - centred.mean(axis=0), full_matrices=False)
    inside = centred @ directions[:n_directions].T
    mixture = GaussianMixture(n_components, covariance_type="diag", random_state=seed, max_iter=200).fit(inside)
    outside = np.sum(centred**2) - np.sum(inside**2)
    n_outside = len(vectors) * max(1, vectors.shape[1] - n_directions)
    return Background(
        mean=mean.astype(np.float32),
        components=directions[:n_directions].astype(np.float32),
        weights=mixture.weights_.astype(np.float32),
        means=mixture.means_.astype(np.float32),
        variances=mixture.covariances_.astype(np.float32),
        residual_variance=float(max(outside, 0.0) / n_outside),
        temperature=temperature,
        n_identities=len(vectors),
        record={} if record is None else record,
        cohort=np.zeros((0, vectors.shape[1]), np.float32),
    )


def log_densities(background: Background, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return ``(n, k)``: log of weight times density of each component at the projected, centred vectors."""
    inside = background.center(unit_rows(vectors)).astype(np.float64) @ background.components.T
    variances = background.variances.astype(np.float64)
    distances = (
        inside**2 @ (1 / variances).T
        - 2 * inside @ (background.means / variances).T
        + np.sum(background.means**2 / variances, axis=1)
    )
    logs: NDArray[np.float64] = np.log(background.weights) - 0.5 * (
        distances + np.sum(np.log(2 * np.pi * variances), axis=1)
    )
    return logs


def component_shares(background: Background, vectors: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """Return for each component how many people it holds most of, and the largest share one person has in it."""
    logs = log_densities(background, vectors)
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    n_identities = np.bincount(shares.argmax(axis=1), minlength=len(background.weights)).astype(np.float64)
    return {"n_identities": n_identities, "largest_share": shares.max(axis=0) / shares.sum(axis=0)}


def membership_auc(vectors: NDArray[np.float32], *, seed: int, **settings: Any) -> float:
    """Return how well the likelihood tells people of a fit from people kept out of it: the area under the ROC.

    Half of the people are fitted, the other half are kept out; 0.5 would be chance.
    """
    from sklearn.metrics import roc_auc_score

    order = np.random.default_rng(seed).permutation(len(vectors))
    members = order[: len(order) // 2]
    background = fit_background(vectors[members], seed=seed, **settings)
    likelihood = np.logaddexp.reduce(log_densities(background, vectors), axis=1)
    return float(roc_auc_score(np.isin(np.arange(len(vectors)), members), likelihood))


def describe_groups(background: Background, vectors: NDArray[np.float32]) -> dict[str, Any]:
    """Return how many people the smallest component holds, and the largest share one person has in any."""
    shares = component_shares(background, vectors)
    return {
        "fewest_identities_in_a_component": int(shares["n_identities"].min()),
        "largest_share_of_one_identity": float(shares["largest_share"].max()),
    }


def holds_groups(figures: dict[str, Any]) -> bool:
    """Return whether every component of a model stands for a group of people, see `describe_groups`."""
    return bool(
        figures["fewest_identities_in_a_component"] >= MIN_IDENTITIES_PER_COMPONENT
        and figures["largest_share_of_one_identity"] <= MAX_SHARE_OF_ONE_IDENTITY
    )


def check_groups(figures: dict[str, Any]) -> None:
    """Refuse a model one of whose components is (nearly) one person.

    Raises
    ------
    ValueError
        If a component holds fewer than ten people, or one person has more than a fifth of it.
    """
    if not holds_groups(figures):
        fewest, largest = figures["fewest_identities_in_a_component"], figures["largest_share_of_one_identity"]
        raise InputError(
            f"every component must hold at least {MIN_IDENTITIES_PER_COMPONENT} people and none over "
            f"{MAX_SHARE_OF_ONE_IDENTITY:.0%} one person, got {fewest} people and {largest:.0%}; use fewer --components"
        )
