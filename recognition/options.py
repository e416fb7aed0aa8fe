"""The arguments of ``recognize.py``; it loads nothing but the standard library, so that ``--help`` answers at once."""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

DEFAULT_DETECT_EVERY = 3


@dataclass(frozen=True)
class Options:
    """What the user asked for; see the help of ``recognize.py`` for each."""

    source: str
    head: Path
    threshold: float | None = None
    save: str | None = None
    events: str | None = None
    show: bool = False
    detect_every: int | None = None
    preset: str | None = None
    weights: Path | None = None
    precision: str | None = None
    min_face_size: int | str = "auto"
    thresholds: tuple[float, ...] | None = None
    max_pixels: int | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``recognize.py``."""
    parser.add_argument("source", metavar="SOURCE",
                        help="a camera number, a stream URL, a video, an image, a folder, or - for MJPEG on stdin")
    parser.add_argument("--head", type=Path, required=True, metavar="FILE", help="head made by train_classifier.py")
    parser.add_argument("--threshold", type=_similarity, metavar="T",
                        help="accept a name when its score is at least T (default: the head's own threshold)")
    output = parser.add_argument_group("output")
    output.add_argument("--save", metavar="FILE|DIR", help="write annotated pictures or an annotated video")
    output.add_argument("--events", metavar="FILE", help="write events as JSON lines; - prints them instead of text")
    output.add_argument("--show", action="store_true", help="show a window")
    networks = parser.add_argument_group("detection and embedding")
    networks.add_argument("--detect-every", type=_positive, metavar="N",
                          help=f"look for faces in every Nth frame of a video (default: {DEFAULT_DETECT_EVERY})")
    networks.add_argument("--min-face-size", type=_auto_or_pixels, default="auto", metavar="auto|N",
                          help="smallest face to look for in pixels (default: auto, the larger of 20 and 1/50 of the "
                               "longer side)")
    networks.add_argument("--thresholds", type=float, nargs=3, metavar=("A", "B", "C"),
                          help="scores a face must reach in the three stages of MTCNN (default: 0.6 0.7 0.7)")
    networks.add_argument("--preset", metavar="NAME|RUN", help="network, or a training run's folder (default: the one "
                                                               "the head was trained with)")
    networks.add_argument("--weights", type=Path, metavar="FILE",
                          help="the preset's weights, if no package brings them")
    networks.add_argument("--precision", choices=["fp32", "int8"], help="arithmetic (default: the head's)")
    networks.add_argument("--max-pixels", type=_positive, metavar="N",
                          help="refuse photos of more pixels (default: 200 million)")


def read_options(arguments: argparse.Namespace) -> Options:
    """Return the parsed arguments as `Options`."""
    values = {name: getattr(arguments, name) for name in Options.__dataclass_fields__}
    if values["thresholds"] is not None:
        values["thresholds"] = tuple(values["thresholds"])
    return Options(**values)


def _similarity(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a score such as 0.6, got {text!r}")
    return value


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return value


def _auto_or_pixels(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected auto or a whole number of pixels, got {text!r}") from None
