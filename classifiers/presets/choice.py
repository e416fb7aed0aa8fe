"""Choose a preset's settings on random halves of the people: temperature and number of components.

One half of the people fits the background model; in the other, those with a second photo are enrolled with one, and
their other photos are looked for among them, beside the photos of those who have no second one, the strangers. Where
these are fewer than a hundred, half of the people with a second photo are strangers too, a photo of each. Counted is
how many are found (TPIR), every person counting the same, at an FPIR of 0.1 % and 1 %.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.presets.mixture import (
    MIN_IDENTITIES_PER_COMPONENT,
    N_COMPONENTS,
    TEMPERATURE,
    fit_background,
    one_photo_each,
)
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background
from classifiers.training.calibration import person_weights
from classifiers.training.metrics import threshold_at_fpir

N_HALVES = 5

TEMPERATURES = (0.03, 0.04, 0.05, 0.06, 0.08)
COMPONENTS = (32, 64, 128)

_FPIRS = (0.001, 0.01)

# With fewer strangers the threshold at an FPIR of 1 % is that of the most alike one.
_MIN_STRANGERS = 100

# Which photo of a person is enrolled is drawn so many times.
_N_DRAWS = 4

# Another setting must be better than the usual one by so many standard errors of the halves' differences.
_STANDARD_ERRORS = 2.0


class Settings(NamedTuple):
    """Settings of a background model."""

    n_components: int
    temperature: float


USUAL = Settings(N_COMPONENTS, TEMPERATURE)


class Half(NamedTuple):
    """A random half of the people to fit on, and the other to test on."""

    fitted: Gallery
    tested: Gallery


def halves_of(gallery: Gallery, *, n: int = N_HALVES) -> list[Half]:
    """Return `n` random halves of the people of a gallery, with the other halves; half number i is drawn by seed i."""
    halves = []
    for seed in range(n):
        people = np.random.default_rng(seed).permutation(len(gallery.labels))
        fitted = np.isin(gallery.codes, people[: len(people) // 2])
        halves.append(Half(gallery.selected(fitted), gallery.selected(~fitted)))
    return halves


def found_at_fpir(
    tested: Gallery,
    background: Background | None,
    *,
    seed: int,
    fpirs: Sequence[float] = _FPIRS,
    n_draws: int = _N_DRAWS,
) -> NDArray[np.float64]:
    """Return the TPIR ``(len(fpirs),)`` with one photo enrolled of everybody who has two, the mean of some draws.

    Parameters
    ----------
    tested : Gallery
        People who took no part in fitting `background`.
    background : Background or None
        None: by plain cosine.
    seed : int
        Of the draws.
    fpirs : sequence of float
    n_draws : int
    """
    rng = np.random.default_rng(seed)
    n_photos = np.bincount(tested.codes)
    rates = np.zeros((n_draws, len(fpirs)))
    for draw in range(n_draws):
        order = rng.permutation(len(tested))
        _, first = np.unique(tested.codes[order], return_index=True)
        is_first = np.isin(np.arange(len(tested)), order[first])
        enrolled = _enrolled_people(n_photos, rng)[tested.codes]
        matcher = Matcher(tested.selected(is_first & enrolled), background)
        mated, strangers = tested.selected(~is_first & enrolled), tested.selected(is_first & ~enrolled)
        found, passing = (matcher.similarity(matcher.prepare(some.vectors)) for some in (mated, strangers))
        right = matcher.labels[found.argmax(axis=1)] == mated.identities
        weights = person_weights(mated.codes)
        for column, fpir in enumerate(fpirs):
            threshold = threshold_at_fpir(passing.max(axis=1), fpir)
            rates[draw, column] = np.sum(weights * (right & (found.max(axis=1) >= threshold)))
    means: NDArray[np.float64] = rates.mean(axis=0)
    return means


def _enrolled_people(n_photos: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return ``(k,)`` bool: who is enrolled, by the number of photos of each person; all others are strangers."""
    many = n_photos > 1
    if np.sum(~many) >= _MIN_STRANGERS:
        return many
    people = rng.permutation(np.flatnonzero(many))
    many[people[: len(people) // 2]] = False
    return many


def measure_settings(
    gallery: Gallery, *, temperatures: Sequence[float] = TEMPERATURES, components: Sequence[int] = COMPONENTS
) -> dict[Settings, NDArray[np.float64]]:
    """Return for each of the settings the TPIR ``(halves, 2)`` at FPIR 0.1 % and 1 %.

    Numbers of components are left out for which a half has too few people; the usual one counts down to what fits.
    """
    halves = halves_of(gallery)
    most = min(len(half.fitted.labels) for half in halves) // MIN_IDENTITIES_PER_COMPONENT
    rates: dict[Settings, list[NDArray[np.float64]]] = {}
    for n_components in sorted({min(n, most) for n in components}):
        for seed, half in enumerate(halves):
            vectors = half.fitted.vectors[one_photo_each(half.fitted)]
            background = fit_background(vectors, n_components=n_components, seed=seed)
            for temperature in temperatures:
                found = found_at_fpir(half.tested, background.with_temperature(temperature), seed=seed)
                rates.setdefault(Settings(n_components, temperature), []).append(found)
    return {settings: np.array(values) for settings, values in rates.items()}


def choose_settings(rates: dict[Settings, NDArray[np.float64]]) -> Settings:
    """Return the settings that find most on the halves; the usual ones unless others are clearly better.

    What counts is the mean of both rates. Another must be better than the usual by two standard errors of the halves'
    differences: settings that are equally good on these people are not better on others.
    """
    means = {settings: values.mean(axis=1) for settings, values in rates.items()}
    usual = USUAL if USUAL in means else min(means, key=lambda s: (abs(s.temperature - TEMPERATURE), -s.n_components))
    best = max(means, key=lambda settings: float(means[settings].mean()))
    gain = means[best] - means[usual]
    if gain.mean() > _STANDARD_ERRORS * gain.std(ddof=1) / np.sqrt(len(gain)):
        return best
    return usual


def describe_choice(rates: dict[Settings, NDArray[np.float64]]) -> list[dict[str, Any]]:
    """Return the mean rates of all settings as JSON holds them, the best first."""
    rows = [
        {
            "n_components": settings.n_components,
            "temperature": settings.temperature,
            "tpir_at_fpir_0.001": round(float(values[:, 0].mean()), 4),
            "tpir_at_fpir_0.01": round(float(values[:, 1].mean()), 4),
        }
        for settings, values in rates.items()
    ]
    return sorted(rows, key=lambda row: -(row["tpir_at_fpir_0.001"] + row["tpir_at_fpir_0.01"]))
