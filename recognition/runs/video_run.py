"""Runs over a video file or a live source."""

import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from embedder.networks.encoder import FaceEncoder
from embedder.videos.creation_time import read_creation_time
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED
from foundation.text import sanitize_for_terminal
from foundation.threads import thread_count
from recognition.anonymizing.frame_hider import FrameHider
from recognition.outputs.picture_folder import CROP, SCENE, UNKNOWN
from recognition.outputs.recorder import Recorder
from recognition.outputs.video_writer import video_target
from recognition.runs.best_crops import BestCrops, PictureOutputs, PicturePublisher, enrol_crop
from recognition.runs.head_watcher import HeadWatcher, file_version
from recognition.runs.options import DEFAULT_DETECT_EVERY, Options
from recognition.runs.session import Outputs, Session
from recognition.runs.setup import (
    load_closer_look,
    load_recognizer,
    load_second,
    open_pictures,
    open_sinks,
    warn_of_missed_faces,
)
from recognition.sources.clock import Timeline
from recognition.sources.connections import connect
from recognition.sources.grabber import FrameGrabber
from recognition.sources.source import Source, SourceKind
from recognition.sources.video_file import VideoFile
from recognition.tracking.detection_interval import DetectionScheduler
from recognition.tracking.embedding_queue import EmbeddingQueueSettings
from recognition.tracking.loop import FaceLoop, LoopSettings
from recognition.tracking.naming import load_head_with
from recognition.viewer.status import StatusLine, describe
from recognition.viewer.viewer import Enrol, Viewer

if TYPE_CHECKING:
    from classifiers.heads.head import Head

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
        outputs = _open_outputs(stack, options, source, encoder=encoder, stopping=stopping)
        outputs.timeline = Timeline.of_file(read_creation_time(Path(source.address)))
        if target is not None:
            outputs.recorder = _open_recorder(stack, target, video.frames_per_second)
        loop = _make_loop(encoder, head, outputs, options=options, source=source)
        session = Session(loop, outputs, stopping)
        session.run_file(video, every)
    warn_of_missed_faces(options)
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
        outputs = _open_outputs(stack, options, source, encoder=encoder, stopping=stopping)
        outputs.timeline = Timeline.of_live(live.opened_s)
        if target is not None:
            outputs.recorder = _open_recorder(stack, target)
        watcher = HeadWatcher(
            options.head,
            lambda path: load_head_with(path, options.threshold, trust=options.trust),
            encoder.fingerprint,
            known=known,
        )
        stack.callback(watcher.stop)
        watcher.start()
        executor = stack.enter_context(ThreadPoolExecutor(1, "inference")) if in_background else None
        loop = _make_loop(encoder, head, outputs, options=options, source=source, executor=executor)
        session = Session(loop, outputs, stopping)
        if options.headless:
            logger.info("%s: started, %d people are known", live.name, len(head.labels))
        session.run_live(live, scheduler, watcher)
        logger.info("%s: stopped; %s", live.name, describe(session.meter.speed, session.n_faces, counts=live.counts))
    warn_of_missed_faces(options)
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


def _make_loop(
    encoder: FaceEncoder,
    head: "Head",
    outputs: Outputs,
    *,
    options: Options,
    source: Source,
    executor: Executor | None = None,
) -> FaceLoop:
    return FaceLoop(
        encoder,
        head,
        source.name,
        every_frame=options.events_every_frame,
        on_crop=outputs.crops.add,
        on_end=outputs.crops.end,
        executor=executor,
        settings=LoopSettings(queue=EmbeddingQueueSettings(keeps_views=outputs.crops.wants_views)),
        second=load_second(options),
    )


def _open_outputs(
    stack: ExitStack, options: Options, source: Source, *, encoder: FaceEncoder, stopping: threading.Event
) -> Outputs:
    sinks = open_sinks(options, source)
    stack.callback(sinks.events.close)
    crops = BestCrops(_open_pictures(stack, options, source, send=sinks.send_picture))
    outputs = Outputs(
        sinks.events,
        StatusLine(is_service=options.headless),
        hide=options.anonymize,
        hider=_make_hider(options, encoder, is_live=source.kind.is_live),
        crops=crops,
        source_name=options.source_name,
        labels="names" if options.labels is None else options.labels,
    )
    if options.show:

        def enrol(track: int, name: str) -> str:
            crop = crops.get(track)
            if crop is None:
                return "not enrolled: the face has gone"
            return enrol_crop(options.head, encoder, crop, name=name, source=source.name, trust=options.trust)

        outputs.viewer = _open_viewer(source, enrol if source.kind.is_live else None, stopping)
        stack.callback(outputs.viewer.close)
    return outputs


def _make_hider(options: Options, encoder: FaceEncoder, *, is_live: bool) -> FrameHider | None:
    closer = load_closer_look(options, encoder)
    if closer is None or options.anonymize is None:
        return None
    return FrameHider(closer, options.anonymize, is_live=is_live)


def _open_pictures(
    stack: ExitStack, options: Options, source: Source, *, send: Callable[[bytes], None] | None
) -> PictureOutputs:
    is_live = source.kind.is_live
    # Several loops may save into one folder.
    name = source.name if options.source_name is None else options.source_name
    stem = f"{name}-{datetime.now():%Y%m%dT%H%M%S.%f}" if is_live else Path(source.address).stem
    publisher = None if send is None else PicturePublisher(send)
    if publisher is not None:
        stack.callback(publisher.close)
    unknown, crops, scenes = (
        open_pictures(stack, folder, kind, options=options, is_live=is_live)
        for folder, kind in ((options.save_unknown, UNKNOWN), (options.save_crops, CROP), (options.save_scenes, SCENE))
    )
    return PictureOutputs(stem, unknown, crops, scenes, publisher)


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
