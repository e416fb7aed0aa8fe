"""How many enrolled people are named rightly, and how many strangers wrongly, at the default threshold.

    python -m experiments.name_people TABLE [--people 93] [--photos 3] [--strangers 150] [--splits 5]

In each split some people are enrolled with their first photos, their other photos are probes, and one photo of each of
the strangers is another. Threshold curve and background model come from the people who are neither.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.heads.open_set import build_head
from classifiers.heads.registry import make_head
from classifiers.presets.mixture import fit_background, one_photo_each
from classifiers.scores.gallery import UNKNOWN, Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background
from classifiers.scores.thresholds import ThresholdCurve, threshold_from_curve
from experiments.fit_background import gallery_of
from experiments.measure_threshold_curve import measure_curve
from foundation.command_line import EXIT_DONE, run_script, write_json

HEADS = ("gallery", "knn", "svm")
CURVE_SIZES = (30, 100, 300, 1000)


def draw_people(gallery: Gallery, arguments: argparse.Namespace, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return the codes of the people to enrol, who have further photos, and of the strangers."""
    n_photos = np.bincount(gallery.codes)
    enrolled = rng.choice(np.flatnonzero(n_photos > arguments.photos), arguments.people, replace=False)
    others = np.setdiff1d(np.arange(len(n_photos)), enrolled)
    return enrolled, rng.choice(others, arguments.strangers, replace=False)


def measure_split(gallery: Gallery, arguments: argparse.Namespace, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the rates of each head with normalized scores and with plain cosine for one split."""
    enrolled, strangers = draw_people(gallery, arguments, np.random.default_rng(seed))
    order = np.lexsort((gallery.paths, gallery.codes))
    rank = np.empty(len(gallery), int)  # place of a photo among its person's, in path order
    rank[order] = np.arange(len(gallery)) - np.searchsorted(gallery.codes[order], gallery.codes[order])
    is_enrolled = np.isin(gallery.codes, enrolled)
    exemplars = gallery.selected(is_enrolled & (rank < arguments.photos))
    mated = gallery.selected(is_enrolled & (rank >= arguments.photos))
    strange = gallery.selected(np.isin(gallery.codes, strangers) & (rank == 0))
    others = gallery.selected(~np.isin(gallery.codes, [*enrolled, *strangers]))
    background = fit_background(others.vectors[one_photo_each(others)], seed=seed)
    for kind, model in (("normalized", background), ("cosine", None)):
        threshold = threshold_from(others, len(exemplars), kind=kind, repeats=arguments.repeats, seed=seed)
        for name in HEADS:
            yield {
                "head": name,
                "score": kind,
                "seed": seed,
                **_rates(exemplars, model, name, threshold=threshold, mated=mated, strange=strange),
            }


def threshold_from(others: Gallery, n_exemplars: int, *, kind: str, repeats: int, seed: int) -> float:
    """Return the threshold for `n_exemplars` photos, from a curve measured on `others`."""
    curve = measure_curve(others, CURVE_SIZES, repeats=repeats, seed=seed, normalized=kind == "normalized")
    curve = {**curve, "score": kind, "measured_on": "the other people"}
    return threshold_from_curve(ThresholdCurve.from_json(curve), n_exemplars).value


def _rates(
    exemplars: Gallery, background: Background | None, name: str, *, threshold: float, mated: Gallery, strange: Gallery
) -> dict[str, float]:
    head = build_head(Matcher(exemplars, background), make_head(name), threshold=threshold)
    named, _ = head.identify(mated.vectors)
    return {
        "named_rightly": float(np.mean(named == mated.identities)),
        "named_wrongly": float(np.mean((named != mated.identities) & (named != UNKNOWN))),
        "strangers_named": float(np.mean(head.identify(strange.vectors)[0] != UNKNOWN)),
        "n_probes": len(mated),
        "n_strangers": len(strange),
        "threshold": threshold,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--people", type=int, default=93, metavar="N", help="enrolled people (93)")
    parser.add_argument("--photos", type=int, default=3, metavar="N", help="photos each (3)")
    parser.add_argument("--strangers", type=int, default=150, metavar="N", help="strangers, one photo each (150)")
    parser.add_argument("--splits", type=int, default=5, metavar="N", help="random splits (5)")
    parser.add_argument("--repeats", type=int, default=20, metavar="N", help="draws for each point of the curves (20)")
    parser.add_argument("--json", type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print mean, least and largest rate over the splits."""
    from embedder.tables.table import EmbeddingTable

    gallery = gallery_of(EmbeddingTable.read(arguments.table))
    rows = [row for seed in range(arguments.splits) for row in measure_split(gallery, arguments, seed)]
    for kind in ("normalized", "cosine"):
        for name in HEADS:
            chosen = [row for row in rows if row["head"] == name and row["score"] == kind]
            figures = [
                f"{rate} {_spread([row[rate] for row in chosen])}"
                for rate in ("named_rightly", "named_wrongly", "strangers_named", "threshold")
            ]
            print(f"{kind} {name}: " + ", ".join(figures))
    if arguments.json:
        write_json(arguments.json, rows)
    return EXIT_DONE


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.4f} [{min(values):.4f}, {max(values):.4f}]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.name_people", "Name people and refuse strangers.", add_arguments, run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
