"""Fit the background model of a preset: ``python -m experiments.fit_background TABLE -o FILE --name "..."``.

A Gaussian mixture with diagonal covariances in the first principal components of the centred unit vectors, fitted on
**one photo per identity**, so that no component becomes one much-photographed person. What is written holds means and
variances of groups of people, nobody's vector; how well one can still tell who was among them is printed (the area
under the ROC of the likelihood, people of the fit against people kept out of it).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.gallery import Gallery
from classifiers.scores.neighbors import unit_rows
from classifiers.scores.normalization import BACKGROUND_FOLDER, Background
from foundation.command_line import EXIT_DONE, run_script, write_json
from foundation.errors import InputError

if TYPE_CHECKING:
    from embedder.tables.table import EmbeddingTable

N_COMPONENTS = 64
N_DIRECTIONS = 100
TEMPERATURE = 0.06

# Every component must stand for a group, never for one person.
MIN_IDENTITIES_PER_COMPONENT = 10
MAX_SHARE_OF_ONE_IDENTITY = 0.2


def gallery_of(table: "EmbeddingTable") -> Gallery:
    """Return the named rows of a table."""
    return Gallery.build(table.embeddings, table.identities, paths=table.paths, image_sha256=table.image_sha256)


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
    return np.log(background.weights) - 0.5 * (distances + np.sum(np.log(2 * np.pi * variances), axis=1))


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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--name", required=True, help="what the photos are, as it will be told to users")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: classifiers/background/<weights>.npz")
    parser.add_argument("--components", type=int, default=N_COMPONENTS, metavar="N")
    parser.add_argument("--temperature", type=float, default=TEMPERATURE, metavar="T")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Fit, check, write and describe a background model."""
    from embedder.tables.table import EmbeddingTable

    table: EmbeddingTable = EmbeddingTable.read(arguments.table)
    gallery = gallery_of(table)
    vectors = gallery.vectors[one_photo_each(gallery)]
    space = dict(table.fingerprint.space)
    recipe = (
        f"experiments/fit_background.py --components {arguments.components} "
        f"--temperature {arguments.temperature:g} --seed {arguments.seed}"
    )
    record = {
        "weights_sha256": space["weights_sha256"],
        "space": space,
        "measured_on": arguments.name,
        "recipe": recipe,
    }
    settings = {"n_components": arguments.components, "temperature": arguments.temperature}
    background = fit_background(vectors, seed=arguments.seed, record=record, **settings)
    shares = component_shares(background, vectors)
    figures = {
        "n_identities": len(vectors),
        "fewest_identities_in_a_component": int(shares["n_identities"].min()),
        "largest_share_of_one_identity": float(shares["largest_share"].max()),
        "membership_auc": membership_auc(vectors, seed=arguments.seed, n_components=max(1, arguments.components // 2)),
    }
    check_groups(figures)
    output = Path(arguments.output) if arguments.output else BACKGROUND_FOLDER / f"{space['weights_sha256'][:12]}.npz"
    background.write(output)
    for name, value in figures.items():
        print(f"{name}: {value:.3f}" if isinstance(value, float) else f"{name}: {value}")
    print(f"{output}: {output.stat().st_size / 1000:.0f} KB")
    if arguments.json is not None:
        write_json(arguments.json, figures)
    return EXIT_DONE


def check_groups(figures: dict[str, Any]) -> None:
    """Refuse a model one of whose components is (nearly) one person.

    Raises
    ------
    ValueError
        If a component holds fewer than ten people, or one person has more than a fifth of it.
    """
    fewest, largest = figures["fewest_identities_in_a_component"], figures["largest_share_of_one_identity"]
    if fewest < MIN_IDENTITIES_PER_COMPONENT or largest > MAX_SHARE_OF_ONE_IDENTITY:
        raise InputError(
            f"every component must hold at least {MIN_IDENTITIES_PER_COMPONENT} people and none over "
            f"{MAX_SHARE_OF_ONE_IDENTITY:.0%} one person, got {fewest} people and {largest:.0%}; use fewer --components"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script("python -m experiments.fit_background", "Fit a background model.", add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
