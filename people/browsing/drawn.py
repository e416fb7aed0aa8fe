"""Faces that somebody drew and that the next scan takes into the table: shown and decided about like all others."""

from collections.abc import Sequence

import numpy as np

from classifiers.scores.same_faces import overlaps
from people.browsing.photos import faces_of_photo
from people.errors import ConflictError, DecisionError, UnknownFaceError
from people.store.overlap import LEAST_OVERLAP
from people.store.reader import PeopleReader
from people.store.records import Face, hashes_of_number, parse_face_key
from people.store.scanned import NO_GROUP, ScannedFace, ScannedFile

NO_ROW = -1
"""Row of a face that the table does not hold yet."""

_LEAST_PIXELS = 8
"""Of a side of a drawn box; a smaller one was drawn by accident."""


def drawn_faces(reader: PeopleReader, photo: int) -> list[ScannedFace]:
    """Return the faces of the photo of a number that decisions are about and the table does not hold yet.

    Those whose decisions were all taken back, and what was said to be no face, are left out; `row` is `NO_ROW`.
    """
    rows = reader.select(
        "SELECT min(s.path), s.width, s.height, lower(hex(s.sha256)), f.x_min, f.y_min, f.x_max, f.y_max, f.time_s, "
        "coalesce(n.state, 'open'), p.root FROM scanned_files AS s JOIN photos AS h ON h.sha256 = s.sha256 "
        "JOIN faces AS f ON f.photo = h.id LEFT JOIN face_now AS n ON n.face = f.id "
        "LEFT JOIN person_now AS p ON p.person = n.person WHERE s.sha256 BETWEEN ? AND ? AND s.width > 0 "
        "AND s.kind = 'photo' AND coalesce(n.state, 'open') <> 'not_a_face' "
        "AND NOT EXISTS (SELECT 1 FROM scanned_faces AS r WHERE r.face = f.id AND r.file = s.id) "
        "AND EXISTS (SELECT 1 FROM decision_faces AS df WHERE df.face = f.id "
        "AND df.decision NOT IN (SELECT decision FROM undone)) GROUP BY f.id ORDER BY f.id",
        hashes_of_number(photo),
    )
    return [
        ScannedFace(
            NO_ROW, path, NO_ROW, (width, height), Face(sha256, tuple(place[:4]), place[4]), state, person, NO_GROUP
        )
        for path, width, height, sha256, *place, state, person in rows
    ]


def faces_of_keys(reader: PeopleReader, keys: Sequence[str]) -> list[ScannedFace]:
    """Return the face of each key, also of those that the table does not hold yet.

    Raises
    ------
    UnknownFaceError
        If there is no such face.
    """
    try:
        return reader.faces_with_keys(keys)
    except UnknownFaceError:
        drawn = {photo: drawn_faces(reader, photo) for photo in {parse_face_key(key).photo for key in keys}}
        found = {face.face.key: face for faces in drawn.values() for face in faces}
        rest = iter(reader.faces_with_keys([key for key in keys if key not in found]))
        return [found[key] if key in found else next(rest) for key in keys]


def check_drawn(reader: PeopleReader, file: ScannedFile, face: Face) -> None:
    """Do nothing if a face may be drawn on a photo.

    Raises
    ------
    DecisionError
        If its box is too small, or the photo is a video.
    ConflictError
        If a face is there already.
    """
    width, height = (face.box[2] - face.box[0]) * file.width, (face.box[3] - face.box[1]) * file.height
    if file.kind != "photo" or min(width, height) < _LEAST_PIXELS:
        raise DecisionError(
            f"{file.path}: expected a box of at least {_LEAST_PIXELS} pixels on a photo, got "
            f"{width:.0f}x{height:.0f} on a {file.kind}; draw a larger one"
        )
    there = [*faces_of_photo(reader, file.sha256), *drawn_faces(reader, parse_face_key(face.key).photo)]
    boxes = np.array([one.face.box for one in there], np.float64).reshape(-1, 4)
    shares = overlaps(np.tile(np.array(face.box, np.float64), (len(boxes), 1)), boxes)
    if len(shares) and shares.max() >= LEAST_OVERLAP:
        raise ConflictError(f"{file.path}: there is a face at this place already; decide about that one")
