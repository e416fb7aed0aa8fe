"""Draw explanations: the face in question beside the enrolled photos nearest to it."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.contact_sheet import Section, cut_thumbnails, render, write_page
from classifiers.members.explanation import Explanation
from foundation.atomic import atomic_writer
from foundation.drawing.rendered_text import shorten, text_plate
from foundation.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TILE_INCHES = 1.5
# Text is drawn larger than it is shown: it stays sharp.
_PIXELS_PER_POINT = 4
_WIDEST_CAPTION = 13
_PAPER, _INK = (255, 255, 255), (0, 0, 0)


class ExplainedFace(NamedTuple):
    """Face on a photo, and what the head says about it.

    Attributes
    ----------
    path : str
        The photo.
    box : (4,) float
        Pixels: x_min, y_min, x_max, y_max, max exclusive.
    explanation : Explanation
    """

    path: str
    box: NDArray[np.floating]
    explanation: Explanation


class _Tile(NamedTuple):
    path: str
    box: NDArray[np.floating]
    caption: str


ReadPhoto = Callable[[str], NDArray[np.uint8]]


def write_html(path: str | Path, faces: Sequence[ExplainedFace], *, read_photo: ReadPhoto) -> None:
    """Write a self-contained page with a section for each face; enrolled photos that cannot be read are grey tiles.

    Parameters
    ----------
    path : path
    faces : sequence of ExplainedFace
    read_photo : callable
        Path to uint8 (h, w, 3) RGB; raises OSError or ValueError.

    Raises
    ------
    OSError
        If the page cannot be written.
    """
    tiles = [_tiles_of(face) for face in faces]
    thumbnails = _thumbnails([tile for row in tiles for tile in row], read_photo)
    sections, start = [], 0
    for face, row in zip(faces, tiles, strict=True):
        remark = "; ".join(line.strip() for line in face.explanation.to_lines()[2 + len(face.explanation.neighbors) :])
        rows = range(start, start + len(row))
        sections.append(Section(face.explanation.answer_text, remark, rows, [tile.caption for tile in row]))
        start += len(row)
    title = f"Why: {faces[0].path if faces else 'no face'}"
    remark = "The first face is the one in question; the others are the enrolled photos nearest to it."
    write_page(path, render(title, sections=sections, thumbnails=thumbnails, remark=remark))


def save_plot(path: str | Path, faces: Sequence[ExplainedFace], *, read_photo: ReadPhoto) -> None:
    """Draw a row for each face: the face, then the enrolled photos nearest to it.

    Parameters
    ----------
    path : path
        Its suffix decides the format.
    faces : sequence of ExplainedFace
    read_photo : callable
        Path to uint8 (h, w, 3) RGB; raises OSError or ValueError.

    Raises
    ------
    ValueError
        If there is no face, or the file's suffix is no format that can be drawn.
    OSError
        If the picture cannot be written.
    """
    from matplotlib.figure import Figure
    from PIL import Image

    if not faces:
        raise InputError("`faces` must hold at least one face to draw, got none")
    rows = [_tiles_of(face) for face in faces]
    thumbnails = _thumbnails([tile for row in rows for tile in row], read_photo)
    n_columns = max(map(len, rows))
    size = (_TILE_INCHES * n_columns, (_TILE_INCHES + 0.75) * len(rows))
    figure = Figure(figsize=size)
    axes = figure.subplots(len(rows), n_columns, squeeze=False)
    # Fixed places: a title runs over the columns to its right, and no layout engine may push them away.
    margin = 0.3 / size[1]
    figure.subplots_adjust(left=0.01, right=0.99, bottom=margin, top=1 - margin, wspace=0.06, hspace=0.4)
    place = 0
    for face, row, row_axes in zip(faces, rows, axes, strict=True):
        for axis in row_axes:
            axis.set_axis_off()
        _write(row_axes[0], face.explanation.answer_text, points=9, at=(0.0, 1.04), alignment=(0.0, 0.0))
        for tile, axis in zip(row, row_axes, strict=False):
            found = thumbnails.get(place)
            picture = np.full((1, 1, 3), 204, np.uint8) if found is None else np.asarray(Image.open(io.BytesIO(found)))
            axis.imshow(picture)
            _write(axis, tile.caption, points=7, at=(0.5, -0.02), alignment=(0.5, 1.0))
            place += 1
    target = Path(path)
    stream = io.BytesIO()
    figure.savefig(stream, format=target.suffix.lstrip(".").lower() or "png", dpi=150)
    with atomic_writer(target) as file:
        file.write(stream.getvalue())


def _tiles_of(face: ExplainedFace) -> list[_Tile]:
    decisive = {one.row for one in face.explanation.decisive}
    tiles = [_Tile(face.path, face.box, "this face")]
    for one in face.explanation.neighbors:
        mark = ", decides" if one.row in decisive else ""
        tiles.append(_Tile(one.path, np.array(one.box), f"{one.score:.2f} {one.identity}{mark}"))
    return tiles


def _thumbnails(tiles: Sequence[_Tile], read_photo: ReadPhoto) -> dict[int, bytes]:
    drawable = [row for row, tile in enumerate(tiles) if tile.path and np.isfinite(tile.box).all()]
    boxes = np.array([tile.box for tile in tiles], np.float64).reshape(-1, 4)
    return cut_thumbnails(drawable, [tile.path for tile in tiles], boxes, read_photo=read_photo)


def _write(axis: "Axes", text: str, *, points: int, at: tuple[float, float], alignment: tuple[float, float]) -> None:
    """Write `text` beside a picture, in fonts that have its characters: as pixels, which Matplotlib only places.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    text : str
    points : int
        Size of the letters.
    at : (x, y)
        In fractions of the axis.
    alignment : (x, y)
        Which point of the text is there: 0 its left or lower end, 1 its right or upper end.
    """
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    size = _PIXELS_PER_POINT * points
    shown = text if ":" in text else shorten(text, size, _WIDEST_CAPTION * size)
    plate = text_plate(shown, size, _PAPER, _INK)
    picture = OffsetImage(plate, zoom=1 / _PIXELS_PER_POINT)
    box = AnnotationBbox(picture, at, xycoords="axes fraction", box_alignment=alignment, frameon=False, pad=0)
    box.set_clip_on(False)
    axis.add_artist(box)
