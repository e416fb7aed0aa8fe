"""Run ``recognize.py``: from its options to a finished run over photos, a video or a live source."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2

from recognition.runs.options import Options, check_options
from recognition.runs.setup import check_outputs, check_sources
from recognition.sources.source import SourceKind, parse_source


def recognize(options: Options) -> int:
    """Run over the sources of `options` and return the exit code.

    Raises
    ------
    ValueError
        If the options, a source or the head cannot be used.
    OSError
        If a file cannot be read or written.
    KeyboardInterrupt
        If the user interrupts it; files written by then are complete.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    sources = [parse_source(text) for text in options.sources]
    check_sources(sources)
    source = sources[0]
    check_options(options, source.kind)
    check_outputs(sources, options)
    if options.font is not None:
        from foundation.drawing.fonts import choose_font

        choose_font(options.font)
    if options.show:
        from recognition.viewer.window import check_display

        check_display()
    if source.kind is SourceKind.TABLE:
        from recognition.runs.table_run import run_on_table

        return run_on_table(source, options)
    if source.kind.is_photos:
        from recognition.runs.photo_run import run_on_photos

        return run_on_photos(sources, options)
    from recognition.runs.video_run import run_live, run_on_video

    with _stop_signals() as stop:
        code = (run_live if source.kind.is_live else run_on_video)(source, options, stop.event)
    if stop.was_interrupted and not source.kind.is_live:
        raise KeyboardInterrupt
    return code


@dataclass
class _Stop:
    """Request to end the run, and whether it was the user's."""

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
    # Not where it is ignored: with nohup the loop is meant to outlive the terminal.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
