"""Photos that a query describes, a page at a time, and which stand before and after one of them.

Equal files in several folders are one photo with several paths.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from people.store.queries import PhotoQuery, conditions_of
from people.store.reader import PeopleReader
from people.store.scanned import ScannedFace


@dataclass(frozen=True)
class ListedPhoto:
    """A photo or video of the newest table.

    Attributes
    ----------
    sha256 : str
        Of its bytes.
    paths : tuple of str
        Below the photo folders, in order; of copies that do not fit the query, too.
    taken : str
        ISO local time, "" if it does not say.
    kind : str
        ``photo`` or ``video``.
    faces : tuple of ScannedFace
        Of the first path.
    """

    sha256: str
    paths: tuple[str, ...]
    taken: str
    kind: str
    faces: tuple[ScannedFace, ...]


@dataclass(frozen=True)
class PhotoPage:
    """Some of the photos that were found, and how many there are in all."""

    total: int
    photos: list[ListedPhoto]


@dataclass(frozen=True)
class Neighbours:
    """Where a photo stands in a list.

    Attributes
    ----------
    index : int or None
        From 0; None if it is not in the list (any more).
    total : int
    previous, next : str or None
        SHA-256 of the photos beside it; beside where it would stand, if it is not in the list.
    """

    index: int | None
    total: int
    previous: str | None
    next: str | None


def find_photo_page(reader: PeopleReader, wanted: PhotoQuery, page: slice) -> PhotoPage:
    """Return some of the photos that `wanted` describes, without reading the others.

    They are in the order of the table, folder by folder; where the query names rows, in the order of these.

    Parameters
    ----------
    reader : PeopleReader
    wanted : PhotoQuery
    page : slice
        With a start and a stop.
    """
    if wanted.rows is not None:
        listed = _ranked(reader, wanted)
        total, numbers = len(listed), [number for number, _ in listed[page]]
    else:
        condition, values = _listed(reader, wanted)
        total = reader.select(f"SELECT count(*) FROM scanned_files AS f WHERE {condition}", values)[0][0]
        found = reader.select(
            f"SELECT f.id FROM scanned_files AS f WHERE {condition} ORDER BY f.id LIMIT ? OFFSET ?",
            (*values, page.stop - page.start, page.start),
        )
        numbers = [number for (number,) in found]
    return PhotoPage(int(total), _read(reader, numbers))


def find_neighbours(reader: PeopleReader, wanted: PhotoQuery, sha256: str) -> Neighbours:
    """Return where the photo of a hash stands among those that `wanted` describes."""
    own = bytes.fromhex(sha256)
    if wanted.rows is not None:
        listed = [photo for _, photo in _ranked(reader, wanted)]
        index = listed.index(own) if own in listed else None
        beside = [None, *[photo.hex() for photo in listed], None]
        around = (None, None) if index is None else (beside[index], beside[index + 2])
        return Neighbours(index, len(listed), *around)
    condition, values = _listed(reader, wanted)
    files = f"FROM scanned_files AS f WHERE {condition}"
    place = reader.select(f"SELECT min(f.id) {files} AND f.sha256 = ?", (*values, own))[0][0]
    is_listed = place is not None
    if not is_listed:
        place = reader.select("SELECT min(id) FROM scanned_files WHERE sha256 = ?", (own,))[0][0]
    total, n_before, before, after = reader.select(
        "SELECT count(*), count(CASE WHEN f.id < ? THEN 1 END), max(CASE WHEN f.id < ? THEN f.id END), "
        f"min(CASE WHEN f.id > ? THEN f.id END) {files}",
        (place, place, place, *values),
    )[0]
    photo_of = dict(
        reader.select("SELECT id, lower(hex(sha256)) FROM scanned_files WHERE id IN (?, ?)", (before, after))
    )
    return Neighbours(n_before if is_listed else None, total, photo_of.get(before), photo_of.get(after))


def faces_of_photo(reader: PeopleReader, sha256: str) -> list[ScannedFace]:
    """Return the faces of the photo of a hash, of its first path, by row."""
    first = reader.select("SELECT min(id) FROM scanned_files WHERE sha256 = ?", (bytes.fromhex(sha256),))[0][0]
    return [] if first is None else reader.faces_of_files([first])


def copies_of(reader: PeopleReader, sha256: str) -> tuple[str, ...]:
    """Return all paths of the photo of a hash, in order."""
    return tuple(_paths_of(reader, [sha256])[sha256])


def names_of(reader: PeopleReader, people: Sequence[int]) -> dict[int, str]:
    """Return what people are called, without asking for all others."""
    return dict(
        reader.select(
            "SELECT person, name FROM person_now WHERE person IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(set(people))),),
        )
    )


def _listed(reader: PeopleReader, wanted: PhotoQuery) -> tuple[str, list[str]]:
    """Return what holds of the first file `f` of each photo that `wanted` describes, in SQL, and the values for it."""
    people = (*wanted.with_people, *wanted.without_people, *wanted.accompanied)
    members = {number: [member for member, _ in reader.members_of([reader.person(number).number])] for number in people}
    condition, values = conditions_of(wanted, members)
    # Most workspaces hold no copies, and need not look for the first of several.
    if not reader.select("SELECT EXISTS (SELECT 1 FROM scanned_files GROUP BY sha256 HAVING count(*) > 1)")[0][0]:
        return condition, values
    copied = "SELECT sha256 FROM scanned_files GROUP BY sha256 HAVING count(*) > 1"
    first = f"SELECT min(f.id) FROM scanned_files AS f WHERE f.sha256 IN ({copied}) AND {condition} GROUP BY f.sha256"
    return f"{condition} AND (f.sha256 NOT IN ({copied}) OR f.id IN ({first}))", values * 2


def _ranked(reader: PeopleReader, wanted: PhotoQuery) -> list[tuple[int, bytes]]:
    """Return number and hash of the first file of each photo that shows a row, in the order of the query's rows."""
    condition, values = _listed(reader, wanted)
    return reader.select(
        "SELECT f.id, f.sha256 FROM json_each(?) AS r JOIN scanned_faces AS s ON s.row = r.value "
        f"JOIN scanned_files AS f ON f.id = s.file WHERE {condition} GROUP BY f.id ORDER BY min(r.key)",
        (json.dumps(wanted.rows), *values),
    )


def _read(reader: PeopleReader, numbers: Sequence[int]) -> list[ListedPhoto]:
    """Return the photos of files by their numbers, in this order."""
    files = reader.select(
        "SELECT id, lower(hex(sha256)), taken, kind FROM scanned_files WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    file_of = {number: rest for number, *rest in files}
    paths = _paths_of(reader, [sha256 for sha256, *_ in file_of.values()])
    faces: dict[str, list[ScannedFace]] = {}
    for face in reader.faces_of_files(numbers):
        faces.setdefault(face.face.photo_sha256, []).append(face)
    return [
        ListedPhoto(sha256, tuple(paths[sha256]), taken, kind, tuple(faces.get(sha256, ())))
        for sha256, taken, kind in (file_of[number] for number in numbers if number in file_of)
    ]


def _paths_of(reader: PeopleReader, hashes: Sequence[str]) -> dict[str, list[str]]:
    rows = reader.select(
        f"SELECT lower(hex(sha256)), path FROM scanned_files WHERE sha256 IN ({', '.join('?' * len(hashes))}) "
        "ORDER BY path",
        [bytes.fromhex(sha256) for sha256 in hashes],
    )
    paths: dict[str, list[str]] = {sha256: [] for sha256 in hashes}
    for sha256, path in rows:
        paths[sha256].append(path)
    return paths
