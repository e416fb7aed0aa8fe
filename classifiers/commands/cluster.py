"""The arguments of ``python -m classifiers cluster``; it loads nothing else, so that help comes at once."""

import argparse
from pathlib import Path

# `classifiers.groups.clustering.METHODS`, written out: that module loads NumPy.
_METHODS = ("auto", "average", "graph", "dbscan", "hdbscan")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers cluster``."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="embedding table of python -m embedder embed")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="people file to write: CSV, one row a face"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write contact sheets of the groups as one HTML page")
    parser.add_argument(
        "--names",
        type=Path,
        metavar="FILE",
        help="people file of an earlier run with names filled in; may be the same as -o",
    )
    parser.add_argument(
        "--constraints",
        type=Path,
        metavar="FILE",
        help="CSV: kind (must or cannot), path_a, face_index_a, path_b, face_index_b",
    )
    parser.add_argument(
        "--method",
        choices=_METHODS,
        default="auto",
        help="default: average linkage, in large tables on nearest neighbours only (graph)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="T",
        help="mean similarity two groups need to be merged (default: by the number of people found)",
    )
    backgrounds = parser.add_mutually_exclusive_group()
    backgrounds.add_argument(
        "--background",
        type=Path,
        metavar="FILE",
        help="background model that normalizes similarities (default: the preset's)",
    )
    backgrounds.add_argument("--no-background", action="store_true", help="compare by plain cosine")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photo folder, if it is not where the table says")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, show what would change")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
