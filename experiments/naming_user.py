"""A user who knows the truth and names the faces of an archive, by hand, with the CSV or by questions; what it takes.

See `experiments.naming_effort`, which draws the archives and counts.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.grouping import cluster_table, read_known_people, write_people_file
from classifiers.groups.similarity import normalized_space
from classifiers.scores.clarity import find_clarity
from classifiers.scores.normalization import Background
from embedder.tables.table import EmbeddingTable
from foundation.csv_rows import read_columns, read_rows, write_rows
from people.store.scanned import Links, ScannedFace
from people.store.store import PeopleStore
from people.suggestions.answers import answer
from people.suggestions.questions import Suggestion, find_questions
from people.workspace.grouping import Decided, group_faces
from people.workspace.table_rows import read_names, record_table

RIGHT = 0.99
_ROUND = 20
_REGROUP_AFTER = 100
_REMEMBERED = 20
_GROUPS_A_PAGE = 10

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Archive:
    """Faces to be named.

    Attributes
    ----------
    table : EmbeddingTable
        Without identities.
    truth : (n,) str
        Who each face is.
    wanted : (n,) bool
        Whose faces are to get a name.
    background : Background
        Fitted on other people.
    of_each : bool
        Whether so many of each wanted person's faces must be right, not only of all faces.
    """

    table: EmbeddingTable
    truth: NDArray[np.object_]
    wanted: NDArray[np.bool_]
    background: Background
    of_each: bool = False

    def is_done(self, names: NDArray[np.object_]) -> bool:
        """Return whether so many faces as are wanted have their name, or need none and have no wrong one."""
        is_right = (names == self.truth) | (~self.wanted & (names == ""))
        parts = [np.ones(len(names), bool)]
        if self.of_each:
            parts = [self.truth == name for name in np.unique(self.truth[self.wanted])]
        return all(is_right[part].mean() >= RIGHT for part in parts)

    def groups(self) -> Iterator[Rows]:
        """Yield the groups of faces as found without any name, the largest first, single faces last."""
        n = len(self.table)
        decided = Decided(np.full(n, "", object), np.zeros(n, bool), Links([], [], []), {})
        yield from _sets(group_faces(self.table, decided, background=self.background))


@dataclass
class Effort:
    """What a user has said.

    Attributes
    ----------
    n_typed : int
        Names given to groups or faces.
    n_answers : int
        Questions answered.
    n_passed : int
        Groups looked at that were nobody to be named.
    n_pages : int
        Pages confirmed, part of `n_answers`.
    n_seen : int
        Questions looked at, whether or not each was answered on its own.
    log : list
        Of each question: kind, faces it would settle, similarity above the threshold, whether the answer was yes.
    """

    n_typed: int = 0
    n_answers: int = 0
    n_passed: int = 0
    n_pages: int = 0
    n_seen: int = 0
    log: list[tuple[str, int, float, bool]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All that was said."""
        return self.n_typed + self.n_answers + self.n_passed


def by_hand(archive: Archive, *, every: bool) -> Effort:
    """Name one group after the other, the largest first, until enough is right, or `every` group."""
    effort, names = Effort(), np.full(len(archive.table), "", object)
    for rows in archive.groups():
        if not every and archive.is_done(names):
            break
        name_group(archive, names, rows, effort)
    return effort


def name_group(archive: Archive, names: NDArray[np.object_], rows: Rows, effort: Effort) -> None:
    """Give a group the name of most of its faces, and those that are not theirs their own."""
    name = _majority(archive.truth[rows])
    is_wanted = bool(archive.wanted[rows[archive.truth[rows] == name]].any())
    names[rows] = name if is_wanted else ""
    effort.n_typed += is_wanted
    effort.n_passed += not is_wanted
    for row in rows[archive.truth[rows] != name].tolist():
        names[row] = archive.truth[row] if archive.wanted[row] else ""
        effort.n_typed += bool(archive.wanted[row]) or is_wanted


def by_csv(archive: Archive, folder: Path) -> Effort:
    """Name the groups of a people file, cluster again with the names so far, and go on."""
    effort, file = Effort(), folder / "people.csv"
    space = normalized_space(archive.table.embeddings, archive.background)
    clarity = find_clarity(archive.table.fingerprint)
    poor = None if clarity is None else clarity.are_poor(archive.table.embeddings)
    seen = np.zeros(len(archive.table), bool)
    least = 2
    while True:
        before = read_known_people(archive.table, names=file if file.exists() else None, out=file)
        groups = cluster_table(archive.table, before=before, space=space, poor=poor)
        write_people_file(file, archive.table, groups)
        names = groups.names.copy()
        todo = [rows for rows in _sets(groups.labels) if not names[rows[0]] and not seen[rows].all()]
        start = effort.total
        for rows in todo:
            if archive.is_done(names):
                return effort
            if len(rows) < least or (least == 1 and effort.total - start >= _REGROUP_AFTER):
                break
            name_group(archive, names, rows, effort)
            seen[rows] = True
        if effort.total == start and least == 1:
            wrong = np.flatnonzero((names != archive.truth) & (archive.wanted | (names != "")))
            for row in wrong.tolist():
                if archive.is_done(names):
                    break
                names[row] = archive.truth[row] if archive.wanted[row] else ""
                effort.n_typed += 1
            return effort
        least = 1
        _edit(file, archive.table, names)


def _edit(file: Path, table: EmbeddingTable, names: NDArray[np.object_]) -> None:
    """Write names into the column `name` of a people file."""
    columns = read_columns(file)
    row_of = {key: row for row, key in enumerate(zip(table.paths, table.face_indices.tolist(), strict=True))}
    cells = [cells for _, cells in read_rows(file, columns)]
    for row in cells:
        row["name"] = str(names[row_of[row["path"], int(row["face_index"])]])
    write_rows(file, columns, ([row[column] for column in columns] for row in cells))


def by_questions(archive: Archive, folder: Path, *, session: type["_Session"] | None = None) -> Effort:
    """Name the largest group or answer the first questions, whichever settles more, until it is done."""
    with PeopleStore(folder / "people.sqlite", create=True) as store:
        record_table(store, archive.table)
        return (session or _Session)(archive, store).play()


def by_pages(archive: Archive, folder: Path) -> Effort:
    """Do as `by_questions`, with questions answered together and a name said with the first of its faces."""
    return by_questions(archive, folder, session=PageSession)


class _Session:
    def __init__(self, archive: Archive, store: PeopleStore) -> None:
        self.archive, self.store, self.effort = archive, store, Effort()
        self.looked_at: list[bool] = []

    def play(self) -> Effort:
        self.regroup()
        said = 0
        while not self.is_done():
            if self.effort.total - said >= _REGROUP_AFTER:
                said = self.effort.total
                self.regroup()
            questions = find_questions(self.store, self.archive.table, limit=_ROUND, background=self.archive.background)
            groups = self.store.groups()
            if questions and (not groups or self.worth(questions) >= len(groups[0].faces) * self.chance_of_name()):
                self.answer_all(questions)
            elif groups:
                self.name_groups([_rows(group.faces) for group in groups])
            else:
                break
        return self.effort

    def worth(self, questions: Sequence[Suggestion]) -> float:
        """Return how many faces are probably settled by one thing said."""
        return questions[0].n_settled * questions[0].chance

    def answer_all(self, questions: Sequence[Suggestion]) -> None:
        for question in questions:
            if not self.is_done():
                self.effort.n_answers += 1
                self.answer(question)

    def is_done(self) -> bool:
        return self.archive.is_done(read_names(self.store, len(self.archive.table))[0])

    def regroup(self) -> None:
        names, settled = read_names(self.store, len(self.archive.table))
        people = {person.number: person.name for person in self.store.people()}
        decided = Decided(names, settled, self.store.links(), people)
        self.store.record_groups(group_faces(self.archive.table, decided, background=self.archive.background))

    def chance_of_name(self) -> float:
        """Return how likely the next group is of somebody to be named, as the newest groups looked at were."""
        newest = self.looked_at[-_REMEMBERED:]
        return (sum(newest) + 1) / (len(newest) + 1)

    def name_groups(self, groups: Sequence[Rows]) -> None:
        self.name_group(groups[0])

    def name_group(self, rows: Rows) -> None:
        names = np.full(len(self.archive.table), "", object)
        name_group(self.archive, names, rows, self.effort)
        self.looked_at.append(bool((names[rows] != "").any()))
        for name in np.unique(names[rows]):
            faces = self.store.faces_of_rows(rows[names[rows] == name].tolist())
            if name:
                self.store.name(faces, name)
            else:
                self.store.mark_nobody(faces)

    def is_so(self, question: Suggestion) -> bool:
        """Return what the truth answers."""
        name = _majority(self.archive.truth[_rows(question.faces)])
        if question.kind == "same_person":
            return name == _majority(self.archive.truth[_rows(question.others)])
        return question.kind != "not_a_face" and name == self.store.person(question.person or 0).name

    def answer(self, question: Suggestion) -> None:
        """Answer as the truth is; faces that a yes would name wrongly get their own names, one by one."""
        rows, truth, is_so = _rows(question.faces), self.archive.truth, self.is_so(question)
        answer(self.store, question, "yes" if is_so else "no")
        self.effort.n_seen += 1
        self.effort.log.append((question.kind, question.n_settled, question.similarity - question.threshold, is_so))
        if not is_so or question.kind == "same_person":
            return
        for row in rows[truth[rows] != _majority(truth[rows])].tolist():
            faces = self.store.faces_of_rows([row])
            self.effort.n_typed += 1
            if self.archive.wanted[row]:
                self.store.name(faces, truth[row])
            else:
                self.store.mark_nobody(faces)


class PageSession(_Session):
    """Questions that `find_questions` gives together are about other faces each, so they are answered together."""

    def worth(self, questions: Sequence[Suggestion]) -> float:
        said = 1 + sum(min(one.chance, 1 - one.chance) for one in questions)
        return max(super().worth(questions[:1]), sum(one.n_settled * one.chance for one in questions) / said)

    def answer_all(self, questions: Sequence[Suggestion]) -> None:
        self.effort.n_answers += 1
        self.effort.n_pages += 1
        for question in questions:
            is_so = self.is_so(question)
            if is_so and question.is_about_unnamed:
                self.name_pair(question)
                continue
            self.effort.n_answers += is_so != (question.likely == "yes")
            self.answer(question)

    def name_groups(self, groups: Sequence[Rows]) -> None:
        """Look at some groups together: each of somebody to be named gets its name, all others are nobody's at once."""
        passed = self.effort.n_passed
        for rows in groups[:_GROUPS_A_PAGE]:
            self.name_group(rows)
        self.effort.n_passed = min(self.effort.n_passed, passed + 1)

    def name_pair(self, question: Suggestion) -> None:
        """Say the name of two sets that are one person, which says that they are."""
        self.effort.n_seen += 1
        self.effort.log.append((question.kind, question.n_settled, question.similarity - question.threshold, True))
        self.name_group(_rows((*question.faces, *question.others)))


def _rows(faces: Sequence[ScannedFace]) -> Rows:
    return np.array([face.row for face in faces], np.int64)


def _sets(labels: NDArray[np.integer]) -> Iterator[Rows]:
    """Yield the rows of each label, most first; rows without a group alone."""
    order = np.argsort(labels, kind="stable")
    grouped = order[labels[order] >= 0]
    sets = np.split(grouped, np.flatnonzero(np.diff(labels[grouped])) + 1) if len(grouped) else []
    sets += [np.array([row]) for row in np.flatnonzero(labels < 0)]
    yield from sorted(sets, key=lambda rows: (-len(rows), rows[0]))


def _majority(names: NDArray[np.object_]) -> str:
    return str(Counter(names).most_common(1)[0][0])


WAYS: dict[str, Callable[[Archive, Path], Effort]] = {
    "every group": lambda archive, _: by_hand(archive, every=True),
    "by hand": lambda archive, _: by_hand(archive, every=False),
    "CSV": by_csv,
    "questions": by_questions,
    "pages": by_pages,
}
