"""Measure how the threshold for an FPIR of 1 % grows with the gallery, and write the curve a preset ships.

``python -m experiments.measure_threshold_curve lfw.h5 --name "LFW View 1 training people"``: people are split at
random into enrolled ones, one photo each, and strangers, one photo each; the threshold is what 1 % of the strangers
reach. Repeated with other draws; the curve is the mean, and the spread between the draws is written beside it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.calibration import BACKGROUND_FOLDER, CURVE_FPIR
from classifiers.gallery import Gallery
from embedder.command_line import EXIT_DONE, run_script, write_json

if TYPE_CHECKING:
    from embedder.table import EmbeddingTable

SIZES = (30, 100, 300, 1000, 3000)

# A quantile of 1 % needs at least this many strangers to be seen at all.
_MIN_STRANGERS = 100


def draw_split(gallery: Gallery, n_enrolled: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows of `n_enrolled` people and of all others, one random photo of each; the two share nobody."""
    shuffled = rng.permutation(len(gallery))
    _, first = np.unique(gallery.codes[shuffled], return_index=True)
    one_each = rng.permutation(shuffled[first])
    return one_each[:n_enrolled], one_each[n_enrolled:]


def measure_thresholds(gallery: Gallery, n_enrolled: int, *, repeats: int, seed: int) -> NDArray[np.float64]:
    """Return ``(repeats,)`` thresholds at FPIR 1 %, each from another draw of enrolled people and strangers.

    Raises
    ------
    ValueError
        If fewer than 100 people are left as strangers.
    """
    n_strangers = len(gallery.labels) - n_enrolled
    if n_strangers < _MIN_STRANGERS:
        raise ValueError(
            f"{n_enrolled} enrolled people leave {n_strangers} strangers, expected at least {_MIN_STRANGERS}; "
            "use a table with more people, or leave this size out of --sizes"
        )
    thresholds = np.empty(repeats)
    for repeat in tqdm(range(repeats), desc=f"{n_enrolled} enrolled", disable=None):
        enrolled, strangers = draw_split(gallery, n_enrolled, np.random.default_rng([seed, n_enrolled, repeat]))
        scores = (gallery.vectors[strangers] @ gallery.vectors[enrolled].T).max(axis=1)
        thresholds[repeat] = np.quantile(scores, 1.0 - CURVE_FPIR)
    return thresholds


def measure_curve(gallery: Gallery, sizes: Sequence[int], *, repeats: int, seed: int) -> dict[str, Any]:
    """Return a curve as it stands in ``classifiers/background/``: sizes, mean thresholds, their spread."""
    measured = [measure_thresholds(gallery, size, repeats=repeats, seed=seed) for size in sizes]
    return {
        "n_exemplars": list(sizes),
        "thresholds": [round(float(np.mean(values)), 4) for values in measured],
        "standard_deviations": [round(float(np.std(values)), 4) for values in measured],
    }


def gallery_of(table: "EmbeddingTable") -> Gallery:
    """Return the named rows of a table."""
    return Gallery.build(table.embeddings, table.identities, paths=table.paths, image_sha256=table.image_sha256)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--name", required=True, help="what the photos are, as it will be told to users")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: classifiers/background/<weights>.json")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="numbers of enrolled people")
    parser.add_argument("--repeats", type=int, default=200, metavar="N", help="random draws for each size (200)")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Measure and write the curve."""
    from embedder.table import EmbeddingTable

    table = EmbeddingTable.read(arguments.table)
    space = table.fingerprint["space"]
    weights = space["weights_sha256"]
    output = Path(arguments.output) if arguments.output else BACKGROUND_FOLDER / f"{weights[:12]}.json"
    curve = measure_curve(gallery_of(table), arguments.sizes, repeats=arguments.repeats, seed=arguments.seed)
    record = json.loads(output.read_text(encoding="utf-8")) if output.is_file() else {"curves": {}}
    record |= {
        "weights_sha256": weights,
        "space": space,
        "measured_on": arguments.name,
        "fpir": CURVE_FPIR,
        "recipe": f"experiments/measure_threshold_curve.py --repeats {arguments.repeats} --seed {arguments.seed}",
    }
    record["curves"]["cosine"] = curve
    write_json(output, record)
    for size, value, spread in zip(*curve.values(), strict=True):
        print(f"{size:6d} exemplars: {value:.4f} ± {spread:.4f}")
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.measure_threshold_curve", "Measure a threshold curve.", add_arguments, run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
