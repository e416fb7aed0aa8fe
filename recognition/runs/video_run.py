"""Runs over a video file or a live source."""

import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from embedder.networks.encoder import FaceEncoder
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED
from foundation.text import sanitize_for_terminal
from foundation.threads import thread_count
from recognition.outputs.recorder import Recorder
from recognition.outputs.unknown_faces import UnknownFaces
from recognition.outputs.video_writer import video_target
from recognition.runs.best_crops import BestCrops, enrol_crop
from recognition.runs.head_watcher import HeadWatcher, file_version
from recognition.runs.options import DEFAULT_DETECT_EVERY, DEFAULT_KEEP_DAYS, Options
from recognition.runs.session import Outputs, Session
from recognition.runs.setup import load_recognizer, open_sinks
from recognition.sources.connections import connect
from recognition.sources.grabber import FrameGrabber
from recognition.sources.source import Source, SourceKind
from recognition.sources.video_file import VideoFile
from recognition.tracking.detection_interval import DetectionScheduler
from recognition.tracking.loop import FaceLoop
from recognition.tracking.naming import load_head_with
from recognition.viewer.status import StatusLine, describe
from recognition.viewer.viewer import Enrol, Viewer

logger = logging.getLogger(__name__)


def run_on_video(source: Source, options: Options, stopping: threading.Event) -> int:
    """Identify the faces in a video file and return the exit code; `stopping` ends it after the current frame.

    Raises
    ------
    ValueError
        If the video or the head cannot be used.
    OSError
        If a file cannot be read or written.
    """
    target = None if options.save is None else video_target(source, options.save)
    every = options.detect_every
    if every is None:
        every = DEFAULT_DETECT_EVERY if options.anonymize is None else 1
    with ExitStack() as stack:
        video = VideoFile(source.address, source.name)
        stack.callback(video.close)
        encoder, head = load_recognizer(options, detector_threads=1)
        crops, outputs = _open_outputs(stack, options, source, encoder=encoder, stopping=stopping)
        if target is not None:
            outputs.recorder = _open_recorder(stack, target, video.frames_per_second)
        loop = FaceLoop(
            encoder, head, source.name, every_frame=options.events_every_frame, on_crop=crops.add, on_end=crops.end
        )
        session = Session(loop, outputs, stopping)
        session.run_file(video, every)
    shortfall = None if session.is_stopping else video.describe_shortfall()
    if shortfall is None:
        return EXIT_DONE
    logger.warning("%s: %s", sanitize_for_terminal(source.name), shortfall)
    return EXIT_SOME_INPUTS_FAILED


def run_live(source: Source, options: Options, stopping: threading.Event) -> int:
    """Identify the faces of a camera or stream until it is stopped, and return the exit code.

    Raises
    ------
    ValueError
        If the source or the head cannot be used.
    OSError
        If a file cannot be read or written.
    """
    target = None if options.save is None else video_target(source, options.save)
    every = 1 if options.detect_every is None and options.anonymize is not None else options.detect_every
    # Faces to be hidden must be detected before their frame is shown.
    in_background = options.anonymize is None and thread_count() > 1
    scheduler = DetectionScheduler(
        None if options.budget_ms is None else options.budget_ms / 1000, every, in_background=in_background
    )
    with ExitStack() as stack:
        known = file_version(options.head)
        encoder, head = load_recognizer(options, detector_threads=thread_count() - 1 if in_background else None)
        live = _start_grabber(stack, source, wait_for_source=options.headless)
        crops, outputs = _open_outputs(stack, options, source, encoder=encoder, stopping=stopping)
        if target is not None:
            outputs.recorder = _open_recorder(stack, target)
        watcher = HeadWatcher(
            options.head, lambda path: load_head_with(path, options.threshold), encoder.fingerprint, known=known
        )
        stack.callback(watcher.stop)
        watcher.start()
        executor = stack.enter_context(ThreadPoolExecutor(1, "inference")) if in_background else None
        loop = FaceLoop(
            encoder,
            head,
            source.name,
            every_frame=options.events_every_frame,
            on_crop=crops.add,
            on_end=crops.end,
            executor=executor,
        )
        session = Session(loop, outputs, stopping)
        if options.headless:
            logger.info("%s: started, %d people are known", live.name, len(head.labels))
        session.run_live(live, scheduler, watcher)
        logger.info("%s: stopped; %s", live.name, describe(session.meter.speed, session.n_faces, counts=live.counts))
    return EXIT_DONE


def _start_grabber(stack: ExitStack, source: Source, *, wait_for_source: bool) -> FrameGrabber:
    live = FrameGrabber(
        source.name,
        lambda: connect(source),
        reopen=source.kind is not SourceKind.PIPE,
        wait_for_source=wait_for_source,
    )
    stack.callback(live.stop)
    live.start()
    return live


def _open_recorder(stack: ExitStack, target: Path, claimed_rate: float | None = None) -> Recorder:
    recorder = Recorder(target, claimed_rate)
    stack.callback(recorder.close)
    return recorder


def _open_outputs(
    stack: ExitStack, options: Options, source: Source, *, encoder: FaceEncoder, stopping: threading.Event
) -> tuple[BestCrops, Outputs]:
    unknown_faces = None if options.save_unknown is None else _open_unknown_faces(options.save_unknown, options, source)
    if unknown_faces is not None:
        stack.callback(unknown_faces.close)
    crops = BestCrops(unknown_faces)
    sink = open_sinks(options, is_live=source.kind.is_live)
    stack.callback(sink.close)
    outputs = Outputs(
        sink, StatusLine(is_service=options.headless), hide=options.anonymize, unknown_faces=unknown_faces
    )
    if options.show:

        def enrol(track: int, name: str) -> str:
            crop = crops.get(track)
            if crop is None:
                return "not enrolled: the face has gone"
            return enrol_crop(options.head, encoder, crop, name=name, source=source.name)

        outputs.viewer = _open_viewer(source, enrol if source.kind.is_live else None, stopping)
        stack.callback(outputs.viewer.close)
    return crops, outputs


def _open_unknown_faces(folder: Path, options: Options, source: Source) -> UnknownFaces:
    is_live = source.kind.is_live
    # Several loops may save into one folder.
    stem = f"{source.name}-{datetime.now():%Y%m%dT%H%M%S.%f}" if is_live else Path(source.address).stem
    keep_days = DEFAULT_KEEP_DAYS if options.keep_days is None else options.keep_days
    return UnknownFaces(folder, keep_days, stem, may_drop=is_live)


def _open_viewer(source: Source, enrol: Enrol | None, stopping: threading.Event) -> Viewer:
    from recognition.viewer.window_thread import open_window

    return Viewer(
        lambda on_click: open_window(f"Facetable: {source.name}", on_click),
        enrol,
        folder=Path(),
        stopping=stopping,
        ask=_ask if _has_terminal() and source.address != "-" else None,
    )


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()  # there is none where the caller has closed it


def _ask(question: str) -> str:
    # Not `input`, which may print the question among the results on standard output.
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()
