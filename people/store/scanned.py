"""What the newest embedding table holds: its files, its faces, which decided face each is, and its groups.

Machine-made, so written anew by every scan; decisions never refer to it.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.same_faces import overlaps
from people.errors import UnknownFaceError
from people.store.overlap import LEAST_OVERLAP, SAME_MOMENT_SECONDS, match_faces
from people.store.records import Face, FaceKey, FaceState, hashes_of_number, parse_face_key

NO_GROUP = -1
"""Group of a face that is named, nobody's, none, or alone."""

_FACE_COLUMNS = (
    "s.row, f.path, s.face_index, f.width, f.height, lower(hex(f.sha256)), "
    "s.x_min, s.y_min, s.x_max, s.y_max, s.time_s, coalesce(n.state, 'open'), p.root, s.cluster"
)
_FACE_TABLES = (
    "scanned_faces AS s JOIN scanned_files AS f ON f.id = s.file LEFT JOIN face_now AS n ON n.face = s.face "
    "LEFT JOIN person_now AS p ON p.person = n.person"
)


@dataclass(frozen=True)
class ScannedFile:
    """A photo or video of the table.

    Attributes
    ----------
    path : str
        Below its photo folder.
    sha256 : str
        Of its bytes; of a photo that was written to by ``export --embed``, of those it had first.
    width, height : int
        Pixels, upright.
    taken : str
        ISO local time, "" if it does not say.
    kind : str
        ``photo`` or ``video``.
    other_contents : frozenset of str
        SHA-256 of what else it may hold: the same picture with other names written into it.
    """

    path: str
    sha256: str
    width: int
    height: int
    taken: str = ""
    kind: str = "photo"
    other_contents: frozenset[str] = frozenset()

    def has_content(self, sha256: str) -> bool:
        """Return whether a file with this hash is this photo or video."""
        return sha256 == self.sha256 or sha256 in self.other_contents


@dataclass(frozen=True)
class ScannedFace:
    """A face of the newest table and what holds of it.

    Attributes
    ----------
    row : int
        Of the table.
    path : str
        The photo, below the photo folder.
    face_index : int
        Counted from 0 within the photo.
    size : tuple of 2 int
        Width and height of the upright photo in pixels.
    face : Face
        What decisions are about.
    state : str
        One of `FaceState`.
    person : int or None
        Who it is, merges followed.
    group : int
        Number of its group among the unnamed, `NO_GROUP` for none.
    """

    row: int
    path: str
    face_index: int
    size: tuple[int, int]
    face: Face
    state: FaceState
    person: int | None
    group: int

    @property
    def box(self) -> tuple[float, ...]:
        """x_min, y_min, x_max, y_max in pixels of the upright photo."""
        return tuple(round(side * length, 1) for side, length in zip(self.face.box, self.size * 2, strict=True))


@dataclass(frozen=True)
class Group:
    """Unnamed faces that look like one person.

    Attributes
    ----------
    number : int
        Until the next scan.
    faces : tuple of ScannedFace
        In the order of the table.
    suggested : int or None
        The person whom most named faces among them show.
    """

    number: int
    faces: tuple[ScannedFace, ...]
    suggested: int | None


class TableCounts(NamedTuple):
    """How many files the newest table has, how many faces of each `FaceState`, and how many groups of open ones."""

    n_files: int
    n_open: int
    n_named: int
    n_nobody: int
    n_not_a_face: int
    n_groups: int


class Links(NamedTuple):
    """What was said of rows of the newest table beside their names.

    Attributes
    ----------
    same, different : list of list of int
        Rows that show one person, and rows of which each shows another.
    denied : list of (int, int)
        Row and the person who is not seen there.
    """

    same: list[list[int]]
    different: list[list[int]]
    denied: list[tuple[int, int]]


def open_sets(faces: Iterable[ScannedFace], same: Iterable[Sequence[int]]) -> list[tuple[int, list[ScannedFace]]]:
    """Return the faces nobody has decided about as (group, faces): groups, and faces that are in none one by one.

    Groups and faces that somebody said show one person are one set, under the least of their numbers.

    Parameters
    ----------
    faces : iterable of ScannedFace
        In the order of their rows.
    same : iterable of sequence of int
        Rows that show one person, as `Links` has them.
    """
    parent: dict[tuple[bool, int], tuple[bool, int]] = {}

    def find(label: tuple[bool, int]) -> tuple[bool, int]:
        while label in parent:
            label = parent[label]
        return label

    undecided = [face for face in faces if face.state == "open"]
    # Groups by their number come before faces in none by their row.
    label_of = {face.row: (False, face.group) if face.group != NO_GROUP else (True, face.row) for face in undecided}
    for rows in same:
        labels = sorted({find(label_of[row]) for row in rows if row in label_of})
        parent.update((label, labels[0]) for label in labels[1:])
    sets: dict[tuple[bool, int], list[ScannedFace]] = {}
    for face in undecided:
        sets.setdefault(find(label_of[face.row]), []).append(face)
    return [(NO_GROUP if is_alone else number, found) for (is_alone, number), found in sets.items()]


def read_decided_places(
    connection: sqlite3.Connection,
) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.float64]]:
    """Return number (m,), photo's SHA-256 (m,) and place (m, 5) of all faces that decisions are about."""
    rows = connection.execute(
        "SELECT f.id, lower(hex(p.sha256)), f.x_min, f.y_min, f.x_max, f.y_max, f.time_s "
        "FROM faces AS f JOIN photos AS p ON p.id = f.photo ORDER BY f.id"
    ).fetchall()
    numbers = np.array([row[0] for row in rows], np.int64)
    photos = np.array([row[1] for row in rows], "U64")
    return numbers, photos, np.array([row[2:] for row in rows], np.float64).reshape(-1, 5)


def write_scan(
    connection: sqlite3.Connection,
    files: Sequence[ScannedFile],
    file_of_row: NDArray[np.integer],
    *,
    face_indices: NDArray[np.integer],
    places: NDArray[np.float64],
) -> int:
    """Replace what the store knows of the table; needs a transaction.

    Parameters
    ----------
    connection : sqlite3.Connection
    files : sequence of ScannedFile
        The table's ledger.
    file_of_row : numpy.ndarray
        int (n,): index into `files` of each row.
    face_indices : numpy.ndarray
        int (n,), counted from 0 within each file.
    places : numpy.ndarray
        float64 (n, 5): x_min, y_min, x_max, y_max in fractions of the photo, seconds into a video.

    Returns
    -------
    int
        How many of the faces that decisions are about the table does not hold; they are kept all the same.
    """
    numbers, photos, decided = read_decided_places(connection)
    hashes = np.array([file.sha256 for file in files], "U64")
    match = match_faces(hashes[file_of_row], places, photos, decided, files=file_of_row)
    connection.execute("DELETE FROM scanned_faces")
    connection.execute("DELETE FROM scanned_files")
    connection.executemany(
        "INSERT INTO scanned_files VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (i, bytes.fromhex(file.sha256), file.path, file.taken, file.kind, file.width, file.height)
            for i, file in enumerate(files)
        ),
    )
    known = [int(numbers[other]) if other >= 0 else None for other in match.tolist()]
    connection.executemany(
        "INSERT INTO scanned_faces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        zip(
            range(len(places)),
            file_of_row.tolist(),
            face_indices.tolist(),
            *places.T.tolist(),
            known,
            [NO_GROUP] * len(places),
            strict=True,
        ),
    )
    return len(numbers) - len(np.unique(match[match >= 0]))


def write_groups(connection: sqlite3.Connection, groups: NDArray[np.integer]) -> None:
    """Give each row of the table its group's number, (n,), `NO_GROUP` for none; needs a transaction."""
    connection.executemany(
        "UPDATE scanned_faces SET cluster = ? WHERE row = ?", zip(groups.tolist(), range(len(groups)), strict=True)
    )


def link_faces(connection: sqlite3.Connection, faces: Iterable[tuple[int, Face]]) -> None:
    """Tell which rows of the table faces (number, face) are that were just added; needs a transaction."""
    for number, face in faces:
        rows = connection.execute(
            "SELECT s.row, s.file, s.x_min, s.y_min, s.x_max, s.y_max, s.time_s FROM scanned_faces AS s "
            "JOIN scanned_files AS f ON f.id = s.file WHERE f.sha256 = ? AND s.face IS NULL",
            (bytes.fromhex(face.photo_sha256),),
        ).fetchall()
        places = np.array([row[2:] for row in rows], np.float64).reshape(-1, 5)
        here = [face.photo_sha256]
        match = match_faces(
            here * len(rows),
            places,
            here,
            np.array([[*face.box, face.time_s]]),
            files=np.array([row[1] for row in rows], np.int64),
        )
        connection.executemany(
            "UPDATE scanned_faces SET face = ? WHERE row = ?",
            [(number, row[0]) for row, other in zip(rows, match.tolist(), strict=True) if other == 0],
        )


def select_faces(
    connection: sqlite3.Connection,
    where: str,
    values: Sequence[object] = (),
    *,
    page: slice = slice(0, None),
) -> list[ScannedFace]:
    """Return the faces for which a condition on s (face), f (file), n (state) and p (person) holds, by row.

    `page` takes some of them, with a start and a stop.
    """
    limit = -1 if page.stop is None else max(page.stop - page.start, 0)
    rows = connection.execute(
        f"SELECT {_FACE_COLUMNS} FROM {_FACE_TABLES} WHERE {where} ORDER BY s.row LIMIT ? OFFSET ?",
        (*values, limit, page.start),
    )
    return [_scanned_face(row) for row in rows]


def select_by_keys(connection: sqlite3.Connection, keys: Sequence[str]) -> list[ScannedFace]:
    """Return the face of each key (`Face.key`), also where another detector has found it a little elsewhere since.

    Raises
    ------
    UnknownFaceError
        If the newest table has no such face.
    """
    parsed = {key: parse_face_key(key) for key in keys}
    on_photo = {
        number: select_faces(connection, "f.sha256 BETWEEN ? AND ?", hashes_of_number(number))
        for number in {one.photo for one in parsed.values()}
    }
    return [_face_of_key(key, parsed[key], on_photo[parsed[key].photo]) for key in keys]


def _face_of_key(key: str, wanted: FaceKey, faces: Sequence[ScannedFace]) -> ScannedFace:
    for face in faces:
        if face.face.key == key:
            return face
    at_moment = [face for face in faces if abs(face.face.time_s - wanted.time_s) <= SAME_MOMENT_SECONDS]
    boxes = np.array([face.face.box for face in at_moment], np.float64).reshape(-1, 4)
    shares = overlaps(np.tile(np.array(wanted.box, np.float64), (len(boxes), 1)), boxes)
    if not len(shares) or shares.max() < LEAST_OVERLAP:
        raise UnknownFaceError(f"expected the key of a face of the newest scan, got {key!r}; its photo may be gone")
    return at_moment[int(shares.argmax())]


def select_covers(connection: sqlite3.Connection, people: Sequence[int]) -> dict[int, ScannedFace]:
    """Return the face that stands for each of `people`: the one chosen, else the largest on its photo."""
    rows = connection.execute(
        "SELECT p.person, (SELECT s.row FROM person_now AS m JOIN person_now AS r ON r.person = m.root "
        "JOIN face_now AS n ON n.person = m.person JOIN scanned_faces AS s ON s.face = n.face "
        "WHERE m.root = p.person ORDER BY n.face = r.cover DESC, "
        "(s.x_max - s.x_min) * (s.y_max - s.y_min) DESC LIMIT 1) "
        "FROM person_now AS p WHERE p.person IN (SELECT value FROM json_each(?))",
        (json.dumps(list(people)),),
    ).fetchall()
    shown = {person: row for person, row in rows if row is not None}
    faces = select_faces(connection, "s.row IN (SELECT value FROM json_each(?))", (json.dumps(list(shown.values())),))
    face_of_row = {face.row: face for face in faces}
    return {person: face_of_row[row] for person, row in shown.items()}


def count_table(connection: sqlite3.Connection) -> TableCounts:
    """Return how many photos, faces and groups the newest table holds."""
    n_files = connection.execute("SELECT count(*) FROM scanned_files").fetchone()[0]
    of_state = dict(
        connection.execute(
            "SELECT coalesce(n.state, 'open'), count(*) FROM scanned_faces AS s "
            "LEFT JOIN face_now AS n ON n.face = s.face GROUP BY 1"
        )
    )
    n_groups = connection.execute(
        "SELECT count(DISTINCT s.cluster) FROM scanned_faces AS s LEFT JOIN face_now AS n ON n.face = s.face "
        f"WHERE s.cluster > {NO_GROUP} AND coalesce(n.state, 'open') = 'open'"
    ).fetchone()[0]
    return TableCounts(
        n_files,
        n_open=of_state.get("open", 0),
        n_named=of_state.get("named", 0),
        n_nobody=of_state.get("nobody", 0),
        n_not_a_face=of_state.get("not_a_face", 0),
        n_groups=n_groups,
    )


def faces_of_files(connection: sqlite3.Connection, files: Iterable[int]) -> list[ScannedFace]:
    """Return the faces of files by their numbers, by row."""
    return select_faces(connection, "s.file IN (SELECT value FROM json_each(?))", (json.dumps(sorted(files)),))


def _scanned_face(row: tuple[Any, ...]) -> ScannedFace:
    return ScannedFace(row[0], row[1], row[2], row[3:5], Face(row[5], row[6:10], row[10]), row[11], row[12], row[13])
