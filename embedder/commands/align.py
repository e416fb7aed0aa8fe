"""The command ``python -m embedder align``."""

import argparse
from pathlib import Path

from embedder.commands.arguments import (
    add_crop_arguments,
    add_detector_arguments,
    add_exclude_argument,
    add_upright_argument,
)
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, Command, write_json
from foundation.threads import add_device_argument


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
    add_crop_arguments(parser)
    add_detector_arguments(parser)
    add_upright_argument(parser, default=None, default_note="auto, or what OUT was begun with")
    add_device_argument(parser)
    parser.add_argument(
        "--random-order", action="store_true", help="take the photos in random order: for several processes on one OUT"
    )
    add_exclude_argument(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write counts and all failures as JSON")


def _run(arguments: argparse.Namespace) -> int:
    from embedder.folders.align import align_folder

    optional = ("margin", "margin_mode", "alignment", "thresholds", "max_pixels", "upright")
    given = {name: getattr(arguments, name) for name in optional}
    summary = align_folder(
        arguments.photos,
        arguments.out,
        faces=arguments.faces,
        size=arguments.size,
        min_face_size=arguments.min_face_size,
        detector=arguments.detector,
        random_order=arguments.random_order,
        progress=True,
        exclude=arguments.exclude,
        **{name: value for name, value in given.items() if value is not None},
    )
    print("\n".join(summary.lines()))
    if arguments.json is not None:
        write_json(arguments.json, summary.to_json())
    return EXIT_DONE if summary.all_read else EXIT_SOME_INPUTS_FAILED


ALIGN = Command("align", "Cut the faces out of a folder of photos into PNG files.", _add_arguments, _run)
