"""The image files of a folder, recursively, in a fixed order, each real folder once."""

import errno
import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from embedder.images.exclusion import IGNORE_FILE, Exclusion
from embedder.images.formats import format_of
from embedder.images.kinds import OTHER_KINDS, PHOTO_SUFFIXES, RAW_SUFFIXES, VIDEO, VIDEO_SUFFIXES, describe_left_out
from foundation.errors import InputError
from foundation.formats import N_FIRST_BYTES
from foundation.paths import describe_missing, display_path
from foundation.text import pluralize

logger = logging.getLogger(__name__)


SKIPPED_FOLDERS = frozenset(
    {
        "@eadir",  # Synology: thumbnails
        "#recycle",
        "#snapshot",
        "@recycle",  # QNAP
        ".@__thumb",
        "@recently-snapshot",
        "$recycle.bin",  # Windows
        "system volume information",
        "__macosx",  # archives made on a Mac
        "lost+found",
        "ipod photo cache",
    }
)
"""Lower-case names of folders in which other programs keep thumbnails and deleted files: copies, and nobody's name."""


@dataclass(frozen=True)
class PhotoFile:
    """An input file, where it is and what it is called in tables, ledgers and events.

    Attributes
    ----------
    root, relative : Path
        The folder that was named, and the file's path below it.
    """

    root: Path
    relative: Path

    @property
    def path(self) -> Path:
        """Return where the file is opened."""
        return self.root / self.relative

    @property
    def name(self) -> str:
        """Return its stored name: relative, ``/`` between folders, bytes that are not UTF-8 escaped."""
        return display_path(self.relative)

    @property
    def is_video(self) -> bool:
        """Return whether it is a video by its suffix."""
        return self.relative.suffix.lower() in VIDEO_SUFFIXES


@dataclass(frozen=True)
class ImageListing:
    """The image files of a folder, or of several folders and files.

    Attributes
    ----------
    roots : tuple of Path
        The folders, and the folders of single files.
    photos : tuple of PhotoFile
        Image files and, where they were asked for, videos, all of different names, in path order.
    n_hidden : int
        Files and folders left out because their name begins with a dot.
    n_other : int
        Files that are no images by suffix or, where they have no suffix, by their first bytes; those of `n_by_kind` not
        counted.
    unreadable_folders : tuple of Path
        Folders, relative to their root, that could not be listed; each is logged as a warning too.
    skipped_folders : dict
        Name -> number of folders of that name that were not looked into, see `SKIPPED_FOLDERS`; logged too.
    n_by_kind : dict
        Camera raw and JPEG XL photos whose reader is not installed, videos and so on: what it is called -> number, see
        `embedder.images.kinds.OTHER_KINDS`.
    unread : tuple of PhotoFile
        The photos and videos among these: what a table knows of them stays.
    n_beside : int
        Camera raw photos that were left out for a picture of the same name beside them, which shows the same.
    n_excluded : int
        Files and folders that `exclude` or an ignore file leaves out.
    ignore_files : dict
        Name of each ignore file that was found -> its patterns.
    """

    roots: tuple[Path, ...]
    photos: tuple[PhotoFile, ...]
    n_hidden: int
    n_other: int
    unreadable_folders: tuple[Path, ...] = ()
    skipped_folders: Mapping[str, int] = field(default_factory=dict)
    n_by_kind: Mapping[str, int] = field(default_factory=dict)
    unread: tuple[PhotoFile, ...] = ()
    n_beside: int = 0
    n_excluded: int = 0
    ignore_files: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Return the folder, the first one of several."""
        return self.roots[0]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the image files' paths, relative to their roots."""
        return tuple(photo.relative for photo in self.photos)

    @property
    def left_out(self) -> str:
        """Return how many files were left out, for people, without a remedy for those of `n_by_kind`."""
        parts = [pluralize(self.n_hidden, "hidden file"), f"{self.n_other:,} that are no images"]
        if self.n_beside:
            beside = pluralize(self.n_beside, "camera raw photo")
            parts.append(f"{beside} beside a picture of the same name")
        if self.n_excluded:
            parts.append(f"{self.n_excluded:,} excluded")
        return ", ".join(parts)

    @property
    def left_out_lines(self) -> list[str]:
        """Return what was left out and what to do about it, for people, line by line; nothing if nothing was."""
        some = self.n_hidden or self.n_other or self.n_beside or self.n_excluded
        kinds = describe_left_out(self.n_by_kind)
        return [*([f"left out: {self.left_out}"] if some else []), *([kinds] if kinds else [])]

    def no_photos(self, *named: str | os.PathLike[str]) -> FileNotFoundError:
        """Return the error that there are no photos and what there is instead; `named` is what the user named."""
        otherwise = f"check `exclude` and {IGNORE_FILE}" if self.n_excluded else "check the path"
        remedy = describe_left_out(self.n_by_kind) or otherwise
        return FileNotFoundError(
            errno.ENOENT,
            f"expected photos in this folder, found none ({self.left_out}); {remedy}",
            ", ".join(map(str, named)),
        )


def list_images(root: str | os.PathLike[str], *, exclude: Sequence[str] = (), videos: bool = False) -> ImageListing:
    """List the image files of a folder and of all folders in it, each real folder once.

    A file is an image if its suffix says so (`embedder.images.kinds`) and it can be read here, or if it has no suffix
    and begins like an image. Links to folders are followed; a folder that can be reached in several ways is listed
    where it really is, if that is inside `root`. A link that leads nowhere is listed like the file it promises, so that
    its failure is seen. Not looked into are folders in which other programs keep thumbnails and deleted files
    (`SKIPPED_FOLDERS`), unless `root` is one, and what `exclude` or a file ``.facetableignore`` leaves out
    (`embedder.images.exclusion`). Of a camera's pair of raw photo and picture the picture alone is listed.

    Parameters
    ----------
    root : path
    exclude : sequence of str
        Patterns as in ``.gitignore``, relative to `root`.
    videos : bool
        List videos, too; else they are counted as left out.

    Raises
    ------
    InputError
        If a pattern is none, or an ignore file holds no patterns.
    OSError
        If `root` is missing, is not a folder, or may not be listed.
    """
    folder = Path(root)
    if not folder.exists():
        raise FileNotFoundError(
            errno.ENOENT, f"expected a folder of photos, found {describe_missing(folder)}", str(folder)
        )
    if not folder.is_dir():
        raise NotADirectoryError(
            errno.ENOTDIR, "expected a folder of photos, found a file; name the folder it is in", str(folder)
        )
    return _list_folder(folder, Exclusion.of(exclude), videos=videos)


def list_inputs(
    inputs: Sequence[str | os.PathLike[str]], *, exclude: Sequence[str] = (), videos: bool = False
) -> ImageListing:
    """List the image files of several folders, and single image files, as `list_images` does for one folder.

    A photo's name is its path below the folder that was named; a single file's name is its file name. Single files are
    never left out.

    Raises
    ------
    InputError
        If there are no inputs, or two files would have the same name; both are named.
    OSError
        If an input is missing or may not be listed.
    """
    if not inputs:
        raise InputError("`photos` must name at least one folder or photo, got none")
    listings = [
        _list_file(Path(one)) if Path(one).is_file() else list_images(one, exclude=exclude, videos=videos)
        for one in inputs
    ]
    known: dict[str, PhotoFile] = {}
    for photo in (photo for listing in listings for photo in listing.photos):
        other = known.setdefault(photo.name, photo)
        if other is not photo and not photo.path.samefile(other.path):
            raise InputError(
                f"expected photos of different names below the folders given, found {display_path(other.path)} and "
                f"{display_path(photo.path)}, both {photo.name!r}; rename one, or name a folder above both"
            )
    return ImageListing(
        roots=tuple(dict.fromkeys(root for listing in listings for root in listing.roots)),
        photos=tuple(sorted(known.values(), key=lambda photo: photo.relative)),
        n_hidden=sum(listing.n_hidden for listing in listings),
        n_other=sum(listing.n_other for listing in listings),
        unreadable_folders=tuple(folder for listing in listings for folder in listing.unreadable_folders),
        skipped_folders=sum((Counter(listing.skipped_folders) for listing in listings), Counter()),
        n_by_kind=sum((Counter(listing.n_by_kind) for listing in listings), Counter()),
        unread=tuple(photo for listing in listings for photo in listing.unread),
        n_beside=sum(listing.n_beside for listing in listings),
        n_excluded=sum(listing.n_excluded for listing in listings),
        ignore_files={
            display_path(listing.root / name): patterns
            for listing in listings
            for name, patterns in listing.ignore_files.items()
        },
    )


def _list_file(path: Path) -> ImageListing:
    return ImageListing((path.parent,), (PhotoFile(path.parent, Path(path.name)),), 0, 0)


def _list_folder(folder: Path, exclusion: Exclusion, *, videos: bool) -> ImageListing:
    walk = _Walk(folder, videos=videos)
    walk.visit(Path(), os.scandir(folder), exclusion)
    # Real folders first, links to folders last: a person's folder keeps its own name even if a link to it sorts first.
    while walk.links:
        walk.links.sort(key=lambda link: link[0], reverse=True)
        walk.enter(*walk.links.pop())
    if walk.skipped:
        logger.info(
            "%s: not looked into, thumbnails and deleted files of other programs: %s",
            display_path(folder),
            ", ".join(f"{name} ({n})" for name, n in sorted(walk.skipped.items())),
        )
    return ImageListing(
        roots=(folder,),
        photos=_named_once(PhotoFile(folder, path) for path in sorted(walk.paths)),
        n_hidden=walk.n_hidden,
        n_other=walk.n_other,
        unreadable_folders=tuple(sorted(walk.unreadable_folders)),
        skipped_folders=dict(walk.skipped),
        n_by_kind=dict(walk.n_by_kind),
        unread=tuple(PhotoFile(folder, path) for path in sorted(walk.unread)),
        n_beside=walk.n_beside,
        n_excluded=walk.n_excluded,
        ignore_files={name: walk.ignore_files[name] for name in sorted(walk.ignore_files)},
    )


def _named_once(photos: Iterable[PhotoFile]) -> tuple[PhotoFile, ...]:
    """Leave out photos whose name another one has: names that are not UTF-8 can become equal when they are escaped."""
    kept: dict[str, PhotoFile] = {}
    for photo in photos:
        if photo.name in kept:
            logger.warning(
                "%s: two files have this name once it is written as UTF-8; the second is left out, rename one of them",
                photo.name,
            )
        kept.setdefault(photo.name, photo)
    return tuple(kept.values())


class _Walk:
    """What has been found so far in one folder tree."""

    def __init__(self, root: Path, *, videos: bool) -> None:
        self.root = root
        self.paths: list[Path] = []
        self.links: list[tuple[Path, Exclusion]] = []
        self.unreadable_folders: list[Path] = []
        self.skipped: Counter[str] = Counter()
        self.n_by_kind: Counter[str] = Counter()
        self.unread: list[Path] = []
        self.ignore_files: dict[str, list[str]] = {}
        self.n_hidden = 0
        self.n_other = 0
        self.n_beside = 0
        self.n_excluded = 0
        self._seen: set[tuple[int, int]] = {_identity_of(root)}
        left_out = [kind for kind in OTHER_KINDS if not kind.is_read and not (videos and kind.noun == VIDEO)]
        self._left_out = {suffix: kind for kind in left_out for suffix in kind.suffixes}
        self._suffixes = PHOTO_SUFFIXES | VIDEO_SUFFIXES if videos else PHOTO_SUFFIXES

    def enter(self, folder: Path, exclusion: Exclusion) -> None:
        """List `folder` (relative to the root) unless that has been done under another path."""
        try:
            identity = _identity_of(self.root / folder)
            if identity in self._seen:
                return
            self._seen.add(identity)
            entries = os.scandir(self.root / folder)
        except OSError as error:
            logger.warning(
                "%s: folder cannot be read (%s); its photos are left out", display_path(folder), error.strerror
            )
            self.unreadable_folders.append(folder)
            return
        self.visit(folder, entries, exclusion)

    def visit(self, folder: Path, entries: Iterable[os.DirEntry[str]], exclusion: Exclusion) -> None:
        """Sort the `entries` of `folder` into images, others and folders; go into the folders that are no links."""
        entries = list(entries)
        if any(entry.name == IGNORE_FILE for entry in entries):
            exclusion, patterns = exclusion.inside(folder, self.root / folder / IGNORE_FILE)
            self.ignore_files[display_path(folder / IGNORE_FILE)] = patterns
        images: list[Path] = []
        subfolders: list[Path] = []
        for entry in entries:
            path = folder / entry.name
            leads_nowhere = entry.is_symlink() and _leads_nowhere(entry)
            is_folder = not leads_nowhere and entry.is_dir()
            if is_folder and entry.name.casefold() in SKIPPED_FOLDERS:
                self.skipped[entry.name] += 1
            elif entry.name.startswith("."):
                self.n_hidden += entry.name != IGNORE_FILE
            elif exclusion.leaves_out(path, is_folder=is_folder):
                self.n_excluded += 1
            elif leads_nowhere:
                self._take_file(path, images, is_image=path.suffix.lower() in self._suffixes)
            elif is_folder and entry.is_symlink():
                self.links.append((path, exclusion))
            elif is_folder:
                subfolders.append(path)
            else:
                self._take_file(path, images, is_image=_is_image_file(entry, self._suffixes))
        self._take_images(images)
        for subfolder in subfolders:
            self.enter(subfolder, exclusion)

    def _take_file(self, path: Path, images: list[Path], *, is_image: bool) -> None:
        kind = self._left_out.get(path.suffix.lower())
        if kind is not None:
            self.n_by_kind[kind.noun] += 1
            if kind.module or kind.noun == VIDEO:
                self.unread.append(path)
        elif is_image:
            images.append(path)
        else:
            self.n_other += 1

    def _take_images(self, images: Sequence[Path]) -> None:
        """Take the images of one folder; of a camera's pair of raw photo and picture the picture alone."""
        others = RAW_SUFFIXES | VIDEO_SUFFIXES
        pictures = {path.stem.casefold() for path in images if path.suffix.lower() not in others}
        kept = [
            path for path in images if path.suffix.lower() not in RAW_SUFFIXES or path.stem.casefold() not in pictures
        ]
        self.n_beside += len(images) - len(kept)
        self.paths += kept


def _identity_of(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _leads_nowhere(link: os.DirEntry[str]) -> bool:
    try:
        link.stat()
    except OSError:
        return True
    return False


def _is_image_file(entry: os.DirEntry[str], suffixes: Set[str]) -> bool:
    if not entry.is_file():
        return False  # a pipe, socket or device: reading it could wait forever
    suffix = Path(entry.name).suffix
    if suffix:
        return suffix.lower() in suffixes
    try:
        with Path(entry.path).open("rb") as stream:
            return format_of(stream.read(N_FIRST_BYTES)) is not None
    except OSError:
        return False
