"""Arguments that several commands have: which faces, how they are cut out, which network."""

import argparse
from pathlib import Path

from foundation.threads import add_device_argument


def add_crop_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how faces are cut out: ``--margin``, ``--margin-mode`` and ``--alignment``."""
    parser.add_argument(
        "--margin",
        type=float,
        metavar="N",
        help="pixels left around a face of 108 pixels (default: 32, or what the preset says)",
    )
    parser.add_argument(
        "--margin-mode",
        choices=["scaled", "absolute"],
        help="whether the margin grows with the face (default: scaled)",
    )
    parser.add_argument(
        "--alignment",
        choices=["box", "similarity"],
        help="cut out the box (default, unless the preset says otherwise) or turn the face upright by its landmarks",
    )


def add_detector_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how faces are found: ``--detector``, ``--min-face-size``, ``--thresholds`` and ``--max-pixels``."""
    parser.add_argument(
        "--detector",
        choices=["mtcnn", "centerface"],
        default="mtcnn",
        help="what finds faces: mtcnn (default), or centerface, which finds more of the small and turned ones; get it "
        "first: python -m data.models centerface",
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
        help="scores a face must reach in the three stages of MTCNN (default: those of the table that goes on, "
        "else 0.8 0.6 0.65)",
    )
    parser.add_argument(
        "--detector-threshold",
        dest="thresholds",
        type=float,
        nargs=1,
        metavar="T",
        help="score a face must reach in CenterFace, in place of --thresholds (default: 0.4)",
    )
    add_max_pixels_argument(parser)


def add_upright_argument(parser: argparse.ArgumentParser, *, default: str | None, default_note: str) -> None:
    """Add ``--upright``."""
    parser.add_argument(
        "--upright",
        choices=["auto", "exif"],
        default=default,
        help="which way up photos are: as the mark in the file says (exif), or, where that gives no sure face, any "
        f"way that gives one (auto); default: {default_note}",
    )


def add_max_pixels_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--max-pixels``."""
    parser.add_argument(
        "--max-pixels", type=int, metavar="N", help="refuse photos of more pixels (default: 200 million)"
    )


def add_exclude_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--exclude``."""
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out files and folders that match, as in .gitignore: '*.png', 'Private/', '/2019'; may be "
        "repeated; a file .facetableignore in a folder holds such patterns too",
    )


def add_network_arguments(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add which network makes the vectors, and where it runs: ``--preset``, ``--weights`` and ``--device``.

    Where `several` are compared, ``--preset`` may be repeated and brings its weights itself.
    """
    what = "network to use (default: facenet-casia-20180408), a training run's folder, or the JSON file of a preset"
    if several:
        parser.add_argument(
            "--preset",
            action="append",
            default=[],
            metavar="NAME|RUN|FILE[=WEIGHTS]",
            help=f"{what}; may be repeated, to compare them, each with =WEIGHTS in place of --weights",
        )
    else:
        parser.add_argument("--preset", metavar="NAME|RUN|FILE", help=what)
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the preset's weights, if no package brings them")
    add_device_argument(parser)


def add_precision_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--precision``."""
    parser.add_argument(
        "--precision",
        choices=["fp32", "int8"],
        default="fp32",
        help="arithmetic of the network (default: fp32); int8 is faster and a little less exact",
    )


def _auto_or_pixels(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected auto or a whole number of pixels, got {text!r}") from None
