"""Cut the faces out of a folder of photos into PNG files, alone or together with other processes."""

import errno
import io
import os
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal, get_args

import numpy as np
from PIL import Image, PngImagePlugin
from tqdm import tqdm

from embedder.detection.alignment import DEFAULT_CROP_SIZE, DEFAULT_MARGIN, Alignment, CropRule, MarginMode
from embedder.detection.detector import DEFAULT_DETECTOR, Detector, FaceSelection, load_detector
from embedder.detection.mtcnn import DEFAULT_MIN_FACE_SIZE
from embedder.finding.finder import FaceFinder, FoundFaces, in_batches
from embedder.finding.upright import DEFAULT_UPRIGHT, Upright, check_upright
from embedder.folders.align_ledger import AlignLedger, AlignRecord, face_rows, upright_begun_with
from embedder.images.listing import ImageListing, PhotoFile, list_images
from embedder.images.photo import FAILED_STATUSES, STATUSES, Photo, read_photo
from embedder.images.reading import DEFAULT_MAX_PIXELS, read_picture
from foundation.atomic import write_atomically
from foundation.errors import InputError
from foundation.fingerprint import UPRIGHT
from foundation.paths import display_path
from foundation.prefetch import prefetch
from foundation.text import pluralize
from foundation.threads import thread_count

_STAMP = "facetable align"
_STAMP_WITHIN = 200
"""Crops carry the stamp in a PNG comment, which stands right behind the 33 bytes of the header."""

_PNG_LEVEL = 1
"""Fast: higher levels make crops a tenth smaller in three times the time."""

_PHOTOS_AHEAD = 32
_FAILURES_SHOWN = 10


@dataclass(frozen=True)
class AlignSummary:
    """What one run has done.

    Attributes
    ----------
    out, boxes : str
        The output folder and its list of boxes.
    n_photos, n_crops : int
        Input files, and the crops there are of them.
    n_by_status : dict
        How many input files are ``ok``, ``no_face``, ``unreadable``, ``error``.
    n_done_before : int
        Files that were finished before, or by another process meanwhile.
    n_hidden, n_other : int
        Files left out: hidden ones, and those that are no images.
    n_by_kind : dict
        Videos, camera raw photos that cannot be read here and so on, left out: what it is -> number.
    left_out : list of str
        All that was left out and what to do about it, for people.
    failures : list of dict
        ``path``, ``status`` and ``message`` of every unreadable or failed file.
    without_face : list of str
        Photos without a face.
    unreadable_folders : list of str
        Folders that could not be listed.
    seconds : float
        Wall-clock time of the run.
    """

    out: str
    boxes: str
    n_photos: int
    n_crops: int
    n_by_status: dict[str, int]
    n_done_before: int
    n_hidden: int
    n_other: int
    n_by_kind: dict[str, int]
    left_out: list[str]
    failures: list[dict[str, str]]
    without_face: list[str]
    unreadable_folders: list[str]
    seconds: float

    @property
    def all_read(self) -> bool:
        """Return whether every input file could be read and aligned."""
        return not self.failures and not self.unreadable_folders

    def to_json(self) -> dict[str, Any]:
        """Return everything, ready for `json.dumps`."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the report for people, line by line."""
        counts = self.n_by_status
        lines = [
            f"{self.out}: {pluralize(self.n_crops, 'crop')} of {pluralize(self.n_photos, 'photo')} in "
            f"{self.seconds:.1f} s; boxes: {self.boxes}",
            f"{counts['ok']:,} with a face, {counts['no_face']:,} without, {counts['unreadable']:,} unreadable, "
            f"{counts['error']:,} failed; {self.n_done_before:,} done before",
            *self.left_out,
        ]
        lines += _listed("no face", self.without_face)
        lines += _listed("failed", [f"{one['path']}: {one['message']}" for one in self.failures])
        return lines + [f"folder cannot be read: {folder}" for folder in self.unreadable_folders]


def align_folder(
    photos: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    faces: FaceSelection = "one",
    size: int = DEFAULT_CROP_SIZE,
    margin: float = DEFAULT_MARGIN,
    margin_mode: MarginMode = "scaled",
    alignment: Alignment = "box",
    min_face_size: int | Literal["auto"] = DEFAULT_MIN_FACE_SIZE,
    thresholds: Sequence[float] | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    random_order: bool = False,
    progress: bool = False,
    exclude: Sequence[str] = (),
    detector: str | Detector = DEFAULT_DETECTOR,
    upright: Upright | None = None,
) -> AlignSummary:
    """Write the faces of all photos of a folder as PNG files into the same folders under `out`.

    ``a/b.jpg`` becomes ``a/b.png``, or ``a/b_0.png``, ``a/b_1.png``, ... with all faces. Of photos that differ only in
    their suffix the later ones keep it: ``a/b.heic.png``. Photos that have been done and have not changed since are
    skipped, also those without a face; failed ones are tried again. Several processes may work on one `out`.

    Parameters
    ----------
    photos : path
        Folder of photos, read as by `embedder.images.listing.list_images`; `out` may lie inside and is left out then.
    out : path
        Folder to write to, made if need be; not `photos` itself.
    faces : {"one", "all"}
        The largest face weighted to the centre, or all.
    size, margin, margin_mode, alignment
        The crop; see `embedder.Faces.crop`.
    min_face_size, thresholds
        How small faces are, and how sure of them the detector must be; see `embedder.MTCNN`. None: its own.
    max_pixels : int
        Larger photos are unreadable, see `embedder.images.reading.read_image`.
    random_order : bool
        Take the photos in random order, so that several processes rarely work on the same one.
    progress : bool
        Show a progress bar on standard error, if that is a terminal.
    exclude : sequence of str
        What to leave out, see `embedder.images.listing.list_images`.
    detector : {"mtcnn", "centerface"} or Detector
        What finds faces: by its name, with the settings above, or an object.
    upright : {"auto", "exif"}
        Which way up photos are: ``"auto"`` looks for faces the other three ways where none is sure as the file is
        marked, and cuts them out the right way up; ``"exif"`` heeds the mark alone. None takes what `out` was begun
        with, ``"auto"`` where it is new.

    Raises
    ------
    ValueError
        If an option is not one of those above, `out` is `photos`, or `out` holds crops made with other settings.
    OSError
        If `photos` cannot be listed or holds no photo, or an output cannot be written.
    """
    start = time.monotonic()
    if faces not in get_args(FaceSelection):
        raise InputError(f"`faces` must be one of {', '.join(get_args(FaceSelection))}, got {faces!r}")
    if max_pixels < 1:
        raise InputError(f"`max_pixels` must be at least 1, got {max_pixels}")
    rule = CropRule(size, margin, margin_mode, alignment)
    root, target = Path(photos), Path(out)
    listing, sources = _list_sources(root, target, exclude)
    way_up = (upright_begun_with(target) or DEFAULT_UPRIGHT) if upright is None else upright
    check_upright(way_up)
    if isinstance(detector, str):
        detector = load_detector(detector, min_face_size=min_face_size, thresholds=thresholds)
    ledger = AlignLedger(
        target, {**detector.provenance, "faces": faces, **asdict(rule), "margin": float(margin), UPRIGHT: way_up}
    )
    try:
        finder = FaceFinder(detector, rule, select=faces, upright=way_up)
        run = _AlignRun(target, ledger, finder=finder, numbered=faces == "all", max_pixels=max_pixels)
        run.align(sources, random_order=random_order, progress=progress)
        boxes = ledger.write_csv()
    finally:
        ledger.close()
    records = [ledger.records[photo.name] for photo in sources if photo.name not in run.failures]
    counts = Counter(record.status for record in records) + Counter(one["status"] for one in run.failures.values())
    return AlignSummary(
        out=display_path(target),
        boxes=display_path(boxes),
        n_photos=len(sources),
        n_crops=sum(len(record.crops) for record in records),
        n_by_status={status: counts[status] for status in STATUSES},
        n_done_before=len(records) - run.n_finished,
        n_hidden=listing.n_hidden,
        n_other=listing.n_other,
        n_by_kind=dict(listing.n_by_kind),
        left_out=listing.left_out_lines,
        failures=[run.failures[photo] for photo in sorted(run.failures)],
        without_face=[record.photo for record in records if record.status == "no_face"],
        unreadable_folders=[display_path(folder) for folder in listing.unreadable_folders],
        seconds=time.monotonic() - start,
    )


def name_crops(photos: Iterable[str], taken: Mapping[str, str]) -> dict[str, str]:
    """Return for each photo the path of its crops without number and suffix, all different whatever the letter case.

    Parameters
    ----------
    photos : iterable of str
        Paths with ``/``; each gets its path without suffix or, if another photo has that, its whole path, at need with
        a number.
    taken : mapping of str to str
        Names that photos have already; they keep them.

    Examples
    --------
    >>> name_crops(["a/b.heic", "a/b.jpg", "c"], {})
    {'a/b.heic': 'a/b', 'a/b.jpg': 'a/b.jpg', 'c': 'c'}
    >>> name_crops(["a/b.heic", "a/b.jpg"], {"a/b.jpg": "a/b"})
    {'a/b.heic': 'a/b.heic', 'a/b.jpg': 'a/b'}
    """
    names: dict[str, str] = {}
    used = {name.casefold() for name in taken.values()}
    for photo in photos:
        name, number = PurePosixPath(photo).with_suffix("").as_posix(), 1
        while photo not in taken and name.casefold() in used:
            name, number = (photo if number == 1 else f"{photo}.{number}"), number + 1
        names[photo] = taken.get(photo, name)
        used.add(names[photo].casefold())
    return names


class _AlignRun:
    """The work of one process on one output folder."""

    def __init__(self, out: Path, ledger: AlignLedger, *, finder: FaceFinder, numbered: bool, max_pixels: int) -> None:
        self._out = out
        self._ledger = ledger
        self._finder = finder
        self._numbered = numbered
        self._read_picture = partial(read_picture, max_pixels=max_pixels)
        self._names: dict[str, str] = {}
        self.failures: dict[str, dict[str, str]] = {}
        self.n_finished = 0

    def align(self, sources: Sequence[PhotoFile], *, random_order: bool, progress: bool) -> None:
        """Align all of `sources` that nobody has aligned yet."""
        taken = {photo: record.name for photo, record in self._ledger.records.items()}
        self._names = name_crops([photo.name for photo in sources], taken)
        order = random.sample(sources, len(sources)) if random_order else sources
        threads = thread_count()
        # tqdm's None: shown on a terminal only.
        with tqdm(total=len(order), unit="photo", disable=None if progress else True) as bar:
            read = partial(read_photo, read_picture=self._read_picture)
            photos = prefetch(read, self._not_done(order, bar), threads=threads, depth=_PHOTOS_AHEAD, n_bytes=_n_bytes)
            with ThreadPoolExecutor(threads) as pool:
                for batch in in_batches(photos):
                    found = self._finder.find(batch)
                    for one, error in zip(found, pool.map(self._write, found), strict=True):
                        self._finish(one, error)
                    bar.update(len(batch))

    def _not_done(self, order: Sequence[PhotoFile], bar: "tqdm[Any]") -> Iterator[PhotoFile]:
        for source in order:
            self._ledger.refresh()
            if self._is_done(source):
                bar.update()
            else:
                yield source

    def _is_done(self, source: PhotoFile) -> bool:
        try:
            status = source.path.stat()
        except OSError:
            return False  # reading it will say why
        return self._ledger.is_done(source.name, status.st_size, status.st_mtime_ns)

    def _crops(self, found: FoundFaces) -> list[str]:
        name = self._names[found.photo.path]
        return [f"{name}_{i}.png" if self._numbered else f"{name}.png" for i in range(len(found.faces))]

    def _write(self, found: FoundFaces) -> str:
        """Write the crops of one photo; return what is wrong with a place that is not ours to write to, or ""."""
        for crop, path in zip(found.crops, self._crops(found), strict=True):
            target = self._out / path
            if target.exists() and not _is_ours(target):
                return (
                    f"expected no file or one written by align at {display_path(target)}, found another; move it "
                    "or align into another folder"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, partial(_encode, crop))
        return ""

    def _finish(self, found: FoundFaces, error: str) -> None:
        photo = found.photo
        if error or photo.status in FAILED_STATUSES:
            self.failures[photo.path] = {
                "path": photo.path,
                "status": "error" if error else photo.status,
                "message": error or photo.message,
            }
            return
        self._ledger.add(
            AlignRecord(
                photo=photo.path,
                size=photo.size,
                mtime_ns=photo.mtime_ns,
                status=photo.status,
                name=self._names[photo.path],
                crops=self._crops(found),
                faces=face_rows(found.faces),
                time_ns=time.time_ns(),
                turned=found.turned,
            )
        )
        self.n_finished += 1


def _list_sources(root: Path, out: Path, exclude: Sequence[str]) -> tuple[ImageListing, list[PhotoFile]]:
    """List the photos of `root`, those in `out` left out."""
    listing = list_images(root, exclude=exclude)
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "expected a folder to write to, found a file; name a folder", str(out))
    if root.resolve() == out.resolve():
        raise InputError(f"`out` must be another folder than the photos', got {out} for both; name a new folder")
    sources, target = list(listing.photos), out.resolve()
    if target.is_relative_to(root.resolve()):
        sources = [photo for photo in sources if not photo.path.parent.resolve().is_relative_to(target)]
    if not sources and not listing.unreadable_folders:
        raise listing.no_photos(root)
    return listing, sources


def _n_bytes(photo: Photo) -> int:
    return 0 if photo.image is None else photo.image.nbytes


def _is_ours(path: Path) -> bool:
    with path.open("rb") as stream:
        return _STAMP.encode() in stream.read(_STAMP_WITHIN)


def _encode(crop: np.ndarray, stream: IO[bytes]) -> None:
    comment = PngImagePlugin.PngInfo()
    comment.add_text("Software", _STAMP)
    encoded = io.BytesIO()  # Pillow would look for the file behind `stream`
    Image.fromarray(crop).save(encoded, "PNG", pnginfo=comment, compress_level=_PNG_LEVEL)
    stream.write(encoded.getbuffer())


def _listed(what: str, items: Sequence[str]) -> list[str]:
    shown = [f"{what}: {item}" for item in items[:_FAILURES_SHOWN]]
    more = len(items) - len(shown)
    return shown + ([f"{what}: and {more} more (--json lists all)"] if more > 0 else [])
