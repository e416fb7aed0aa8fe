"""What a photo file says of itself beside its pixels: how it is to be turned, and XMP."""

import importlib
from pathlib import Path
from typing import Any, NamedTuple

from embedder.errors import ImageError
from embedder.images.camera_raw import CameraRaw, is_camera_raw
from embedder.images.formats import format_of
from foundation.formats import N_FIRST_BYTES
from foundation.paths import display_path

_EXIF_ORIENTATION = 0x0112
_XMP_OF_TIFF = 700
_PNG_XMP = "XML:com.adobe.xmp"


class PhotoHeader(NamedTuple):
    """EXIF orientation (1 to 8) of a photo, and the XMP in it, empty for none."""

    orientation: int
    xmp: bytes


def find_photo(roots: list[Path], path: str) -> Path | None:
    """Return where the photo of a table's path is, None if it is gone."""
    return next((root / path for root in roots if (root / path).is_file()), None)


def read_header(path: Path) -> PhotoHeader:
    """Return what a photo says of itself; no pixel is decoded.

    Raises
    ------
    ImageError
        If it is no photo that can be read here.
    OSError
        If it cannot be opened.
    """
    name = display_path(path)
    with path.open("rb") as stream:
        first_bytes = stream.read(N_FIRST_BYTES)
        stream.seek(0)
        if is_camera_raw(first_bytes, path.suffix):
            with CameraRaw(stream, name) as raw:
                return PhotoHeader(raw.orientation, b"")
        known = format_of(first_bytes)
        if known is None:
            raise ImageError(f"{name}: expected a photo, found another file; scan the workspace again")
        try:
            picture = getattr(importlib.import_module(known.module), known.reader)(stream)
            orientation = picture.getexif().get(_EXIF_ORIENTATION, 1)
            if picture.format == "JXL" and not getattr(picture, "jpeg", False):
                orientation = 1  # its decoder turns it, as in `embedder.images.reading`
            return PhotoHeader(orientation if orientation in range(1, 9) else 1, _xmp_of(picture))
        except Exception as error:  # damaged metadata raise anything
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ImageError(
                f"{name}: expected a photo whose metadata can be read, found damaged ones ({reason}); copy it again"
            ) from error


def _xmp_of(picture: Any) -> bytes:
    found = picture.info.get("xmp") or picture.info.get(_PNG_XMP)
    if not found and hasattr(picture, "tag_v2"):
        found = picture.tag_v2.get(_XMP_OF_TIFF)
    if isinstance(found, str):
        return found.encode("utf-8", "replace")
    return bytes(found) if isinstance(found, bytes) else b""
