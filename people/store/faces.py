"""Faces in the store: find the one that is meant, or add it."""

import json
import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from classifiers.scores.same_faces import overlaps
from people.store.overlap import LEAST_OVERLAP, SAME_MOMENT_SECONDS
from people.store.records import Face
from people.store.scanned import link_faces

_COLUMNS = "lower(hex(p.sha256)), f.x_min, f.y_min, f.x_max, f.y_max, f.time_s"


_SAME_PHOTOS = """
CREATE TABLE IF NOT EXISTS same_photos (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    photo BLOB NOT NULL CHECK (length(photo) = 32)
) WITHOUT ROWID
"""
"""Other contents of a photo, and the first one, by which faces and decisions know it. Made when there is one."""


def read_same_photos(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the SHA-256 of other contents of photos, which differ in what they say alone, to that of the first."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'same_photos'").fetchone() is None:
        return {}
    return dict(connection.execute("SELECT lower(hex(sha256)), lower(hex(photo)) FROM same_photos"))


def add_same_photo(connection: sqlite3.Connection, photo: str, other: str) -> None:
    """Record that `other` is the SHA-256 of another content of the photo of hash `photo`; needs a transaction."""
    connection.execute(_SAME_PHOTOS)
    known = read_same_photos(connection)
    first = known.get(photo, photo)
    if known.get(other, other) != first:
        connection.execute(
            "INSERT OR REPLACE INTO same_photos VALUES (?, ?)", (bytes.fromhex(other), bytes.fromhex(first))
        )


def find_face(connection: sqlite3.Connection, face: Face) -> int | None:
    """Return the number of the face on the same photo that overlaps `face` most and at least by half, else None."""
    rows = connection.execute(
        "SELECT f.id, f.x_min, f.y_min, f.x_max, f.y_max FROM faces AS f JOIN photos AS p ON p.id = f.photo "
        "WHERE p.sha256 = ? AND abs(f.time_s - ?) <= ? ORDER BY f.id",
        (bytes.fromhex(face.photo_sha256), face.time_s, SAME_MOMENT_SECONDS),
    ).fetchall()
    if not rows:
        return None
    shares = overlaps(np.tile(np.array(face.box, np.float64), (len(rows), 1)), np.array([row[1:] for row in rows]))
    best = int(shares.argmax())
    return int(rows[best][0]) if shares[best] >= LEAST_OVERLAP else None


def add_faces(connection: sqlite3.Connection, shown: Sequence[Face]) -> list[int]:
    """Return the number of each face, adding those that are new; needs a transaction."""
    numbers, added = [], []
    for face in shown:
        number = find_face(connection, face)
        if number is None:
            sha256 = bytes.fromhex(face.photo_sha256)
            connection.execute("INSERT INTO photos (sha256) VALUES (?) ON CONFLICT (sha256) DO NOTHING", (sha256,))
            cursor = connection.execute(
                "INSERT INTO faces (photo, x_min, y_min, x_max, y_max, time_s) "
                "VALUES ((SELECT id FROM photos WHERE sha256 = ?), ?, ?, ?, ?, ?)",
                (sha256, *map(float, face.box), float(face.time_s)),
            )
            number = int(cursor.lastrowid or 0)
            added.append((number, face))
        numbers.append(number)
    link_faces(connection, added)
    return numbers


def faces_of_people(connection: sqlite3.Connection, people: Iterable[int]) -> list[Face]:
    """Return the faces that are now one of `people`, in the order they were added."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM face_now AS n JOIN faces AS f ON f.id = n.face JOIN photos AS p ON p.id = f.photo "
        "WHERE n.person IN (SELECT value FROM json_each(?)) ORDER BY f.id",
        (json.dumps(sorted(people)),),
    )
    return [Face(row[0], row[1:5], row[5]) for row in rows]


def read_face(connection: sqlite3.Connection, number: int) -> Face:
    """Return the face of a number."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM faces AS f JOIN photos AS p ON p.id = f.photo WHERE f.id = ?", (number,)
    ).fetchone()
    return Face(row[0], row[1:5], row[5])
