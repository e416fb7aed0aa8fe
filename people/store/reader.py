"""PeopleReader: who is who now, and how that came about."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from foundation.text import normalize_name
from people.errors import UnknownDecisionError, UnknownPersonError, UnknownPhotoError
from people.store import derivation, erasure, faces, scanned, schema
from people.store.queries import (
    FoundPhoto,
    PhotoQuery,
    count_together,
    denied_people,
    faces_without_row,
    find_photos,
    group_sizes,
    read_groups,
    read_links,
    rows_of_people,
    rows_with_decisions,
)
from people.store.records import Decision, Face, Kind, Person, check_name, hashes_of_number
from people.store.scanned import (
    Group,
    Links,
    ScannedFace,
    ScannedFile,
    TableCounts,
    count_table,
    select_by_keys,
    select_covers,
    select_faces,
)

_PERSON_COLUMNS = "person, name, n_faces, n_photos, is_hidden, cover"
_DECISION_COLUMNS = (
    "d.id, d.at, d.by, d.kind, d.person, d.other, d.text, d.undoes, "
    "EXISTS (SELECT 1 FROM undone WHERE decision = d.id), "
    "(SELECT count(*) FROM decision_faces WHERE decision = d.id)"
)


class PeopleReader:
    """The decisions of a workspace, to be asked.

    All methods raise `StoreError` where the file is damaged.

    Parameters
    ----------
    path : path
        The file; its folder need not be writable.

    Raises
    ------
    StoreError
        If the file is no store, damaged, or of a newer version.
    OSError
        If it is not there or cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        return schema.open_database(self.path, read_only=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; decisions are in it already."""
        self._connection.close()

    @property
    def revision(self) -> int:
        """The number of the newest decision, 0 before the first."""
        return int(self._select("SELECT coalesce(max(id), 0) FROM decisions")[0][0])

    def people(self, *, hidden: bool = True) -> list[Person]:
        """Return everybody who has a face, those with most faces first; `hidden` ones too."""
        rows = self._select(
            f"SELECT {_PERSON_COLUMNS} FROM person_now WHERE person = root AND n_faces > 0 AND is_hidden <= ? "
            "ORDER BY n_faces DESC, name, person",
            (hidden,),
        )
        return [_person(row) for row in rows]

    def person(self, number: int) -> Person:
        """Return a person; of one who was merged into another, the other.

        Raises
        ------
        PersonError
            If there is none.
        """
        rows = self._select(
            f"SELECT {_PERSON_COLUMNS} FROM person_now WHERE person = (SELECT root FROM person_now WHERE person = ?)",
            (number,),
        )
        if not rows:
            raise UnknownPersonError(
                f"expected the number of a person, got {number}; facetable people WORKSPACE list shows them"
            )
        return _person(rows[0])

    def asked(self) -> set[str]:
        """Return the questions that need not be asked again: answered, and the answer not taken back."""
        rows = self._select(
            "SELECT question FROM answers WHERE decision IS NULL OR decision NOT IN (SELECT decision FROM undone)"
        )
        return {question for (question,) in rows}

    def first_name(self, number: int) -> str:
        """Return what a person is called now, apart from whom they were merged into."""
        rows = self._select("SELECT name FROM person_now WHERE person = ?", (number,))
        return str(rows[0][0]) if rows else f"person {number}"

    def name_before(self, decision: Decision) -> str:
        """Return what the person of a decision was called when it was made; "" where it is about nobody."""
        if decision.person is None:
            return ""
        with self._explained():
            return derivation.name_before(self._connection, decision.person, decision.number)

    def find_person(self, name: str) -> Person:
        """Return the person called `name`.

        Raises
        ------
        PersonError
            If nobody with a face is called so, naming whoever is called alike.
        """
        found = self._find_person(check_name(name))
        if found is None or not self.person(found).n_faces:
            alike = [person.name for person in self.people() if person.name.casefold() == name.strip().casefold()]
            hint = f"; did you mean {alike[0]!r}?" if alike else "; facetable people WORKSPACE list shows the names"
            raise UnknownPersonError(f"nobody is called {name!r}{hint}")
        return self.person(found)

    def people_called(self, name: str) -> list[int]:
        """Return the numbers of the people, merges followed, who are called so or were merged into somebody as that.

        Unlike `find_person` it also finds people without a face.
        """
        with self._explained():
            return erasure.people_called(self._connection, normalize_name(name))

    def texts_with(self, parts: Iterable[str]) -> set[str]:
        """Return all texts of the file that hold one of `parts`, also within a word."""
        with self._explained():
            return erasure.texts_with(self._connection, parts)

    def all_names(self) -> set[str]:
        """Return the names that people have, and had before they were renamed or merged."""
        return {
            name
            for (name,) in self._select(
                "SELECT first_name FROM people UNION SELECT name FROM person_now "
                "UNION SELECT text FROM decisions WHERE kind = 'rename'"
            )
        }

    def members_of(self, people: Sequence[int]) -> list[tuple[int, str]]:
        """Return number and first name, which never change, of people and of all who were merged into them."""
        return self._select(
            "SELECT p.id, p.first_name FROM people AS p JOIN person_now AS n ON n.person = p.id "
            "WHERE n.root IN (SELECT value FROM json_each(?)) ORDER BY p.id",
            (json.dumps(list(people)),),
        )

    def roots_of(self, members: Iterable[tuple[int, str]]) -> set[int]:
        """Return the people, merges followed, who are here what `members_of` another copy of the store are there."""
        wanted = set(members)
        rows = self._select(
            "SELECT p.id, p.first_name, n.root FROM people AS p JOIN person_now AS n ON n.person = p.id"
        )
        return {root for number, first_name, root in rows if (number, first_name) in wanted}

    def scanned_paths(self) -> list[str]:
        """Return the paths of all files of the newest table."""
        return [path for (path,) in self._select("SELECT path FROM scanned_files ORDER BY path")]

    def faces_of(self, person: int) -> list[Face]:
        """Return the faces of a person, in the order of their first decision."""
        members = self._members(person)
        with self._explained():
            return faces.faces_of_people(self._connection, members)

    def groups(self) -> list[Group]:
        """Return the groups of faces nobody has named, largest first; what was said to be one person is one group."""
        with self._explained():
            return read_groups(self._connection)

    def files(self) -> list[ScannedFile]:
        """Return the photos and videos of the newest table in path order, also those without a face."""
        rows = self._select(
            "SELECT path, lower(hex(sha256)), width, height, taken, kind FROM scanned_files ORDER BY path"
        )
        return self._with_contents(rows)

    def same_photos(self) -> dict[str, str]:
        """Return the SHA-256 of contents that differ from a photo's first one in what they say alone, to that one's."""
        with self._explained():
            return faces.read_same_photos(self._connection)

    def undecided_rows(self) -> list[int]:
        """Return the rows of the newest table that no decision is about."""
        return [row for (row,) in self._select("SELECT row FROM scanned_faces WHERE face IS NULL ORDER BY row")]

    def faces_of_rows(self, rows: Sequence[int]) -> list[Face]:
        """Return the faces of rows of the newest table."""
        return [face.face for face in self.faces_at_rows(rows)]

    def photo(self, number: int) -> ScannedFile:
        """Return the photo or video of the newest table that has a number (`people.store.records.photo_number`).

        Raises
        ------
        UnknownPhotoError
            If there is none.
        """
        rows = self._select(
            "SELECT path, lower(hex(sha256)), width, height, taken, kind FROM scanned_files "
            "WHERE sha256 BETWEEN ? AND ? ORDER BY path LIMIT 1",
            hashes_of_number(number),
        )
        if not rows:
            raise UnknownPhotoError(f"expected the number of a photo of the newest scan, got {number}")
        return self._with_contents(rows)[0]

    def _with_contents(self, rows: Iterable[tuple[Any, ...]]) -> list[ScannedFile]:
        others: dict[str, set[str]] = {}
        for other, photo in self.same_photos().items():
            others.setdefault(photo, set()).add(other)
        files = [ScannedFile(*row) for row in rows]
        return [replace(file, other_contents=frozenset(others.get(file.sha256, ()))) for file in files]

    def faces_with_keys(self, keys: Sequence[str]) -> list[ScannedFace]:
        """Return the face of each key (`Face.key`) as the newest table shows it.

        Raises
        ------
        UnknownFaceError
            If the table has no such face.
        """
        with self._explained():
            return select_by_keys(self._connection, keys)

    def covers(self, people: Sequence[int]) -> dict[int, ScannedFace]:
        """Return the face that stands for each of `people`; those whose photos are gone have none."""
        with self._explained():
            return select_covers(self._connection, people)

    def count_table(self) -> TableCounts:
        """Return how many photos, faces and groups the newest table holds."""
        with self._explained():
            return count_table(self._connection)

    def faces_in_table(
        self,
        *,
        path: str | None = None,
        person: int | None = None,
        group: int | None = None,
        page: slice = slice(0, None),
    ) -> list[ScannedFace]:
        """Return faces of the newest table: all, those of a photo, a person or, unnamed, a group; some with `page`."""
        where, values = "1", list[object]()
        if path is not None:
            where += " AND f.path = ?"
            values.append(path)
        if person is not None:
            where += f" AND n.person IN ({self._members_text(person)})"
        if group is not None:
            where += " AND s.cluster = ? AND coalesce(n.state, 'open') = 'open'"
            values.append(group)
        return self._scanned_faces(where, values, page=page)

    def faces_of_files(self, files: Sequence[int]) -> list[ScannedFace]:
        """Return the faces of files by their numbers in the newest table, by row."""
        with self._explained():
            return scanned.faces_of_files(self._connection, files)

    def faces_at_rows(self, rows: Sequence[int]) -> list[ScannedFace]:
        """Return the faces at rows of the newest table, by row."""
        return self._scanned_faces("s.row IN (SELECT value FROM json_each(?))", (json.dumps(list(rows)),))

    def group_sizes(self) -> list[tuple[int, int]]:
        """Return number and size of each group of unnamed faces, the largest first."""
        with self._explained():
            return group_sizes(self._connection)

    def rows_of_people(self) -> dict[int, list[int]]:
        """Return the rows of the newest table that show each person, merges followed."""
        with self._explained():
            return rows_of_people(self._connection)

    def links(self) -> Links:
        """Return what was said of faces beside their names, as rows of the newest table."""
        with self._explained():
            return read_links(self._connection)

    def denied_people(self, rows: Sequence[int]) -> set[int]:
        """Return whom faces, rows of the newest table, were said not to be."""
        with self._explained():
            return denied_people(self._connection, rows)

    def faces_without_row(self) -> list[tuple[ScannedFile, Face, str]]:
        """Return the faces that decisions are about on photos whose entry in the newest table has no row for them.

        See `people.store.queries.faces_without_row`.
        """
        with self._explained():
            return faces_without_row(self._connection)

    def rows_with_decisions(self) -> set[int]:
        """Return the rows of the newest table that a decision which holds is about and that are no mistake."""
        with self._explained():
            return rows_with_decisions(self._connection)

    def find_photos(self, wanted: PhotoQuery) -> list[FoundPhoto]:
        """Return the photos and videos of the newest table that a query describes, in path order."""
        people = (*wanted.with_people, *wanted.without_people, *wanted.accompanied)
        members = {number: self._members(number) for number in people}
        with self._explained():
            return find_photos(self._connection, wanted, members)

    def together(self, person: int | None = None) -> list[tuple[int, int, int]]:
        """Return who is on photos of the newest table with whom; see `people.store.queries.count_together`."""
        root = None if person is None else self.person(person).number
        with self._explained():
            return count_together(self._connection, root)

    def _scanned_faces(
        self, where: str, values: Sequence[object] = (), *, page: slice = slice(0, None)
    ) -> list[ScannedFace]:
        with self._explained():
            return select_faces(self._connection, where, values, page=page)

    def decision(self, number: int) -> Decision:
        """Return one decision.

        Raises
        ------
        DecisionError
            If there is none of this number.
        """
        rows = self._select(f"SELECT {_DECISION_COLUMNS} FROM decisions AS d WHERE d.id = ?", (number,))
        if not rows:
            raise UnknownDecisionError(
                f"expected the number of a decision, got {number}; facetable people WORKSPACE history shows them"
            )
        return _decision(rows[0])

    def history(
        self, *, person: int | None = None, face: Face | None = None, before: int | None = None, limit: int = 100
    ) -> list[Decision]:
        """Return decisions, the newest first: all, those about a person, a face, or those made `before` a number."""
        where, values = "1", list[int]()
        if before is not None:
            where += " AND d.id < ?"
            values.append(before)
        if person is not None:
            where += f" AND (d.person IN ({self._members_text(person)}) OR d.other IN ({self._members_text(person)}))"
        if face is not None:
            where += " AND d.id IN (SELECT decision FROM decision_faces WHERE face = ?)"
            with self._explained():
                values.append(faces.find_face(self._connection, face) or 0)
        rows = self._select(
            f"SELECT {_DECISION_COLUMNS} FROM decisions AS d WHERE {where} ORDER BY d.id DESC LIMIT ?", (*values, limit)
        )
        return [_decision(row) for row in rows]

    def back_up(self, path: str | Path) -> None:
        """Write a whole copy of the store to `path`, readable by its owner alone.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        with self._explained():
            schema.back_up(self._connection, Path(path))

    def check(self) -> None:
        """Check every page of the file, and that what is derived follows from the decisions; change nothing.

        Raises
        ------
        UnheededError
            If a version before did not heed a decision; none is lost (`PeopleStore.repair`).
        StoreError
            Naming the first fault.
        """
        schema.check_integrity(self._connection, self.path)
        faults = self._find_faults()
        if faults:
            raise schema.unheeded(self.path, len(faults))

    def _find_faults(self) -> list[derivation.FaceFault]:
        with self._explained():
            differing, faults = derivation.find_faults(self._connection)
        if differing:
            raise schema.damaged(self.path, f"{differing} does not follow from the decisions")
        return faults

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise schema.explain_sqlite_error(error, self.path) from error

    def select(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a question in SQL, for the lists of `people.browsing`."""
        return self._select(query, values)

    def _select(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._explained():
            return self._connection.execute(query, values).fetchall()

    def _find_person(self, name: str) -> int | None:
        rows = self._select(
            "SELECT person FROM person_now WHERE name = ? AND person = root ORDER BY n_faces DESC, person LIMIT 1",
            (name,),
        )
        return int(rows[0][0]) if rows else None

    def _members(self, person: int) -> list[int]:
        root = self.person(person).number
        return [member for (member,) in self._select("SELECT person FROM person_now WHERE root = ?", (root,))]

    def _members_text(self, person: int) -> str:
        return ", ".join(map(str, self._members(person)))


def _person(row: tuple[int, str, int, int, int, int | None]) -> Person:
    return Person(row[0], row[1], row[2], row[3], bool(row[4]), row[5])


def _decision(row: tuple[int, str, str, Kind, int | None, int | None, str, int | None, int, int]) -> Decision:
    return Decision(*row[:8], is_undone=bool(row[8]), n_faces=row[9])
