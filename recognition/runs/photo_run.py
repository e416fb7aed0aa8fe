"""Run over photos."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from embedder.images.reading import DEFAULT_MAX_PIXELS
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED
from foundation.text import pluralize
from recognition.anonymizing.frame_hider import CloserLook
from recognition.events.console import print_no_face
from recognition.outputs.picture_folder import CROP
from recognition.runs.options import Options
from recognition.runs.photo_loop import (
    NamedFace,
    PhotoCounts,
    PhotoRun,
    annotate_photo,
    identify_faces,
    list_photos,
    recognize_photos,
    refuse_inside,
)
from recognition.runs.setup import (
    load_closer_look,
    load_recognizer,
    open_pictures,
    open_sinks,
    warn_of_missed_faces,
)
from recognition.sources.source import Source, SourceKind

logger = logging.getLogger(__name__)

_IDLE_S = 0.05


def run_on_photos(sources: Sequence[Source], options: Options) -> int:
    """Identify the faces on the photos of all sources and return the exit code.

    Raises
    ------
    ValueError
        If the head cannot be used, or the only photo is no image.
    OSError
        If a file cannot be read or written.
    """
    photos = list_photos(sources, options.save)
    for source in sources:
        if options.save_crops is not None and source.kind is SourceKind.FOLDER:
            refuse_inside(options.save_crops, Path(source.address))
    encoder, head = load_recognizer(options)

    with ExitStack() as stack:
        name = sources[0].name if len(sources) == 1 else "photos"
        run = open_run(
            stack,
            options,
            name,
            identify=lambda image: identify_faces(image, encoder, head, upright=options.upright or "auto"),
            closer=load_closer_look(options, encoder),
        )
        counts = recognize_photos(photos, run)
    if len(sources) > 1 or sources[0].kind is SourceKind.FOLDER:
        logger.info("%s", summarize(counts))
    warn_of_missed_faces(options)
    return EXIT_SOME_INPUTS_FAILED if counts.n_failed else EXIT_DONE


def open_run(
    stack: ExitStack,
    options: Options,
    name: str,
    *,
    identify: Callable[[np.ndarray], Sequence[NamedFace]],
    closer: CloserLook | None = None,
) -> PhotoRun:
    """Open the outputs of a run over photos, closed with `stack`.

    Parameters
    ----------
    stack : ExitStack
    options : Options
    name : str
        Title of the window.
    identify : callable
        Returns the faces of an image, uint8 (h, w, 3).
    closer : CloserLook, optional
        Finds further faces to hide.

    Raises
    ------
    ValueError
        If an address is none.
    OSError
        If an output cannot be opened.
    """

    def annotated(image: np.ndarray, faces: Sequence[NamedFace]) -> np.ndarray:
        known = np.array([face.box for face in faces]).reshape(-1, 4)
        others = () if closer is None else closer.find_others(image, known).boxes
        return annotate_photo(image, faces, hide=options.anonymize, others=others, labels=options.labels)

    sink = open_sinks(options).events
    stack.callback(sink.close)
    return PhotoRun(
        identify=identify,
        annotate=annotated,
        sink=sink,
        show=_open_window(stack, name) if options.show else None,
        report_empty=print_no_face if options.events != "-" else lambda _: None,
        max_pixels=DEFAULT_MAX_PIXELS if options.max_pixels is None else options.max_pixels,
        source_name=options.source_name,
        crops=open_pictures(stack, options.save_crops, CROP, options=options, is_live=False),
    )


def _open_window(stack: ExitStack, name: str) -> Callable[[np.ndarray], bool]:
    """Return a function that shows an image until a key is pressed, and returns whether to go on."""
    from recognition.viewer.window import SHIFT, Key, Window, key_of

    window = Window(f"Facetable: {name}", lambda _x, _y: None)
    stack.callback(window.close)

    def show(image: np.ndarray) -> bool:
        window.show(image)
        character = None
        while character in (None, SHIFT) and not window.is_closed:
            character = window.wait(_IDLE_S)
        return character is not None and character != SHIFT and key_of(character) is not Key.QUIT

    return show


def summarize(counts: PhotoCounts) -> str:
    """Return the counts of a run as one line."""
    parts = [
        pluralize(counts.n_photos, "photo"),
        pluralize(counts.n_faces, "face"),
        f"{counts.n_named:,} named",
        f"{counts.n_faces - counts.n_named:,} unknown",
        f"{pluralize(counts.n_without_face, 'photo')} without a face",
    ]
    if counts.n_failed:
        parts.append(f"{pluralize(counts.n_failed, 'photo')} unreadable")
    return ", ".join(parts)
