"""Command-line options of ``recognize.py``; loads only the standard library, so that ``--help`` answers at once."""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from foundation.plug_ins.trust import add_trust_argument
from foundation.text import normalize_name
from foundation.threads import add_device_argument
from recognition.errors import OptionsError
from recognition.sources.source import SourceKind

DEFAULT_DETECT_EVERY = 3
DEFAULT_KEEP_DAYS = 7.0


@dataclass(frozen=True)
class Options:
    """Options of a run; the help of ``recognize.py`` describes each."""

    sources: tuple[str, ...]
    head: Path
    threshold: float | None = None
    save: str | None = None
    events: str | None = None
    overwrite: bool = False
    source_name: str | None = None
    show: bool = False
    detect_every: int | None = None
    budget_ms: float | None = None
    events_every_frame: bool = False
    webhook: str | None = None
    mqtt: str | None = None
    mqtt_discovery: bool = False
    save_unknown: Path | None = None
    save_crops: Path | None = None
    save_scenes: Path | None = None
    keep_days: float | None = None
    anonymize: str | None = None
    headless: bool = False
    preset: str | None = None
    weights: Path | None = None
    precision: str | None = None
    min_face_size: int | Literal["auto"] = "auto"
    thresholds: tuple[float, ...] | None = None
    max_pixels: int | None = None
    trust: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    labels: Literal["names", "numbers", "none"] | None = None
    font: Path | None = None
    device: str | None = None
    upright: Literal["auto", "exif"] | None = None
    detector: Literal["mtcnn", "centerface"] | None = None
    second_detector: Literal["centerface"] | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``recognize.py`` to its parser."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="images and folders of images, as many as you like; or one embedding table, workspace, video, camera "
        "number or stream URL, or - for MJPEG on stdin",
    )
    parser.add_argument(
        "--head", type=Path, required=True, metavar="HEAD", help="head made by facetable train, or a workspace"
    )
    parser.add_argument(
        "--threshold",
        type=_similarity,
        metavar="T",
        help="accept a name when its score is at least T (default: the head's own threshold)",
    )
    add_trust_argument(parser)
    _add_output_arguments(parser.add_argument_group("output"))
    _add_service_arguments(parser.add_argument_group("cameras and services"))
    _add_network_arguments(parser.add_argument_group("detection and embedding"))


def _add_output_arguments(output: "argparse._ArgumentGroup") -> None:
    output.add_argument(
        "--save",
        metavar="FILE|DIR",
        help="write annotated pictures or an annotated video; of several sources into a folder",
    )
    output.add_argument(
        "--events",
        metavar="FILE",
        help="write events as JSON lines, of a live source after those that are there (otherwise see --overwrite); - "
        "prints them instead of text",
    )
    output.add_argument(
        "--overwrite", action="store_true", help="let the file of --events replace the events of another run"
    )
    output.add_argument(
        "--source-name", type=_name, metavar="NAME", help="what events call the source, as `source_name`, such as door"
    )
    output.add_argument(
        "--events-every-frame",
        action="store_true",
        help="of videos and streams, also a face event for each face of each frame",
    )
    output.add_argument(
        "--show",
        action="store_true",
        help="show a window; keys: q quit, space pause, s snapshot, tab select a face, e enrol it",
    )
    output.add_argument(
        "--anonymize",
        nargs="?",
        const="unknown",
        choices=["unknown", "all"],
        help="make faces unrecognizable in pictures: of everybody who is not identified (default), or of all; they are "
        "looked for more closely, but what is not found is not hidden",
    )
    output.add_argument(
        "--labels",
        choices=["names", "numbers", "none"],
        help="what stands next to faces in pictures: names, or numbers (on photos those of --face, with a legend below "
        "the picture; in videos those of tracks), or none (default: names, numbers on photos of more than 24 faces)",
    )
    output.add_argument(
        "--font", type=Path, metavar="FILE", help="font of the names (default: fonts of this system that have them)"
    )
    output.add_argument("--save-unknown", type=Path, metavar="DIR", help="keep the best crop of each unknown face")
    output.add_argument(
        "--save-crops", type=Path, metavar="DIR", help="keep a picture of the face of each event, named in it as `crop`"
    )
    output.add_argument(
        "--save-scenes", type=Path, metavar="DIR", help="of videos and streams, keep the whole frame of each event"
    )
    output.add_argument(
        "--keep-days",
        type=_days,
        metavar="N",
        help=f"remove those pictures after N days (default: {DEFAULT_KEEP_DAYS:g})",
    )


def _add_service_arguments(service: "argparse._ArgumentGroup") -> None:
    service.add_argument("--webhook", metavar="URL", help="post each event as JSON")
    service.add_argument("--mqtt", metavar="URL", help="publish each event, to mqtt://[USER:PASSWORD@]HOST/TOPIC")
    service.add_argument(
        "--output",
        action="append",
        default=[],
        dest="outputs",
        metavar="NAME=ADDRESS",
        help="hand each event to an output that an installed package offers; may be repeated",
    )
    service.add_argument(
        "--mqtt-discovery",
        action="store_true",
        help="let Home Assistant find the camera at that broker: its events, and a picture of the newest face",
    )
    service.add_argument(
        "--headless",
        action="store_true",
        help="run as a service: wait for a camera that is away, state in the log, stop on SIGTERM",
    )
    service.add_argument(
        "--budget-ms",
        type=_milliseconds,
        metavar="N",
        help="mean time a frame of a live source may take (default: keep up with the source)",
    )


def _add_network_arguments(networks: "argparse._ArgumentGroup") -> None:
    networks.add_argument(
        "--detect-every",
        type=_positive,
        metavar="N",
        help=f"look for faces in every Nth frame (default: {DEFAULT_DETECT_EVERY} for videos, 1 with "
        "--anonymize, as often as there is time for on live sources)",
    )
    networks.add_argument(
        "--detector",
        choices=["mtcnn", "centerface"],
        help="what finds faces: mtcnn, or centerface, which finds more of the small and turned ones, for --anonymize "
        "above all (default: as the faces of the head were found)",
    )
    networks.add_argument(
        "--second-detector",
        choices=["centerface"],
        help="in videos and live: ask it about each face that appears; what it takes for none gets no event",
    )
    networks.add_argument(
        "--min-face-size",
        type=_auto_or_pixels,
        default="auto",
        metavar="auto|N",
        help="smallest face to look for in pixels (default: auto, the larger of 20 and 1/50 of the longer side)",
    )
    networks.add_argument(
        "--thresholds",
        type=float,
        nargs=3,
        metavar=("A", "B", "C"),
        help="scores a face must reach in the three stages of MTCNN (default: 0.8 0.6 0.65)",
    )
    networks.add_argument(
        "--detector-threshold",
        dest="thresholds",
        type=float,
        nargs=1,
        metavar="T",
        help="score a face must reach in CenterFace, in place of --thresholds (default: 0.4)",
    )
    networks.add_argument(
        "--upright",
        choices=["auto", "exif"],
        help="which way up photos are: as the mark in the file says (exif), or, where that gives no sure face, any "
        "way that gives one (auto, the default)",
    )
    networks.add_argument(
        "--preset",
        metavar="NAME|RUN|FILE",
        help="network, a training run's folder, or the JSON file of a preset (default: the one the head was trained "
        "with)",
    )
    networks.add_argument(
        "--weights", type=Path, metavar="FILE", help="the preset's weights, if no package brings them"
    )
    networks.add_argument("--precision", choices=["fp32", "int8"], help="arithmetic (default: the head's)")
    add_device_argument(networks)
    networks.add_argument(
        "--max-pixels", type=_positive, metavar="N", help="refuse photos of more pixels (default: 200 million)"
    )


def read_options(arguments: argparse.Namespace) -> Options:
    """Return the parsed arguments as `Options`."""
    values = {name: getattr(arguments, name) for name in Options.__dataclass_fields__}
    values |= {name: tuple(values[name]) for name in ("sources", "trust", "outputs")}
    if values["thresholds"] is not None:
        values["thresholds"] = tuple(values["thresholds"])
    return Options(**values)


def check_options(options: Options, kind: SourceKind) -> None:
    """Refuse options that would be ignored for this kind of source, or that contradict each other.

    Raises
    ------
    OptionsError
        If there are such options.
    """
    for is_broken, message in [*_rules_of_kind(options, kind), *_rules_of_options(options)]:
        if is_broken:
            raise OptionsError(message)


def _rules_of_kind(options: Options, kind: SourceKind) -> list[tuple[bool, str]]:
    """Return for each rule about options and the kind of source whether it is broken, and the message."""
    are_photos, has_every = kind.is_photos, options.detect_every is not None
    return [
        (are_photos and has_every, "--detect-every is for videos and live sources; each photo is looked at anyway"),
        (
            are_photos and options.events_every_frame,
            "--events-every-frame is for videos and live sources; each face on a photo has its event anyway",
        ),
        (
            are_photos and options.save_unknown is not None,
            "--save-unknown is for videos and live sources; to cut faces out of photos, run facetable align",
        ),
        (
            are_photos and options.save_scenes is not None,
            "--save-scenes is for videos and live sources; photos are there already, --save keeps annotated copies",
        ),
        (
            are_photos and options.mqtt_discovery,
            "--mqtt-discovery is for cameras; leave it out for photos, whose events --mqtt publishes all the same",
        ),
        (are_photos and options.headless, "--headless is for videos and live sources; leave it out for photos"),
        (
            (kind is SourceKind.TABLE or not are_photos) and options.upright is not None,
            "--upright is for photos; leave it out for tables, videos and live sources",
        ),
        (
            not are_photos and options.max_pixels is not None,
            "--max-pixels is for photos; leave it out for videos and live sources",
        ),
        (
            are_photos and options.second_detector is not None,
            "--second-detector is for videos and live sources; leave it out for photos",
        ),
        (
            kind is SourceKind.TABLE and options.anonymize is not None,
            "--anonymize looks for every face there is, a table may hold some of them; name the photos instead",
        ),
        *(
            (
                kind is SourceKind.TABLE and is_given,
                f"{flag} is for photos and videos; the faces of a table are found and embedded already",
            )
            for flag, is_given in (
                ("--preset", options.preset is not None),
                ("--device", options.device is not None),
                ("--weights", options.weights is not None),
                ("--precision", options.precision is not None),
                ("--detector", options.detector is not None),
                ("--min-face-size", options.min_face_size != "auto"),
                ("--thresholds", options.thresholds is not None),
            )
        ),
        (
            kind.is_live and options.overwrite,
            "--overwrite is for videos and photos; events of a live source are added to those that are there",
        ),
        (
            options.budget_ms is not None and not kind.is_live,
            "--budget-ms is for live sources; for videos say --detect-every N",
        ),
    ]


def _rules_of_options(options: Options) -> list[tuple[bool, str]]:
    """Return for each rule about several options whether it is broken, and the message."""
    has_budget, has_every = options.budget_ms is not None, options.detect_every is not None
    hides = options.anonymize is not None
    pictures = {
        "--save-unknown": options.save_unknown,
        "--save-crops": options.save_crops,
        "--save-scenes": options.save_scenes,
    }
    saved = [flag for flag, folder in pictures.items() if folder is not None]
    return [
        (
            has_budget and has_every,
            "--budget-ms and --detect-every exclude each other: both say how often faces are looked for",
        ),
        (
            has_budget and hides,
            "--budget-ms and --anonymize exclude each other: who is to be hidden is looked for in "
            "every frame; to look less often say --detect-every N",
        ),
        (
            options.keep_days is not None and not saved,
            f"--keep-days is for the pictures of {', '.join(pictures)}; say where those go, with --save-crops DIR",
        ),
        (options.headless and options.show, "--headless and --show exclude each other: a service has no window"),
        (
            hides and bool(saved),
            f"--anonymize and {' '.join(saved[:1])} exclude each other: the one hides the faces the other keeps",
        ),
        (
            hides and options.save is None and not options.show,
            "--anonymize changes pictures; say where they go, with --save or --show",
        ),
        *(
            (
                is_given and options.save is None and not options.show,
                f"{flag} is for pictures; say where they go, with --save or --show",
            )
            for flag, is_given in (("--labels", options.labels is not None), ("--font", options.font is not None))
        ),
        (
            options.overwrite and options.events in (None, "-"),
            "--overwrite is for the file of --events; name it, with --events FILE",
        ),
        (
            options.mqtt_discovery and options.mqtt is None,
            "--mqtt-discovery needs a broker; name it, with --mqtt mqtt://HOST/TOPIC",
        ),
    ]


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


def _name(text: str) -> str:
    name = normalize_name(text)
    if not any(character.isalnum() for character in name):
        raise argparse.ArgumentTypeError(f"expected a name such as door, got {text!r}")
    return name


def _days(text: str) -> float:
    return _amount(text, "days, such as 7")


def _milliseconds(text: str) -> float:
    return _amount(text, "milliseconds, such as 33")


def _amount(text: str, expected: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"expected a number of {expected}, got {text!r}")
    return value


def _auto_or_pixels(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected auto or a whole number of pixels, got {text!r}") from None
