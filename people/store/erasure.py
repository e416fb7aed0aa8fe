"""Erase a person from the journal: names, decisions, and the faces that only they had.

The one place where decisions are deleted. What other people's decisions say stays, row by row.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence

from people.store import derivation, schema
from people.store.faces import read_same_photos
from people.store.records import DRAWN

# How many faces a decision must still be about to say anything.
_LEAST_FACES = {"is": 1, "is_not": 1, "nobody": 1, "not_a_face": 1, "cover": 1, "same": 2, "different": 2}


def erase_people(connection: sqlite3.Connection, people: Sequence[int], names: Iterable[str]) -> None:
    """Erase people and all that was merged into them from the journal; needs a transaction.

    Deleted are the decisions about them, their faces with all that was ever said of these, decisions that are about no
    face any more, what takes back a deleted decision, and photos without a face. Where somebody else was once called by
    one of `names`, that name goes, too, unless it is theirs now. Derived tables are made anew.

    Parameters
    ----------
    connection : sqlite3.Connection
    people : sequence of int
        Numbers of people, merges followed: all who are now one of them go.
    names : iterable of str
        What they are or were called, in composed form.
    """
    for statement in schema.NO_GUARDS.splitlines():
        connection.execute(statement)
    names = set(names)
    # Who lost all faces again, as when naming them was undone, is remembered by the name alone.
    everybody = _members(connection, [*people, *_without_faces(connection, names)])
    faces = _numbers(
        connection, "SELECT face FROM face_now WHERE person IN (SELECT value FROM json_each(?))", everybody
    )
    _drop_overridden(connection, everybody)
    _delete_decisions(
        connection,
        _numbers(
            connection,
            "SELECT id FROM decisions, (SELECT ? AS gone) WHERE person IN (SELECT value FROM json_each(gone)) "
            "OR other IN (SELECT value FROM json_each(gone))",
            everybody,
        ),
    )
    _delete(connection, "decision_faces", "face", faces)
    _delete_decisions(connection, _decisions_about_nothing(connection))
    _erase_names_of_others(connection, everybody, names)
    _delete(connection, "people", "id", everybody)
    connection.execute("DELETE FROM faces WHERE id NOT IN (SELECT face FROM decision_faces)")
    connection.execute("DELETE FROM photos WHERE id NOT IN (SELECT photo FROM faces)")
    if read_same_photos(connection):
        connection.execute("DELETE FROM same_photos WHERE photo NOT IN (SELECT sha256 FROM photos)")
    connection.execute("UPDATE scanned_faces SET face = NULL WHERE face NOT IN (SELECT id FROM faces)")
    for statement in schema.GUARDS.splitlines():
        connection.execute(statement)
    derivation.derive_all(connection)


def names_of(connection: sqlite3.Connection, people: Sequence[int]) -> set[str]:
    """Return all that people, and those merged into them, were ever called."""
    rows = connection.execute(
        "SELECT first_name FROM people, (SELECT ? AS gone) WHERE id IN (SELECT value FROM json_each(gone)) UNION "
        "SELECT text FROM decisions, (SELECT ? AS gone) WHERE kind = 'rename' "
        "AND person IN (SELECT value FROM json_each(gone))",
        (json.dumps(_members(connection, people)),) * 2,
    )
    return {name for (name,) in rows}


def people_called(connection: sqlite3.Connection, name: str) -> list[int]:
    """Return the people, merges followed, who are called so, with or without faces."""
    rows = connection.execute(
        "SELECT DISTINCT root FROM person_now WHERE name = ? OR (person <> root AND name = ?) ORDER BY root",
        (name, name),
    )
    return [number for (number,) in rows]


def texts_with(connection: sqlite3.Connection, parts: Iterable[str]) -> set[str]:
    """Return all texts of the journal and its derived tables that hold one of `parts`, also within a word."""
    columns = connection.execute(
        "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c "
        "WHERE t.type = 'table' AND c.type = 'TEXT'"
    ).fetchall()
    found: set[str] = set()
    for table, column in columns:
        rows = connection.execute(
            f'SELECT DISTINCT own."{column}" FROM "{table}" AS own, json_each(?) AS part '
            f'WHERE instr(own."{column}", part.value)',
            (json.dumps(sorted(parts), ensure_ascii=False),),
        )
        found.update(text for (text,) in rows)
    return found


def _without_faces(connection: sqlite3.Connection, names: Iterable[str]) -> list[int]:
    rows = connection.execute(
        "SELECT person FROM person_now WHERE person = root AND n_faces = 0 "
        "AND name IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(names), ensure_ascii=False),),
    )
    return [number for (number,) in rows]


def _members(connection: sqlite3.Connection, people: Sequence[int]) -> list[int]:
    return _numbers(
        connection,
        "SELECT person FROM person_now WHERE root IN (SELECT root FROM person_now, (SELECT ? AS given) "
        "WHERE person IN (SELECT value FROM json_each(given)))",
        people,
    )


def _numbers(connection: sqlite3.Connection, query: str, numbers: Sequence[int]) -> list[int]:
    return [number for (number,) in connection.execute(query, (json.dumps(list(numbers)),)).fetchall()]


def _delete(connection: sqlite3.Connection, table: str, column: str, numbers: Sequence[int]) -> None:
    connection.execute(
        f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (json.dumps(list(numbers)),)
    )


def _delete_decisions(connection: sqlite3.Connection, decisions: Sequence[int]) -> None:
    """Delete decisions, and whatever takes one of them back or takes that back in turn, the newest first."""
    found = set(decisions)
    newest = found
    while newest:
        newest = set(
            _numbers(
                connection, "SELECT id FROM decisions WHERE undoes IN (SELECT value FROM json_each(?))", sorted(newest)
            )
        )
        found |= newest
    numbers = sorted(found)
    _delete(connection, "decision_faces", "decision", numbers)
    # References between decisions are checked row by row; what refers is always newer than what it refers to.
    connection.executemany("DELETE FROM decisions WHERE id = ?", [(number,) for number in reversed(numbers)])


def _drop_overridden(connection: sqlite3.Connection, everybody: Sequence[int]) -> None:
    """Drop what was said of a face before it was said to be one of `everybody`, lest it hold again without that."""
    connection.execute(
        "DELETE FROM decision_faces WHERE EXISTS ("
        "SELECT 1 FROM decisions AS old, decision_faces AS f JOIN decisions AS new ON new.id = f.decision "
        "WHERE old.id = decision_faces.decision AND old.kind IN ('is', 'nobody', 'not_a_face') "
        "AND f.face = decision_faces.face AND new.kind = 'is' AND new.id > old.id "
        "AND new.person IN (SELECT value FROM json_each(?)) AND new.id NOT IN (SELECT decision FROM undone))",
        (json.dumps(list(everybody)),),
    )


def _decisions_about_nothing(connection: sqlite3.Connection) -> list[int]:
    rows = connection.execute(
        # A drawn face stands for itself.
        f"SELECT d.id, CASE WHEN d.kind = 'same' AND d.text = '{DRAWN}' THEN 'is' ELSE d.kind END, count(f.face) "
        "FROM decisions AS d LEFT JOIN decision_faces AS f ON f.decision = d.id GROUP BY d.id"
    )
    return [number for number, kind, n_faces in rows.fetchall() if n_faces < _LEAST_FACES.get(kind, 0)]


def _erase_names_of_others(connection: sqlite3.Connection, everybody: Sequence[int], names: Iterable[str]) -> None:
    """Take `names` out of what other people were once called."""
    held = {
        name
        for (name,) in connection.execute(
            "SELECT name FROM person_now WHERE person NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(list(everybody)),),
        )
    }
    gone = json.dumps(sorted(set(names) - held), ensure_ascii=False)
    _delete_decisions(
        connection,
        [
            number
            for (number,) in connection.execute(
                "SELECT id FROM decisions WHERE kind = 'rename' AND text IN (SELECT value FROM json_each(?))", (gone,)
            ).fetchall()
        ],
    )
    connection.execute(
        "UPDATE people SET first_name = (SELECT name FROM person_now WHERE person = people.id) "
        "WHERE first_name IN (SELECT value FROM json_each(?)) AND id NOT IN (SELECT value FROM json_each(?))",
        (gone, json.dumps(list(everybody))),
    )
