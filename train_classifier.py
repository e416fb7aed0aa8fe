"""Train a head on an embedding table: ``python train_classifier.py faces.h5 -o heads/family.skops``."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedder.command_line import EXIT_DONE, run_script, write_json

if TYPE_CHECKING:
    from classifiers.serving import Head
    from embedder.table import EmbeddingTable

logger = logging.getLogger(__name__)

# How many people the summary lists by name.
_N_LISTED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``train_classifier.py``."""
    parser.add_argument("table", metavar="TABLE", help="embedding table made by python -m embedder embed")
    parser.add_argument("-o", "--output", required=True, metavar="FILE",
                        help="head to write, such as heads/family.skops")
    parser.add_argument("--head", default="gallery", metavar="NAME",
                        help="what chooses the name: gallery (default), knn or svm")
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument("--fpir", type=float, metavar="P",
                        help="share of strangers that may be given a name, measured on the table's own people "
                             "(default: the preset's curve for 0.01)")
    limits.add_argument("--threshold", type=float, metavar="T", help="least similarity that is given a name")
    parser.add_argument("--identities", metavar="A,B|FILE",
                        help="only these people: names with commas between them, or a file with one name a line "
                             "(of a CSV, the column identity, else the first)")
    parser.add_argument("--min-photos", type=int, default=1, metavar="N", help="only people with at least N photos")
    parser.add_argument("--json", metavar="FILE", help="write what was trained to FILE as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Train, save and describe a head."""
    from classifiers.persistence import describe_head, save_head
    from embedder.table import EmbeddingTable

    table = EmbeddingTable.read(arguments.table)
    head = train(
        table,
        head=arguments.head,
        fpir=arguments.fpir,
        threshold=arguments.threshold,
        identities=None if arguments.identities is None else read_names(arguments.identities),
        min_photos=arguments.min_photos,
    )
    save_head(head, arguments.output)
    print_summary(head, arguments.output)
    if arguments.json is not None:
        photos = head.gallery.photos_per_identity
        write_json(arguments.json, {**describe_head(head), "photos_per_identity": photos})
    return EXIT_DONE


def train(
    table: "EmbeddingTable",
    *,
    head: str = "gallery",
    fpir: float | None = None,
    threshold: float | None = None,
    identities: Sequence[str] | None = None,
    min_photos: int = 1,
) -> "Head":
    """Return a head trained on `table`.

    Parameters
    ----------
    table : EmbeddingTable
    head : str
        A name of `classifiers.HEADS`.
    fpir : float, optional
        Wanted rate of strangers that are given a name; default: the preset's curve, which is for 0.01.
    threshold : float, optional
        The threshold itself.
    identities : sequence of str, optional
        Enrol these people only.
    min_photos : int
        Enrol people with at least this many photos only.

    Raises
    ------
    ValueError
        If nobody is left to enrol, a wanted person is not in the table, or no threshold can be chosen.
    """
    from classifiers.calibration import choose_threshold, find_curve
    from classifiers.gallery import Gallery
    from classifiers.open_set import OpenSetClassifier

    everybody = Gallery.build(
        table.embeddings, table.identities, paths=table.paths, image_sha256=table.image_sha256, boxes=table.boxes
    )
    gallery = everybody.cut(identities=identities, min_photos=min_photos)
    chosen = choose_threshold(
        gallery, threshold=threshold, fpir=fpir, curve=find_curve(table.fingerprint)
    )
    classifier = OpenSetClassifier(head, chosen)
    return classifier.fit_gallery(gallery, fingerprint=table.fingerprint, photo_root=str(table.photo_root)).head_


def read_names(text: str) -> list[str]:
    """Return the names in ``A,B,C``, or in a file with one name a line (a CSV: column `identity`, else the first).

    Raises
    ------
    ValueError
        If there is no name.
    """
    import csv

    path = Path(text)
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
        column = rows[0].index("identity") if rows and "identity" in rows[0] else None
        names = [row[0] for row in rows] if column is None else [row[column] for row in rows[1:] if len(row) > column]
    else:
        names = text.split(",")
    kept = [name.strip() for name in names if name.strip()]
    if not kept:
        raise ValueError(f"`identities` must name at least one person, got {text!r}")
    return kept


def print_summary(head: "Head", path: str) -> None:
    """Print who is enrolled with how many photos, and what the threshold is and where it comes from."""
    photos: dict[str, Any] = head.gallery.photos_per_identity
    print(f"{path}: {head.name} head, {len(photos)} identities, {len(head.gallery)} photos")
    for name, n_photos in list(photos.items())[:_N_LISTED]:
        print(f"  {name}: {n_photos}")
    if len(photos) > _N_LISTED:
        print(f"  and {len(photos) - _N_LISTED} more")
    print(f"threshold {head.threshold:.3f}, {head.threshold_record.note}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script with `argv` (default: the process's arguments) and return the exit code."""
    return run_script("train_classifier.py", "Train a head on an embedding table.", add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
