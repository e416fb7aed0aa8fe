"""The image files of a folder, recursively, in a fixed order, each real folder once."""

import errno
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedder.images.formats import format_of
from foundation.formats import N_FIRST_BYTES
from foundation.paths import describe_missing, display_path
from foundation.text import pluralize

logger = logging.getLogger(__name__)


IMAGE_SUFFIXES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".webp",
        ".heic",
        ".heif",
        ".hif",
        ".avif",
        ".jp2",
        ".j2k",
        ".pbm",
        ".pgm",
        ".ppm",
        ".pnm",
    }
)
"""Lower-case file suffixes that `list_images` takes for images without looking inside."""


@dataclass(frozen=True)
class ImageListing:
    """The image files of a folder.

    Attributes
    ----------
    root : Path
        The folder.
    paths : tuple of Path
        Image files relative to `root`, in path order.
    n_hidden : int
        Files and folders left out because their name begins with a dot.
    n_other : int
        Files that are no images by suffix or, where they have no suffix, by their first bytes.
    unreadable_folders : tuple of Path
        Folders, relative to `root`, that could not be listed; each is logged as a warning too.
    """

    root: Path
    paths: tuple[Path, ...]
    n_hidden: int
    n_other: int
    unreadable_folders: tuple[Path, ...] = ()

    @property
    def left_out(self) -> str:
        """Return how many files were left out, for people."""
        return f"{pluralize(self.n_hidden, 'hidden file')}, {self.n_other:,} that are no images"


def list_images(root: str | os.PathLike[str]) -> ImageListing:
    """List the image files of a folder and of all folders in it, each real folder once.

    A file is an image if its suffix is in `IMAGE_SUFFIXES`, or if it has no suffix and begins like an image. Links to
    folders are followed; a folder that can be reached in several ways is listed where it really is, if that is inside
    `root`. A link that leads nowhere is listed like the file it promises, so that its failure is seen.

    Raises
    ------
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
    walk = _Walk(folder)
    walk.visit(Path(), os.scandir(folder))
    # Real folders first, links to folders last: a person's folder keeps its own name even if a link to it sorts first.
    while walk.links:
        walk.links.sort(reverse=True)
        walk.enter(walk.links.pop())
    return ImageListing(
        folder, tuple(sorted(walk.paths)), walk.n_hidden, walk.n_other, tuple(sorted(walk.unreadable_folders))
    )


class _Walk:
    """What has been found so far in one folder tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: list[Path] = []
        self.links: list[Path] = []
        self.unreadable_folders: list[Path] = []
        self.n_hidden = 0
        self.n_other = 0
        self._seen: set[tuple[int, int]] = {_identity_of(root)}

    def enter(self, folder: Path) -> None:
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
        self.visit(folder, entries)

    def visit(self, folder: Path, entries: Iterator[os.DirEntry[str]]) -> None:
        """Sort the `entries` of `folder` into images, others and folders; go into the folders that are no links."""
        subfolders: list[Path] = []
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith("."):
                self.n_hidden += 1
            elif entry.is_symlink() and _leads_nowhere(entry):
                if Path(entry.name).suffix.lower() in IMAGE_SUFFIXES:
                    self.paths.append(path)
                else:
                    self.n_other += 1
            elif entry.is_dir():
                (self.links if entry.is_symlink() else subfolders).append(path)
            elif _is_image_file(entry):
                self.paths.append(path)
            else:
                self.n_other += 1
        for subfolder in subfolders:
            self.enter(subfolder)


def _identity_of(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _leads_nowhere(link: os.DirEntry[str]) -> bool:
    try:
        link.stat()
    except OSError:
        return True
    return False


def _is_image_file(entry: os.DirEntry[str]) -> bool:
    if not entry.is_file():
        return False  # a pipe, socket or device: reading it could wait forever
    suffix = Path(entry.name).suffix
    if suffix:
        return suffix.lower() in IMAGE_SUFFIXES
    try:
        with Path(entry.path).open("rb") as stream:
            return format_of(stream.read(N_FIRST_BYTES)) is not None
    except OSError:
        return False
