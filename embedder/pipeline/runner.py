"""Folder to table: read, detect, cut out, embed, write; resumable at any moment.

Reader -> mapper -> writer (`embedder.pipeline.worker`) embed a list of photos into part files. Around them,
`update_table` decides what is to be done (`embedder.pipeline.plan`), lets this process or several do it, and puts the
finished table together (`embedder.tables.assembly`).
"""

import errno
import io
import logging
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from embedder.detection.alignment import Alignment, MarginMode
from embedder.detection.detector import DEFAULT_DETECTOR, Detector, FaceSelection
from embedder.detection.mtcnn import DEFAULT_MIN_FACE_SIZE
from embedder.engines.engine import EngineConfig, EngineName, open_engine
from embedder.finding.upright import Upright
from embedder.images.listing import PhotoFile
from embedder.images.reading import DEFAULT_MAX_PIXELS
from embedder.networks.embedder import Embedder
from embedder.networks.encoder import FaceEncoder
from embedder.networks.presets import DEFAULT_PRESET, alike_similarity
from embedder.pipeline.plan import (
    EmbedPlan,
    PhotoInputs,
    ask_about_names,
    cut_into_shards,
    list_photos,
    make_plan,
    with_ignore_files,
)
from embedder.pipeline.settings import EmbedSettings, IdentitySource
from embedder.pipeline.state import TableState, entries_of, header_before, load_state
from embedder.pipeline.stored_faces import (
    check_same_faces,
    note_of,
    settings_of,
    warn_of_left_behind,
    with_note_of,
)
from embedder.pipeline.summary import EmbedSummary, summarize
from embedder.pipeline.worker import (
    STAGES,
    EmbedJob,
    Progress,
    embed_photos,
    embed_shard,
    load_encoder,
)
from embedder.tables.assembly import Entry, write_table
from embedder.tables.coherence import find_incoherent_in_file
from embedder.tables.file import Header, TableFileReader, more_roots, now
from embedder.tables.parts import PartsFolder
from embedder.tables.table import EmbeddingTable
from foundation.errors import InputError
from foundation.fingerprint import FACES_FROM, UPRIGHT, Fingerprint, followed_fields, following
from foundation.paths import display_path
from foundation.text import pluralize
from foundation.threads import thread_count

logger = logging.getLogger(__name__)

TellProgress = Callable[[str, int, int], object]
"""Is told what is being done, how much of it is done, and of how much (0: nobody knows)."""


def embed_folder(
    photos: PhotoInputs,
    out: str | Path,
    *,
    faces: FaceSelection = "all",
    preset: str | Path = DEFAULT_PRESET,
    weights: str | Path | None = None,
    precision: str = "fp32",
    n_jobs: int = 1,
    identity_from: IdentitySource = "folder",
    min_face_size: int | Literal["auto"] = DEFAULT_MIN_FACE_SIZE,
    thresholds: Sequence[float] | None = None,
    margin: float | None = None,
    margin_mode: MarginMode | None = None,
    alignment: Alignment | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    exclude: Sequence[str] = (),
    faces_from: str | Path | None = None,
    upright: Upright | None = None,
    videos: bool = False,
    prune: bool = False,
    progress: bool | TellProgress = False,
    detector: str | Detector | None = None,
    second_detector: str | None = None,
    embedder: Embedder | None = None,
) -> EmbeddingTable:
    """Make or bring up to date the embedding table of a folder of photos.

    What is in `out` already stays: unchanged and moved photos keep their vectors, changed and new ones are embedded.
    A run that was interrupted, however, goes on where it stopped.

    Parameters
    ----------
    photos : path, or sequence of paths
        Folder of photos, read with all its sub-folders; or several folders and single photos, whose names below the
        folders given must differ.
    out : path
        The table's HDF5 file; its folder is made if need be. Work in progress is in ``<out>.parts`` beside it.
    faces : {"all", "one"}
        Which faces of a photo are stored; ``"one"`` is the largest, weighted to the centre.
    preset, weights, precision
        The embedding network; see `embedder.FaceEmbedder`.
    n_jobs : int
        Worker processes, at least 1, or -1 for one a core; the threads are shared out among them.
    identity_from : {"folder", "filename", "none"}
        What names the chosen face of a photo: the first sub-folder level, the file's stem, or nothing.
    min_face_size, thresholds
        How small faces are, and how sure of them the detector must be; see `embedder.MTCNN`, and for ``"centerface"``
        `embedder.detection.centerface.CenterFace`. None: those the table was begun with, else the detector's own.
    margin, margin_mode, alignment
        The crop, see `embedder.Faces.crop`; None takes the preset's own.
    max_pixels : int
        Larger photos are refused.
    exclude : sequence of str
        Files and folders to leave out, as in ``.gitignore``; files ``.facetableignore`` do the same. What is excluded
        later stays in the table until it is pruned.
    faces_from : path, optional
        A table whose faces are embedded instead of looking for faces anew: photos are known by their hash, and others,
        such as those that were changed since, are searched as always. Settings that decide which faces are found must
        be those of that table.
    upright : {"auto", "exif"}, optional
        Which way up photos are: ``"auto"`` looks for faces the other three ways where none is sure as the file is
        marked, ``"exif"`` heeds the mark alone. None takes what the table was begun with, ``"auto"`` for a new one.
    videos : bool
        Find people in videos, too: each face that is followed through a video gets up to three rows, its best looks,
        with their seconds in the column ``time_s``. Without it, videos are left alone: those that the table has stay.
    prune : bool
        Remove the rows of deleted and excluded photos.
    progress : bool or callable
        Show a progress bar on standard error, if that is a terminal; or what is called with what is being done
        (``compared``, ``embedded``), how many photos that is done for, and of how many.
    detector : {"mtcnn", "centerface"} or Detector, optional
        What finds faces: by its name, or an object. None: MTCNN.
    second_detector : {"centerface"}, optional
        What is asked about each face of photos, too, see `embedder.finding.second_score`: a column, nothing is dropped.
    embedder : Embedder, optional
        The network to use instead of the one the settings name. With several jobs objects must pickle.

    Returns
    -------
    EmbeddingTable
        What `out` holds now.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    FingerprintError
        If `out` was begun with other settings or for another folder.
    TableError
        If `out` is there but not a whole table.
    TableLockedError
        If another process is writing `out`.
    OSError
        If `photos` is no folder or holds no photo, or `out` cannot be written.
    """
    settings = EmbedSettings(
        faces=faces,
        preset=str(preset),
        weights=None if weights is None else str(weights),
        precision=precision,
        identity_from=identity_from,
        min_face_size=min_face_size,
        thresholds=None if thresholds is None else tuple(thresholds),
        margin=margin,
        margin_mode=margin_mode,
        alignment=alignment,
        max_pixels=max_pixels,
        exclude=tuple(exclude),
        faces_from=None if faces_from is None else str(faces_from),
        upright=upright,
        videos=videos,
        detector=detector if isinstance(detector, str) else DEFAULT_DETECTOR,
        second_detector=second_detector,
    )
    update_table(
        photos,
        out,
        settings,
        n_jobs=n_jobs,
        prune=prune,
        progress=progress,
        detector=None if isinstance(detector, str) else detector,
        embedder=embedder,
    )
    return EmbeddingTable.read(out)


def update_table(
    photos: PhotoInputs,
    out: str | Path,
    settings: EmbedSettings,
    *,
    n_jobs: int = 1,
    prune: bool = False,
    progress: bool | TellProgress = False,
    detector: Detector | None = None,
    embedder: Embedder | None = None,
    only: Collection[str] | None = None,
    same_photos: Mapping[str, str] | None = None,
    engine: EngineName = "local",
    address: str | None = None,
) -> EmbedSummary:
    """Do what `embed_folder` does without reading the table into memory, and return what has been done.

    With `same_photos` (SHA-256 -> that of another content of the same picture), such photos keep their rows. With
    `only`, photos at other paths (relative, ``/`` between folders) are taken for absent. With another `engine`
    than ``"local"``, the workers of the cluster at `address` do the work, all of them if `n_jobs` is -1; photos and
    table must lie on storage that all of them see under the same path.
    """
    begun = time.monotonic()
    config = EngineConfig(engine, address, n_jobs)
    listing = list_photos(photos, settings)
    names_people = only is None and settings.identity_from != "none"
    albums = ask_about_names(listing, settings) if names_people else []
    if only is not None:
        listing = replace(listing, photos=tuple(photo for photo in listing.photos if photo.name in only))
    with PartsFolder(_check_out(Path(out))) as parts, _interrupts_explained(parts):
        settings = _going_on(settings, parts)
        encoder = load_encoder(settings, thread_count(), detector, embedder)
        fingerprint = with_ignore_files(settings.fingerprint(encoder), listing)
        fingerprint = _with_source(fingerprint, settings, parts.table)
        header = Header(display_path(listing.root), fingerprint, now(), more_roots(listing.roots))
        state = load_state(parts, header)
        with _progress_bar("compared", len(listing.photos), progress, delay=1) as bar:
            plan = make_plan(listing, state.known, same_photos=same_photos, on_checked=bar.update)
        job = EmbedJob(listing.roots, parts.path, header, settings, detector, embedder)
        with _progress_bar("embedded", len(listing.photos), progress, initial=len(plan.kept)) as bar:
            done = _embed(job, plan.pending, encoder, config=config, bar=bar)
        present = [*plan.kept, *entries_of(parts, [photo.name for photo in plan.pending])]
        _finish(parts, header, state, plan, present=present, prune=prune, settings=settings)
        if settings.faces_from is not None:
            warn_of_left_behind(Path(settings.faces_from), present)
        alike = alike_similarity(fingerprint, preset=settings.preset if embedder is None else None)
        unlike = find_incoherent_in_file(parts.table, alike=alike) if names_people and alike is not None else []
    return summarize(
        parts.table,
        listing,
        present,
        deleted=plan.deleted,
        n_embedded=len(plan.pending),
        n_moved=plan.n_moved,
        pruned=prune,
        albums=albums,
        unlike=unlike,
        seconds=time.monotonic() - begun,
        stage_seconds=dict(zip(STAGES, done.seconds, strict=True)),
    )


def _going_on(settings: EmbedSettings, parts: PartsFolder) -> EmbedSettings:
    """Return `settings` with what they leave to the table that is there; say so where it is older than the setting."""
    before = header_before(parts)
    if settings.upright is None and before is not None and UPRIGHT not in before.fingerprint.provenance:
        logger.info(
            "%s: begun before photos were turned the right way up by their faces, and goes on as --upright exif; "
            "for the other way begin another table",
            display_path(parts.table),
        )
    if before is None and settings.faces_from is not None and settings.thresholds is None:
        settings = replace(settings, thresholds=settings_of(Path(settings.faces_from)).get("thresholds"))
    return settings.going_on(None if before is None else before.fingerprint)


def _embed(
    job: EmbedJob, photos: Sequence[PhotoFile], encoder: FaceEncoder, *, config: EngineConfig, bar: tqdm
) -> Progress:
    """Embed `photos` in this process or in the workers of `config`; count on `bar` and return what was done."""
    total = Progress()

    def show(progress: Progress) -> None:
        nonlocal total
        total += progress
        seconds = ", ".join(f"{stage} {spent:.0f} s" for stage, spent in zip(STAGES, total.seconds, strict=True))
        faces = pluralize(total.n_faces, "face")
        bar.set_postfix_str(f"{faces}, {total.n_failed:,} failed; {seconds}", refresh=False)
        bar.update(progress.n_photos)

    if not photos or config.is_this_process:
        embed_photos(job, photos, encoder, threads=thread_count(), on_progress=show)
        return total
    parent = os.getpid() if config.engine == "local" else None
    work = partial(embed_shard, job, threads=config.threads_a_job, parent=parent)
    with open_engine(config) as engine:
        for progress in engine.run(work, cut_into_shards(photos, engine.n_workers)):
            show(progress)
    return total


@contextmanager
def _interrupts_explained(parts: PartsFolder) -> Iterator[None]:
    """Let a KeyboardInterrupt say what becomes of the work."""
    try:
        yield
    except KeyboardInterrupt:
        kept = f"what is done is kept in {display_path(parts.path)}" if parts.parts() else "no photo was done yet"
        raise KeyboardInterrupt(f"{kept}, run the same command again to go on") from None


def _finish(
    parts: PartsFolder,
    header: Header,
    state: TableState,
    plan: EmbedPlan,
    *,
    present: Sequence[Entry],
    prune: bool,
    settings: EmbedSettings,
) -> None:
    """Write the finished table unless the one that is there holds the same, and delete the part files."""
    entries = [*present, *([] if prune else plan.deleted)]
    before = state.header
    is_same = (
        before is not None
        and state.is_whole
        and not state.is_renamed
        and followed_fields(before.fingerprint) == followed_fields(header.fingerprint)
        and set(before.all_roots) == set(header.all_roots)
        and not plan.changed
        and len(entries) == len(state.known)
        and all(entry.source == parts.table for entry in entries)
    )
    if not is_same:
        # Versions of packages that have done nothing for this table are not recorded.
        fingerprint = header.fingerprint
        if before is not None and not plan.pending:
            fingerprint = following(before.fingerprint, header.fingerprint)
        if before is not None:
            fingerprint = with_note_of(before.fingerprint, fingerprint)
        if state.is_renamed:
            logger.info(
                "%s: who is on a photo now follows from --identity-from %s; all vectors are kept",
                display_path(parts.table),
                settings.identity_from,
            )
        write_table(
            parts.table,
            replace(header, fingerprint=fingerprint, created=now()),
            entries,
            identity_rule=settings.identities_of_rows,
            temporary_folder=parts.path,
            rename_all=state.is_renamed,
        )
    parts.clear()


def expected_fingerprint(settings: EmbedSettings, *, embedder: Embedder | None = None) -> Fingerprint:
    """Return the fingerprint of the tables that `settings` lead to here and now."""
    return settings.fingerprint(load_encoder(settings, thread_count(), None, embedder))


def _with_source(fingerprint: Fingerprint, settings: EmbedSettings, table: Path) -> Fingerprint:
    """Return `fingerprint` with the table that faces are taken from, once it is known to have such faces."""
    if settings.faces_from is None:
        return fingerprint
    source = Path(settings.faces_from)
    if source.resolve() == table:
        raise InputError(f"{display_path(source)}: its faces cannot go into itself; give another -o")
    with TableFileReader(source) as file:
        header = file.header
    check_same_faces(source, header, fingerprint)
    return Fingerprint(fingerprint.space, {**fingerprint.provenance, FACES_FROM: note_of(source, header)})


def _check_out(out: Path) -> Path:
    table = out.resolve()  # a link stays a link: what it points to is replaced
    if table.is_dir():
        raise IsADirectoryError(
            errno.EISDIR,
            "expected a file to write the table to, found a folder; name a file in it, such as faces.h5",
            str(out),
        )
    table.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return table


def _progress_bar(what: str, total: int, progress: bool | TellProgress, **options: Any) -> tqdm:
    if callable(progress):
        return _ToldBar(what, total, progress, initial=options.get("initial", 0))
    return tqdm(desc=what, total=total, unit="photo", disable=None if progress else True, **options)


class _ToldBar(tqdm):
    """A progress bar that tells a function how far it is, as often as others are drawn, and draws nothing."""

    def __init__(self, what: str, total: int, tell: TellProgress, *, initial: int) -> None:
        self._tell = partial(tell, what)
        super().__init__(total=total, initial=initial, file=io.StringIO())

    def display(self, *_: Any, **__: Any) -> None:
        self._tell(int(self.n), int(self.total))
