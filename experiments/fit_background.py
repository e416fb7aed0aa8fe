"""Fit the background model of a preset: ``python -m experiments.fit_background TABLE -o FILE --name "..."``.

It is that of `classifiers.presets.mixture`; what ``facetable preset calibrate`` does beside it is left out here.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from classifiers.presets.mixture import (
    N_COMPONENTS,
    TEMPERATURE,
    check_groups,
    describe_groups,
    fit_background,
    membership_auc,
    one_photo_each,
)
from classifiers.scores.gallery import Gallery
from classifiers.scores.normalization import BACKGROUND_FOLDER
from embedder.tables.table import EmbeddingTable
from foundation.command_line import EXIT_DONE, run_script, write_json


def gallery_of(table: EmbeddingTable) -> Gallery:
    """Return the named rows of a table."""
    return Gallery.build(table.embeddings, table.identities, paths=table.paths, image_sha256=table.image_sha256)


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
    table = EmbeddingTable.read(arguments.table)
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
    figures = {
        "n_identities": len(vectors),
        **describe_groups(background, vectors),
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script("python -m experiments.fit_background", "Fit a background model.", add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
