"""The command ``python -m classifiers reject``."""

import argparse
from pathlib import Path

from classifiers.commands.photo_arguments import add_head_argument, add_network_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
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


def run(arguments: argparse.Namespace) -> int:
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
        head = load_head(arguments.head)
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
