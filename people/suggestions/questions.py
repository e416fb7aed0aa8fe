"""Find the questions worth asking, the one whose answer settles most faces first."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from classifiers.scores.normalization import choose_background
from embedder.tables.table import EmbeddingTable
from foundation.text import pluralize
from people.store.reader import PeopleReader
from people.store.records import Face, Person
from people.store.scanned import NO_GROUP, ScannedFace
from people.suggestions.likeness import Likeness, Rows

QuestionKind = Literal["same_person", "is_this", "is_really", "not_a_face"]

MARGIN = 0.12
"""How far below the similarity of one person two sets may lie and still be asked about."""

_LOW_DETECTION_SCORE = 0.8
"""Detection score below which a face is asked about: MTCNN gives most faces more than 0.99."""


@dataclass(frozen=True)
class Suggestion:
    """A question about faces.

    Attributes
    ----------
    id : str
        The same as long as the question is the same.
    kind : str
        One of `QuestionKind`.
    text : str
        The question in one line.
    n_settled : int
        Faces that "yes" would settle.
    faces : tuple of ScannedFace
        Those that are asked about; of ``same_person`` the first set.
    others : tuple of ScannedFace
        The second set of ``same_person``, the person's nearest faces otherwise.
    person, other : int or None
        The people asked about.
    similarity, threshold : float
        How alike they are, and from where they would be taken for one person.
    evidence : tuple of (ScannedFace, ScannedFace, float)
        The most alike pairs.
    """

    id: str
    kind: QuestionKind
    text: str
    n_settled: int
    faces: tuple[ScannedFace, ...]
    others: tuple[ScannedFace, ...] = ()
    person: int | None = None
    other: int | None = None
    similarity: float = 0.0
    threshold: float = 0.0
    evidence: tuple[tuple[ScannedFace, ScannedFace, float], ...] = ()


def find_questions(reader: PeopleReader, table: EmbeddingTable, *, limit: int = 20) -> list[Suggestion]:
    """Return the questions that nobody has answered, those that settle most faces first.

    Parameters
    ----------
    reader : PeopleReader
        Its newest table must be `table`.
    table : EmbeddingTable
    limit : int
        How many.
    """
    asked = reader.asked()
    search = _Search(reader, table)
    found = [(question, pair) for question, pair in search.questions() if question.id not in asked]
    found.sort(key=lambda entry: (-entry[0].n_settled, -entry[0].similarity, entry[0].id))
    return [question if pair is None else search.with_evidence(question, *pair) for question, pair in found[:limit]]


# A question, and the two sets it compares.
_Candidate = tuple[Suggestion, tuple[int, int] | None]


class _Search:
    """The sets that are compared: groups of unnamed faces, then people."""

    def __init__(self, reader: PeopleReader, table: EmbeddingTable) -> None:
        self.table = table
        self.faces = reader.faces_in_table()
        self.people: dict[int, Person] = {person.number: person for person in reader.people()}
        groups: dict[int, list[int]] = {}
        named: dict[int, list[int]] = {}
        for face in self.faces:
            if face.state == "open" and face.group != NO_GROUP:
                groups.setdefault(face.group, []).append(face.row)
            elif face.person is not None:
                named.setdefault(face.person, []).append(face.row)
        self.group_numbers, self.person_numbers = list(groups), list(named)
        self.n_groups = len(groups)
        sets = [np.array(rows) for rows in (*groups.values(), *named.values())]
        self.likeness = Likeness.measure(table.embeddings, sets, choose_background(table.fingerprint))
        links = reader.links()
        self.set_of = {int(row): number for number, rows in enumerate(sets) for row in rows}
        self.parted = {
            frozenset((self.set_of[one], self.set_of[two]))
            for rows in links.different
            for one in rows
            for two in rows
            if one != two and one in self.set_of and two in self.set_of
        }
        self.denied = set(links.denied)

    def questions(self) -> Iterator[_Candidate]:
        """Yield all questions without their evidence, each with the sets that it compares."""
        for first, second, similarity in self.likeness.pairs_above(self.likeness.threshold - MARGIN):
            if frozenset((first, second)) in self.parted:
                continue
            if second < self.n_groups or first >= self.n_groups:
                yield self._same_person(first, second, similarity)
            elif not any((int(row), self._person(second)) in self.denied for row in self.likeness.sets[first]):
                yield self._is_this(first, second, similarity)
        for question in (*self._doubts(), *self._false_faces()):
            yield question, None

    def with_evidence(self, question: Suggestion, first: int, second: int) -> Suggestion:
        """Return a question with the most alike pairs of faces of the two sets it compares."""
        pairs = self.likeness.closest(first, second)
        return replace(question, evidence=tuple((self.faces[one], self.faces[two], alike) for one, two, alike in pairs))

    def _same_person(self, first: int, second: int, similarity: float) -> _Candidate:
        if first >= self.n_groups and self._n_faces(first) > self._n_faces(second):
            first, second = second, first  # the one with more faces keeps its name
        people = [self._person(number) if number >= self.n_groups else None for number in (first, second)]
        keys = [self._key(first), self._key(second)]
        question = Suggestion(
            id=_id("same_person", keys),
            kind="same_person",
            text=f"are {self._name(first)} and {self._name(second)} the same person?{self._how_alike(similarity)}",
            n_settled=min(self._n_faces(first), self._n_faces(second)),
            faces=self._faces(self.likeness.sets[first]),
            others=self._faces(self.likeness.sets[second]),
            person=people[0],
            other=people[1],
            similarity=similarity,
            threshold=self.likeness.threshold,
        )
        return question, (first, second)

    def _is_this(self, group: int, person: int, similarity: float) -> _Candidate:
        name = self.people[self._person(person)].name
        question = Suggestion(
            id=_id("is_this", [self._key(group)], self._person(person)),
            kind="is_this",
            text=f"is {self._name(group)} {name}?{self._how_alike(similarity)}",
            n_settled=self._n_faces(group),
            faces=self._faces(self.likeness.sets[group]),
            others=self._faces(self.likeness.sets[person]),
            person=self._person(person),
            similarity=similarity,
            threshold=self.likeness.threshold,
        )
        return question, (group, person)

    def _doubts(self) -> Iterator[Suggestion]:
        """Yield named faces that are more like somebody else than like the others of their person."""
        for number in range(self.n_groups, len(self.likeness.sets)):
            if self._n_faces(number) < 2:
                continue
            similarities = self.likeness.of_rows(number)
            own = similarities[:, number].copy()
            similarities[:, number] = -np.inf
            is_odd = (own < self.likeness.threshold - MARGIN) & (similarities.max(axis=1) > own)
            for place in np.flatnonzero(is_odd).tolist():
                yield self._is_really(number, int(self.likeness.sets[number][place]), float(own[place]))

    def _false_faces(self) -> Iterator[Suggestion]:
        for face in self.faces:
            score = float(self.table.detection_scores[face.row])
            if face.state == "open" and score < _LOW_DETECTION_SCORE:
                text = f"is {face.path}#{face.face_index} no face at all? It was found with a score of {score:.2f}"
                yield Suggestion(_id("not_a_face", [face.face]), "not_a_face", text, 1, (face,), similarity=1 - score)

    def _is_really(self, number: int, row: int, similarity: float) -> Suggestion:
        face, person = self.faces[row], self._person(number)
        text = (
            f"is {face.path}#{face.face_index} really {self.people[person].name}? It is more like somebody else"
            f"{self._how_alike(similarity)}"
        )
        return Suggestion(
            id=_id("is_really", [face.face], person),
            kind="is_really",
            text=text,
            n_settled=1,
            faces=(face,),
            person=person,
            similarity=similarity,
            threshold=self.likeness.threshold,
        )

    def _how_alike(self, similarity: float) -> str:
        return f" (similarity {similarity:.2f}, one person from {self.likeness.threshold:.2f})"

    def _name(self, number: int) -> str:
        if number >= self.n_groups:
            return self.people[self._person(number)].name
        return f"group {self.group_numbers[number]} ({pluralize(self._n_faces(number), 'face')})"

    def _key(self, number: int) -> Face:
        return self.faces[self.likeness.representative(number)].face

    def _person(self, number: int) -> int:
        return self.person_numbers[number - self.n_groups]

    def _n_faces(self, number: int) -> int:
        return len(self.likeness.sets[number])

    def _faces(self, rows: Rows) -> tuple[ScannedFace, ...]:
        return tuple(self.faces[row] for row in rows.tolist())


def _id(kind: str, faces: Sequence[Face], person: int | None = None) -> str:
    """Return what stays the same as long as the question is about the same faces."""
    parts = sorted(f"{face.photo_sha256} {' '.join(f'{side:.3f}' for side in face.box)}" for face in faces)
    return hashlib.sha256("\n".join([kind, *parts, str(person)]).encode()).hexdigest()[:12]
