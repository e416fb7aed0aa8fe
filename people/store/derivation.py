"""What holds now, derived from the decisions that nobody has undone.

Each function brings the derived tables up to date for what one decision touched; `derive_all` makes them anew.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import groupby
from typing import NamedTuple

from people.store.records import FaceState

_FACE_KINDS = ("is", "is_not", "not_a_face", "nobody")
_KINDS_OF_FACES = ", ".join(f"'{kind}'" for kind in _FACE_KINDS)

_OF_FACES = f"""
SELECT f.face, d.id, d.kind, d.person
FROM decision_faces AS f JOIN decisions AS d ON d.id = f.decision LEFT JOIN undone AS u ON u.decision = d.id
WHERE u.decision IS NULL AND d.kind IN ({_KINDS_OF_FACES}) %s ORDER BY f.face, d.id
"""


class FaceFault(NamedTuple):
    """A face that shows another person than its decisions make it: who, and who it would be; None for nobody."""

    face: int
    shown: int | None
    follows: int | None


_OPEN: tuple[FaceState, int | None] = ("open", None)

_DENIED = """
SELECT DISTINCT f.face FROM decision_faces AS f JOIN decisions AS d ON d.id = f.decision WHERE d.kind = 'is_not'
"""


def find_faults(connection: sqlite3.Connection) -> tuple[str, list[FaceFault]]:
    """Return the name of a derived table that is not what the decisions make of it, "" for none, and known faults.

    Versions before did not ask again, when people were merged or a merge was taken back, about faces of which somebody
    had said that they are not one of those merged before: such faces kept a name that was denied, or got none.
    """
    with closing(sqlite3.connect(":memory:")) as derived_anew:
        connection.backup(derived_anew)
        derive_all(derived_anew)
        both = (connection, derived_anew)
        undone = [one.execute("SELECT * FROM undone ORDER BY 1").fetchall() for one in both]
        shown, follows = (
            {face: (state, person) for face, state, person in one.execute("SELECT face, state, person FROM face_now")}
            for one in both
        )
        what = "person, root, name, is_hidden, cover"
        people = [one.execute(f"SELECT {what} FROM person_now ORDER BY 1").fetchall() for one in both]
        counts = [one.execute("SELECT * FROM person_now ORDER BY 1").fetchall() for one in both]
    if undone[0] != undone[1]:
        return "undone", []
    denied = {face for (face,) in connection.execute(_DENIED)}
    faults = []
    for face in sorted({*shown, *follows}):
        before, now = shown.get(face, _OPEN), follows.get(face, _OPEN)
        if before == now:
            continue
        if face not in denied or {before[0], now[0]} != {"named", "open"}:
            return "face_now", []
        faults.append(FaceFault(face, before[1], now[1]))
    if people[0] != people[1] or (not faults and counts[0] != counts[1]):
        return "person_now", []
    return "", faults


def fold_face(decisions: Iterable[tuple[str, int | None]], root_of: Mapping[int, int]) -> tuple[FaceState, int | None]:
    """Return what holds of a face after `decisions`, (kind, person) in their order.

    >>> fold_face([("is", 1), ("is_not", 1), ("is", 2)], {})
    ('named', 2)
    >>> fold_face([("is", 1), ("is_not", 2)], {1: 2})  # 1 was merged into 2
    ('open', None)
    """
    state: FaceState = "open"
    person: int | None = None
    for kind, other in decisions:
        if kind == "is":
            state, person = "named", other
        elif kind == "is_not":
            if person is not None and other is not None and _root(person, root_of) == _root(other, root_of):
                state, person = "open", None
        else:
            state, person = ("nobody" if kind == "nobody" else "not_a_face"), None
    return state, person


def join_merges(merges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return into whom each merged person went in the end, from (who went, who stayed) in their order.

    >>> join_merges([(1, 2), (2, 3), (3, 1)])
    {1: 3, 2: 3}
    """
    parent: dict[int, int] = {}

    def find(person: int) -> int:
        while person in parent:
            person = parent[person]
        return person

    for gone, stayed in merges:
        root, other = find(gone), find(stayed)
        if root != other:
            parent[root] = other
    return {person: find(person) for person in parent}


def derive_undone(connection: sqlite3.Connection, decision: int | None) -> None:
    """Bring up to date whether an undo that holds takes `decision` back; then likewise what it takes back itself."""
    while decision is not None:
        connection.execute("DELETE FROM undone WHERE decision = ?", (decision,))
        connection.execute(
            "INSERT INTO undone SELECT ? WHERE EXISTS (SELECT 1 FROM decisions WHERE undoes = ? "
            "AND id NOT IN (SELECT decision FROM undone))",
            (decision, decision),
        )
        decision = connection.execute("SELECT undoes FROM decisions WHERE id = ?", (decision,)).fetchone()[0]


def derive_faces(connection: sqlite3.Connection, faces: Iterable[int]) -> set[int]:
    """Bring `face_now` up to date for `faces`; return the people (as decided, not merged) who lost or gained one."""
    wanted = json.dumps(sorted(faces))
    root_of = read_roots(connection)
    before = dict(
        connection.execute(
            "SELECT face, person FROM face_now WHERE face IN (SELECT value FROM json_each(?))", (wanted,)
        )
    )
    rows = connection.execute(_OF_FACES % "AND f.face IN (SELECT value FROM json_each(?))", (wanted,))
    now = {face: fold for face, fold in _folded(rows, root_of) if fold[0] != "open"}
    connection.execute("DELETE FROM face_now WHERE face IN (SELECT value FROM json_each(?))", (wanted,))
    _insert_faces(connection, now.items())
    changed = {face: (before.get(face), now.get(face, ("open", None))[1]) for face in {*before, *now}}
    return {person for pair in changed.values() if pair[0] != pair[1] for person in pair if person is not None}


def derive_person(connection: sqlite3.Connection, person: int) -> None:
    """Bring name, cover and visibility of one person up to date."""
    connection.execute(
        "INSERT INTO person_now (person, root, name) SELECT id, id, first_name FROM people WHERE id = ? "
        "ON CONFLICT (person) DO NOTHING",
        (person,),
    )
    newest = {
        kind: (text, number)
        for kind, text, number in connection.execute(
            "SELECT CASE WHEN d.kind = 'show' THEN 'hide' ELSE d.kind END AS what, "
            "CASE WHEN d.kind = 'rename' THEN d.text ELSE d.kind END, max(d.id) FROM decisions AS d "
            "LEFT JOIN undone AS u ON u.decision = d.id WHERE u.decision IS NULL AND d.person = ? "
            "AND d.kind IN ('rename', 'hide', 'show', 'cover') GROUP BY what",
            (person,),
        )
    }
    cover = None
    if "cover" in newest:
        cover = connection.execute(
            "SELECT face FROM decision_faces WHERE decision = ?", (newest["cover"][1],)
        ).fetchone()
    first_name = connection.execute("SELECT first_name FROM people WHERE id = ?", (person,)).fetchone()[0]
    connection.execute(
        "UPDATE person_now SET name = ?, is_hidden = ?, cover = ? WHERE person = ?",
        (
            newest["rename"][0] if "rename" in newest else first_name,
            "hide" in newest and newest["hide"][0] == "hide",
            None if cover is None else cover[0],
            person,
        ),
    )


def derive_merges(connection: sqlite3.Connection) -> set[int]:
    """Bring up to date who was merged into whom; return who left a group, and whose group they left or joined."""
    root_of = join_merges(
        connection.execute(
            "SELECT d.person, d.other FROM decisions AS d LEFT JOIN undone AS u ON u.decision = d.id "
            "WHERE u.decision IS NULL AND d.kind = 'merge' ORDER BY d.id"
        )
    )
    before = read_roots(connection)
    moved = {person for person in {*root_of, *before} if root_of.get(person, person) != before.get(person, person)}
    connection.executemany(
        "UPDATE person_now SET root = ? WHERE person = ?", [(root_of.get(person, person), person) for person in moved]
    )
    return moved | {roots[person] for roots in (root_of, before) for person in moved if person in roots}


def faces_denied(connection: sqlite3.Connection, people: Iterable[int]) -> list[int]:
    """Return the faces of which somebody said that they are not one of `people`, or of who is one person with them."""
    rows = connection.execute(
        "SELECT DISTINCT f.face FROM decisions AS d JOIN decision_faces AS f ON f.decision = d.id "
        "WHERE d.kind = 'is_not' AND d.person IN (SELECT person FROM person_now WHERE root IN "
        "(SELECT root FROM person_now WHERE person IN (SELECT value FROM json_each(?))))",
        (json.dumps(sorted(people)),),
    )
    return [face for (face,) in rows]


def count_faces(connection: sqlite3.Connection, people: Iterable[int]) -> set[int]:
    """Count faces and photos again for the groups that `people` belong to; return the roots of these."""
    wanted = json.dumps(sorted(people))
    roots = {
        root
        for (root,) in connection.execute(
            "SELECT DISTINCT root FROM person_now WHERE person IN (SELECT value FROM json_each(?))", (wanted,)
        )
    }
    connection.execute(
        "UPDATE person_now SET n_faces = 0, n_photos = 0 WHERE person IN (SELECT value FROM json_each(?))", (wanted,)
    )
    connection.executemany(
        "UPDATE person_now SET (n_faces, n_photos) = (SELECT count(*), count(DISTINCT photo) FROM face_now "
        "WHERE person IN (SELECT person FROM person_now WHERE root = ?)) WHERE person = ?",
        [(root, root) for root in roots],
    )
    return roots


def name_before(connection: sqlite3.Connection, person: int, decision: int) -> str:
    """Return what a person was called when `decision` was made, apart from whom they were merged into.

    What was renamed or taken back since does not matter.
    """
    renames = connection.execute(
        "SELECT id, text FROM decisions WHERE person = ? AND kind = 'rename' AND id < ? ORDER BY id DESC",
        (person, decision),
    ).fetchall()
    undoing = connection.execute(
        "WITH RECURSIVE undoing (id, undoes) AS ("
        "SELECT id, undoes FROM decisions WHERE undoes IN (SELECT value FROM json_each(?)) AND id < ? UNION "
        "SELECT d.id, d.undoes FROM undoing AS u JOIN decisions AS d ON d.undoes = u.id WHERE d.id < ?) "
        "SELECT id, undoes FROM undoing ORDER BY id DESC",
        (json.dumps([number for number, _ in renames]), decision, decision),
    )
    undone = _taken_back(undoing)
    held = [name for number, name in renames if number not in undone]
    first = connection.execute("SELECT first_name FROM people WHERE id = ?", (person,)).fetchone()[0]
    return str(held[0] if held else first)


def read_roots(connection: sqlite3.Connection) -> dict[int, int]:
    """Return into whom each merged person went."""
    return dict(connection.execute("SELECT person, root FROM person_now WHERE root <> person"))


def derive_all(connection: sqlite3.Connection) -> None:
    """Make all derived tables anew; needs a transaction."""
    for table in ("undone", "face_now", "person_now"):
        connection.execute(f"DELETE FROM {table}")
    undoing = connection.execute("SELECT id, undoes FROM decisions WHERE undoes IS NOT NULL ORDER BY id DESC")
    connection.executemany("INSERT INTO undone VALUES (?)", [(decision,) for decision in sorted(_taken_back(undoing))])
    connection.execute("INSERT INTO person_now (person, root, name) SELECT id, id, first_name FROM people")
    derive_merges(connection)
    decided = "SELECT DISTINCT person FROM decisions WHERE kind IN ('rename', 'hide', 'show', 'cover')"
    for (person,) in connection.execute(decided).fetchall():
        derive_person(connection, person)
    root_of = read_roots(connection)
    _insert_faces(
        connection,
        ((face, fold) for face, fold in _folded(connection.execute(_OF_FACES % ""), root_of) if fold[0] != "open"),
    )
    connection.execute(
        "WITH counts AS ("
        "SELECT p.root AS root, count(*) AS faces, count(DISTINCT f.photo) AS photos "
        "FROM face_now AS f JOIN person_now AS p ON p.person = f.person GROUP BY p.root) "
        "UPDATE person_now SET n_faces = counts.faces, n_photos = counts.photos "
        "FROM counts WHERE counts.root = person_now.person"
    )


def _taken_back(undoing: Iterable[tuple[int, int]]) -> set[int]:
    """Return the decisions that do not hold, from undos and what each takes back, the newest first."""
    undone: set[int] = set()
    for decision, undoes in undoing:
        # The newest decide: an undo that was itself undone takes nothing back.
        if decision not in undone:
            undone.add(undoes)
    return undone


def _folded(
    rows: Iterable[tuple[int, int, str, int | None]], root_of: Mapping[int, int]
) -> Iterator[tuple[int, tuple[FaceState, int | None]]]:
    for face, decisions in groupby(rows, key=lambda row: row[0]):
        yield face, fold_face(((kind, person) for _, _, kind, person in decisions), root_of)


def _insert_faces(connection: sqlite3.Connection, faces: Iterable[tuple[int, tuple[FaceState, int | None]]]) -> None:
    connection.executemany(
        "INSERT INTO face_now (face, photo, state, person) SELECT id, photo, ?, ? FROM faces WHERE id = ?",
        [(state, person, face) for face, (state, person) in faces],
    )


def _root(person: int, root_of: Mapping[int, int]) -> int:
    return root_of.get(person, person)
