"""``facetable compare-heads`` with a background model of other people of the same table: for LFW, of which the presets'
models know the people.

``python -m experiments.compare_heads TABLE [--plot heads.png] [--csv DIR] [--json r.json]``: a random half of the
people fits the background; the others are enrolled with 1, 3 or 10 photos each, or play strangers.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from classifiers.measuring.head_comparison import TABLE_HEAD, compare_heads, format_row
from classifiers.measuring.head_sheets import COMPARE_COLUMNS, comparison_rows
from classifiers.measuring_commands.compare_heads import draw
from classifiers.presets.mixture import N_COMPONENTS, fit_background, one_photo_each
from experiments.fit_background import gallery_of
from foundation.command_line import EXIT_DONE, run_script, write_json
from foundation.csv_rows import write_csv_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--seed", type=int, default=0, help="of the half that fits the background model")
    parser.add_argument("--components", type=int, default=N_COMPONENTS, metavar="N", help="of the background model")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw DET and CMC curves")
    parser.add_argument("--csv", type=Path, metavar="DIR", help="write probes, rates and curves as CSV files")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Compare all heads and print a table."""
    from embedder.tables.table import EmbeddingTable

    gallery = gallery_of(EmbeddingTable.read(arguments.table))
    people = np.random.default_rng(arguments.seed).permutation(len(gallery.labels))
    fitted = np.isin(gallery.codes, people[: len(people) // 2])
    others, measured = gallery.selected(fitted), gallery.selected(~fitted)
    background = fit_background(others.vectors[one_photo_each(others)], n_components=arguments.components)
    tried = compare_heads(measured, background)
    print("\n".join([*TABLE_HEAD, *(format_row(one.figures) for one in tried)]))
    if arguments.plot is not None:
        draw(tried, arguments.plot)
    if arguments.csv is not None:
        write_csv_folder(arguments.csv, COMPARE_COLUMNS, comparison_rows(measured, tried))
    if arguments.json is not None:
        write_json(arguments.json, [one.figures for one in tried])
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.compare_heads", "All heads on the same people.", add_arguments, run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
