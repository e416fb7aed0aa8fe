"""The benchmark's section on large galleries: exact and approximate search among a million exemplars."""

import time
from functools import partial

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.neighbors import ApproximateNeighbors, ExactNeighbors
from classifiers.scores.normalization import Background, find_background
from embedder import FaceEmbedder
from experiments.benchmark_rows import Row, row_of, seconds_of
from foundation.errors import InputError
from foundation.threads import thread_count

EXEMPLARS_A_PERSON = 20

GENUINE_COSINE = 0.7
"""Median cosine of two photos of one person of LFW with the default preset."""

N_PROBES = 64
_N_AGREEING = 2048
_BLOCK = 50_000


def measure_gallery(rounds: int, n_exemplars: int = 1_000_000) -> list[Row]:
    """Compare exact search with its bare matrix product, and approximate search with the exact one.

    People are draws from the shipped background model, faces lie around them at the cosines of LFW.
    """
    background = find_background({"space": FaceEmbedder().space})
    if background is None:
        raise InputError("the default preset has no background model to draw people from; fit one")
    rng = np.random.default_rng(0)
    people = _draw(background, n_exemplars // EXEMPLARS_A_PERSON, rng)
    exemplars = _photos(people, np.arange(n_exemplars) % len(people), background, rng)
    probes = _photos(people, rng.integers(len(people), size=_N_AGREEING), background, rng)
    name = f"{n_exemplars:,} exemplars"
    exact = ExactNeighbors(exemplars)
    batch = probes[:N_PROBES]
    exact.query(batch, 5), batch @ exemplars.T  # the first touch of memory is slower than all others
    ratios, products = [], []
    for _ in range(rounds):
        products.append(seconds_of(lambda: batch @ exemplars.T))
        ratios.append(seconds_of(lambda: exact.query(batch, 5)) / products[-1])
    detail = f"{N_PROBES} probes; the product takes {1000 * min(products):.0f} ms"
    rows = [row_of("gallery", f"{name}, exact top 5 / matrix product", ratios, target="<= 3", detail=detail)]
    best = exact.query(probes, 1).indices[:, 0]
    started = time.perf_counter()
    index = ApproximateNeighbors(exemplars, threads=thread_count())
    built_s = time.perf_counter() - started
    agreeing = float(np.mean(index.query(probes, 1).indices[:, 0] == best))
    one_by_one = [1000 * seconds_of(partial(index.query, probe[None], 1)) for probe in batch]
    return [
        *rows,
        Row(
            "gallery",
            f"{name}, approximate top 1 = exact",
            agreeing,
            agreeing,
            agreeing,
            ">= 0.99",
            f"{len(probes)} probes; built in {built_s:.0f} s",
        ),
        row_of("gallery", f"{name}, approximate, ms a probe", one_by_one, target="<= 5", detail="one by one"),
    ]


def _draw(background: Background, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return `n` deviations from the population's mean, `(n, d)` float32."""
    part = rng.choice(len(background.weights), n, p=background.weights / background.weights.sum())
    deviations = np.sqrt(background.variances[part]) * rng.standard_normal(background.means[part].shape)
    inside = background.means[part] + deviations
    rest = rng.standard_normal((n, len(background.mean))) * np.sqrt(background.residual_variance)
    rest -= rest @ background.components.T @ background.components
    return (inside @ background.components + rest).astype(np.float32)


def _photos(
    people: NDArray[np.float32], who: NDArray[np.int64], background: Background, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return unit vectors of one photo of each of `who`, at `GENUINE_COSINE` from each other on average."""
    photos = np.empty((len(who), people.shape[1]), np.float32)
    for start in range(0, len(who), _BLOCK):
        block = slice(start, start + _BLOCK)
        deviations = _draw(background, len(who[block]), rng)
        photos[block] = np.sqrt(GENUINE_COSINE) * people[who[block]] + np.sqrt(1 - GENUINE_COSINE) * deviations
        photos[block] += background.mean
    return photos / np.linalg.norm(photos, axis=1, keepdims=True)
