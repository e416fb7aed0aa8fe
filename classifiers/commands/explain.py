"""The command ``python -m classifiers explain``."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from classifiers.commands.photo_arguments import add_head_argument, add_network_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers explain``."""
    add_head_argument(parser)
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="photo whose faces are explained")
    parser.add_argument("--face", type=int, metavar="N", help="only this face, counted from 0 as they are listed")
    parser.add_argument("--neighbors", type=int, default=6, metavar="N", help="enrolled photos to show (default: 6)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the face and its nearest enrolled photos")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the same as one self-contained HTML page")
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="folder of the enrolled photos, if it is not where the head says"
    )
    add_network_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the explanation as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Explain what a head says about the faces of a photo."""
    from classifiers.commands.photo_arguments import check_photo_folder, face_numbers, open_reader
    from classifiers.files.head_file import load_head
    from classifiers.members.explanation import explain_face
    from classifiers.members.explanation_plot import ExplainedFace, save_plot, write_html
    from embedder.images.reading import read_image
    from embedder.videos.moment import read_shown
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.formats import check_output
    from foundation.paths import display_path

    check_output(arguments.plot, "--plot", kind="picture", inputs=[arguments.head, arguments.photo])
    check_output(arguments.html, "--html", kind="page", inputs=[arguments.head, arguments.photo])
    head = load_head(arguments.head, trust=arguments.trust)
    is_shown = arguments.plot is not None or arguments.html is not None
    check_photo_folder(arguments.photos, [head.photo_root] if head.photo_root else [], needed=is_shown)
    photo = arguments.photo
    read_image(photo)  # what is wrong with it shows before the networks are loaded
    faces = open_reader(head, arguments).read(photo, display_path(photo.resolve())).samples
    explained = []
    for number in face_numbers(faces, arguments.face, photo):
        face = faces[number]
        explanation = explain_face(head, face.vector, n_neighbors=arguments.neighbors)
        explained.append(ExplainedFace(str(photo.resolve()), face.box, explanation))
        lines = explanation.to_lines()
        print("\n".join([f"face {number} {describe_box(face.box)}: {lines[0]}", *lines[1:]]))
    if not faces:
        print(f"{display_path(photo)}: no face")
    root = Path(head.photo_root) if arguments.photos is None else arguments.photos
    if arguments.plot is not None and explained:
        save_plot(arguments.plot, explained, read_photo=lambda path: read_shown(root / path))
    if arguments.html is not None:
        write_html(arguments.html, explained, read_photo=lambda path: read_shown(root / path))
    if arguments.json is not None:
        write_json(
            arguments.json,
            {
                "head": str(arguments.head),
                "photo": display_path(photo),
                "faces": [{"box": [float(side) for side in one.box], **one.explanation.to_json()} for one in explained],
            },
        )
    return EXIT_DONE


def describe_box(box: Iterable[float]) -> str:
    """Return a box as text, whole pixels."""
    return "[" + ", ".join(f"{float(side):.0f}" for side in box) + "]"
