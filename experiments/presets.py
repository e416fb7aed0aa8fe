"""What a preset finds, groups, tells apart, promises: ``python -m experiments.presets PRESET TABLE... --pairs FILE``.

Five times the people are split at random into two halves; one fits the background model, the other is enrolled or
plays strangers. Reported are the TPIR with one photo enrolled; with several photos, what the mean of a person's photos
adds beside the nearest one, with the threshold at which 1 % of the strangers pass and with the one calibrated on the
enrolled people; the BCubed F of groups, with background and thresholds from the other half; the accuracy on pairs of a
file of LFW's protocol; and how many of twenty calibrations keep their promise. Joined presets take a table of each of
their networks.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.heads.decision_rules import NearestRule
from classifiers.preset_commands.calibrate import space_of
from classifiers.presets.choice import Half, found_at_fpir, halves_of
from classifiers.presets.cluster_curve import Faces
from classifiers.presets.joining import gallery_of_tables
from classifiers.presets.mixture import N_COMPONENTS, TEMPERATURE, fit_background, one_photo_each
from classifiers.presets.verification import best_distance
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background
from classifiers.scores.person_means import PERSON_SCORES
from classifiers.scores.preset_files import read_record
from classifiers.training.calibration import calibrate_threshold, person_weights
from classifiers.training.evaluation import split_people
from classifiers.training.metrics import threshold_at_fpir
from embedder.networks.joined import find_preset
from embedder.tables.table import EmbeddingTable
from embedder.verification.lfw import read_pairs
from embedder.verification.metrics import cross_validate
from experiments.calibration_promises import N_SPLITS, thirds, try_promise
from experiments.clustering import measure_half
from experiments.score_normalization import find_rates
from foundation.command_line import EXIT_DONE, run_script, write_json

FPIRS = (0.001, 0.01, 0.1)
PHOTOS = (1, 2, 3, 5, 10)

_FPIR = 0.01
_PARTS = ("found", "means", "groups", "pairs", "promises")


def enrol_up_to(
    gallery: Gallery, n_photos: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return rows: enrolled, looked for, strangers.

    Of everybody with two photos or more up to `n_photos` are enrolled, one at least being left over; looked for are the
    left over photos of those of whom so many are enrolled; people with one photo are the strangers.
    """
    order = rng.permutation(len(gallery))
    order = order[np.argsort(gallery.codes[order], kind="stable")]
    codes = gallery.codes[order]
    counts = np.bincount(codes)[codes]
    place = np.arange(len(order)) - np.searchsorted(codes, codes)
    enrolled = (counts > 1) & (place < np.minimum(n_photos, counts - 1))
    mated = (counts > n_photos) & (place >= n_photos)
    return order[enrolled], order[mated], order[counts == 1]


def try_means(half: Half, background: Background, *, n_photos: int, seed: int) -> dict[str, dict[str, float]]:
    """Return TPIR and FPIR of both ways to score a person, at the strangers' threshold and at a calibrated one."""
    enrolled, mated, strangers = enrol_up_to(half.tested, n_photos, np.random.default_rng([seed, n_photos]))
    probes, others = half.tested.selected(mated), half.tested.selected(strangers)
    weights, result = person_weights(probes.codes), {}
    for person_score in PERSON_SCORES:
        matcher = Matcher(half.tested.selected(enrolled), background, person_score=person_score)
        scores, passing = (matcher.similarity(matcher.prepare(some.vectors)) for some in (probes, others))
        right = matcher.labels[scores.argmax(axis=1)] == probes.identities
        calibrated = calibrate_threshold(matcher, lambda _: NearestRule(), _FPIR).value
        thresholds = {"": threshold_at_fpir(passing.max(axis=1), _FPIR), "calibrated ": calibrated}
        result[person_score] = {
            f"{kind}{name}": float(value)
            for kind, threshold in thresholds.items()
            for name, value in (
                ("tpir", np.sum(weights * (right & (scores.max(axis=1) >= threshold)))),
                ("fpir", np.mean(passing.max(axis=1) >= threshold)),
            )
        }
    return result


def find_first_photos(half: Half, background: Background) -> dict[str, float]:
    """Return rank-1 and TPIR as ``classifiers evaluate`` counts them: every photo once, everybody's first enrolled."""
    split = split_people(half.tested, 1)
    matcher = Matcher(half.tested.selected(split.enrolled), background)
    probes = half.tested.vectors[np.concatenate([split.mated, split.strangers])]
    return find_rates(matcher.scores(matcher.prepare(probes)), half.tested, split)


def pairs_accuracy(gallery: Gallery, path: Path) -> dict[str, float]:
    """Return mean and standard error of the accuracy on the folds of a file of pairs."""
    row_of = {Path(str(photo)).with_suffix("").as_posix(): row for row, photo in enumerate(gallery.paths)}
    pairs = read_pairs(path)
    rows = np.array([[row_of.get(str(photo), -1) for photo in pair] for pair in pairs.photos])
    left, right = (gallery.vectors[rows[:, side]] for side in (0, 1))
    genuine = pairs.identities[:, 0] == pairs.identities[:, 1]
    enrolled = (rows >= 0).all(axis=1)
    accuracies = cross_validate(left, right, genuine, folds=pairs.folds, enrolled=enrolled).accuracies
    distances = np.linalg.norm(left[enrolled] - right[enrolled], axis=1).astype(np.float64)
    return {
        "accuracy": float(accuracies.mean()),
        "standard_error": float(accuracies.std() / np.sqrt(len(accuracies))),
        "distance": best_distance(distances, genuine[enrolled]),
        "n_pairs": len(pairs),
        "n_missing": int(np.sum((rows < 0).any(axis=1))),
    }


def study(gallery: Gallery, parts: Sequence[str], *, pairs: Path | None, **settings: Any) -> dict[str, Any]:
    """Return the figures of the wanted parts."""
    result: dict[str, Any] = {"settings": settings, "n_people": len(gallery.labels), "n_photos": len(gallery)}
    halves = halves_of(gallery)
    backgrounds = [
        fit_background(half.fitted.vectors[one_photo_each(half.fitted)], seed=seed, **settings)
        for seed, half in enumerate(halves)
    ]
    numbered = list(enumerate(zip(halves, backgrounds, strict=True)))
    if "found" in parts:
        result["found"] = [
            found_at_fpir(half.tested, background, seed=seed, fpirs=FPIRS).tolist()
            for seed, (half, background) in numbered
        ]
        result["found_by_photo"] = [
            find_first_photos(half, background) for half, background in zip(halves, backgrounds, strict=True)
        ]
    if "means" in parts:
        result["means"] = {
            n: [try_means(half, background, n_photos=n, seed=seed) for seed, (half, background) in numbered]
            for n in PHOTOS
        }
    if "groups" in parts:
        faces = Faces(gallery.vectors, gallery.codes)
        result["groups"] = [measure_half(faces, seed=seed, **settings) for seed in range(len(halves))]
    if "pairs" in parts and pairs is not None:
        result["pairs"] = pairs_accuracy(gallery, pairs)
    if "promises" in parts:
        result["promises"] = promises(gallery, **settings)
    return result


def promises(gallery: Gallery, **settings: Any) -> list[dict[str, Any]]:
    """Return what twenty calibrations promised and what became of it."""
    results = []
    for seed in tqdm(range(N_SPLITS), disable=None):
        others, own, strangers = thirds(gallery, seed)
        background = fit_background(others.vectors[one_photo_each(others)], **settings)
        results.append(try_promise(own, strangers, head="gallery", background=background, fpir=_FPIR))
    return results


def report(result: dict[str, Any]) -> list[str]:
    """Return the figures as lines of text."""
    lines = [f"{result['n_photos']:,} photos of {result['n_people']:,} people, {result['settings']}"]
    if "found" in result:
        for fpir, values in zip(FPIRS, np.array(result["found"]).T, strict=True):
            lines.append(f"TPIR at FPIR {fpir:.1%}, one photo: {_spread(values)}")
        for name in result["found_by_photo"][0]:
            values = np.array([half[name] for half in result["found_by_photo"]])
            lines.append(f"{name}, first photo, every photo counting: {_spread(values)}")
    for n, halves in result.get("means", {}).items():
        for name in halves[0]["nearest"]:
            near, mean = (np.array([half[score][name] for half in halves]) for score in PERSON_SCORES)
            gain = mean - near
            lines.append(f"{n} photos, {name}: nearest {_spread(near)}, or mean {_spread(mean)}, gain {_spread(gain)}")
    if "groups" in result:
        for kind in ("cosine", "normalized"):
            lines.append(
                f"groups, {kind}: BCubed F {_spread(np.array([half[kind]['f'] for half in result['groups']]))}"
            )
    if "pairs" in result:
        pairs = result["pairs"]
        lines.append(
            f"{pairs['n_pairs']:,} pairs ({pairs['n_missing']} missing): {pairs['accuracy']:.4f} ± "
            f"{pairs['standard_error']:.4f}, distance {pairs['distance']:.3f}"
        )
    if "promises" in result:
        kept = sum(one["kept"] for one in result["promises"])
        lines.append(f"promises kept: {kept} of {len(result['promises'])}")
    return lines


def _spread(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.4f} ({values.min():.4f} to {values.max():.4f})"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("preset", metavar="PRESET")
    parser.add_argument("tables", type=Path, nargs="+", metavar="TABLE")
    parser.add_argument("--pairs", type=Path, metavar="FILE", help="pairs in LFW's format")
    parser.add_argument("--parts", nargs="+", default=_PARTS, choices=_PARTS, metavar="PART", help=", ".join(_PARTS))
    parser.add_argument("--usual", action="store_true", help="the usual settings instead of the preset's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measure one preset."""
    space = space_of(find_preset(arguments.preset))
    tables = [EmbeddingTable.read(path) for path in arguments.tables]
    gallery = gallery_of_tables(tables, space, names=[str(path) for path in arguments.tables])
    chosen = {} if arguments.usual else read_record({"space": space}).get("settings", {})
    usual = {"n_components": N_COMPONENTS, "temperature": TEMPERATURE}
    settings = {name: chosen.get(name, value) for name, value in usual.items()}
    result = study(gallery, arguments.parts, pairs=arguments.pairs, **settings)
    print("\n".join([arguments.preset, *report(result)]), flush=True)
    if arguments.json is not None:
        write_json(arguments.json, result)
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script("python -m experiments.presets", "What a preset is worth.", add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
