"""From the command line's options to a finished run over photos, a video or a live source."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2

from recognition.events.console import EventLines, FaceLines, Fan
from recognition.events.event import EventSink
from recognition.events.event_file import EventFile
from recognition.options import Options, check_options
from recognition.outputs import check_outputs
from recognition.sources.source import SourceKind, parse_source
from recognition.tracking.naming import FaceReader, NetworkOptions, load_head_with, load_reader

if TYPE_CHECKING:
    from classifiers.heads.head import Head


def recognize(options: Options) -> int:
    """Do what `options` ask for and return the exit code.

    Raises
    ------
    ValueError
        If the options, the source or the head cannot be used.
    OSError
        If a file cannot be read or written.
    KeyboardInterrupt
        If the user stops it; what was written by then is whole.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    source = parse_source(options.source)
    check_options(options, source.kind)
    check_outputs(source, options)
    if options.show:
        from recognition.viewer.window import check_display

        check_display()
    if source.kind in (SourceKind.IMAGE, SourceKind.FOLDER):
        from recognition.photo_run import run_on_photos

        return run_on_photos(source, options)
    from recognition.video_run import run_live, run_on_video

    with _stop_signals() as stop:
        code = (run_live if source.kind.is_live else run_on_video)(source, options, stop.event)
    if stop.was_interrupted and not source.kind.is_live:
        raise KeyboardInterrupt
    return code


def load(options: Options, *, threads_an_image: int | None = None) -> "tuple[FaceReader, Head]":
    """Load the head and the networks that fit it; for `threads_an_image` see `NetworkOptions`.

    Raises
    ------
    ValueError
        If the file is no head, or its network is not known or not the one that is named.
    OSError
        If a file cannot be read.
    """
    head = load_head_with(options.head, options.threshold)
    reader = load_reader(
        head.fingerprint if head.fingerprint is not None else {},
        NetworkOptions(
            preset=options.preset,
            weights=options.weights,
            precision=options.precision,
            min_face_size=options.min_face_size,
            thresholds=options.thresholds,
            threads_an_image=threads_an_image,
        ),
        whose=options.head,
    )
    head.check_fingerprint(reader.fingerprint)
    return reader, head


def open_sinks(options: Options, *, is_live: bool = False) -> EventSink:
    """Return what events go to: standard output, the file of ``--events``, and other programs."""
    sinks: list[EventSink] = [EventLines() if options.events == "-" else FaceLines()]
    if options.webhook is not None or options.mqtt is not None:
        from recognition.events.mqtt import MqttSink
        from recognition.events.webhook import WebhookSink

        sinks += [] if options.webhook is None else [WebhookSink(options.webhook)]
        sinks += [] if options.mqtt is None else [MqttSink(options.mqtt)]
    if options.events not in (None, "-"):
        # Last, for it replaces the events of the run before, which a wrong address shall not do.
        sinks.append(EventFile(str(options.events), append=is_live))
    return Fan(sinks)


@dataclass
class _Stop:
    """Whether the run shall end, and whether the user asked for it."""

    event: threading.Event = field(default_factory=threading.Event)
    was_interrupted: bool = False


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """Turn SIGTERM, SIGHUP and the first SIGINT into an event, so that files are finished and tracks ended."""
    stop = _Stop()

    def ask(number: int, _frame: object) -> None:
        if number == signal.SIGINT:
            if stop.was_interrupted:
                raise KeyboardInterrupt
            stop.was_interrupted = True
        stop.event.set()

    numbers = [signal.SIGTERM, signal.SIGINT]
    # Not where it is ignored: whoever says nohup wants the loop to outlive the terminal.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
