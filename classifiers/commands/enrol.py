"""The command ``python -m classifiers enrol``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.commands.photo_arguments import add_head_argument, add_network_arguments
from foundation.text import pluralize

if TYPE_CHECKING:
    from classifiers.heads.head import Head


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers enrol``."""
    add_head_argument(parser)
    parser.add_argument(
        "photos",
        type=Path,
        nargs="+",
        metavar="PHOTO",
        help="photos of the person, or folders of them; the main face of each counts",
    )
    parser.add_argument("--name", required=True, metavar="NAME", help="who it is: somebody new, or somebody enrolled")
    parser.add_argument(
        "--force",
        action="store_true",
        help="enrol also faces that are small, blurred, turned away or unlike the person's others",
    )
    add_network_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was enrolled and refused as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Enrol photos and say which were refused, and why."""
    from classifiers.commands.photo_arguments import list_photos, open_reader, read_photos
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import check_new_name, locked_for_editing
    from classifiers.members.enrolment import enrol
    from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json

    name = check_new_name(arguments.name)
    photos = list_photos(arguments.photos)
    with locked_for_editing(arguments.head):
        head = load_head(arguments.head)
        read = read_photos(open_reader(head, arguments), photos, head)
        result = enrol(head, read, name, force=arguments.force)
        if result.enrolled:
            save_head(result.head, arguments.head)
    for refusal in result.refused:
        print(f"refused {refusal}", file=sys.stderr)
    for known in result.known:
        print(f"{known}: left out, this face is enrolled as {name} already or was given twice")
    if result.refused and not arguments.force:
        print("give --force to enrol photos with a face all the same", file=sys.stderr)
    print(f"{arguments.head}: {len(result.enrolled):,} of {pluralize(len(photos), 'photo')} enrolled as {name}")
    print(describe_size(result.head))
    if arguments.json is not None:
        write_json(
            arguments.json,
            {
                "head": str(arguments.head),
                "name": name,
                "enrolled": [face.path for face in result.enrolled],
                "refused": [{"path": one.path, "reasons": list(one.reasons)} for one in result.refused],
                "known": list(result.known),
                "n_unreadable": len(photos) - len(read),
                **size_of(result.head),
            },
        )
    return EXIT_SOME_INPUTS_FAILED if result.refused or len(read) < len(photos) else EXIT_DONE


def size_of(head: "Head") -> dict[str, float]:
    """Return how many people and photos a head has, and its threshold."""
    return {"n_identities": len(head.labels), "n_exemplars": len(head.gallery), "threshold": head.threshold}


def describe_size(head: "Head") -> str:
    """Return how many people and photos a head has, and what its threshold is now, as a line."""
    record = head.threshold_record
    outgrown = record.is_outgrown(len(head.gallery))
    remark = ""
    if outgrown:
        remark = f"; set for {pluralize(record.n_exemplars, 'photo')}, train the head again to set it for these"
    people, photos = pluralize(len(head.labels), "identity", "identities"), pluralize(len(head.gallery), "photo")
    return f"{people}, {photos}, threshold {head.threshold:.3f}{remark}"
