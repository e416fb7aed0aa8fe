"""The command ``python -m embedder align``."""

import argparse
from pathlib import Path

from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, Command, write_json


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="folder of photos, read with all its sub-folders")
    parser.add_argument(
        "out",
        type=Path,
        metavar="OUT",
        help="folder to write crops to, in the same sub-folders, and bounding_boxes.csv; several "
        "processes may share it",
    )
    selection = parser.add_mutually_exclusive_group()
    selection.add_argument(
        "--one-face",
        dest="faces",
        action="store_const",
        const="one",
        default="one",
        help="cut out only the largest face, weighted to the centre (default)",
    )
    selection.add_argument(
        "--all-faces",
        dest="faces",
        action="store_const",
        const="all",
        help="cut out all faces of a photo: NAME_0.png, NAME_1.png, ...",
    )
    parser.add_argument("--size", type=int, default=160, metavar="N", help="side of the crops in pixels (default: 160)")
    parser.add_argument(
        "--margin", type=float, default=32.0, metavar="N", help="pixels around a face of 108 pixels (default: 32)"
    )
    parser.add_argument(
        "--margin-mode",
        choices=["scaled", "absolute"],
        default="scaled",
        help="whether the margin grows with the face (default: scaled)",
    )
    parser.add_argument(
        "--alignment",
        choices=["box", "similarity"],
        default="box",
        help="cut out the box (default) or turn the face upright by its landmarks",
    )
    parser.add_argument(
        "--min-face-size",
        type=_auto_or_pixels,
        default="auto",
        metavar="auto|N",
        help="smallest face to look for in pixels (default: auto, the larger of 20 and 1/50 of the longer side)",
    )
    parser.add_argument(
        "--thresholds",
        type=float,
        nargs=3,
        metavar=("A", "B", "C"),
        help="scores a face must reach in the three stages of MTCNN (default: 0.6 0.7 0.7)",
    )
    parser.add_argument(
        "--random-order", action="store_true", help="take the photos in random order: for several processes on one OUT"
    )
    parser.add_argument(
        "--max-pixels", type=int, metavar="N", help="refuse photos of more pixels (default: 200 million)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write counts and all failures as JSON")


def _auto_or_pixels(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected auto or a whole number of pixels, got {text!r}") from None


def _run(arguments: argparse.Namespace) -> int:
    from embedder.folders.align import align_folder

    given = {name: getattr(arguments, name) for name in ("thresholds", "max_pixels")}
    summary = align_folder(
        arguments.photos,
        arguments.out,
        faces=arguments.faces,
        size=arguments.size,
        margin=arguments.margin,
        margin_mode=arguments.margin_mode,
        alignment=arguments.alignment,
        min_face_size=arguments.min_face_size,
        random_order=arguments.random_order,
        progress=True,
        **{name: value for name, value in given.items() if value is not None},
    )
    print("\n".join(summary.lines()))
    if arguments.json is not None:
        write_json(arguments.json, summary.to_json())
    return EXIT_DONE if summary.all_read else EXIT_SOME_INPUTS_FAILED


ALIGN = Command("align", "Cut the faces out of a folder of photos into PNG files.", _add_arguments, _run)
