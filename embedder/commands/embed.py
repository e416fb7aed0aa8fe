"""The command ``python -m embedder embed``."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from embedder.commands.arguments import (
    add_crop_arguments,
    add_detector_arguments,
    add_exclude_argument,
    add_network_arguments,
    add_precision_argument,
    add_upright_argument,
)
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, Command, write_json
from foundation.errors import InputError

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from embedder.pipeline.settings import EmbedSettings


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "photos",
        type=Path,
        nargs="*",
        metavar="PHOTOS",
        help="folder of photos, read with all its sub-folders; one a person, where names are known; several "
        "folders and single photos make one table together; with --from by default the folders of that table",
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
    parser.set_defaults(min_face_size=None, detector=None)  # not said: as in the table of --from, else auto
    parser.add_argument(
        "--second-detector",
        choices=["centerface"],
        help="ask it about each face that was found, too: what it says stands in the column second_score, low for what "
        "is no face; get it first: python -m data.models centerface",
    )
    add_upright_argument(parser, default=None, default_note="auto, or what the table was begun with")
    add_crop_arguments(parser)
    _add_worker_arguments(parser)
    add_exclude_argument(parser)
    parser.add_argument(
        "--from",
        dest="faces_from",
        type=Path,
        metavar="TABLE",
        help="embed the faces that this table holds, drawn ones too, for another --preset: none are looked for but on "
        "photos that are new or changed; its settings hold",
    )
    parser.add_argument(
        "--videos",
        action="store_true",
        help="find people in videos, too: up to three looks of each face that is followed through a video, with their "
        "seconds; videos that are in the table stay there without it",
    )
    parser.add_argument("--prune", action="store_true", help="remove deleted and excluded photos from the table")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write counts and all failures as JSON")


def _add_face_arguments(parser: argparse.ArgumentParser) -> None:
    selection = parser.add_mutually_exclusive_group()
    selection.add_argument(
        "--all-faces",
        dest="faces",
        action="store_const",
        const="all",
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


def _settings(arguments: argparse.Namespace) -> "EmbedSettings":
    """Return what was said; what was not is as in the table that faces come from, or the default."""
    from embedder.pipeline.settings import EmbedSettings
    from embedder.pipeline.stored_faces import settings_of

    said = {
        "faces": arguments.faces,
        "identity_from": arguments.identity_from,
        "detector": arguments.detector,
        "second_detector": arguments.second_detector,
        "min_face_size": arguments.min_face_size,
        "preset": arguments.preset,
        "weights": arguments.weights and str(arguments.weights),
        "thresholds": arguments.thresholds and tuple(arguments.thresholds),
        "max_pixels": arguments.max_pixels,
        "margin": arguments.margin,
        "exclude": tuple(arguments.exclude) or None,
        "faces_from": arguments.faces_from and str(arguments.faces_from),
    }
    before = {} if arguments.faces_from is None else settings_of(arguments.faces_from)
    return EmbedSettings(
        precision=arguments.precision,
        margin_mode=arguments.margin_mode,
        alignment=arguments.alignment,
        upright=arguments.upright,
        videos=arguments.videos,
        **before | {name: value for name, value in said.items() if value is not None},
    )


def _photos(arguments: argparse.Namespace) -> list[Path]:
    if arguments.photos:
        return list(arguments.photos)
    if arguments.faces_from is None:
        raise InputError("expected a folder of photos, got none; name it, as in: embed photos -o faces.h5")
    from embedder.pipeline.stored_faces import photo_folders_of

    return [Path(folder) for folder in photo_folders_of(arguments.faces_from)]


def _point_out_better_preset(arguments: argparse.Namespace) -> None:
    """Say, where a table is begun and no preset was chosen, that a better network is here."""
    from embedder.networks.presets import better_preset_here
    from embedder.tables.parts import parts_folder

    is_begun = arguments.out.exists() or parts_folder(arguments.out).exists()
    if arguments.preset is not None or arguments.weights is not None or is_begun:
        return
    better = better_preset_here()
    if better is not None:
        logger.info(
            "%s, which is here, tells people better apart than the default network: --preset %s (its terms: facetable "
            "preset list)",
            better,
            better,
        )


def _run(arguments: argparse.Namespace) -> int:
    from embedder.pipeline.runner import update_table

    photos = _photos(arguments)
    settings = _settings(arguments)
    _point_out_better_preset(arguments)
    n_jobs = (1 if arguments.engine == "local" else -1) if arguments.jobs is None else arguments.jobs
    summary = update_table(
        photos,
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
