"""From the command line's options to a finished run over photos or a video."""

import logging
from contextlib import ExitStack

import cv2

from classifiers.serving import Head
from embedder.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED
from embedder.images import DEFAULT_MAX_PIXELS
from recognition.errors import SourceError
from recognition.events import EventFile, EventSink, make_event
from recognition.naming import FaceReader, NetworkOptions, load_head_with, load_reader
from recognition.options import DEFAULT_DETECT_EVERY, Options
from recognition.outputs import check_outputs
from recognition.photos import PhotoCounts, PhotoRun, Sighting, annotate, list_photos, recognize_photos, see_faces
from recognition.reports import EventLines, FaceLines, Fan, print_no_face
from recognition.sources import Source, SourceKind, parse_source

logger = logging.getLogger(__name__)


def recognize(options: Options) -> int:
    """Do what `options` ask for and return the exit code.

    Raises
    ------
    ValueError
        If the source or the head cannot be used.
    OSError
        If a file cannot be read or written.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    source = parse_source(options.source)
    check_outputs(source, options)
    if source.kind in (SourceKind.IMAGE, SourceKind.FOLDER):
        return _run_on_photos(source, options)
    if source.kind is SourceKind.VIDEO:
        return _run_on_video(source, options)
    raise SourceError(f"{source.name}: live sources are not supported yet; record a video and name its file")


def load(options: Options) -> tuple[FaceReader, Head]:
    """Load the head and the networks that fit it.

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
        NetworkOptions(preset=options.preset, weights=options.weights, precision=options.precision,
                       min_face_size=options.min_face_size, thresholds=options.thresholds),
        whose=options.head)
    head.check_fingerprint(reader.fingerprint)
    return reader, head


def open_sinks(options: Options) -> EventSink:
    """Return what events go to: lines on standard output, and the file of ``--events``."""
    if options.events == "-":
        return EventLines()
    return Fan([FaceLines(), *([] if options.events is None else [EventFile(options.events)])])


def _run_on_photos(source: Source, options: Options) -> int:
    photos = list_photos(source, options.save)
    reader, head = load(options)
    with ExitStack() as stack:
        sink = open_sinks(options)
        stack.callback(sink.close)
        run = PhotoRun(
            see=lambda image: see_faces(image, reader, head), annotate=annotate, sink=sink,
            report_empty=print_no_face if options.events != "-" else lambda _: None,
            max_pixels=DEFAULT_MAX_PIXELS if options.max_pixels is None else options.max_pixels,
        )
        counts = recognize_photos(photos, run)
    if source.kind is SourceKind.FOLDER:
        logger.info("%s", _summarize(counts))
    return EXIT_SOME_INPUTS_FAILED if counts.n_failed else EXIT_DONE


def _run_on_video(source: Source, options: Options) -> int:
    from recognition.video_writer import VideoWriter, video_place
    from recognition.videos import VideoFile

    target = None if options.save is None else video_place(source, options.save)
    every = DEFAULT_DETECT_EVERY if options.detect_every is None else options.detect_every
    sightings: list[Sighting] = []
    writer = None
    with ExitStack() as stack:
        video = VideoFile(source.address, source.name)
        stack.callback(video.close)
        reader, head = load(options)
        sink = open_sinks(options)
        stack.callback(sink.close)
        for frame in video:
            if frame.index % every == 0:
                sightings = see_faces(frame.image, reader, head)
                for seen in sightings:
                    sink.write(make_event("face", source.name, frame=frame.index, time_s=frame.time_s, box=seen.box,
                                          identity=seen.identity, score=seen.score, accepted=seen.accepted))
            if target is not None:
                if writer is None:
                    writer = VideoWriter(target, video.frames_per_second, (frame.image.shape[0], frame.image.shape[1]))
                    stack.callback(writer.close)
                writer.write(annotate(frame.image, sightings))
    if video.is_truncated:
        logger.warning("%s: ends after %d of %d frames; it may be truncated", source.name, video.n_read,
                       video.n_expected)
        return EXIT_SOME_INPUTS_FAILED
    return EXIT_DONE


def _summarize(counts: PhotoCounts) -> str:
    parts = [f"{counts.n_photos} photos", f"{counts.n_faces} faces", f"{counts.n_named} named",
             f"{counts.n_faces - counts.n_named} unknown", f"{counts.n_without_face} photos without a face"]
    if counts.n_failed:
        parts.append(f"{counts.n_failed} photos unreadable")
    return ", ".join(parts)
