"""The flags by which somebody says what scores are normalized by; `choose_background` takes what they give."""

import argparse
from pathlib import Path


def add_background_arguments(
    parser: argparse.ArgumentParser, *, scores: str = "the scores", without: str = "score by plain cosine"
) -> None:
    """Add ``--background FILE`` and ``--no-background``, of which one may be given.

    Parameters
    ----------
    parser : ArgumentParser
    scores : str
        What is normalized, for the help.
    without : str
        What is done without a background, for the help.
    """
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--background",
        type=Path,
        metavar="FILE",
        help=f"background model that normalizes {scores} (default: the preset's)",
    )
    either.add_argument("--no-background", action="store_true", help=without)
