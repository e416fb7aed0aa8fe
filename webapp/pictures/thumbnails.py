"""Thumbnails: faces and photos made small once, kept below the workspace for its owner alone, deleted by forgetting."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.atomic import write_bytes_atomically
from people.store.records import Face
from people.store.scanned import ScannedFile
from people.workspace.workspace import Workspace
from webapp.pictures.photos import encode, locate_photo, second_in

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 192
"""Pixels; shown at 96 to 192 by the page, sharp on dense screens at the smaller size."""

PHOTO_SIDE = 320
"""Pixels of the longer side of a whole photo made small."""

_MARGIN = 0.35
"""Of the box's longer side, around the face, so that hair and chin are seen."""

_MOST_BESIDE = 20
"""Other faces of a photo that are cut out with one; whoever asks waits for them."""

_PRIVATE_FOLDER = 0o700
_MOST_AT_ONCE = threading.BoundedSemaphore(2)
"""A decoded photo takes up to hundreds of megabytes: no more than two at a time, however many are asked for."""


def thumbnail_path(workspace: Workspace, face: Face) -> Path:
    """Return where the thumbnail of a face is kept, whether it is there or not."""
    _, _, place = face.key.partition("_")
    return workspace.thumbnails / face.photo_sha256[:2] / f"{face.photo_sha256}-{place}.webp"


def photo_thumbnail_path(workspace: Workspace, file: ScannedFile, time_s: float = 0.0) -> Path:
    """Return where the small picture of a whole photo, or of a second of a video, is kept, whether it is or not."""
    second = f"_{round(1000 * time_s)}" if file.kind == "video" else ""
    return workspace.thumbnails / file.sha256[:2] / f"{file.sha256}-{PHOTO_SIDE}{second}.webp"


def read_photo_thumbnail(workspace: Workspace, file: ScannedFile, time_s: float = 0.0) -> bytes:
    """Return a whole photo as WebP, no side longer than `PHOTO_SIDE` pixels, made small first if need be.

    Of a video, that is its frame at the second `time_s`. Raises as `read_thumbnail`.
    """
    place = photo_thumbnail_path(workspace, file, time_s)
    kept = _read_kept(place)
    if kept is not None:
        return kept
    with _MOST_AT_ONCE:
        return _read_kept(place) or make_thumbnails(workspace, file, [], time_s=time_s)[0]


def read_thumbnail(workspace: Workspace, file: ScannedFile, face: Face, *, others: Sequence[Face] = ()) -> bytes:
    """Return the thumbnail of a face as WebP, `SIDE` pixels square, cut out first if need be.

    Parameters
    ----------
    workspace : Workspace
    file : ScannedFile
        The face's photo.
    face : Face
    others : sequence of Face
        Faces of the same photo, which are cut out while it is decoded.

    Raises
    ------
    UnknownPhotoError, FileNotFoundError
        If there is no such photo, as `locate_photo`.
    ImageError, OSError
        If it cannot be read.
    """
    kept = _read_kept(thumbnail_path(workspace, face))
    if kept is not None:
        return kept
    with _MOST_AT_ONCE:
        kept = _read_kept(thumbnail_path(workspace, face))
        if kept is not None:
            return kept
        on_it = [other for other in others if other.time_s == face.time_s]  # of a video, other faces of its frame
        missing = [other for other in on_it if not thumbnail_path(workspace, other).exists()]
        return make_thumbnails(workspace, file, [face, *missing[:_MOST_BESIDE]])[1]


def make_thumbnails(
    workspace: Workspace, file: ScannedFile, faces: Sequence[Face], *, time_s: float = 0.0
) -> list[bytes]:
    """Decode a photo once, keep it small as a whole and each of its `faces`, and return them in this order.

    Of a video the frames of its faces are decoded and kept as wholes, without a face that at `time_s`; the first is
    returned. Raises as `read_thumbnail`.
    """
    import PIL.Image

    from embedder.videos.moment import read_moment

    place = locate_photo(workspace, file)
    seconds = list(dict.fromkeys(face.time_s for face in faces)) or [time_s]
    cut: dict[Face, bytes] = {}
    wholes = []
    for second in seconds:
        photo = PIL.Image.fromarray(read_moment(place, second_in(file, second)))
        for face in faces:
            if face.time_s == second:
                cut[face] = encode(_cut(photo, face), "WEBP")
                _keep(thumbnail_path(workspace, face), cut[face])
        photo.thumbnail((PHOTO_SIDE, PHOTO_SIDE), PIL.Image.Resampling.LANCZOS)
        wholes.append(encode(photo, "WEBP"))
        _keep(photo_thumbnail_path(workspace, file, second), wholes[-1])
    return [wholes[0], *(cut[face] for face in faces)]


def _read_kept(place: Path) -> bytes | None:
    try:
        return place.read_bytes()
    except OSError:
        return None


def _cut(photo: "Image", face: Face) -> "Image":
    """Return the square around a face, moved inwards where it would leave the photo."""
    import PIL.Image

    width, height = photo.size
    x_min, y_min, x_max, y_max = face.box
    side = max((x_max - x_min) * width, (y_max - y_min) * height) * (1 + 2 * _MARGIN)
    side = max(1.0, min(side, width, height))
    left = min(max((x_min + x_max) / 2 * width - side / 2, 0), width - side)
    top = min(max((y_min + y_max) / 2 * height - side / 2, 0), height - side)
    return photo.resize((SIDE, SIDE), PIL.Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))


def _keep(place: Path, content: bytes) -> None:
    """Keep a thumbnail where that is possible: without it (a full disk, a read-only folder) it is cut again."""
    try:
        for folder in (place.parent.parent, place.parent):
            folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        write_bytes_atomically(place, content, is_private=True)
    except OSError:
        return
