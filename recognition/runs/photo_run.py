"""Run over photos."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from embedder.images.kinds import VIDEO_SUFFIXES, describe_left_out
from embedder.images.listing import list_images
from embedder.images.reading import DEFAULT_MAX_PIXELS
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED
from foundation.paths import display_path
from foundation.text import pluralize
from recognition.anonymizing.frame_hider import CloserLook
from recognition.errors import SaveError, SourceError
from recognition.events.console import print_no_face
from recognition.outputs.image_files import annotated_name, can_write, same_file
from recognition.outputs.picture_folder import CROP
from recognition.runs.options import Options
from recognition.runs.photo_loop import (
    NamedFace,
    PhotoCounts,
    PhotoJob,
    PhotoRun,
    annotate_photo,
    identify_faces,
    recognize_photos,
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


def list_photos(sources: Sequence[Source], save: str | None) -> list[PhotoJob]:
    """Return the photos of images and folders, with the paths of their annotated copies.

    Parameters
    ----------
    sources : sequence of Source
        Images and folders; the photos come in this order, those of a folder in path order.
    save : str or None
        What ``--save`` says: of one image a file or folder, of a folder or several sources a folder.

    Raises
    ------
    SourceError
        If a folder holds no images.
    SaveError
        If an annotated copy would replace a photo or another copy, would lie in a folder of photos, or cannot have its
        format.
    """
    if len(sources) == 1 and sources[0].kind is SourceKind.IMAGE:
        path = Path(sources[0].address)
        return [PhotoJob(path, sources[0].name, None if save is None else _image_target(path, save))]
    root = None if save is None else folder_target(save, of="a folder" if len(sources) == 1 else "several sources")
    photos = [photo for source in sources for photo in _list_source(source, root)]
    if save is not None:
        refuse_equal_targets(photos)
    return photos


def _list_source(source: Source, root: Path | None) -> list[PhotoJob]:
    """Return the photos of one source, whose annotated copies go into the folder `root`."""
    if source.kind is SourceKind.IMAGE:
        path = Path(source.address)
        return [PhotoJob(path, source.name, None if root is None else root / annotated_name(path.name))]
    listing = list_images(source.address)
    if not listing.paths:
        remedy = describe_left_out(listing.n_by_kind) or "name the folder that holds them"
        raise SourceError(f"{source.name}: expected photos, found none ({listing.left_out}); {remedy}")
    if listing.n_by_kind:
        logger.warning("%s: %s", source.name, describe_left_out(listing.n_by_kind))
    if root is not None:
        refuse_inside(root, listing.root)
    return [
        PhotoJob(
            listing.root / path,
            display_path(listing.root / path),
            None if root is None else root / annotated_name(display_path(path)),
        )
        for path in listing.paths
    ]


def _image_target(path: Path, save: str) -> Path:
    target = Path(save)
    if target.is_dir() or save.endswith(("/", "\\")):
        target = target / annotated_name(path.name)
    elif not can_write(target):
        raise SaveError(
            f"{save}: expected a file like out.jpg or out.png, or a folder; end a new folder's name with a slash"
        )
    if same_file(path, target):
        raise SaveError(f"{save}: is the photo itself; save the annotated copy somewhere else")
    return target


def folder_target(save: str, *, of: str) -> Path:
    """Return the folder that ``--save`` names for annotated photos.

    Raises
    ------
    SaveError
        If it is a file, or looks like the name of one.
    """
    target = Path(save)
    if target.exists() and not target.is_dir():
        raise SaveError(f"{save}: expected a folder for the annotated photos, found a file; name a folder")
    is_file_name = can_write(target) or target.suffix.lower() in VIDEO_SUFFIXES
    if is_file_name and not target.exists() and not save.endswith(("/", "\\")):
        raise SaveError(
            f"{save}: expected a folder for the annotated photos of {of}, found the name of a file; "
            f"name a folder, such as {target.with_suffix('')}, or end its name with a slash"
        )
    return target


def refuse_inside(target: Path, photos: Path) -> None:
    """Refuse a folder of pictures in the folder of photos.

    Raises
    ------
    SaveError
        If it lies there.
    """
    resolved = target.resolve()
    if resolved == photos.resolve() or photos.resolve() in resolved.parents:
        raise SaveError(
            f"{target}: lies in the folder of photos, where it would be read as photos next time; save somewhere else"
        )


def refuse_equal_targets(photos: Sequence[PhotoJob]) -> None:
    """Refuse annotated copies that would replace one another, or one of the photos.

    Raises
    ------
    SaveError
        If there are such copies.
    """
    originals = {photo.path.resolve(): photo.name for photo in photos}
    first: dict[Path, PhotoJob] = {}
    for photo in photos:
        if photo.save_to is None:
            continue
        target = photo.save_to.resolve()
        if target in originals:
            raise SaveError(f"{photo.save_to}: is the photo {originals[target]}; save the annotated copies elsewhere")
        before = first.setdefault(target, photo)
        if before.path.resolve() != photo.path.resolve():
            raise SaveError(
                f"{photo.save_to}: expected one annotated photo to be saved there, found two, of {before.name} and "
                f"{photo.name}; rename one of them, or save them in two runs"
            )
