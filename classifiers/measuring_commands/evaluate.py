"""The command ``python -m classifiers evaluate``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.scores.background_arguments import add_background_arguments
from foundation.formats import check_inputs

if TYPE_CHECKING:
    from classifiers.scores.gallery import Gallery
    from classifiers.training.evaluation import Evaluation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers evaluate``."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="embedding table of facetable embed")
    parser.add_argument(
        "--head",
        default="gallery",
        metavar="NAME",
        help="gallery (default), knn, svm, logreg, lda, or a scikit-learn classifier's dotted path",
    )
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the head, such as n_neighbors=3; may be repeated",
    )
    parser.add_argument(
        "--gallery-per-person",
        type=int,
        default=1,
        metavar="K",
        help="photos enrolled of everybody who has more (default: 1); the others are looked for",
    )
    parser.add_argument(
        "--fpir",
        type=float,
        metavar="P",
        help="calibrate the threshold on the enrolled people (default: the preset's curve)",
    )
    add_background_arguments(parser)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw DET and CMC curves: PNG, SVG or PDF")
    parser.add_argument("--csv", type=Path, metavar="DIR", help="write probes, rates and curve as CSV files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Enrol some photos of a table, look for the others, and print how many were named rightly and wrongly."""
    check_inputs(arguments.table, arguments.background)

    from classifiers.errors import IdentityError
    from classifiers.heads.open_set import fit_decision_rule
    from classifiers.heads.registry import make_head, parse_parameters
    from classifiers.measuring.head_sheets import EVALUATE_COLUMNS
    from classifiers.scores.gallery import Gallery
    from classifiers.scores.normalization import choose_background
    from classifiers.scores.preset_files import count_measured_photos
    from classifiers.scores.thresholds import curve_for
    from classifiers.training.evaluation import measure_head, report
    from embedder.tables.table import EmbeddingTable
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.csv_rows import check_csv_folder
    from foundation.formats import check_output

    check_csv_folder(arguments.csv, EVALUATE_COLUMNS)
    if arguments.plot is not None:
        from foundation.drawing.share_plots import plot_format

        plot_format(arguments.plot)
        check_output(arguments.plot, "--plot", kind="picture", inputs=[arguments.table])
    table = EmbeddingTable.read(arguments.table)
    gallery = Gallery.build(table.embeddings, table.identities, paths=table.paths, image_sha256=table.image_sha256)
    estimator = make_head(arguments.head, parse_parameters(arguments.param))
    background = choose_background(table.fingerprint, file=arguments.background, none=arguments.no_background)
    try:
        measured = measure_head(
            gallery,
            lambda matcher: fit_decision_rule(estimator, matcher),
            per_person=arguments.gallery_per_person,
            background=background,
            curve=curve_for(table.fingerprint, background),
            fpir=arguments.fpir,
        )
    except IdentityError as error:
        raise IdentityError(f"{arguments.table}: {error} (--gallery-per-person)") from error
    result = measured.figures
    print("\n".join(report(result)))
    if background is not None:
        print(
            f"scores are normalized against {background.n_identities:,} people, "
            f"{background.record.get('measured_on', 'your own')}; if people of this table are among them, "
            "the figures are too good"
        )
    n_measured = count_measured_photos(table.fingerprint, gallery.image_sha256, vectors=gallery.vectors)
    if n_measured:
        print(
            f"warning: thresholds and background of this preset were measured on {n_measured:,} of these photos: the "
            "figures are too good; evaluate on other people",
            file=sys.stderr,
        )
    if arguments.json is not None:
        write_json(arguments.json, {"head": arguments.head, **result, "fingerprint": table.fingerprint.to_json()})
    _write_curves(arguments, measured, gallery)
    return EXIT_DONE


def _write_curves(arguments: argparse.Namespace, measured: "Evaluation", gallery: "Gallery") -> None:
    from classifiers.measuring.head_sheets import EVALUATE_COLUMNS, evaluation_rows
    from foundation.csv_rows import write_csv_folder

    split, scores, figures = measured.split, measured.scores, measured.figures
    if arguments.csv is not None:
        rows = evaluation_rows(gallery, split, scores, figures=figures)
        write_csv_folder(arguments.csv, EVALUATE_COLUMNS, rows)
    if arguments.plot is not None:
        from classifiers.measuring.head_comparison import ranks_of
        from classifiers.measuring.head_plots import describe_probes, plot_heads

        label = f"{arguments.head}, {figures['score']}, {arguments.gallery_per_person} each"
        curve = label, figures, scores, ranks_of(measured.head, gallery, split)
        plot_heads([curve], arguments.plot, title=describe_probes(figures["gallery_size"], scores))
