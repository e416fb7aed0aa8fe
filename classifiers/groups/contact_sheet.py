"""Draw contact sheets: one self-contained HTML page that shows groups of faces."""

import base64
import html
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from foundation.atomic import atomic_writer

# Side of a thumbnail, pixels, and its JPEG quality.
THUMBNAIL_SIZE = 112
_THUMBNAIL_QUALITY = 80

# How much of the photo around the face a thumbnail shows: its side over the face's longer side.
_SURROUNDINGS = 1.4

# Light or dark, as the reader's system is.
_STYLE = """
:root { color-scheme: light dark; --page: #fafafa; --text: #222; --dim: #5c5c5c; --empty: #ccc; }
@media (prefers-color-scheme: dark) {
  :root { --page: #17191c; --text: #e4e4e4; --dim: #a3a3a3; --empty: #3a3d42; }
}
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: var(--text); background: var(--page); }
h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; }
h2 small, p { color: var(--dim); font-weight: normal; }
ul { display: flex; flex-wrap: wrap; gap: 6px; list-style: none; margin: 0; padding: 0; }
li { width: %(size)dpx; font-size: 11px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  color: var(--dim); }
img, .missing { display: block; width: %(size)dpx; height: %(size)dpx; border-radius: 4px; background: var(--empty); }
a { color: inherit; text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
"""


@dataclass(frozen=True)
class Section:
    """Section of a page: some faces under a heading.

    Attributes
    ----------
    heading, remark : str
        Plain text.
    rows : sequence of int
        Rows to show, in this order.
    captions : sequence of str
        Plain text below each face, and in full when the pointer rests on it.
    photos : sequence of Path, optional
        Photo of each face, which a click opens; none for those without.
    """

    heading: str
    remark: str
    rows: Sequence[int]
    captions: Sequence[str]
    photos: Sequence[Path | None] = ()


def cut_thumbnails(
    rows: Iterable[int],
    paths: Sequence[str] | NDArray[np.object_],
    boxes: NDArray[np.floating],
    *,
    read_photo: Callable[[str], NDArray[np.uint8]],
    size: int = THUMBNAIL_SIZE,
) -> dict[int, bytes]:
    """Return a square JPEG of each of `rows`, by row; rows whose photo cannot be read are left out.

    Parameters
    ----------
    rows : iterable of int
    paths : (n,) str
        Photo of each row.
    boxes : (n, 4) float
        Pixels: x_min, y_min, x_max, y_max, max exclusive.
    read_photo : callable
        Path to uint8 (h, w, 3) RGB; raises OSError or ValueError.
    size : int
        Side of a thumbnail, pixels.
    """
    of_photo: dict[str, list[int]] = {}
    for row in rows:
        of_photo.setdefault(paths[row], []).append(row)
    thumbnails: dict[int, bytes] = {}
    for path, in_photo in tqdm(sorted(of_photo.items()), desc="contact sheet", unit="photo", disable=None, delay=1):
        try:
            photo = read_photo(path)
        except (OSError, ValueError):
            continue
        thumbnails |= {row: _thumbnail(photo, boxes[row], size=size) for row in in_photo}
    return thumbnails


def render(
    title: str,
    sections: Iterable[Section],
    thumbnails: Mapping[int, bytes],
    *,
    remark: str = "",
    size: int = THUMBNAIL_SIZE,
) -> str:
    """Return the HTML page: no script, links to photos alone, all text escaped; no thumbnail gives a grey tile.

    Parameters
    ----------
    title : str
        Plain text.
    sections : iterable of Section
    thumbnails : mapping
        Row to JPEG, from `cut_thumbnails`.
    remark : str
        Plain text below the title.
    size : int
        Side of a thumbnail on the page, pixels.
    """
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{html.escape(title)}</title>",
        f"<style>{_STYLE % {'size': size}}</style>",
        "</head>",
        "<body>",
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{html.escape(remark)}</p>",
    ]
    for section in sections:
        parts.append(f"<h2>{html.escape(section.heading)} <small>{html.escape(section.remark)}</small></h2>")
        parts.append("<ul>")
        photos = section.photos or [None] * len(section.rows)
        parts += [
            _tile(thumbnails.get(row), caption, photo)
            for row, caption, photo in zip(section.rows, section.captions, photos, strict=True)
        ]
        parts.append("</ul>")
    return "\n".join([*parts, "</body>", "</html>", ""])


def write_page(path: str | Path, page: str) -> None:
    """Write `page`, replacing the file in one step.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    target = Path(path).resolve()
    with atomic_writer(target, is_private=True) as stream:
        # A path may hold what no encoding has: written as a character reference, it cannot fail.
        stream.write(page.encode("utf-8", "xmlcharrefreplace"))


def _tile(thumbnail: bytes | None, caption: str, photo: Path | None) -> str:
    text = html.escape(caption, quote=True)
    if thumbnail is None:
        return f'<li title="{text} (photo not found)"><span class="missing"></span>{text}</li>'
    data = base64.b64encode(thumbnail).decode("ascii")
    shown = f'<img alt="" loading="lazy" decoding="async" src="data:image/jpeg;base64,{data}">{text}'
    if photo is not None:
        # An address of a file on this machine, whatever the name: all but plain characters are encoded in it.
        shown = f'<a href="{html.escape(photo.absolute().as_uri(), quote=True)}">{shown}</a>'
    return f'<li title="{text}">{shown}</li>'


def _thumbnail(photo: NDArray[np.uint8], box: NDArray[np.floating], *, size: int) -> bytes:
    from PIL import Image, ImageOps

    height, width = photo.shape[:2]
    x_min, y_min, x_max, y_max = (float(value) for value in box)
    half = max(x_max - x_min, y_max - y_min, 1.0) * _SURROUNDINGS / 2
    x, y = (x_min + x_max) / 2, (y_min + y_max) / 2
    left, top = (int(np.clip(low - half, 0, limit - 1)) for low, limit in ((x, width), (y, height)))
    right, bottom = (
        int(np.clip(high + half, low + 1, limit)) for high, low, limit in ((x, left, width), (y, top, height))
    )
    face = ImageOps.pad(Image.fromarray(photo[top:bottom, left:right]), (size, size))
    stream = io.BytesIO()
    face.save(stream, "JPEG", quality=_THUMBNAIL_QUALITY)
    return stream.getvalue()
