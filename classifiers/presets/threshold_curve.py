"""Measure how the threshold for an FPIR of 1 % grows with the gallery.

People are split at random into enrolled ones and strangers, one random photo each; the threshold is what 1 % of the
strangers reach. Repeated with other draws; a curve is the mean, and the spread between the draws is written beside it.

For normalized scores half of the people first fit a background model and take no further part, since a model that has
seen the strangers refuses them too easily: in sample the threshold for 300 people comes out 0.014 too low. The curve
therefore ends where the people do, and is continued beyond.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.presets.mixture import fit_background, one_photo_each
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.thresholds import CURVE_FPIR
from foundation.errors import InputError

SIZES = (30, 100, 300, 1000, 3000)

REPEATS = 200

# A quantile of 1 % needs at least this many strangers to be seen at all.
MIN_STRANGERS = 100

# Draws of enrolled people and strangers for each background model.
_DRAWS_PER_MODEL = 10


def draw_split(gallery: Gallery, n_enrolled: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows of `n_enrolled` people and of all others, one random photo of each; the two share nobody."""
    shuffled = rng.permutation(len(gallery))
    _, first = np.unique(gallery.codes[shuffled], return_index=True)
    one_each = rng.permutation(shuffled[first])
    return one_each[:n_enrolled], one_each[n_enrolled:]


def threshold_of_draw(matcher: Matcher, n_enrolled: int, rng: np.random.Generator) -> float:
    """Return the threshold at FPIR 1 % for one draw of enrolled people and strangers."""
    enrolled, strangers = draw_split(matcher.gallery, n_enrolled, rng)
    part = matcher.selected(np.isin(np.arange(len(matcher.codes)), enrolled))
    scores = part.scores(part.prepare(matcher.gallery.vectors[strangers])).max(axis=1)
    return float(np.quantile(scores, 1.0 - CURVE_FPIR))


def measure_curve(
    gallery: Gallery, sizes: Sequence[int], *, repeats: int, seed: int, normalized: bool, **settings: Any
) -> dict[str, Any]:
    """Return a curve as it stands in ``classifiers/background/``: sizes, mean thresholds, their spread.

    Parameters
    ----------
    gallery : Gallery
    sizes : sequence of int
        Numbers of enrolled people; those that leave too few strangers are left out.
    repeats : int
        Random draws for each size.
    seed : int
    normalized : bool
        Of background-normalized scores, else of cosines.
    **settings
        Of `classifiers.presets.mixture.fit_background`.

    Raises
    ------
    ValueError
        If fewer than two sizes leave at least 100 strangers.
    """
    n_people = len(gallery.labels) // 2 if normalized else len(gallery.labels)
    kept = [size for size in sizes if n_people - size >= MIN_STRANGERS]
    if len(kept) < 2:
        raise InputError(
            f"a curve needs two sizes that leave at least {MIN_STRANGERS} strangers, got {len(kept)} among "
            f"{list(sizes)} with {n_people} people; use a table with more people, or smaller --sizes"
        )
    values = np.empty((repeats, len(kept)))
    matchers = _matchers(gallery, seed=seed, normalized=normalized, **settings)
    for repeat in tqdm(range(repeats), desc="normalized" if normalized else "cosine", disable=None):
        if repeat % _DRAWS_PER_MODEL == 0:
            matcher = next(matchers)
        for column, size in enumerate(kept):
            values[repeat, column] = threshold_of_draw(matcher, size, np.random.default_rng([seed, size, repeat]))
    return {
        "n_exemplars": kept,
        "thresholds": [round(float(value), 4) for value in values.mean(axis=0)],
        "standard_deviations": [round(float(value), 4) for value in values.std(axis=0)],
    }


def _matchers(gallery: Gallery, *, seed: int, normalized: bool, **settings: Any) -> Iterator[Matcher]:
    """Yield matchers of people; with `normalized`, of the half that took no part in fitting their background."""
    for number in range(sys.maxsize):
        if not normalized:
            yield Matcher(gallery)
            continue
        people = np.random.default_rng([seed, number]).permutation(len(gallery.labels))
        fitted = np.isin(gallery.codes, people[: len(people) // 2])
        part = gallery.selected(fitted)
        background = fit_background(part.vectors[one_photo_each(part)], seed=number, **settings)
        yield Matcher(gallery.selected(~fitted), background)
