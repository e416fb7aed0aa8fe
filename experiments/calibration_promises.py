"""Does calibration keep its promises? ``python -m experiments.calibration_promises TABLE [--json r.json]``.

Twenty times the people are split at random into three thirds: one fits the background model, one is a user's table on
which a threshold is calibrated, one is strangers that calibration never saw. Counted is how often the FPIR on those
strangers lies within the 95 % interval that calibration stated.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from classifiers.heads.head import Head
from classifiers.heads.open_set import fit_decision_rule
from classifiers.heads.registry import make_head
from classifiers.presets.mixture import fit_background, one_photo_each
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background
from classifiers.scores.person_means import NEAREST_OR_MEAN
from classifiers.training.calibration import calibrate_threshold, person_weights
from experiments.fit_background import gallery_of
from foundation.command_line import EXIT_DONE, run_script, write_json

N_SPLITS = 20


def try_promise(
    gallery: Gallery, strangers: Gallery, *, head: str, background: Background | None, fpir: float
) -> dict[str, Any]:
    """Calibrate on `gallery` and return what was promised and what `strangers` then do."""
    estimator = make_head(head)
    matcher = Matcher(gallery, background, person_score=NEAREST_OR_MEAN)
    threshold = calibrate_threshold(matcher, lambda part: fit_decision_rule(estimator, part), fpir)
    scores = Head(matcher, fit_decision_rule(estimator, matcher), threshold).match(strangers.vectors).scores
    passed = scores >= threshold.value
    expected = (threshold.expected or {})["fpir"]
    observed = float(np.sum(person_weights(strangers.codes)[passed]))
    return {
        "threshold": threshold.value,
        "promised": expected,
        "observed": observed,
        "observed_by_photo": float(passed.mean()),
        "kept": bool(expected["low"] <= observed <= expected["high"]),
    }


def thirds(gallery: Gallery, seed: int) -> list[Gallery]:
    """Return three galleries with a random third of the people each."""
    people = np.random.default_rng(seed).permutation(len(gallery.labels))
    return [gallery.selected(np.isin(gallery.codes, part)) for part in np.array_split(people, 3)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--head", default="gallery", metavar="NAME")
    parser.add_argument("--fpir", type=float, default=0.01, metavar="P")
    parser.add_argument("--no-background", action="store_true", help="plain cosine")
    parser.add_argument("--json", metavar="FILE", help="write all splits to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Try twenty promises and count those that were kept."""
    from embedder.tables.table import EmbeddingTable

    gallery = gallery_of(EmbeddingTable.read(arguments.table))
    results = []
    for seed in tqdm(range(N_SPLITS), disable=None):
        others, own, strangers = thirds(gallery, seed)
        background = None if arguments.no_background else fit_background(others.vectors[one_photo_each(others)])
        results.append(try_promise(own, strangers, head=arguments.head, background=background, fpir=arguments.fpir))
    for result in results:
        promised = result["promised"]
        print(
            f"promised {promised['value']:.2%} ({promised['low']:.2%} to {promised['high']:.2%}), observed "
            f"{result['observed']:.2%} of people, {result['observed_by_photo']:.2%} of photos"
            f"{'' if result['kept'] else '  NOT KEPT'}"
        )
    print(f"kept: {sum(result['kept'] for result in results)} of {len(results)}")
    if arguments.json is not None:
        write_json(arguments.json, results)
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.calibration_promises",
        "Does calibration keep its promises?",
        add_arguments,
        run,
        argv=argv,
    )


if __name__ == "__main__":
    sys.exit(main())
