"""The commands that correct a head: ``python -m classifiers reject``, ``rename`` and ``merge``."""

import argparse
import sys
from pathlib import Path

from classifiers.commands.photo_arguments import add_head_argument, add_network_arguments


def add_reject_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers reject``."""
    add_head_argument(parser)
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="photo of somebody who is not NAME")
    parser.add_argument("--name", required=True, metavar="NAME", help="who it is not")
    parser.add_argument(
        "--face",
        type=int,
        metavar="N",
        help="which face of the photo, as numbered by explain (default: the one taken for NAME)",
    )
    add_network_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was rejected as JSON")


def add_rename_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers rename``."""
    add_head_argument(parser)
    parser.add_argument("old", metavar="OLD", help="who gets another name")
    parser.add_argument("new", metavar="NEW", help="the new name, which nobody in the head has")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was renamed as JSON")


def add_merge_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers merge``."""
    add_head_argument(parser)
    parser.add_argument("gone", metavar="GONE", help="whose photos get the other name")
    parser.add_argument("stays", metavar="STAYS", help="whose name stays")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was merged as JSON")


def run_reject(arguments: argparse.Namespace) -> int:
    """Record that a face is not the person a head takes it for."""
    from classifiers.commands.photo_arguments import face_numbers, open_reader, stored_path
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import enrolled_name, locked_for_editing
    from classifiers.members.rejection import face_to_reject, reject
    from embedder.images.reading import read_image
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.paths import display_path

    photo = arguments.photo
    with locked_for_editing(arguments.head):
        head = load_head(arguments.head, trust=arguments.trust)
        name = enrolled_name(head, arguments.name)
        read_image(photo)  # what is wrong with it shows before the networks are loaded
        faces = open_reader(head, arguments).read(photo, stored_path(photo, head)).samples
        if arguments.face is None:
            number = face_to_reject(head, faces, name)
        else:
            number = face_numbers(faces, arguments.face, photo)[0]
        before = str(head.identify(faces[number].vector[None])[0][0])
        result = reject(head, faces[number], name)
        if result.is_new or result.n_removed:
            save_head(result.head, arguments.head)
    after = str(result.head.identify(faces[number].vector[None])[0][0])
    known = "" if result.is_new else " (as it was before)"
    face = f"face {number} of {display_path(photo)}"
    print(f"{arguments.head}: {face} is not {name}{known}; it was {before}, it is now {after}")
    if result.n_removed:
        print(f"it was enrolled as {name} and is no more")
    if arguments.json is not None:
        write_json(
            arguments.json,
            {
                "head": str(arguments.head),
                "name": name,
                "photo": faces[number].path,
                "face": number,
                "is_new": result.is_new,
                "n_removed": result.n_removed,
                "before": before,
                "after": after,
                "n_rejections": len(result.head.rejections),
            },
        )
    return EXIT_DONE


def run_rename(arguments: argparse.Namespace) -> int:
    """Give a person another name."""
    from classifiers.commands.enrol import describe_size, size_of
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import check_new_name, enrolled_name, locked_for_editing
    from classifiers.members.renaming import rename_person
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.text import pluralize

    with locked_for_editing(arguments.head):
        head = load_head(arguments.head, trust=arguments.trust)
        old, new = enrolled_name(head, arguments.old), check_new_name(arguments.new)
        changed = rename_person(head, old, new)
        save_head(changed, arguments.head)
    n_photos = changed.gallery.photos_per_identity[new]
    print(f"{arguments.head}: {old} is called {new}, {pluralize(n_photos, 'photo')}")
    print(describe_size(changed))
    if arguments.json is not None:
        renamed = {"head": str(arguments.head), "old": old, "new": new, "n_renamed": n_photos}
        write_json(arguments.json, {**renamed, **size_of(changed)})
    return EXIT_DONE


def run_merge(arguments: argparse.Namespace) -> int:
    """Make one person of two; warn where they do not look like one."""
    from classifiers.commands.enrol import describe_size, size_of
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import enrolled_name, locked_for_editing
    from classifiers.members.renaming import merge_people
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.text import format_apart, pluralize

    with locked_for_editing(arguments.head):
        head = load_head(arguments.head, trust=arguments.trust)
        gone, stays = enrolled_name(head, arguments.gone), enrolled_name(head, arguments.stays)
        merge = merge_people(head, gone, stays)
        save_head(merge.head, arguments.head)
    if merge.is_doubtful:
        likeness, expected = format_apart(merge.likeness, merge.expected, digits=2)
        print(
            f"warning: {gone} and {stays} do not look like one person: the best score between their photos is "
            f"{likeness}, expected at least {expected}; if they are two, train the head again with --fresh",
            file=sys.stderr,
        )
    print(f"{arguments.head}: {pluralize(merge.n_moved, 'photo')} of {gone} are {stays}'s now")
    print(describe_size(merge.head))
    if arguments.json is not None:
        merged = {"head": str(arguments.head), "gone": gone, "stays": stays, "n_moved": merge.n_moved}
        doubt = {"likeness": merge.likeness, "is_doubtful": merge.is_doubtful}
        write_json(arguments.json, {**merged, **doubt, **size_of(merge.head)})
    return EXIT_DONE
