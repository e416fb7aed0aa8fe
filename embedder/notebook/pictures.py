"""Pictures of faces for notebooks: a face cut out with what is around it, and rows of thumbnails as HTML."""

import base64
import html
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from embedder.videos.moment import read_shown

THUMBNAIL_SIZE = 80
_JPEG_QUALITY = 80

# How much of the photo around the face is shown: the picture's side over the face's longer side.
_SURROUNDINGS = 1.4

_TILE = f"display:inline-block;width:{THUMBNAIL_SIZE}px;margin:2px;font-size:11px;vertical-align:top;overflow:hidden"
_GREY = f"display:block;width:{THUMBNAIL_SIZE}px;height:{THUMBNAIL_SIZE}px;background:#ccc"


def cut_face(photo: np.ndarray, box: np.ndarray, *, size: int | None = None) -> Image.Image:
    """Return a face with a little around it, or the whole photo where the box has no area.

    Parameters
    ----------
    photo : (h, w, 3) uint8
    box : (4,) float
        Pixels: x_min, y_min, x_max, y_max, max exclusive.
    size : int, optional
        Longest side of the picture in pixels; by default as many as the photo has there.
    """
    picture = Image.fromarray(photo)
    sides = np.asarray(box[2:], np.float64) - box[:2]
    if np.all(sides > 0):
        centre, half = (np.asarray(box[:2], np.float64) + box[2:]) / 2, sides.max() * _SURROUNDINGS / 2
        low = np.clip(np.floor(centre - half), 0, np.array(picture.size) - 1).astype(int)
        high = np.maximum(np.clip(np.ceil(centre + half), 1, picture.size).astype(int), low + 1)
        picture = picture.crop((*low.tolist(), *high.tolist()))
    if size is not None:
        picture.thumbnail((size, size))
    return picture


def tiles(faces: Iterable[tuple[Path, np.ndarray, str]]) -> str:
    """Return thumbnails side by side as HTML; a grey tile where a photo cannot be read.

    Parameters
    ----------
    faces : iterable of (photo, box, caption)
    """
    return "".join(
        f'<div style="{_TILE}">{_thumbnail(photo, box)}{html.escape(caption) or "&nbsp;"}</div>'
        for photo, box, caption in faces
    )


def _thumbnail(photo: Path, box: np.ndarray) -> str:
    try:
        picture = cut_face(read_shown(photo), box, size=THUMBNAIL_SIZE)
    except (OSError, ValueError):
        return f'<span style="{_GREY}"></span>'
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=_JPEG_QUALITY)
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode("ascii")}">'
