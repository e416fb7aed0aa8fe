"""The command ``facetable compare-heads``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.scores.background_arguments import add_background_arguments
from foundation.formats import check_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifiers.measuring.head_comparison import TriedHead


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable compare-heads``."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="embedding table of many people with names")
    parser.add_argument(
        "--gallery-per-person",
        type=int,
        action="append",
        metavar="K",
        help="photos enrolled of everybody who has more; may be repeated (default: 1, 3 and 10, as far as there are "
        "people with so many)",
    )
    add_background_arguments(parser, without="score by plain cosine alone")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw DET and CMC curves: PNG, SVG or PDF")
    parser.add_argument("--csv", type=Path, metavar="DIR", help="write probes, rates and curves as CSV files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Try all heads on the same people and print a table."""
    check_inputs(arguments.table, arguments.background)
    from classifiers.errors import IdentityError
    from classifiers.measuring.head_comparison import PHOTOS_PER_PERSON, TABLE_HEAD, compare_heads, format_row
    from classifiers.measuring.head_sheets import COMPARE_COLUMNS, comparison_rows
    from classifiers.scores.gallery import Gallery
    from classifiers.scores.normalization import choose_background
    from classifiers.training.evaluation import say_few_strangers
    from embedder.tables.table import EmbeddingTable
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.csv_rows import check_csv_folder, write_csv_folder

    check_csv_folder(arguments.csv, COMPARE_COLUMNS)
    _check_plot(arguments)
    table = EmbeddingTable.read(arguments.table)
    background = choose_background(table.fingerprint, file=arguments.background, none=arguments.no_background)
    gallery = Gallery.build(table.embeddings, table.identities, paths=table.paths, image_sha256=table.image_sha256)
    try:
        tried = compare_heads(gallery, background, per_person=arguments.gallery_per_person or PHOTOS_PER_PERSON)
    except IdentityError as error:
        raise IdentityError(f"{arguments.table}: {error} (--gallery-per-person)") from error
    print("\n".join([*TABLE_HEAD, *(format_row(one.figures) for one in tried)]))
    remark = say_few_strangers(tried[0].figures, 0.01).strip(" ()")
    if remark:
        print(f"\n{remark}")
    if arguments.csv is not None:
        write_csv_folder(arguments.csv, COMPARE_COLUMNS, comparison_rows(gallery, tried))
    if arguments.plot is not None:
        draw(tried, arguments.plot)
    if arguments.json is not None:
        record = {"heads": [one.figures for one in tried], "fingerprint": table.fingerprint.to_json()}
        write_json(arguments.json, record)
    return EXIT_DONE


def draw(tried: "Sequence[TriedHead]", path: Path) -> None:
    """Draw the curves of ``gallery``, with plain cosine and with the background, at each number of photos."""
    from classifiers.measuring.head_plots import describe_probes, plot_heads

    shown = [one for one in tried if one.name == "gallery"] or list(tried)
    title = "\n".join(
        f"{count} each: {describe_probes(one.figures['gallery_size'], one.scores)}"
        for count, one in {one.per_person: one for one in shown}.items()
    )
    plot_heads([(one.label, one.figures, one.scores, one.ranks) for one in shown], path, title=title)


def _check_plot(arguments: argparse.Namespace) -> None:
    """Find out now, not after minutes, that the figure cannot be drawn."""
    if arguments.plot is None:
        return
    from foundation.drawing.share_plots import plot_format
    from foundation.formats import check_output

    plot_format(arguments.plot)
    check_output(arguments.plot, "--plot", kind="picture", inputs=[arguments.table])
