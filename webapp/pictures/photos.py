"""Photos for a browser: found inside the workspace's folders alone, decoded and written anew without metadata."""

import errno
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from foundation.formats import hash_file
from people.errors import UnknownPhotoError
from people.sidecars.photo import find_photo
from people.store.scanned import ScannedFile
from people.workspace.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 85


def locate_photo(workspace: Workspace, file: ScannedFile) -> Path:
    """Return where a photo or video of the newest table lies.

    Raises
    ------
    UnknownPhotoError
        If it leads out of the workspace's photo folders.
    FileNotFoundError
        If it is gone, or another photo has taken its place since the scan.
    """
    place = locate_file(workspace, file.path)
    if not file.has_content(hash_file(place)):
        raise FileNotFoundError(
            errno.ENOENT, "expected the photo that was scanned, found another; scan the workspace again", file.path
        )
    return place


def locate_file(workspace: Workspace, path: str) -> Path:
    """Return where a file lies whose path a scan has told.

    Raises
    ------
    UnknownPhotoError
        If it leads out of the workspace's photo folders.
    FileNotFoundError
        If it is gone.
    """
    roots = [Path(root) for root in workspace.photo_folders]
    place = find_photo(roots, path)
    if place is None:
        raise FileNotFoundError(
            errno.ENOENT, "expected the photo, found nothing; scan again, with --prune if it was deleted", path
        )
    if not any(place.resolve().is_relative_to(root.resolve()) for root in roots):
        raise UnknownPhotoError(f"{path}: leads out of the photo folders")
    return place


def second_in(file: ScannedFile, time_s: float) -> float:
    """Return a second as `embedder.videos.moment.read_moment` takes it: NaN of photos."""
    return time_s if file.kind == "video" else math.nan


def render_photo(place: Path, max_side: int, *, time_s: float = math.nan, max_pixels: int | None = None) -> bytes:
    """Return a photo as JPEG, upright, no side longer than `max_side` pixels, without metadata.

    Of a video, that is its frame at the second `time_s`; NaN for photos. What has more than `max_pixels` is refused, by
    default what a scan refuses.

    Raises
    ------
    ImageError, OSError
        If it cannot be read.
    """
    import PIL.Image

    from embedder.videos.moment import read_moment

    limits = {} if max_pixels is None else {"max_pixels": max_pixels}
    picture = PIL.Image.fromarray(read_moment(place, time_s, **limits))
    picture.thumbnail((max_side, max_side), PIL.Image.Resampling.LANCZOS)
    return encode(picture, "JPEG")


def encode(picture: "Image", kind: Literal["JPEG", "WEBP"]) -> bytes:
    """Return the bytes of a picture's file."""
    stream = io.BytesIO()
    picture.save(stream, kind, quality=_QUALITY)
    return stream.getvalue()
