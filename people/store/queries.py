"""Which photos show whom: with these people, without those, from then till then; and who is seen with whom."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundation.errors import InputError
from people.store.records import Face
from people.store.scanned import (
    NO_GROUP,
    Group,
    Links,
    ScannedFace,
    ScannedFile,
    faces_of_files,
    open_sets,
    select_faces,
)

_HOLDING = (
    "FROM decision_faces AS df JOIN decisions AS d ON d.id = df.decision LEFT JOIN face_now AS n ON n.face = df.face"
)
_HOLDS = "d.id NOT IN (SELECT decision FROM undone) AND coalesce(n.state, 'open') <> 'not_a_face'"
"""Decisions that hold, about faces that are no mistake; for use with one another."""


@dataclass(frozen=True)
class PhotoQuery:
    """What photos shall be like.

    Attributes
    ----------
    with_people, without_people : tuple of int
        Numbers of people who must all be on a photo, and of whom none may.
    only : bool
        Nobody else may be on it: all its faces are `with_people`'s; what is no face or nobody's does not count.
    unnamed : bool
        It must show a face nobody has named.
    strangers : bool
        It must show a face somebody said is nobody's.
    accompanied : tuple of int
        Numbers of people who must all be on a photo, each together with somebody else who has a name.
    rows : tuple of int or None
        Rows of the newest table, of which it must show one; None for any.
    folder : str
        The folder it lies in or below, as its path tells; "" for any.
    since, until : str
        First and last moment, as the beginning of an ISO local time ("2019", "2019-06", "2019-06-30"), both included;
        "" for no limit. Photos that do not say when they were taken are left out then.

    Raises
    ------
    ValueError
        If nothing is asked for, or somebody is wanted and not wanted.
    """

    with_people: tuple[int, ...] = ()
    without_people: tuple[int, ...] = ()
    only: bool = False
    unnamed: bool = False
    strangers: bool = False
    accompanied: tuple[int, ...] = ()
    rows: tuple[int, ...] | None = None
    folder: str = ""
    since: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        if {*self.with_people, *self.accompanied} & set(self.without_people):
            raise InputError("expected different people with and without, got one in both; leave one out")
        if self.only and not self.with_people:
            raise InputError("expected people for `only`, got none; say with whom")


@dataclass(frozen=True)
class FoundPhoto:
    """A photo or video, when it was taken (ISO local time or ""), its faces, and which of the two it is."""

    path: str
    taken: str
    faces: tuple[ScannedFace, ...]
    kind: str = "photo"

    def seconds_of(self, wanted: PhotoQuery) -> list[float]:
        """Return when the people wanted are seen in a video, in seconds: all faces, where nobody is; [] of photos."""
        if self.kind != "video":
            return []
        people = {*wanted.with_people, *wanted.accompanied}
        faces = [face for face in self.faces if face.person in people] if people else list(self.faces)
        if wanted.rows is not None:
            faces = [face for face in faces if face.row in set(wanted.rows)] or faces
        return sorted({face.face.time_s for face in faces})


def find_photos(
    connection: sqlite3.Connection, wanted: PhotoQuery, members: Mapping[int, Sequence[int]]
) -> list[FoundPhoto]:
    """Return the files of the newest table that `wanted` describes, in path order; `members` as `conditions_of`."""
    condition, values = conditions_of(wanted, members)
    files = connection.execute(
        f"SELECT f.id, f.path, f.taken, f.kind FROM scanned_files AS f WHERE {condition} ORDER BY f.path", values
    ).fetchall()
    faces: dict[str, list[ScannedFace]] = {}
    for face in faces_of_files(connection, [file[0] for file in files]):
        faces.setdefault(face.path, []).append(face)
    return [FoundPhoto(path, taken, tuple(faces.get(path, ())), kind) for _, path, taken, kind in files]


def conditions_of(wanted: PhotoQuery, members: Mapping[int, Sequence[int]]) -> tuple[str, list[str]]:
    """Return what holds of a file `f` that `wanted` describes, in SQL, and the values for it.

    Parameters
    ----------
    wanted : PhotoQuery
    members : mapping
        Of each person in the query, the numbers of all who were merged into it, its own included.
    """
    showing = "SELECT s.file FROM face_now AS n JOIN scanned_faces AS s ON s.face = n.face WHERE "
    conditions, texts = ["1"], {number: ", ".join(map(str, people)) for number, people in members.items()}
    conditions += [f"f.id IN ({showing} n.person IN ({texts[number]}))" for number in wanted.with_people]
    conditions += [f"f.id NOT IN ({showing} n.person IN ({texts[number]}))" for number in wanted.without_people]
    for number in wanted.accompanied:
        conditions += [f"f.id IN ({showing} n.person {which} ({texts[number]}))" for which in ("IN", "NOT IN")]
    if wanted.only:
        everybody = ", ".join(texts[number] for number in wanted.with_people)
        conditions.append(
            "f.id NOT IN (SELECT s.file FROM scanned_faces AS s LEFT JOIN face_now AS n ON n.face = s.face "
            "WHERE s.file = f.id AND coalesce(n.state, 'open') IN ('open', 'named') "
            f"AND coalesce(n.person, 0) NOT IN ({everybody}))"
        )
    decided = "SELECT s.file FROM face_now AS n JOIN scanned_faces AS s ON s.face = n.face WHERE n.state = '{}'"
    if wanted.unnamed:
        untouched = "SELECT s.file FROM scanned_faces AS s WHERE s.face IS NULL"
        conditions.append(f"f.id IN ({untouched} UNION ALL {decided.format('open')})")
    if wanted.strangers:
        conditions.append(f"f.id IN ({decided.format('nobody')})")
    values: list[str] = []
    if wanted.rows is not None:
        conditions.append("f.id IN (SELECT file FROM scanned_faces WHERE row IN (SELECT value FROM json_each(?)))")
        values.append(json.dumps(wanted.rows))
    if wanted.folder:
        conditions.append("substr(f.path, 1, length(?)) = ?")
        values += [f"{wanted.folder}/"] * 2
    if wanted.since:
        conditions.append("f.taken >= ?")
        values.append(wanted.since)
    if wanted.until:
        conditions.append("f.taken <> '' AND substr(f.taken, 1, length(?)) <= ?")
        values += [wanted.until, wanted.until]
    return " AND ".join(conditions), values


def group_sizes(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    """Return number and size of each group of unnamed faces, the largest first."""
    return connection.execute(
        "SELECT s.cluster, count(*) FROM scanned_faces AS s LEFT JOIN face_now AS n ON n.face = s.face "
        "WHERE s.cluster >= 0 AND coalesce(n.state, 'open') = 'open' GROUP BY s.cluster ORDER BY 2 DESC, 1"
    ).fetchall()


def rows_of_people(connection: sqlite3.Connection) -> dict[int, list[int]]:
    """Return the rows of the newest table that show each person, merges followed."""
    rows = connection.execute(
        "SELECT p.root, s.row FROM scanned_faces AS s JOIN face_now AS n ON n.face = s.face "
        "JOIN person_now AS p ON p.person = n.person ORDER BY p.root, s.row"
    )
    found: dict[int, list[int]] = {}
    for person, row in rows:
        found.setdefault(person, []).append(row)
    return found


def count_together(connection: sqlite3.Connection, person: int | None = None) -> list[tuple[int, int, int]]:
    """Return two people and how many photos show both, for those who are on any together, most photos first.

    Merges are followed, hidden people left out, and equal photos in several folders counted once.

    Parameters
    ----------
    connection : sqlite3.Connection
    person : int, optional
        Only with this one, who then stands first.
    """
    first = "a.root < b.root" if person is None else "a.root = ? AND b.root <> a.root"
    of_person = (
        ""
        if person is None
        else " AND f.sha256 IN (SELECT g.sha256 FROM person_now AS q JOIN face_now AS m ON m.person = q.person "
        "JOIN scanned_faces AS t ON t.face = m.face JOIN scanned_files AS g ON g.id = t.file WHERE q.root = ?)"
    )
    return connection.execute(
        "WITH shown AS MATERIALIZED (SELECT DISTINCT f.sha256 AS photo, p.root AS root FROM face_now AS n "
        "JOIN scanned_faces AS s ON s.face = n.face JOIN scanned_files AS f ON f.id = s.file "
        "JOIN person_now AS p ON p.person = n.person JOIN person_now AS r ON r.person = p.root "
        f"WHERE NOT r.is_hidden{of_person}) "
        f"SELECT a.root, b.root, count(*) AS n FROM shown AS a JOIN shown AS b ON a.photo = b.photo AND {first} "
        "GROUP BY a.root, b.root ORDER BY n DESC, a.root, b.root",
        () if person is None else (person, person),
    ).fetchall()


def read_links(connection: sqlite3.Connection) -> Links:
    """Return what was said of faces beside their names, as rows of the newest table."""
    shown = "FROM decisions AS d JOIN decision_faces AS f ON f.decision = d.id JOIN scanned_faces AS s USING (face) "
    holds = "d.id NOT IN (SELECT decision FROM undone) "
    together: dict[tuple[int, str], list[int]] = {}
    for decision, kind, row in connection.execute(
        f"SELECT d.id, d.kind, s.row {shown} WHERE {holds} AND d.kind IN ('same', 'different') ORDER BY d.id, s.row"
    ):
        together.setdefault((decision, kind), []).append(row)
    denied = connection.execute(
        f"SELECT DISTINCT s.row, p.root {shown} JOIN person_now AS p ON p.person = d.person "
        "LEFT JOIN face_now AS n ON n.face = f.face LEFT JOIN person_now AS own ON own.person = n.person "
        f"WHERE {holds} AND d.kind = 'is_not' AND coalesce(own.root, 0) <> p.root ORDER BY 1, 2"
    )
    return Links(
        same=[rows for (_, kind), rows in together.items() if kind == "same" and len(rows) > 1],
        different=[rows for (_, kind), rows in together.items() if kind == "different" and len(rows) > 1],
        denied=[(row, person) for row, person in denied.fetchall()],
    )


def denied_people(connection: sqlite3.Connection, rows: Sequence[int]) -> set[int]:
    """Return whom faces, rows of the newest table, were said not to be: as `read_links`, of a few rows alone."""
    found = connection.execute(
        "SELECT DISTINCT p.root FROM json_each(?) AS wanted CROSS JOIN scanned_faces AS s ON s.row = wanted.value "
        "CROSS JOIN decision_faces AS f ON f.face = s.face CROSS JOIN decisions AS d ON d.id = f.decision "
        "JOIN person_now AS p ON p.person = d.person LEFT JOIN face_now AS n ON n.face = f.face "
        "LEFT JOIN person_now AS own ON own.person = n.person "
        "WHERE d.kind = 'is_not' AND d.id NOT IN (SELECT decision FROM undone) AND coalesce(own.root, 0) <> p.root",
        (json.dumps(list(rows)),),
    )
    return {person for (person,) in found}


def read_groups(connection: sqlite3.Connection) -> list[Group]:
    """Return the groups of faces nobody has named, largest first; what was said to be one person is one group."""
    same = read_links(connection).same
    linked = json.dumps(sorted({row for rows in same for row in rows}))
    where = f"s.cluster > {NO_GROUP} OR s.row IN (SELECT value FROM json_each(?))"
    faces = select_faces(connection, where, (linked,))
    named: dict[int, Counter[int]] = {}
    for face in faces:
        if face.person is not None:
            named.setdefault(face.group, Counter())[face.person] += 1
    found = [
        Group(number, tuple(members), named[number].most_common(1)[0][0] if number in named else None)
        for number, members in open_sets(faces, same)
        if number != NO_GROUP
    ]
    return sorted(found, key=lambda group: (-len(group.faces), group.number))


def faces_without_row(connection: sqlite3.Connection) -> list[tuple[ScannedFile, Face, str]]:
    """Return the faces that decisions are about on photos whose entry in the newest table has no row for them.

    Faces whose decisions were all taken back, and what was said to be no face, are left out.

    Returns
    -------
    list of (ScannedFile, Face, str)
        Each file with such a face, and who or what made the first decision about it that holds; in path order.
    """
    rows = connection.execute(
        "SELECT s.path, lower(hex(s.sha256)), s.width, s.height, s.taken, s.kind, "
        f"f.x_min, f.y_min, f.x_max, f.y_max, f.time_s, d.by, min(d.id) {_HOLDING} "
        "JOIN faces AS f ON f.id = df.face JOIN photos AS p ON p.id = f.photo "
        "JOIN scanned_files AS s ON s.sha256 = p.sha256 "
        f"WHERE {_HOLDS} AND s.width > 0 "
        "AND NOT EXISTS (SELECT 1 FROM scanned_faces AS r WHERE r.face = f.id AND r.file = s.id) "
        "GROUP BY s.id, f.id ORDER BY s.path, f.time_s, f.id"
    )
    return [(ScannedFile(*row[:6]), Face(row[1], row[6:10], row[10]), row[11]) for row in rows]


def rows_with_decisions(connection: sqlite3.Connection) -> set[int]:
    """Return the rows of the newest table that a decision which holds is about and that are no mistake."""
    rows = connection.execute(
        f"SELECT DISTINCT r.row {_HOLDING} JOIN scanned_faces AS r ON r.face = df.face WHERE {_HOLDS}"
    )
    return {row for (row,) in rows}
