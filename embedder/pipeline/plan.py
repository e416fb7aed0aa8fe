"""Plan of a run: which photos it reads, and which are kept, embedded or deleted, given what a table holds already."""

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from embedder.images.listing import ImageListing, PhotoFile, list_images, list_inputs
from embedder.pipeline.settings import EmbedSettings, identity_of
from embedder.pipeline.writer import MAX_PHOTOS_A_PART
from embedder.tables.album_names import describe_albums, describe_one_folder, find_albums
from embedder.tables.assembly import Entry
from foundation.fingerprint import Fingerprint
from foundation.formats import hash_file
from foundation.paths import display_path
from foundation.text import lookalike_questions

logger = logging.getLogger(__name__)

PhotoInputs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A folder of photos, or several folders and single photos."""

RESERVED_IDENTITY = "unknown"
"""What heads call a stranger; no enrolled person may have this name."""

_SHARDS_A_WORKER = 4
_MIN_PHOTOS_A_SHARD = 16


def list_photos(photos: PhotoInputs, settings: EmbedSettings) -> ImageListing:
    """Return the photos of a run; ask about names that differ little, or that nobody may have.

    Raises
    ------
    FileNotFoundError
        If there is none.
    OSError
        If a folder cannot be read.
    """
    if isinstance(photos, (str, os.PathLike)):
        inputs, listing = [photos], list_images(photos, exclude=settings.exclude, videos=settings.videos)
    else:
        inputs, listing = list(photos), list_inputs(photos, exclude=settings.exclude, videos=settings.videos)
    if not listing.photos:
        raise listing.no_photos(*inputs)
    identities = {identity_of(photo.name, settings.identity_from) for photo in listing.photos}
    for question in lookalike_questions(identities):
        logger.warning("%s", question)
    if RESERVED_IDENTITY in identities:
        logger.warning(
            "the identity %r is what heads call a stranger, none can be trained with it; rename that folder "
            "or file and run again, its vectors will be kept",
            RESERVED_IDENTITY,
        )
    return _with_resolved_roots(listing)


def ask_about_names(listing: ImageListing, settings: EmbedSettings) -> list[str]:
    """Ask whether folders that look like albums are people, and return them."""
    names = [identity_of(photo.name, settings.identity_from) for photo in listing.photos]
    albums = find_albums(names)
    people = set(names) - {""}
    if albums:
        logger.warning("%s", describe_albums(albums))
    elif settings.identity_from == "folder" and len(people) == 1 < len(names) - names.count(""):
        logger.warning("%s", describe_one_folder(people.pop()))
    return albums


def _with_resolved_roots(listing: ImageListing) -> ImageListing:
    resolved = {root: root.resolve() for root in listing.roots}
    return replace(
        listing,
        roots=tuple(dict.fromkeys(resolved.values())),
        photos=tuple(replace(photo, root=resolved[photo.root]) for photo in listing.photos),
    )


def with_ignore_files(fingerprint: Fingerprint, listing: ImageListing) -> Fingerprint:
    """Return `fingerprint` with the ignore files that say what is not read."""
    if not listing.ignore_files:
        return fingerprint
    files = {name: list(patterns) for name, patterns in listing.ignore_files.items()}
    return Fingerprint(fingerprint.space, {**fingerprint.provenance, "ignore_files": files})


@dataclass
class EmbedPlan:
    """Photos to keep, to embed and deleted ones: every input file and every known ledger entry once.

    Attributes
    ----------
    kept : list of Entry
        Photos that need no network, with the path, size and time they have now.
    pending : list of PhotoFile
        Photos to embed, in path order.
    deleted : list of Entry
        Entries whose file is no longer there.
    n_moved : int
        How many of `kept` have another path than before.
    changed : bool
        Whether any of `kept` differs from what is stored.
    """

    kept: list[Entry] = field(default_factory=list)
    pending: list[PhotoFile] = field(default_factory=list)
    deleted: list[Entry] = field(default_factory=list)
    n_moved: int = 0
    changed: bool = False


def make_plan(
    listing: ImageListing,
    known: Mapping[str, Entry],
    *,
    same_photos: Mapping[str, str] | None = None,
    on_checked: Callable[[], object] = lambda: None,
) -> EmbedPlan:
    """Compare the files of a folder with the `known` entries by path.

    A file of the same size and time keeps its entry; one of another time does if its hash is the same. A file under a
    new path takes the entry of a deleted file that had its hash. Entries with status ``error``, and those of files that
    could not even be opened, are tried again; a damaged file is not, until it changes.

    Parameters
    ----------
    listing : ImageListing
        The folder's photos.
    known : mapping of str to Entry
        Entries of the table and its part files, by stored path.
    same_photos : mapping of str to str, optional
        SHA-256 of contents that show the picture of another one -> that one's; such files need no network.
    on_checked : callable
        Called without arguments after each file, such as a progress bar's `update`.
    """
    plan = EmbedPlan()
    names = {photo.name for photo in listing.photos}
    missing = [entry for name, entry in known.items() if name not in names]
    plan.deleted, out_of_reach = _out_of_reach(missing, listing)
    plan.kept += out_of_reach
    same = same_photos or {}
    movable = _MovableEntries(plan.deleted, same)
    for photo in listing.photos:
        before = known.get(photo.name)
        entry = _entry_for(photo, before, movable=movable, same=same)
        on_checked()
        if entry is None:
            plan.pending.append(photo)
            continue
        plan.kept.append(entry)
        plan.n_moved += entry.path != entry.stored_path
        plan.changed |= entry is not before
    plan.deleted = movable.remaining()
    return plan


def cut_into_shards(photos: Sequence[PhotoFile], n_workers: int) -> list[tuple[PhotoFile, ...]]:
    """Cut `photos` into shards, small enough that `n_workers` end together and at most one part large.

    A shard is a task that any process can do, and do again: it writes its own part files. It has 16 to 256 photos; the
    last one may have fewer.

    >>> from pathlib import Path
    >>> [len(shard) for shard in cut_into_shards([PhotoFile(Path("album"), Path("a.jpg"))] * 100, 2)]
    [16, 16, 16, 16, 16, 16, 4]
    """
    size = -(-len(photos) // (n_workers * _SHARDS_A_WORKER))
    size = min(max(size, _MIN_PHOTOS_A_SHARD), MAX_PHOTOS_A_PART)
    return [tuple(photos[start : start + size]) for start in range(0, len(photos), size)]


def _out_of_reach(missing: Sequence[Entry], listing: ImageListing) -> tuple[list[Entry], list[Entry]]:
    """Split missing entries into those that are deleted and those that cannot be read here and now."""
    folders = {PurePosixPath(display_path(folder)) for folder in listing.unreadable_folders}
    unread = {photo.name for photo in listing.unread}
    deleted: list[Entry] = []
    out_of_reach: list[Entry] = []
    for entry in missing:
        is_there = entry.path in unread or not folders.isdisjoint(PurePosixPath(entry.path).parents)
        (out_of_reach if is_there else deleted).append(entry)
    return deleted, out_of_reach


class _MovableEntries:
    """Entries whose file is deleted, to be found again under another path by hash."""

    def __init__(self, deleted: Sequence[Entry], same: Mapping[str, str]) -> None:
        self._same = same
        self._entries = {entry.path: entry for entry in deleted}
        self._sizes = {entry.size for entry in deleted if _is_settled(entry)}
        self._by_hash: dict[str, list[Entry]] = defaultdict(list)
        for entry in reversed(deleted):
            if _is_settled(entry):
                self._by_hash[same.get(entry.image_sha256, entry.image_sha256)].append(entry)

    def may_have(self, size: int) -> bool:
        """Return whether an entry of a file of `size` bytes, or perhaps one with names written into it, is there."""
        return size in self._sizes or bool(self._same and self._sizes)

    def take(self, sha256: str) -> Entry | None:
        """Return and remove an entry with this hash."""
        candidates = self._by_hash.get(self._same.get(sha256, sha256))
        if not candidates:
            return None
        entry = candidates.pop()
        del self._entries[entry.path]
        return entry

    def remaining(self) -> list[Entry]:
        """Return the entries nobody took."""
        return list(self._entries.values())


def _entry_for(
    photo: PhotoFile, entry: Entry | None, *, movable: _MovableEntries, same: Mapping[str, str]
) -> Entry | None:
    """Return the entry `photo` keeps or takes over, or None if it is to be embedded."""
    try:
        status = photo.path.stat()
        size, mtime_ns = status.st_size, status.st_mtime_ns
        if entry is not None and _is_settled(entry) and (size, mtime_ns) == (entry.size, entry.mtime_ns):
            return entry
        may_be_same = entry is not None and _is_settled(entry) and (size == entry.size or bool(same))
        if not (may_be_same or movable.may_have(size)):
            return None
        sha256 = hash_file(photo.path)
    except OSError:
        return None  # the reader meets the same error and records it
    if (
        may_be_same
        and entry is not None
        and same.get(sha256, sha256) == same.get(entry.image_sha256, entry.image_sha256)
    ):
        return replace(entry, image_sha256=sha256, size=size, mtime_ns=mtime_ns)
    moved = movable.take(sha256)
    if moved is None:
        return None
    return replace(moved, path=photo.name, image_sha256=sha256, size=size, mtime_ns=mtime_ns)


def _is_settled(entry: Entry) -> bool:
    """Return whether reading the same bytes again would give the same; `error` may have been the machine's fault."""
    return entry.status != "error" and entry.image_sha256 != ""
