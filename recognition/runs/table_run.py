"""Run over an embedding table: name its faces without looking for them, or embedding them, again."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embedder.images.photo import FAILED_STATUSES
from embedder.tables.table import EmbeddingTable
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED
from foundation.formats import hash_file
from foundation.paths import describe_missing, display_path
from foundation.text import sanitize_for_terminal
from recognition.errors import SourceError
from recognition.outputs.image_files import annotated_name
from recognition.runs.options import Options
from recognition.runs.photo_loop import (
    NamedFace,
    PhotoCounts,
    PhotoJob,
    PhotoRun,
    read_photo,
    report_faces,
)
from recognition.runs.photo_run import folder_target, open_run, refuse_equal_targets, refuse_inside, summarize
from recognition.sources.source import Source
from recognition.tracking.naming import load_head_with, name_faces

if TYPE_CHECKING:
    from classifiers.heads.head import Head

logger = logging.getLogger(__name__)

_ROWS_AT_ONCE = 1024
"""Rows that are scored together: their scores for every exemplar are in memory at the same time."""


def run_on_table(source: Source, options: Options) -> int:
    """Name the faces of a table and return the exit code; its photos are read only where pictures are wanted.

    Raises
    ------
    ValueError
        If table or head cannot be used, they are of different spaces, or the photos are wanted and their folder is
        missing.
    OSError
        If a file cannot be read or written.
    """
    table = EmbeddingTable.read(source.address)
    head = load_head_with(options.head, options.threshold, trust=options.trust)
    head.check_fingerprint(table.fingerprint)
    photos = _list_photos(table, options, source.name)
    counts = PhotoCounts()
    with ExitStack() as stack:
        run = open_run(stack, options, source.name, identify=_nobody)
        for number, (photo, faces) in enumerate(zip(photos, _faces_by_photo(table, head), strict=True)):
            counts.n_photos += 1
            if table.images.status[number] in FAILED_STATUSES:
                counts.n_failed += 1
                logger.warning("%s", sanitize_for_terminal(f"{photo.name}: {table.images.message[number]}"))
                continue
            image = None
            if run.needs_pixels(photo):
                image = _read_again(photo, table.images.image_sha256[number], run=run, counts=counts)
            if not report_faces(photo, faces, image, run=run, counts=counts):
                break
    logger.info("%s", summarize(counts))
    return EXIT_SOME_INPUTS_FAILED if counts.n_failed else EXIT_DONE


def _nobody(_image: np.ndarray) -> Sequence[NamedFace]:
    return ()


def _faces_by_photo(table: EmbeddingTable, head: "Head") -> Iterator[list[NamedFace]]:
    """Yield the faces of each entry of the ledger, in its order."""
    faces: list[NamedFace] = []
    n_scored = 0
    for n_faces in table.images.n_faces:
        while len(faces) < n_faces:
            faces += _name_rows(table, head, slice(n_scored, n_scored + _ROWS_AT_ONCE))
            n_scored += _ROWS_AT_ONCE
        yield faces[:n_faces]
        faces = faces[n_faces:]


def _name_rows(table: EmbeddingTable, head: "Head", rows: slice) -> list[NamedFace]:
    names = name_faces(head, table.embeddings[rows])
    return [
        NamedFace((float(x_min), float(y_min), float(x_max), float(y_max)), str(identity), float(score), bool(accepted))
        for (x_min, y_min, x_max, y_max), identity, score, accepted in zip(
            table.boxes[rows], names.identities, names.scores, names.accepted, strict=True
        )
    ]


def _list_photos(table: EmbeddingTable, options: Options, name: str) -> list[PhotoJob]:
    """Return the photos of a table where they are, with the paths of their annotated copies."""
    if options.save is not None or options.save_crops is not None or options.show:
        _require_roots(table, name)
    target = None if options.save is None else folder_target(options.save, of="a table")
    photos = []
    # Rows that come from a table of version 1 do not say when: only their photos do.
    for path, taken in zip(table.images.path, table.images.taken, strict=True):
        place = table.find_photo(path)
        save_to = None if target is None else target / annotated_name(path)
        photos.append(PhotoJob(place, display_path(place), save_to, taken))
    for folder in (target, options.save_crops):
        for root in (table.photo_root, *table.more_roots):
            if folder is not None:
                refuse_inside(folder, Path(root))
    if target is not None:
        refuse_equal_targets(photos)
    return photos


def _require_roots(table: EmbeddingTable, name: str) -> None:
    missing = next((root for root in (table.photo_root, *table.more_roots) if not Path(root).is_dir()), None)
    if missing is not None:
        raise SourceError(
            f"{name}: expected its photos in {display_path(missing)}, for the pictures you want, found "
            f"{describe_missing(missing)}; or leave out --save, --save-crops and --show: names need no photos"
        )


def _read_again(photo: PhotoJob, sha256: str, *, run: PhotoRun, counts: PhotoCounts) -> np.ndarray | None:
    """Return the pixels of a photo; one that is another than was embedded, or missing, is logged and counted."""
    try:
        if photo.path.is_file() and hash_file(photo.path) != sha256:
            counts.n_failed += 1
            logger.warning(
                "%s",
                sanitize_for_terminal(
                    f"{photo.name}: expected the photo that was embedded, found one that has changed since; its faces "
                    "are named and not drawn; bring the table up to date with facetable embed"
                ),
            )
            return None
    except OSError:
        pass  # reading says why
    return read_photo(photo, run=run, counts=counts)
