"""Measure threshold curves: ``python -m experiments.measure_threshold_curve TABLE --name "..."``.

They are those of `classifiers.presets.threshold_curve`, as ``facetable preset calibrate`` measures them, too.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from classifiers.presets.mixture import N_COMPONENTS
from classifiers.presets.threshold_curve import REPEATS, SIZES, measure_curve
from classifiers.scores.normalization import BACKGROUND_FOLDER
from classifiers.scores.thresholds import CURVE_FPIR
from embedder.tables.table import EmbeddingTable
from experiments.fit_background import gallery_of
from foundation.command_line import EXIT_DONE, run_script, write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--name", required=True, help="what the photos are, as it will be told to users")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: classifiers/background/<weights>.json")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="numbers of enrolled people")
    parser.add_argument("--repeats", type=int, default=REPEATS, metavar="N", help="random draws for each size (200)")
    parser.add_argument("--components", type=int, default=N_COMPONENTS, metavar="N", help="of the background models")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Measure and write the curves."""
    table = EmbeddingTable.read(arguments.table)
    space = dict(table.fingerprint.space)
    weights = space["weights_sha256"]
    output = Path(arguments.output) if arguments.output else BACKGROUND_FOLDER / f"{weights[:12]}.json"
    options = {"repeats": arguments.repeats, "seed": arguments.seed}
    gallery = gallery_of(table)
    curves = {
        "cosine": measure_curve(gallery, arguments.sizes, normalized=False, **options),
        "normalized": measure_curve(
            gallery, arguments.sizes, normalized=True, n_components=arguments.components, **options
        ),
    }
    record = {
        "weights_sha256": weights,
        "space": space,
        "measured_on": arguments.name,
        "fpir": CURVE_FPIR,
        "recipe": f"experiments/measure_threshold_curve.py --repeats {arguments.repeats} --seed {arguments.seed} "
        f"--components {arguments.components}",
        "curves": curves,
    }
    write_json(output, json.loads(json.dumps(record)))
    for name, curve in curves.items():
        for size, value, spread in zip(*curve.values(), strict=True):
            print(f"{name}: {size:5d} exemplars {value:.4f} ± {spread:.4f}")
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.measure_threshold_curve", "Measure threshold curves.", add_arguments, run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
