"""The command ``facetable init``."""

import argparse
from pathlib import Path

from foundation.command_line import EXIT_DONE
from foundation.paths import display_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable init``."""
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE", help="folder to make, such as family")
    parser.add_argument(
        "--photos",
        type=Path,
        nargs="+",
        required=True,
        metavar="FOLDER",
        help="photo folders; nothing is written there",
    )
    parser.add_argument("--preset", default="", metavar="NAME|RUN", help="network to use (default: the default one)")
    parser.add_argument(
        "--detector",
        choices=["mtcnn", "centerface"],
        default="mtcnn",
        help="what finds faces: mtcnn (default), or centerface, which finds more and has to be fetched first",
    )
    parser.add_argument(
        "--second-detector",
        choices=["centerface"],
        default="",
        help="ask it about each face found, so that `suggest` knows better what is none; has to be fetched first",
    )
    parser.add_argument(
        "--identity-from",
        choices=["none", "folder"],
        default="none",
        help="none (default): folders are albums; folder: each first sub-folder is a person",
    )
    parser.add_argument(
        "--videos", action="store_true", help="look for people in videos, too; each takes a while the first time"
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out files and folders that fit, by gitignore's rules; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make a workspace and say how to go on."""
    from people.workspace.workspace import create_workspace

    made = create_workspace(
        arguments.workspace,
        arguments.photos,
        preset=arguments.preset,
        identity_from=arguments.identity_from,
        detector=arguments.detector,
        second_detector=arguments.second_detector,
        exclude=tuple(arguments.exclude),
        videos=arguments.videos,
    )
    place = display_path(made.folder)
    print(f"{place}: made; look at its photos with: facetable scan {place}")
    return EXIT_DONE
