"""Train a head on an embedding table: ``python train_classifier.py faces.h5 -o heads/family.skops``."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifiers.scores.background_arguments import add_background_arguments
from foundation.command_line import EXIT_DONE, Command, run_command, write_json
from foundation.errors import InputError
from foundation.formats import check_inputs, describe_kind
from foundation.paths import check_folder_of
from foundation.plug_ins.trust import add_trust_argument
from foundation.text import normalize_name, pluralize

if TYPE_CHECKING:
    from classifiers.heads.head import Head
    from embedder.tables.table import EmbeddingTable
    from people.workspace.heads import Denials

# How many people the summary lists by name.
_N_LISTED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``train_classifier.py``."""
    parser.add_argument(
        "table",
        metavar="TABLE",
        help="embedding table made by python -m embedder embed, or a workspace: the people named in it",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="head to write, such as heads/family.skops"
    )
    parser.add_argument(
        "--head",
        default="gallery",
        metavar="NAME",
        help="what chooses the name: gallery (default), knn, svm, logreg, lda, or the dotted path of "
        "a scikit-learn classifier such as sklearn.ensemble.RandomForestClassifier; a class of your own: "
        "my_module:MyHead, or the name under which an installed package offers it",
    )
    add_trust_argument(parser)
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the head, such as n_neighbors=3; may be repeated",
    )
    _add_threshold_arguments(parser)
    parser.add_argument(
        "--identities",
        metavar="A,B|FILE",
        help="only these people: names with commas between them, or a file with one name a line "
        "(of a CSV, the column identity, else the first)",
    )
    parser.add_argument(
        "--names",
        metavar="CSV",
        help="people file of python -m classifiers cluster: the faces that it names are enrolled, by these names alone",
    )
    parser.add_argument("--min-photos", type=int, default=1, metavar="N", help="only people with at least N photos")
    parser.add_argument(
        "--trust-folders",
        action="store_true",
        help="train also on people whose photos are mostly unlike each other, as those of albums are",
    )
    add_background_arguments(parser)
    parser.add_argument(
        "--strangers",
        metavar="TABLE",
        help="table or workspace of people nobody has enrolled, such as visitors; they join the background's cohort",
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="drop what was enrolled and rejected in the head at FILE (default: it is carried over)",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse faces that carry two names (default: they are left out of both)",
    )
    parser.add_argument("--json", metavar="FILE", help="write what was trained to FILE as JSON")


def _add_threshold_arguments(parser: argparse.ArgumentParser) -> None:
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument(
        "--fpir",
        type=float,
        metavar="P",
        help="share of strangers that may be given a name, such as 0.01, measured on the table's own "
        "people, at least 30 (default: the preset's curve for 0.01)",
    )
    limits.add_argument("--threshold", type=float, metavar="T", help="least score that is given a name")


def run(arguments: argparse.Namespace) -> int:
    """Train, save and describe a head."""
    check_inputs(arguments.table, arguments.names, arguments.strangers, arguments.background)
    if Path(arguments.output).parent.exists():  # otherwise it is made
        check_folder_of(arguments.output)
    from classifiers.commands.progress import step_bar
    from classifiers.files.head_file import describe_head

    named = _read_table(arguments)
    with step_bar(["comparing the photos of each person", "training", "saving"], len(named[0])) as end_step:
        head = _train_and_save(arguments, named, end_step)
    print_summary(head, arguments.output)
    if arguments.json is not None:
        photos = head.gallery.photos_per_identity
        write_json(
            arguments.json,
            {**describe_head(head), "photos_per_identity": photos, "carried_over": carried_over(head)},
        )
    return EXIT_DONE


def _train_and_save(
    arguments: argparse.Namespace, named: "tuple[EmbeddingTable, bool, Denials]", end_step: Callable[[], None]
) -> "Head":
    """Return the head that is now in the output file; `end_step` is called before training and before saving."""
    from classifiers.commands.album_check import refuse_albums
    from classifiers.errors import IdentityError
    from classifiers.files.head_file import save_head
    from classifiers.heads.registry import parse_parameters
    from classifiers.members.replacement import head_to_replace
    from classifiers.scores.normalization import choose_background
    from classifiers.training.train import add_strangers, train_head
    from embedder.tables.album_names import describe_albums
    from embedder.tables.table import EmbeddingTable
    from people.workspace.heads import with_denials
    from people.workspace.workspace import table_at

    table, has_chosen_names, denials = named
    wanted = None if arguments.identities is None else read_names(arguments.identities)
    if not has_chosen_names and not arguments.trust_folders:
        albums = refuse_albums(table, wanted=wanted, min_photos=arguments.min_photos, source=arguments.table)
        if albums:
            print(f"warning: {describe_albums(albums)}", file=sys.stderr)
    end_step()
    background = choose_background(table.fingerprint, file=arguments.background, none=arguments.no_background)
    if arguments.strangers is not None:
        strangers = EmbeddingTable.read(table_at(arguments.strangers))
        background = add_strangers(background, strangers, fingerprint=table.fingerprint)
    with head_to_replace(arguments.output, fresh=arguments.fresh, trust=arguments.trust) as previous:
        try:
            head = train_head(
                table,
                head=arguments.head,
                parameters=parse_parameters(arguments.param),
                fpir=arguments.fpir,
                threshold=arguments.threshold,
                identities=wanted,
                min_photos=arguments.min_photos,
                background=background,
                previous=previous,
                strict=arguments.strict,
                progress=True,
            )
        except IdentityError as error:
            raise IdentityError(f"{arguments.table}: {error}") from error
        end_step()
        head = with_denials(head, table, denials)
        save_head(head, arguments.output, trust=arguments.trust)
    return head


def _read_table(arguments: argparse.Namespace) -> "tuple[EmbeddingTable, bool, Denials]":
    """Return the table with the identities to enrol, whether a person has chosen them, and who faces are not."""
    from classifiers.errors import IdentityError
    from classifiers.groups.grouping import read_identities
    from embedder.tables.table import EmbeddingTable
    from people.workspace.workspace import is_workspace, table_at

    if is_workspace(arguments.table) and arguments.names is None:
        from people.workspace.table_rows import read_named_table

        named, denials = read_named_table(arguments.table)
        return named, True, denials
    table = EmbeddingTable.read(table_at(arguments.table))
    if arguments.names is not None:
        return replace(table, identities=read_identities(arguments.names, table)), True, []
    if len(table) and not any(normalize_name(name) for name in table.identities):
        raise IdentityError(
            f"{arguments.table}: expected faces with names, found {pluralize(len(table), 'face')} without any; group "
            f"them with facetable cluster {arguments.table} -o people.csv, name the groups in that file, and train "
            "again with --names people.csv"
        )
    return table, False, []


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
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = [row for row in csv.reader(file) if row]
        except (UnicodeDecodeError, csv.Error):
            raise InputError(
                f"{path}: expected names in UTF-8 text, one a line, found {describe_kind(path)}; name "
                "people, or a text file of names"
            ) from None
        column = rows[0].index("identity") if rows and "identity" in rows[0] else None
        names = [row[0] for row in rows] if column is None else [row[column] for row in rows[1:] if len(row) > column]
    else:
        names = text.split(",")
    kept = [normalize_name(name) for name in names if name.strip()]
    if not kept:
        raise InputError(f"`identities` must name at least one person, got {text!r}")
    return kept


def print_summary(head: "Head", path: str) -> None:
    """Print who is enrolled with how many photos, and what the threshold is and where it comes from."""
    photos: dict[str, Any] = head.gallery.photos_per_identity
    print(
        f"{path}: {head.name} head, {pluralize(len(photos), 'identity', 'identities')}, "
        f"{pluralize(len(head.gallery), 'photo')}"
    )
    for name, n_photos in list(photos.items())[:_N_LISTED]:
        print(f"  {name}: {n_photos}")
    if len(photos) > _N_LISTED:
        print(f"  and {len(photos) - _N_LISTED} more")
    carried = carried_over(head)
    if any(carried.values()):
        print(
            f"carried over from the head before: {pluralize(carried['enrolled'], 'enrolled photo')}, "
            f"{pluralize(carried['rejected'], 'rejected face')}, {pluralize(carried['renamed'], 'changed name')} of "
            "photos (--fresh drops them)"
        )
    print(f"score: {head.score_kind}{background_note(head)}")
    print(f"threshold {head.threshold:.3f}, {head.threshold_record.note}")
    if head.threshold_record.expected is not None:
        from classifiers.training.calibration import describe_expected

        print("\n".join(f"  {line}" for line in describe_expected(head.threshold_record.expected)))


def carried_over(head: "Head") -> dict[str, int]:
    """Return how many enrolled photos, rejected faces and changed names a head just trained has from the one before."""
    from classifiers.scores.gallery import FROM_RENAMING, FROM_TABLE

    origins = head.gallery.origins
    return {
        "enrolled": int(((origins != FROM_TABLE) & (origins != FROM_RENAMING)).sum()),
        "rejected": len(head.rejections),
        "renamed": int((origins == FROM_RENAMING).sum()),
    }


def background_note(head: "Head") -> str:
    """Return what the scores are normalized by, as it follows their kind."""
    background = head.matcher.background
    if background is None:
        return ""
    joined = f" and {pluralize(len(background.cohort), 'stranger')} of yours" if len(background.cohort) else ""
    return f", against {background.n_identities:,} people, {background.record.get('measured_on', 'your own')}{joined}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script with `argv` (default: the process's arguments) and return the exit code."""
    return run_command("train_classifier.py", TRAIN, argv)


TRAIN = Command(
    "train", "Train a head, which names faces and refuses strangers, on an embedding table.", add_arguments, run
)


if __name__ == "__main__":
    sys.exit(main())
