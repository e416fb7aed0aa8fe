"""Measure on many people all that heads and groups need to know of a preset, and write it down.

Background model, threshold curves of cosine and normalized scores, verification threshold, clustering thresholds, and
the settings they hang on, chosen on halves of the people.
"""

import io
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import BackgroundError
from classifiers.presets.choice import Settings, choose_settings, describe_choice, measure_settings
from classifiers.presets.cluster_curve import (
    LOWEST_COSINE,
    Faces,
    measure_curve,
    measure_normalized_curve,
    plain,
)
from classifiers.presets.mixture import describe_groups, fit_background, holds_groups, one_photo_each
from classifiers.presets.threshold_curve import REPEATS, SIZES
from classifiers.presets.threshold_curve import measure_curve as measure_threshold_curve
from classifiers.presets.verification import measure_verification
from classifiers.scores.gallery import Gallery
from classifiers.scores.normalization import Background, read_background
from classifiers.scores.preset_files import (
    BACKGROUND_SUFFIX,
    PHOTOS_SUFFIX,
    RECORD_SUFFIX,
    is_of_network,
    photo_numbers,
)
from classifiers.scores.thresholds import CURVE_FPIR
from foundation.atomic import write_bytes_atomically
from foundation.fingerprint import Fingerprint
from foundation.text import pluralize

logger = logging.getLogger(__name__)

MIN_PEOPLE = 1000

# Of so many people there must be a second photo: by them it is measured what is found, and what belongs together.
MIN_SEEN_TWICE = 100

_RECIPE = "facetable preset calibrate"

# What remains of the number of components when one of them is nearly one person.
_FEWER_COMPONENTS = 0.8

_PARTS = ("measured_on", "curves", "clustering", "verification")
"""What a record must hold."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was measured for a preset.

    Attributes
    ----------
    background : Background
    record : dict
        Thresholds and settings with what they were measured on, as JSON holds them.
    photos : (n,) uint32
        Numbers of the photos, see `classifiers.scores.preset_files`.
    """

    background: Background
    record: dict[str, Any]
    photos: NDArray[np.uint32]

    def write(self, stem: Path, *, photos_file: str | None = None) -> list[Path]:
        """Write the files whose names begin with `stem`, each in one step, and return their paths.

        Parameters
        ----------
        stem : path
            Folder and beginning of the names.
        photos_file : str, optional
            Name of the file of photo numbers in that folder; by default of this stem. One file may serve several.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        # Whoever writes into this user's folder decides who is recognized.
        stem.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {suffix: stem.with_name(stem.name + suffix) for suffix in (BACKGROUND_SUFFIX, RECORD_SUFFIX)}
        photos = stem.with_name(photos_file or stem.name + PHOTOS_SUFFIX)
        numbers = io.BytesIO()
        np.save(numbers, self.photos, allow_pickle=False)
        write_bytes_atomically(photos, numbers.getvalue())
        self.background.write(names[BACKGROUND_SUFFIX])
        # Last, for what it names must be there.
        text = json.dumps({**self.record, "photos_file": photos.name}, indent=1)
        write_bytes_atomically(names[RECORD_SUFFIX], text.encode("utf-8"))
        return [*names.values(), photos]


def read_calibration(stem: Path, fingerprint: Mapping[str, Any]) -> Calibration:
    """Return what `Calibration.write` has written for the vectors of a fingerprint.

    Raises
    ------
    BackgroundError
        If a file is missing or damaged, or of another preset.
    """
    names = [stem.with_name(stem.name + suffix) for suffix in (BACKGROUND_SUFFIX, RECORD_SUFFIX, PHOTOS_SUFFIX)]
    missing = next((path for path in names if not path.is_file()), None)
    if missing is not None:
        raise BackgroundError(f"{missing}: expected what was measured for the preset, found no file; calibrate it")
    background = read_background(names[0])
    try:
        record = json.loads(names[1].read_text(encoding="utf-8"))
        photos = np.load(names[2], allow_pickle=False)
        is_whole = isinstance(record, dict) and set(_PARTS) <= set(record) and photos.dtype == np.uint32
    except (ValueError, OSError, EOFError) as error:
        raise BackgroundError(
            f"{stem}: expected what was measured for a preset, found {error}; calibrate it"
        ) from error
    if not is_whole or not all(is_of_network(made, fingerprint) for made in (record, background.record)):
        raise BackgroundError(
            f"{names[1]}: expected what was measured for this preset, found that of another, or not all of it; "
            "calibrate it with a table of this preset"
        )
    return Calibration(background, record, photos)


def check_people(gallery: Gallery, *, name: str) -> None:
    """Refuse a gallery that is too small to measure a preset on.

    Raises
    ------
    BackgroundError
        If it has fewer than `MIN_PEOPLE` people, or too few with a second photo; the message says why.
    """
    n_people = len(gallery.labels)
    n_twice = int(np.sum(np.bincount(gallery.codes) > 1))
    if n_people < MIN_PEOPLE:
        raise BackgroundError(
            f"{name}: expected at least {MIN_PEOPLE:,} people to calibrate a preset on, found {n_people:,}: half of "
            "them fit the background and the other half play strangers, of whom 1 in 100 decides the threshold; use a "
            "table of more people, one folder each"
        )
    if n_twice < MIN_SEEN_TWICE:
        raise BackgroundError(
            f"{name}: expected at least {MIN_SEEN_TWICE} people with two photos, found {n_twice:,}: what is found, and "
            "which photos belong together, is measured on them; use a table with more photos of each"
        )


def calibrate(gallery: Gallery, fingerprint: Mapping[str, Any], *, name: str, seed: int = 0) -> Calibration:
    """Measure a preset on the people of `gallery`; it takes minutes.

    Parameters
    ----------
    gallery : Gallery
        Photos of at least 1,000 people with their SHA-256.
    fingerprint : mapping
        Which vectors these are.
    name : str
        What the photos are, as it will be told to users.
    seed : int
        Of all draws.

    Raises
    ------
    BackgroundError
        If there are too few people, see `check_people`.
    """
    check_people(gallery, name=name)
    space = Fingerprint.of(fingerprint).space
    logger.info("choosing temperature and number of components on halves of %s people ...", f"{len(gallery.labels):,}")
    rates = measure_settings(gallery)
    chosen = choose_settings(rates)
    made_of = {"weights_sha256": space.weights_sha256, "space": dict(space), "measured_on": name, "recipe": _RECIPE}
    background, fitted = _fit(gallery, chosen, record=made_of, seed=seed)
    if fitted != chosen:
        chosen = fitted
        rates |= measure_settings(gallery, temperatures=[fitted.temperature], components=[fitted.n_components])
    settings = chosen._asdict()
    logger.info("measuring thresholds with %s ...", ", ".join(f"{key} {value:g}" for key, value in settings.items()))
    record: dict[str, Any] = {
        **made_of,
        "fpir": CURVE_FPIR,
        "n_people": len(gallery.labels),
        "n_photos": len(gallery),
        "settings": {**settings, "tried": describe_choice(rates)},
        "found_on_halves": {
            f"tpir_at_fpir_{fpir:g}": _spread(rates[chosen][:, column]) for column, fpir in enumerate((0.001, 0.01))
        },
        "curves": measure_curves(gallery, seed=seed, **settings),
        "clustering": measure_cluster_curves(gallery, seed=seed, **settings),
        "verification": measure_verification(gallery, seed=seed),
    }
    return Calibration(background, record, photo_numbers(gallery.image_sha256, vectors=gallery.vectors))


def measure_curves(gallery: Gallery, *, seed: int, n_components: int, temperature: float) -> dict[str, Any]:
    """Return the threshold curves of both scores."""
    settings: dict[str, Any] = {"n_components": n_components, "temperature": temperature}
    options: dict[str, Any] = {"repeats": REPEATS, "seed": seed}
    return {
        "cosine": measure_threshold_curve(gallery, SIZES, normalized=False, **options),
        "normalized": measure_threshold_curve(gallery, SIZES, normalized=True, **options, **settings),
    }


def measure_cluster_curves(gallery: Gallery, *, seed: int, n_components: int, temperature: float) -> dict[str, Any]:
    """Return the clustering thresholds of both similarities, by number of people."""
    faces = Faces(gallery.vectors, gallery.codes)
    return {
        "cosine": measure_curve(plain(faces), faces.people, lowest=LOWEST_COSINE, seed=seed),
        "normalized": measure_normalized_curve(faces, seed=seed, n_components=n_components, temperature=temperature),
    }


def describe(calibration: Calibration) -> list[str]:
    """Return what was measured as lines of text."""
    record = calibration.record
    settings, found, verification = record["settings"], record["found_on_halves"], record["verification"]
    accuracy = verification["accuracy"]
    lines = [
        f"measured on {record['measured_on']}: {pluralize(record['n_people'], 'person', 'people')}, "
        f"{pluralize(record['n_photos'], 'photo')}",
        f"background: {settings['n_components']} components, temperature {settings['temperature']:g}",
        *(
            f"found at an FPIR of {float(key.rpartition('_')[2]):.1%}, one photo enrolled: {value['value']:.1%} "
            f"({value['low']:.1%} to {value['high']:.1%} on five halves)"
            for key, value in found.items()
        ),
        f"one person below a distance of {verification['distance']:.3f}: right for {accuracy['value']:.2%} of pairs "
        f"({accuracy['low']:.2%} to {accuracy['high']:.2%})",
    ]
    for score, curve in record["curves"].items():
        points = zip(curve["n_exemplars"], curve["thresholds"], curve["standard_deviations"], strict=True)
        lines.append(f"thresholds, {score}: " + ", ".join(f"{n:,}: {t:.3f} ± {s:.3f}" for n, t, s in points))
    for score, points in record["clustering"].items():
        lines.append(f"clusters, {score}: " + ", ".join(f"{n:,} people: {t:.3f}" for n, t in points))
    return lines


def _spread(values: NDArray[np.float64]) -> dict[str, float]:
    return {
        "value": round(float(values.mean()), 4),
        "low": round(float(values.min()), 4),
        "high": round(float(values.max()), 4),
    }


def _fit(gallery: Gallery, chosen: Settings, *, record: dict[str, Any], seed: int) -> tuple[Background, Settings]:
    """Return the background of the settings and these; of fewer components where one of so many is nearly one person.

    The halves that settings are chosen on do not tell: they hold other people.
    """
    vectors = gallery.vectors[one_photo_each(gallery)]
    while True:
        background = fit_background(vectors, seed=seed, record=record, **chosen._asdict())
        if holds_groups(describe_groups(background, vectors)):
            return background, chosen
        logger.info("of %d components one holds too few people: trying fewer ...", chosen.n_components)
        chosen = chosen._replace(n_components=max(1, int(chosen.n_components * _FEWER_COMPONENTS)))
