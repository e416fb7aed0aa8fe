"""Set up a run: check its sources and outputs, load head and networks, open the sinks of its events."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from embedder.detection.centerface import is_at_hand
from embedder.detection.thorough import ThoroughDetector
from embedder.finding.second_score import load_second_scorer
from embedder.networks.encoder import EncoderOptions, FaceEncoder
from foundation.errors import InputError
from foundation.plug_ins.loading import OUTPUTS, load_plug_in, plug_in_names
from recognition.errors import SaveError, SourceError
from recognition.events.console import FanOutSink, JsonLinesSink, TextSink
from recognition.events.event import EventSink
from recognition.events.event_file import EventFile, refuse_other_file, refuse_other_run
from recognition.outputs.image_files import same_file
from recognition.outputs.picture_folder import PictureFolder, PictureKind
from recognition.runs.options import DEFAULT_KEEP_DAYS, Options
from recognition.sources.source import Source, SourceKind
from recognition.tracking.naming import load_head_with

if TYPE_CHECKING:
    from classifiers.heads.head import Head
    from embedder.finding.second_score import SecondScorer

logger = logging.getLogger(__name__)

# The shares are measured by experiments/anonymizing.py.
_MISSED_FACES = (
    "faces that were not found are not hidden: look at the pictures before you pass them on (of the faces of 20 pixels "
    "and more on photos that are hard for detectors 1 in {one_in} is missed{remedy})"
)
_WITH_CENTERFACE = {"one_in": 15, "remedy": ""}
_WITHOUT_CENTERFACE = {"one_in": 8, "remedy": "; with the network of python -m data.models centerface 1 in 15"}


def load_recognizer(options: Options, *, detector_threads: int | None = None) -> "tuple[FaceEncoder, Head]":
    """Load the head and the networks it was trained for; for `detector_threads` see `EncoderOptions`.

    Raises
    ------
    ValueError
        If the file is no head, or its network is not known or not the one that the options name.
    OSError
        If a file cannot be read.
    """
    head = load_head_with(options.head, options.threshold, trust=options.trust)
    encoder = FaceEncoder.for_fingerprint(
        head.fingerprint if head.fingerprint is not None else {},
        EncoderOptions(
            preset=options.preset,
            weights=options.weights,
            precision=options.precision,
            min_face_size=options.min_face_size,
            thresholds=options.thresholds,
            detector_threads=detector_threads,
            detector=options.detector,
        ),
        source=options.head,
    )
    head.check_fingerprint(encoder.fingerprint)
    return encoder, head


def load_second(options: Options) -> "SecondScorer | None":
    """Load the second detector that is asked about each face; None where the options name none.

    Raises
    ------
    WeightsError
        If its weights are missing or damaged.
    """
    return None if options.second_detector is None else load_second_scorer(options.second_detector)


def load_closer_look(options: Options, encoder: FaceEncoder) -> ThoroughDetector | None:
    """Load what finds the faces that are to be hidden; None where none are.

    Raises
    ------
    WeightsError
        If the detector's weights are missing or damaged.
    """
    if options.anonymize is None:
        return None
    return ThoroughDetector(encoder.detector, min_face_size=options.min_face_size, thresholds=options.thresholds)


def warn_of_missed_faces(options: Options) -> None:
    """Say, where faces were hidden, that those which were not found are not."""
    if options.anonymize is not None:
        logger.warning("%s", _MISSED_FACES.format(**(_WITH_CENTERFACE if is_at_hand() else _WITHOUT_CENTERFACE)))


class Sinks(NamedTuple):
    """Who hears of a run: the sink of its events, and what takes JPEG pictures of faces, where somebody wants them."""

    events: EventSink
    send_picture: Callable[[bytes], None] | None


def open_sinks(options: Options, source: Source | None = None) -> Sinks:
    """Open the sinks of events: standard output, the file of ``--events``, webhook, MQTT, and what packages offer.

    Parameters
    ----------
    options : Options
    source : Source, optional
        The video or live source; None for photos.
    """
    sinks: list[EventSink] = [JsonLinesSink() if options.events == "-" else TextSink()]
    send_picture = None
    if options.webhook is not None or options.mqtt is not None:
        from recognition.events.discovery import Discovery
        from recognition.events.mqtt import MqttSink
        from recognition.events.webhook import WebhookSink

        sinks += [] if options.webhook is None else [WebhookSink(options.webhook)]
        if options.mqtt is not None:
            discovery = None
            if options.mqtt_discovery and source is not None:
                shows_faces = options.anonymize is None
                discovery = Discovery(source.name, options.source_name, shows_faces=shows_faces)
            broker = MqttSink(options.mqtt, discovery=discovery)
            send_picture = broker.send_picture if discovery is not None and discovery.shows_faces else None
            sinks.append(broker)
    sinks += [_open_plug_in(output) for output in options.outputs]
    if options.events not in (None, "-"):
        # Last, since it replaces the events of the run before, which must stay if an address is wrong.
        is_live = source is not None and source.kind.is_live
        sinks.append(EventFile(str(options.events), append=is_live))
    return Sinks(FanOutSink(sinks), send_picture)


def _open_plug_in(output: str) -> EventSink:
    """Return the sink that a package offers in the group ``facetable.outputs``; `output` is NAME or NAME=ADDRESS."""
    name, _, address = output.partition("=")
    open_sink = load_plug_in(OUTPUTS, name)
    if open_sink is None:
        offered = ", ".join(plug_in_names(OUTPUTS)) or "none"
        raise InputError(f"--output {name}: no installed package offers it; offered are: {offered}")
    sink: EventSink = open_sink(address)
    return sink


def open_pictures(
    stack: ExitStack, folder: Path | None, kind: PictureKind, *, options: Options, is_live: bool
) -> PictureFolder | None:
    """Return the folder that gets pictures of this kind, closed with `stack`; None where none is named.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    if folder is None:
        return None
    keep_days = DEFAULT_KEEP_DAYS if options.keep_days is None else options.keep_days
    pictures = PictureFolder(folder, kind, keep_days, is_live=is_live)
    stack.callback(pictures.close)
    return pictures


def check_sources(sources: Sequence[Source]) -> None:
    """Refuse several sources unless all of them are photos or folders of photos.

    Raises
    ------
    SourceError
        If one is a video, camera, stream, pipe or table.
    """
    single = (SourceKind.IMAGE, SourceKind.FOLDER)
    other = next((source for source in sources if source.kind not in single), None)
    if len(sources) > 1 and other is not None:
        raise SourceError(
            f"{other.name}: expected only photos and folders of photos where there are several sources, found a "
            f"{other.kind.value}; run it alone"
        )


def check_outputs(sources: Sequence[Source], options: Options) -> None:
    """Refuse outputs that would replace the head, a source, each other, or a file of another kind.

    Raises
    ------
    SaveError
        If an output would replace one of these.
    """
    if options.save is not None:
        _refuse(Path(options.save), options.head, "is the head; save the annotated copy somewhere else")
    if options.events in (None, "-"):
        return
    events = Path(str(options.events))
    _refuse(events, options.head, "is the head; give another name for --events")
    for source in sources:
        if not source.kind.is_live:
            _refuse(events, Path(source.address), "is what is looked at; give another name for --events")
    if options.save is not None:
        _refuse(events, Path(options.save), "is given for --save too; give another name for --events")
    if events.is_dir():
        raise SaveError(
            f"{events}: expected a file for the events, found a folder; name a file in it, such as events.jsonl"
        )
    refuse_other_file(events)
    if not options.overwrite and not sources[0].kind.is_live:
        refuse_other_run(events, is_photos=sources[0].kind.is_photos)


def _refuse(output: Path, other: Path, why: str) -> None:
    if output.resolve() == other.resolve() or same_file(output, other):
        raise SaveError(f"{output}: {why}")
