"""The command ``python -m classifiers cluster``."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.scores.background_arguments import add_background_arguments

if TYPE_CHECKING:
    from classifiers.groups.grouping import NamedGroups
    from embedder.tables.table import EmbeddingTable

# `classifiers.groups.clustering.METHODS`, written out: that module loads NumPy.
_METHODS = ("auto", "average", "graph", "dbscan", "hdbscan")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers cluster``."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="embedding table of facetable embed")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="people file to write: CSV, one row a face"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write contact sheets of the groups as one HTML page")
    parser.add_argument(
        "--thumbnail-size",
        type=_thumbnail_side,
        default=112,
        metavar="N",
        help="side of a face on that page, pixels, 32 to 512 (default: 112)",
    )
    parser.add_argument(
        "--names",
        type=Path,
        metavar="FILE",
        help="people file of an earlier run with names filled in, may be the same as -o; or a short CSV with the "
        "columns cluster and name, for the groups of the people file -o",
    )
    parser.add_argument(
        "--constraints",
        type=Path,
        metavar="FILE",
        help="CSV that says which faces are one person and which are two: kind (must or cannot), path_a, face_index_a, "
        "path_b, face_index_b",
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
    add_background_arguments(parser, scores="similarities", without="compare by plain cosine")
    parser.add_argument(
        "--keep-poor", action="store_true", help="group faces that are too blurred or too small to be told apart, too"
    )
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photo folder, if it is not where the table says")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, show what would change")
    parser.add_argument("--csv", type=Path, metavar="DIR", help="write faces, groups and figures as CSV files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def _thumbnail_side(text: str) -> int:
    side = int(text) if text.isascii() and text.isdigit() else 0
    if not 32 <= side <= 512:
        raise argparse.ArgumentTypeError(f"expected a whole number of 32 to 512 pixels, got {text!r}")
    return side


def run(arguments: argparse.Namespace) -> int:
    """Group the faces of a table and write a people file."""
    from classifiers.commands.album_check import find_album_identities
    from classifiers.commands.photo_arguments import check_photo_folder
    from classifiers.commands.progress import share_bar
    from classifiers.groups import grouping, summary
    from classifiers.groups.similarity import similarity_space
    from classifiers.measuring.group_sheets import CLUSTER_COLUMNS, cluster_rows
    from classifiers.people_files.constraints import read_constraints
    from classifiers.scores.clarity import find_clarity
    from classifiers.scores.normalization import choose_background
    from embedder.tables.album_names import describe_albums
    from embedder.tables.table import EmbeddingTable
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.csv_rows import check_csv_folder, write_csv_folder
    from foundation.formats import check_output
    from foundation.text import lookalike_questions
    from foundation.threads import thread_count

    grouping.check_output_files(arguments.out, arguments.html, arguments.json, table=arguments.table)
    check_output(arguments.html, "--html", kind="page")
    check_csv_folder(arguments.csv, CLUSTER_COLUMNS)
    table = EmbeddingTable.read(arguments.table)
    check_photo_folder(arguments.photos, [table.photo_root, *table.more_roots], needed=arguments.html is not None)
    before = grouping.read_known_people(table, names=arguments.names, out=arguments.out, dry_run=arguments.dry_run)
    row_of = {face: row for row, face in enumerate(grouping.face_keys(table))}
    constraints = [] if arguments.constraints is None else read_constraints(arguments.constraints, row_of)
    background = choose_background(table.fingerprint, file=arguments.background, none=arguments.no_background)
    clarity = None if arguments.keep_poor else find_clarity(table.fingerprint)
    with share_bar("grouping faces", len(table)) as progress:
        groups = grouping.cluster_table(
            table,
            before=before,
            constraints=constraints,
            method=arguments.method,
            threshold=arguments.threshold,
            space=similarity_space(table.embeddings, background, table.fingerprint),
            poor=None if clarity is None else clarity.are_poor(table.embeddings),
            threads=thread_count(),
            source=arguments.constraints or "constraints",
            progress=progress,
        )
    albums = find_album_identities(table)
    result = summary.summarize(table, groups, albums=albums)
    print("\n".join(summary.report(result)))
    if albums:
        print(f"warning: {describe_albums(albums)}", file=sys.stderr)
    # Names of the file, and those of the table that the groups are measured against.
    names = {str(name) for name in groups.names} | ({str(name) for name in table.identities} - {*albums})
    for question in lookalike_questions(names - {""}):
        print(f"warning: {question}", file=sys.stderr)
    if arguments.json is not None:
        write_json(arguments.json, {**result, "fingerprint": table.fingerprint.to_json()})
    if arguments.csv is not None:
        write_csv_folder(arguments.csv, CLUSTER_COLUMNS, cluster_rows(table, groups, result))
    if arguments.dry_run:
        print(f"dry run: {arguments.out} not written")
        return EXIT_DONE
    grouping.write_people_file(arguments.out, table, groups)
    if not result["n_named_faces"] and not result["n_identified_faces"]:
        print(_next_step(arguments))
    if arguments.html is not None:
        _write_contact_sheet(arguments, table, groups)
    return EXIT_DONE


def _next_step(arguments: argparse.Namespace) -> str:
    table, people = (shlex.quote(str(path)) for path in (arguments.table, arguments.out))
    return (
        f"{arguments.out}: write a name into one row of each person's group, then run: "
        f"facetable train {table} --names {people} -o heads/people.skops"
    )


def _write_contact_sheet(arguments: argparse.Namespace, table: "EmbeddingTable", groups: "NamedGroups") -> None:
    from classifiers.groups.grouping import write_contact_sheet
    from embedder.videos.moment import read_shown

    folder = arguments.photos
    find_photo = table.find_photo if folder is None else lambda path: folder / path
    moments = table.moments
    write_contact_sheet(
        arguments.html,
        table,
        groups,
        title=f"People in {Path(table.photo_root if folder is None else folder).name}",
        read_photo=lambda path: read_shown(find_photo(path)),
        moments=moments,
        find_photo=find_photo,
        size=arguments.thumbnail_size,
    )
