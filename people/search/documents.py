"""Found photos as JSON, as CSV and as a page of pictures; groups as a page of faces."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from foundation.csv_rows import write_rows
from foundation.paths import path_at
from foundation.text import pluralize
from people.store.queries import FoundPhoto
from people.store.scanned import Group

if TYPE_CHECKING:
    from embedder.tables.table import EmbeddingTable

COLUMNS = ("path", "taken", "face_index", "name", "state", "x_min", "y_min", "x_max", "y_max", "time_s")

MOST_SHOWN = 30
"""Faces of a group on its page."""

_TILE = 224
_TILE_QUALITY = 85


def photos_as_json(
    photos: Sequence[FoundPhoto], name_of: Mapping[int, str], similarities: Mapping[int, float] | None = None
) -> list[dict[str, Any]]:
    """Return photos with their faces as what JSON can hold; boxes are pixels of the upright photo, seconds
    those of videos.

    Parameters
    ----------
    photos : sequence of FoundPhoto
    name_of : mapping
        Name of each person by number.
    similarities : mapping, optional
        Row of a face to how like the face in question it is; None where none is in question.
    """
    return [
        {
            "path": photo.path,
            "taken": photo.taken or None,
            "faces": [
                {
                    "name": None if face.person is None else name_of[face.person],
                    "state": face.state,
                    "box": list(face.box),
                    "face_index": face.face_index,
                }
                | ({"time_s": round(face.face.time_s, 3)} if photo.kind == "video" else {})
                | ({} if similarities is None else {"similarity": _rounded(similarities.get(face.row))})
                for face in photo.faces
            ],
        }
        for photo in photos
    ]


def write_csv(path: Path, photos: Sequence[FoundPhoto], name_of: Mapping[int, str]) -> None:
    """Write one row for each face of found photos, and one without a face for photos that show none.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    write_rows(path, COLUMNS, _rows(photos, name_of))


def write_sheet(
    path: Path, photos: Sequence[FoundPhoto], name_of: Mapping[int, str], *, heading: str, table: "EmbeddingTable"
) -> None:
    """Write a page that shows each photo, who is on it and when it was taken; one that cannot be read is a grey tile.

    Parameters
    ----------
    path : Path
    photos : sequence of FoundPhoto
    name_of : mapping
        Name of each person by number.
    heading : str
        What was asked for.
    table : EmbeddingTable
        Knows where the photos are.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    from classifiers.groups.contact_sheet import Section, render, write_page

    tiles = {}
    for number, photo in enumerate(tqdm(photos, desc="contact sheet", unit="photo", disable=None, delay=1)):
        tile = _tile(table.find_photo(_first_moment(photo)))
        if tile is not None:
            tiles[number] = tile
    captions = [_caption(photo, name_of) for photo in photos]
    section = Section(heading, pluralize(len(photos), "photo"), range(len(photos)), captions)
    write_page(path, render("Photos", [section], tiles, size=_TILE))


def write_groups(path: Path, groups: Sequence[Group], name_of: Mapping[int, str], *, table: "EmbeddingTable") -> None:
    """Write a page that shows the faces of groups nobody has named, by the number that names each of them.

    Of large groups the first `MOST_SHOWN` faces are shown.

    Parameters
    ----------
    path : Path
    groups : sequence of Group
    name_of : mapping
        Name of each person by number.
    table : EmbeddingTable
        Knows where the photos are.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    from classifiers.groups.contact_sheet import Section, cut_thumbnails, render, write_page
    from embedder.videos.moment import read_shown

    sections = []
    for group in groups:
        rows = [face.row for face in group.faces[:MOST_SHOWN]]
        captions = [f"{face.path}#{face.face_index}" for face in group.faces[:MOST_SHOWN]]
        likely = "" if group.suggested is None else f", perhaps {name_of[group.suggested]}"
        remark = pluralize(len(group.faces), "face") + likely
        sections.append(Section(f"group {group.number}", remark, rows, captions))
    shown = [row for section in sections for row in section.rows]
    thumbnails = cut_thumbnails(
        shown, table.moments, table.boxes, read_photo=lambda photo: read_shown(table.find_photo(photo))
    )
    write_page(path, render("Faces without a name", sections, thumbnails))


def _rows(photos: Sequence[FoundPhoto], name_of: Mapping[int, str]) -> Iterator[Sequence[object]]:
    for photo in photos:
        for face in photo.faces:
            name = "" if face.person is None else name_of[face.person]
            time_s = round(face.face.time_s, 3) if photo.kind == "video" else ""
            yield (photo.path, photo.taken, face.face_index, name, face.state, *face.box, time_s)
        if not photo.faces:
            yield (photo.path, photo.taken, *[""] * (len(COLUMNS) - 2))


def _tile(photo: Path) -> bytes | None:
    from PIL import Image, ImageOps

    from embedder.videos.moment import read_shown

    try:
        picture = Image.fromarray(read_shown(photo))
    except (OSError, ValueError):
        return None
    stream = io.BytesIO()
    ImageOps.pad(picture, (_TILE, _TILE), color=(250, 250, 250)).save(stream, "JPEG", quality=_TILE_QUALITY)
    return stream.getvalue()


def _first_moment(photo: FoundPhoto) -> str:
    """Return a photo's path, or the moment of a video that shows the first of its faces."""
    return path_at(photo.path, photo.faces[0].face.time_s) if photo.kind == "video" and photo.faces else photo.path


def _caption(photo: FoundPhoto, name_of: Mapping[int, str]) -> str:
    names = sorted({name_of[face.person] for face in photo.faces if face.person is not None})
    return " · ".join([", ".join(names) or "nobody named", *([photo.taken[:10]] if photo.taken else []), photo.path])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
