"""The command ``python -m embedder convert``."""

import argparse
import sys
from pathlib import Path

from embedder.commands.arguments import add_exclude_argument
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, Command, write_json
from foundation.text import pluralize


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="folder of photos, read with all its sub-folders")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write to, in the same sub-folders")
    parser.add_argument("--max-side", type=int, metavar="N", help="reduce photos whose longest side has more pixels")
    parser.add_argument("--format", choices=["jpg", "png"], default="jpg", help="file format to write (default: jpg)")
    parser.add_argument(
        "--max-pixels", type=int, metavar="N", help="refuse photos of more pixels (default: 200 million)"
    )
    add_exclude_argument(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what became of every photo as JSON")


def _run(arguments: argparse.Namespace) -> int:
    from embedder.folders.convert import convert_images
    from embedder.images.reading import DEFAULT_MAX_PIXELS
    from foundation.paths import display_path

    summary = convert_images(
        arguments.photos,
        arguments.out,
        file_format=arguments.format,
        max_side=arguments.max_side,
        max_pixels=DEFAULT_MAX_PIXELS if arguments.max_pixels is None else arguments.max_pixels,
        progress=True,
        exclude=arguments.exclude,
    )
    failed = summary.with_status("failed")
    for conversion in failed:
        print(f"{display_path(arguments.photos / conversion.source)}: {conversion.message}", file=sys.stderr)
    print(
        f"{arguments.out}: {pluralize(len(summary.with_status('written')), 'photo')} written, "
        f"{len(summary.with_status('up to date')):,} up to date, {len(failed):,} failed"
    )
    for line in summary.left_out:
        print(line)
    if arguments.json is not None:
        write_json(arguments.json, summary.to_json())
    return EXIT_SOME_INPUTS_FAILED if failed or summary.unreadable_folders else EXIT_DONE


CONVERT = Command("convert", "Write photos of any format as upright RGB files.", _add_arguments, _run)
