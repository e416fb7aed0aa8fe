"""PeopleStore: make decisions and take them back."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foundation.paths import display_path
from foundation.text import pluralize
from people.errors import DecisionError, PersonError, StoreError
from people.store import derivation, erasure, faces, schema
from people.store.reader import PeopleReader
from people.store.records import DRAWN, Decision, Face, Kind, check_name
from people.store.scanned import ScannedFile, write_groups, write_scan

_OUTER = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"
_INNER = "SAVEPOINT inner", "RELEASE inner", "ROLLBACK TO inner"
"""How a block of decisions begins, ends, and is taken back, by itself and within another one."""


class PeopleStore(PeopleReader):
    """The decisions of a workspace, in one SQLite file.

    A decision is durable when its method returns (within `at_once`, when that ends), is never changed, and can be taken
    back at any time, in any order; who is who now is derived from those that were not taken back. All methods raise
    `StoreError` where the file is damaged, and ``OSError`` where it cannot be written; nothing is half done then.

    Parameters
    ----------
    path : path
        The file.
    create : bool
        Make it if it is not there.
    by : str
        Who or what decides, recorded with each decision.

    Attributes
    ----------
    made : list of int
        Numbers of the decisions that were made through this object.

    Raises
    ------
    StoreError
        If the file is no store, damaged, or of a newer version.
    OSError
        If it is not there and not to be made, or cannot be read or written.
    """

    def __init__(self, path: str | Path, *, create: bool = False, by: str = "Python") -> None:
        self.by = by
        self.made: list[int] = []
        self._create = create
        self._check_first: Callable[[], None] | None = None
        super().__init__(path)

    def _open(self) -> sqlite3.Connection:
        if self._create and not self.path.exists():
            return schema.create_database(self.path)
        return schema.open_database(self.path)

    @contextmanager
    def provided(self, check: Callable[[], None]) -> Iterator[None]:
        """Decide within the block only what `check` does not refuse by raising an error.

        It is called inside the transaction of each decision, so that nothing can change between the two.
        """
        self._check_first = check
        try:
            yield
        finally:
            self._check_first = None

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Make all decisions within the block, or none if one of them or anything else in it raises an error.

        They are durable when the outermost block ends.
        """
        is_inner = self._connection.in_transaction
        begin, end, take_back = _INNER if is_inner else _OUTER
        with self._explained():
            self._connection.execute(begin)
            n_made = len(self.made)
            try:
                if self._check_first is not None and not is_inner:
                    self._check_first()
                yield
                self._connection.execute(end)
            except BaseException:
                del self.made[n_made:]
                with suppress(sqlite3.Error):
                    self._connection.execute(take_back)
                raise

    def name(self, shown: Sequence[Face], name: str) -> Decision:
        """Say that faces are the person called `name`, who is new if nobody is called so.

        Raises
        ------
        PersonError
            If the name cannot be given.
        DecisionError
            If no face is given.
        """
        name = check_name(name)
        with self.at_once():
            person = self._find_person(name)
            if person is None:
                cursor = self._connection.execute("INSERT INTO people (first_name) VALUES (?)", (name,))
                person = int(cursor.lastrowid or 0)
                derivation.derive_person(self._connection, person)
            return self._decide("is", shown, person=person)

    def deny(self, shown: Sequence[Face], person: int) -> Decision:
        """Say that faces are not `person`."""
        return self._decide_about("is_not", shown, person=person)

    def join(self, shown: Sequence[Face]) -> Decision:
        """Say that two or more faces show one and the same person, whoever that is."""
        return self._decide_pairwise("same", shown)

    def draw(self, face: Face) -> Decision:
        """Say that there is a face, whoever that is; the next scan takes it into the table."""
        with self.at_once():
            return self._decide("same", [face], text=DRAWN)

    def part(self, shown: Sequence[Face]) -> Decision:
        """Say that two or more faces show as many different people."""
        return self._decide_pairwise("different", shown)

    def mark_nobody(self, shown: Sequence[Face]) -> Decision:
        """Say that faces are strangers nobody cares about."""
        return self._decide_about("nobody", shown)

    def mark_not_a_face(self, shown: Sequence[Face]) -> Decision:
        """Say that what was found is no face."""
        return self._decide_about("not_a_face", shown)

    def rename(self, person: int, name: str) -> Decision:
        """Give a person another name.

        Raises
        ------
        PersonError
            If it cannot be given, or is somebody else's.
        """
        name = check_name(name)
        with self.at_once():
            other = self._find_person(name)
            if other is not None and other != person and self.person(other).n_faces:
                raise PersonError(f"{name!r} is what another person is called; to make one of both, merge them")
            return self._decide("rename", (), person=self.person(person).number, text=name)

    def merge(self, gone: int, stays: int) -> Decision:
        """Say that two people are one, who keeps the name of `stays`."""
        with self.at_once():
            one, two = self.person(gone), self.person(stays)
            if one.number == two.number:
                raise DecisionError(f"expected two people to merge, got {two.name!r} twice; nothing is to be done")
            return self._decide("merge", (), person=one.number, other=two.number)

    def hide(self, person: int, *, hidden: bool = True) -> Decision:
        """Leave a person out of lists, or show the person again."""
        return self._decide_about("hide" if hidden else "show", (), person=person)

    def set_cover(self, person: int, face: Face) -> Decision:
        """Let a face stand for its person."""
        return self._decide_about("cover", [face], person=person)

    def record_answer(self, question: str, answer: str, decision: Decision | None) -> None:
        """Record that a question was answered, and by which decision, so that it is not asked again."""
        with self.at_once():
            self._connection.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)",
                (question, answer, _now(), None if decision is None else decision.number),
            )

    def record_same_photo(self, photo: str, other: str) -> None:
        """Record that `other` is the SHA-256 of a photo known as `photo` with other names written into it.

        Faces, decisions and history stay those of the photo; to be called before the file is replaced, so that whatever
        ends the process between the two, the file is known afterwards.
        """
        with self.at_once():
            faces.add_same_photo(self._connection, photo, other)

    def record_table(
        self,
        files: Sequence[ScannedFile],
        file_of_row: NDArray[np.integer],
        *,
        face_indices: NDArray[np.integer],
        places: NDArray[np.float64],
    ) -> int:
        """Record which faces the newest table holds, and find those that decisions are about among them.

        Parameters and result are those of `people.store.scanned.write_scan`.
        """
        with self.at_once():
            return write_scan(self._connection, files, file_of_row, face_indices=face_indices, places=places)

    def record_groups(self, groups: NDArray[np.integer]) -> None:
        """Record the group of each row of the newest table, int (n,), `people.store.scanned.NO_GROUP` for none."""
        with self.at_once():
            write_groups(self._connection, groups)

    def undo(self, decision: int | None = None) -> Decision:
        """Take back a decision, by default the newest that holds and is no undo itself.

        Raises
        ------
        DecisionError
            If there is none, it was taken back already, or two people would have one name afterwards.
        """
        with self.at_once():
            if decision is None:
                decision = self._newest("d.undoes IS NULL")
            return self._undo(self.decision(decision))

    def redo(self) -> Decision:
        """Take back the newest undo that holds, if nothing new was decided after it.

        Raises
        ------
        DecisionError
            If there is none.
        """
        with self.at_once():
            is_undo = "d.undoes IN (SELECT id FROM decisions WHERE undoes IS NULL)"
            nothing_new = "d.id > (SELECT max(id) FROM decisions WHERE undoes IS NULL)"
            return self._undo(self.decision(self._newest(f"{is_undo} AND {nothing_new}")))

    def repair(self) -> list[Decision]:
        """Let what is shown follow from the decisions where a version before did not heed one of them.

        First it is decided what was shown, then what follows from the decisions of before; so taking back the latter,
        which are returned, shows again what was shown. Nothing is done where nothing is wrong.

        Raises
        ------
        StoreError
            If the store is damaged in another way.
        DecisionError
            If two people would have one name afterwards.
        """
        with self.at_once():
            # SQLite copies nothing for the connection that is writing, so another one reads what there was before.
            with PeopleReader(self.path) as before:
                faults = before._find_faults()
            if not faults:
                return []
            for fault in faults:
                self._append_about(fault.face, fault.shown, instead_of=fault.follows)
            following = [self._append_about(fault.face, fault.follows, instead_of=fault.shown) for fault in faults]
            derivation.derive_all(self._connection)
            self._check_names({person for fault in faults for person in (fault.shown, fault.follows) if person})
            return [self.decision(number) for number in following]

    def _append_about(self, face: int, person: int | None, *, instead_of: int | None) -> int:
        """Say that a face is `person` or, where that is nobody, that it is not the other one."""
        kind: Kind = "is_not" if person is None else "is"
        number = self._append(kind, person=instead_of if person is None else person)
        self._connection.execute("INSERT INTO decision_faces VALUES (?, ?)", (number, face))
        return number

    def forget(self, people: Sequence[int], *, names: Collection[str] = ()) -> set[str]:
        """Erase people for good: their names, the decisions about them, and the faces that only they had.

        Unlike all else this cannot be taken back. It is one transaction: a process killed at any moment leaves all or
        nothing of it. Afterwards the file is written anew without what was deleted, its log emptied (`purge`).

        Parameters
        ----------
        people : sequence of int
            Numbers of people; those merged into them go with them.
        names : collection of str
            What else the person is called, to be erased where somebody was once called so.

        Returns
        -------
        set of str
            All that they were ever called.

        Raises
        ------
        StoreError
            Also if another process keeps the log from being emptied.
        """
        with self.at_once():
            called = erasure.names_of(self._connection, people) | set(names)
            erasure.erase_people(self._connection, people, called)
        self.purge()
        return called

    def purge(self) -> None:
        """Write the file anew without what was deleted from it, and empty its log.

        Raises
        ------
        StoreError
            If another process is reading the store, so that its log cannot be emptied.
        """
        with self._explained():
            self._connection.execute("VACUUM")
            is_busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if is_busy:
            raise StoreError(
                f"{display_path(self.path)}: expected to be the only one using it while somebody is forgotten, another "
                "process reads it; end that one and run the same command again"
            )

    # --- within a transaction ---

    def _decide_about(self, kind: Kind, shown: Sequence[Face], *, person: int | None = None) -> Decision:
        with self.at_once():
            return self._decide(kind, shown, person=None if person is None else self.person(person).number)

    def _decide_pairwise(self, kind: Kind, shown: Sequence[Face]) -> Decision:
        if len(set(shown)) < 2:
            raise DecisionError(f"expected two faces or more, got {len(set(shown))}")
        return self._decide_about(kind, shown)

    def _decide(
        self, kind: Kind, shown: Sequence[Face], *, person: int | None = None, other: int | None = None, text: str = ""
    ) -> Decision:
        if kind in ("is", "is_not", "nobody", "not_a_face") and not shown:
            raise DecisionError("expected faces to decide about, got none")
        numbers = faces.add_faces(self._connection, shown)
        decision = self._append(kind, person=person, other=other, text=text)
        self._connection.executemany(
            "INSERT OR IGNORE INTO decision_faces VALUES (?, ?)", [(decision, number) for number in numbers]
        )
        return self._derive(self.decision(decision))

    def _append(
        self,
        kind: Kind,
        *,
        person: int | None = None,
        other: int | None = None,
        text: str = "",
        undoes: int | None = None,
    ) -> int:
        cursor = self._connection.execute(
            "INSERT INTO decisions (at, by, kind, person, other, text, undoes) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (_now(), self.by, kind, person, other, text, undoes),
        )
        self.made.append(int(cursor.lastrowid or 0))
        return self.made[-1]

    def _undo(self, target: Decision) -> Decision:
        if target.is_undone:
            raise DecisionError(
                f"decision {target.number} was taken back already; facetable people WORKSPACE history shows by what"
            )
        number = self._append("undo", undoes=target.number)
        derivation.derive_undone(self._connection, target.number)
        while target.undoes is not None:  # what takes back an undo brings back what that one took back
            target = self.decision(target.undoes)
        self._derive(target)
        return self.decision(number)

    def _derive(self, decision: Decision) -> Decision:
        """Bring what is derived up to date for a decision that was just made or taken back."""
        changed = {person for person in (decision.person, decision.other) if person is not None}
        if decision.kind in ("rename", "hide", "show", "cover") and decision.person is not None:
            derivation.derive_person(self._connection, decision.person)
        if decision.kind == "merge":
            changed |= derivation.derive_merges(self._connection)
            changed |= derivation.derive_faces(self._connection, derivation.faces_denied(self._connection, changed))
        elif decision.n_faces:
            touched = self._connection.execute("SELECT face FROM decision_faces WHERE decision = ?", (decision.number,))
            changed |= derivation.derive_faces(self._connection, [face for (face,) in touched])
        self._check_names(derivation.count_faces(self._connection, changed))
        return decision

    def _check_names(self, people: set[int]) -> None:
        for number in people:
            name = self.person(number).name
            n_called = self._connection.execute(
                "SELECT count(*) FROM person_now WHERE name = ? AND person = root AND n_faces > 0", (name,)
            ).fetchone()[0]
            if n_called > 1:
                raise DecisionError(
                    f"{pluralize(n_called, 'person', 'people')} would be called {name!r} then; rename one of them "
                    "first, or merge them"
                )

    def _newest(self, condition: str) -> int:
        row = self._connection.execute(
            "SELECT max(d.id) FROM decisions AS d LEFT JOIN undone AS u ON u.decision = d.id "
            f"WHERE u.decision IS NULL AND {condition}"
        ).fetchone()
        if row[0] is None:
            raise DecisionError("expected a decision to take back, found none")
        return int(row[0])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
