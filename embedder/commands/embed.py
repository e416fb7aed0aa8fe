"""The command ``python -m embedder embed``."""

import argparse
from pathlib import Path

from embedder.commands.arguments import (
    add_crop_arguments,
    add_detector_arguments,
    add_exclude_argument,
    add_network_arguments,
    add_precision_argument,
    add_upright_argument,
)
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, Command, write_json


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "photos",
        type=Path,
        nargs="+",
        metavar="PHOTOS",
        help="folder of photos, read with all its sub-folders; one a person, where names are known; several "
        "folders and single photos make one table together",
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        required=True,
        help="the table to make or bring up to date, such as faces.h5; it keeps the settings below "
        "that it was begun with",
    )
    _add_face_arguments(parser)
    add_network_arguments(parser)
    add_precision_argument(parser)
    add_detector_arguments(parser)
    add_upright_argument(parser, default=None, default_note="auto, or what the table was begun with")
    add_crop_arguments(parser)
    _add_worker_arguments(parser)
    add_exclude_argument(parser)
    parser.add_argument("--prune", action="store_true", help="remove deleted and excluded photos from the table")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write counts and all failures as JSON")


def _add_face_arguments(parser: argparse.ArgumentParser) -> None:
    selection = parser.add_mutually_exclusive_group()
    selection.add_argument(
        "--all-faces",
        dest="faces",
        action="store_const",
        const="all",
        default="all",
        help="store all faces of a photo (default)",
    )
    selection.add_argument(
        "--one-face",
        dest="faces",
        action="store_const",
        const="one",
        help="store only the largest face, weighted to the centre",
    )
    parser.add_argument(
        "--identity-from",
        choices=["folder", "filename", "none"],
        default="folder",
        help="what names a photo's main face, large and near the middle: its first sub-folder (folder, "
        "the default), its file's name without suffix (filename), or nothing (none); may change from run to run, "
        "no photo is embedded again for it",
    )


def _add_worker_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="worker processes that share the threads (default: 1; -1: one a core); with another "
        "engine shards of photos at once (default: one a worker)",
    )
    parser.add_argument(
        "--engine",
        choices=["local", "dask", "ray"],
        default="local",
        help="who does the work: this machine (default) or the workers of a cluster",
    )
    parser.add_argument(
        "--address", metavar="ADDRESS", help="the cluster's: tcp://HOST:8786 (Dask), HOST:6379 or auto (Ray)"
    )


def _run(arguments: argparse.Namespace) -> int:
    from embedder.pipeline.runner import update_table
    from embedder.pipeline.settings import EmbedSettings

    given = {
        "preset": arguments.preset,
        "weights": arguments.weights and str(arguments.weights),
        "thresholds": arguments.thresholds and tuple(arguments.thresholds),
        "max_pixels": arguments.max_pixels,
        "margin": arguments.margin,
    }
    settings = EmbedSettings(
        faces=arguments.faces,
        identity_from=arguments.identity_from,
        precision=arguments.precision,
        min_face_size=arguments.min_face_size,
        margin_mode=arguments.margin_mode,
        alignment=arguments.alignment,
        exclude=tuple(arguments.exclude),
        upright=arguments.upright,
        **{name: value for name, value in given.items() if value is not None},
    )
    n_jobs = (1 if arguments.engine == "local" else -1) if arguments.jobs is None else arguments.jobs
    summary = update_table(
        arguments.photos,
        arguments.out,
        settings,
        n_jobs=n_jobs,
        prune=arguments.prune,
        progress=True,
        engine=arguments.engine,
        address=arguments.address,
    )
    print("\n".join(summary.lines()))
    if arguments.json is not None:
        write_json(arguments.json, summary.to_json())
    return EXIT_DONE if summary.all_read else EXIT_SOME_INPUTS_FAILED


EMBED = Command("embed", "Make or bring up to date the embedding table of a folder of photos.", _add_arguments, _run)
