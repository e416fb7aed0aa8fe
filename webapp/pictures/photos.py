"""Photos for a browser: found inside the workspace's folders alone, decoded and written anew without metadata."""

import errno
import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from embedder.images.kinds import VIDEO_SUFFIXES
from foundation.formats import hash_file
from people.errors import UnknownPhotoError
from people.sidecars.photo import find_photo
from people.store.scanned import ScannedFile
from people.workspace.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 85


def locate_photo(workspace: Workspace, file: ScannedFile) -> Path:
    """Return where a photo of the newest table lies.

    Raises
    ------
    UnknownPhotoError
        If it is a video, or leads out of the workspace's photo folders.
    FileNotFoundError
        If it is gone, or another photo has taken its place since the scan.
    """
    roots = [Path(root) for root in workspace.photo_folders]
    if Path(file.path).suffix.lower() in VIDEO_SUFFIXES:
        raise UnknownPhotoError(f"{file.path}: expected a photo, found a video")
    place = find_photo(roots, file.path)
    if place is None:
        raise FileNotFoundError(errno.ENOENT, "expected the photo, found nothing; scan the workspace again", file.path)
    if not any(place.resolve().is_relative_to(root.resolve()) for root in roots):
        raise UnknownPhotoError(f"{file.path}: leads out of the photo folders")
    if hash_file(place) != file.sha256:
        raise FileNotFoundError(
            errno.ENOENT, "expected the photo that was scanned, found another; scan the workspace again", file.path
        )
    return place


def render_photo(place: Path, max_side: int) -> bytes:
    """Return a photo as JPEG, upright, no side longer than `max_side` pixels, without metadata.

    Raises
    ------
    ImageError, OSError
        If it cannot be read.
    """
    import PIL.Image

    from embedder.images.reading import read_image

    picture = PIL.Image.fromarray(read_image(place))
    picture.thumbnail((max_side, max_side), PIL.Image.Resampling.LANCZOS)
    return encode(picture, "JPEG")


def encode(picture: "Image", kind: Literal["JPEG", "WEBP"]) -> bytes:
    """Return the bytes of a picture's file."""
    stream = io.BytesIO()
    picture.save(stream, kind, quality=_QUALITY)
    return stream.getvalue()
