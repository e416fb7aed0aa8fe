"""What a run from photos to a table has done, for people and as JSON."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedder.images.listing import ImageListing
from embedder.images.photo import FAILED_STATUSES, STATUSES
from embedder.tables.album_names import describe_albums
from embedder.tables.assembly import Entry
from foundation.paths import display_path
from foundation.text import pluralize

FAILURES_SHOWN = 10
WHY_UNLIKE = " (their faces are mostly unlike each other)"


@dataclass(frozen=True)
class EmbedSummary:
    """Counts and failures of one run.

    Attributes
    ----------
    table : str
        The finished table.
    n_photos, n_videos, n_faces : int
        Input files that are there now, how many of them are videos, and the faces the table holds of them.
    n_by_status : dict
        Of these files: how many are ``ok``, ``no_face``, ``unreadable``, ``error``.
    n_embedded, n_kept, n_moved : int
        Files that went through the networks in this run, those that had not to, and how many of these had moved.
    n_hidden, n_other, n_excluded, n_beside : int
        Files left out: hidden ones, those that are no images, those (folders too) that were excluded, and camera raw
        photos beside a picture of the same name.
    n_by_kind : dict
        Videos, camera raw photos that cannot be read here and so on, left out: what it is -> number.
    left_out : list of str
        All that was left out and what to do about it, for people.
    failures : list of dict
        ``path``, ``status`` and ``message`` of every unreadable or failed file.
    without_face : list of str
        Photos without a face.
    gone : list of str
        Deleted photos; the table still has them unless `n_pruned` counts them.
    excluded : list of str
        Photos that are there and were excluded since; the table still has them unless `n_pruned` counts them.
    n_pruned : int
        Deleted and excluded photos removed from the table.
    unreadable_folders : list of str
        Folders that could not be listed; what the table holds of them stays.
    skipped_folders : dict
        Name -> number of folders of other programs' thumbnails and deleted files, which were not looked into.
    albums, unlike : list of str
        Identities that are rather albums: by their names, and by faces that are mostly unlike each other.
    seconds : float
        Wall-clock time of the run.
    stage_seconds : dict
        Seconds spent ``reading``, ``detecting``, ``embedding`` and ``writing``, added up over all threads and
        processes.
    """

    table: str
    n_photos: int
    n_videos: int
    n_faces: int
    n_by_status: dict[str, int]
    n_embedded: int
    n_kept: int
    n_moved: int
    n_hidden: int
    n_other: int
    n_excluded: int
    n_beside: int
    n_by_kind: dict[str, int]
    left_out: list[str]
    failures: list[dict[str, str]]
    without_face: list[str]
    gone: list[str]
    excluded: list[str]
    n_pruned: int
    unreadable_folders: list[str]
    skipped_folders: dict[str, int]
    albums: list[str]
    unlike: list[str]
    seconds: float
    stage_seconds: dict[str, float]

    @property
    def photos_per_second(self) -> float:
        """Return how many photos a second went through the networks."""
        return self.n_embedded / self.seconds if self.seconds > 0 else 0.0

    @property
    def all_read(self) -> bool:
        """Return whether every input file could be read and embedded."""
        return not self.failures and not self.unreadable_folders

    @property
    def _files(self) -> str:
        n_photos = self.n_photos - self.n_videos
        of_videos = [pluralize(self.n_videos, "video")] if self.n_videos else []
        of_photos = [pluralize(n_photos, "photo")] if n_photos or not of_videos else []
        return " and ".join([*of_photos, *of_videos])

    def to_json(self) -> dict[str, Any]:
        """Return everything, ready for `json.dumps`."""
        return {**asdict(self), "photos_per_second": self.photos_per_second}

    def lines(self) -> list[str]:
        """Return the report for people, line by line."""
        counts = self.n_by_status
        lines = [
            f"{self.table}: {pluralize(self.n_faces, 'face')} of {self._files}; "
            f"no face: {counts['no_face']:,}, unreadable: {counts['unreadable']:,}, error: {counts['error']:,}",
            f"embedded {self.n_embedded:,}, kept {self.n_kept:,} (moved: {self.n_moved:,}) in {self.seconds:.1f} s"
            + (f", {self.photos_per_second:.1f} photos/s" if self.n_embedded else ""),
        ]
        lines += self.left_out
        lines += _listed(f"{failure['status']}: {failure['path']}: {failure['message']}" for failure in self.failures)
        lines += _listed(f"unreadable folder: {folder}" for folder in self.unreadable_folders)
        lines += _listed(f"no face: {path}" for path in self.without_face)
        for what, paths in (("deleted", self.gone), ("excluded", self.excluded)):
            if paths and self.n_pruned:
                lines.append(f"removed {pluralize(len(paths), f'{what} photo')} from the table")
            elif paths:
                lines.append(f"{pluralize(len(paths), f'{what} photo')} still in the table; --prune removes them:")
                lines += _listed(f"{what}: {path}" for path in paths)
        unlike = [name for name in self.unlike if name not in self.albums]
        return [*lines, *([describe_albums(unlike, why=WHY_UNLIKE)] if unlike else [])]


def summarize(
    table: Path,
    listing: ImageListing,
    present: Sequence[Entry],
    *,
    deleted: Sequence[Entry],
    n_embedded: int,
    n_moved: int,
    pruned: bool,
    albums: Sequence[str],
    unlike: Sequence[str],
    seconds: float,
    stage_seconds: dict[str, float],
) -> EmbedSummary:
    """Return the summary of a run; `present` are the table's entries whose files are there."""
    counts = Counter(entry.status for entry in present)
    gone = [entry.path for entry in deleted if not _is_there(listing, entry.path)]
    return EmbedSummary(
        table=display_path(table),
        n_photos=len(present),
        n_videos=sum(entry.kind == "video" for entry in present),
        n_faces=sum(entry.n_faces for entry in present),
        n_by_status={status: counts[status] for status in STATUSES},
        n_embedded=n_embedded,
        n_kept=len(present) - n_embedded,
        n_moved=n_moved,
        n_hidden=listing.n_hidden,
        n_other=listing.n_other,
        n_excluded=listing.n_excluded,
        n_beside=listing.n_beside,
        n_by_kind=dict(listing.n_by_kind),
        left_out=listing.left_out_lines,
        failures=[
            {"path": entry.path, "status": entry.status, "message": entry.message}
            for entry in present
            if entry.status in FAILED_STATUSES
        ],
        without_face=[entry.path for entry in present if entry.status == "no_face"],
        gone=gone,
        excluded=[entry.path for entry in deleted if entry.path not in set(gone)],
        n_pruned=len(deleted) if pruned else 0,
        unreadable_folders=[display_path(folder) for folder in listing.unreadable_folders],
        skipped_folders=dict(listing.skipped_folders),
        albums=list(albums),
        unlike=list(unlike),
        seconds=seconds,
        stage_seconds=stage_seconds,
    )


def _is_there(listing: ImageListing, path: str) -> bool:
    return any((root / path).exists() for root in listing.roots)


def _listed(lines: Iterable[str]) -> list[str]:
    lines = list(lines)
    shown = [f"  {line}" for line in lines[:FAILURES_SHOWN]]
    if len(lines) > FAILURES_SHOWN:
        shown.append(f"  ... and {len(lines) - FAILURES_SHOWN:,} more (--json lists all)")
    return shown
