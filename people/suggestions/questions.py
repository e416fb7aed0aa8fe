"""Find the questions worth asking, the one whose answer settles most faces first."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.clarity import find_clarity
from classifiers.scores.normalization import Background, choose_background
from embedder.tables.table import EmbeddingTable
from people.store.reader import PeopleReader
from people.store.records import Face, Person
from people.store.scanned import ScannedFace
from people.suggestions.face_sets import collect_sets, describe_set
from people.suggestions.likeness import Likeness
from people.suggestions.near_duplicates import LEAST_COSINE, near_duplicates

QuestionKind = Literal["same_person", "is_this", "is_really", "not_a_face", "one_event"]

MARGIN = 0.12
"""How far below the similarity of one person two sets may lie and still be asked about, and a named face and the others
of its person before it is doubted."""

_INTERCEPT, _OF_MEAN, _OF_CLOSEST = -1.53, 18.0, 28.0
"""See `chance_of_one_person`."""

_LEAST_CHANCE = 0.02
"""What is less likely is not asked."""

_MOST_COMPARED = 20_000
"""Most sets that are all compared with each other; of more, faces in no group are not compared among themselves."""

_CHANCE_OF_DOUBT = 0.5
_CHANCE_OF_ONE_EVENT = 0.9

_LOW_DETECTION_SCORE = 0.8
"""Detection score below which a face is asked about: MTCNN gives most faces more than 0.99."""


_CHANCE_OF_NO_FACE = 0.9
"""How likely what a second detector gives less than `LEAST_SECOND_SCORE` is no face: 28 false boxes and 3 true ones of
WIDER FACE (`embedder.finding.second_score`)."""


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
        Faces that "yes" would settle; of ``is_really`` and ``one_event`` the one whichever the answer.
    faces : tuple of ScannedFace
        Those that are asked about; of ``same_person`` the first set.
    others : tuple of ScannedFace
        The second set of ``same_person``, of ``one_event`` the face of nearly the same picture, the person's nearest
        faces otherwise.
    person, other : int or None
        The people asked about; of ``one_event`` who the face would be, and who it is now.
    chance : float
        How likely the answer is "yes", 0 to 1; of ``is_really`` "no".
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
    chance: float = 0.0
    similarity: float = 0.0
    threshold: float = 0.0
    evidence: tuple[tuple[ScannedFace, ScannedFace, float], ...] = ()

    @property
    def likely(self) -> Literal["yes", "no"]:
        """Which answer is likelier."""
        return "yes" if (1 - self.chance if self.kind == "is_really" else self.chance) >= 0.5 else "no"

    @property
    def is_about_unnamed(self) -> bool:
        """Return whether it is about two sets without a name, so that a name for both is an answer, too."""
        return self.kind == "same_person" and self.person is None and self.other is None


def find_questions(
    reader: PeopleReader, table: EmbeddingTable, *, limit: int = 20, background: Background | None = None
) -> list[Suggestion]:
    """Return the questions that nobody has answered, first those whose answer probably settles most faces.

    Each unnamed face, and each that may not be what it is taken for, is in one of them: what to ask next about it
    depends on the answer.

    Parameters
    ----------
    reader : PeopleReader
        Its newest table must be `table`.
    table : EmbeddingTable
    limit : int
        How many.
    background : Background, optional
        Normalizes similarities; by default that of the table's preset.
    """
    asked = reader.asked()
    search = _Search(reader, table, choose_background(table.fingerprint) if background is None else background)
    found: list[Suggestion] = []
    met: set[int] = set()
    for candidate in search.ranked():
        if len(found) == limit:
            break
        concerned = search.rows_decided(candidate)
        if met.isdisjoint(concerned) and search.id_of(candidate) not in asked:
            met |= concerned
            found.append(search.question(candidate))
    return found


def find_question(reader: PeopleReader, table: EmbeddingTable, question: str) -> Suggestion | None:
    """Return the open question of an id, wherever it ranks, None if there is none.

    Parameters
    ----------
    reader, table
        As in `find_questions`.
    question : str
        Its id.
    """
    return find_these(reader, table, [question]).get(question)


def find_these(reader: PeopleReader, table: EmbeddingTable, ids: Sequence[str]) -> dict[str, Suggestion]:
    """Return those of the questions of `ids` that are open, by id; otherwise as `find_question`."""
    wanted = set(ids) - reader.asked()
    if not wanted:
        return {}
    search = _Search(reader, table, choose_background(table.fingerprint))
    found = ((search.id_of(candidate), candidate) for candidate in search.ranked())
    return {number: search.question(candidate) for number, candidate in found if number in wanted}


class _Candidate(NamedTuple):
    """A question in numbers: two sets of `_Search`, or a set and one of its rows, or one or two rows."""

    kind: QuestionKind
    n_settled: int
    chance: float
    similarity: float
    first: int = -1
    second: int = -1
    row: int = -1
    twin: int = -1


class _Search:
    """The sets that are compared (see `people.suggestions.face_sets`), and what may be asked about them."""

    def __init__(self, reader: PeopleReader, table: EmbeddingTable, background: Background | None) -> None:
        links = reader.links()
        self.table = table
        self.faces = reader.faces_in_table()
        self.people: dict[int, Person] = {person.number: person for person in reader.people()}
        self.sets, self.n_known = collect_sets(self.faces, links.same)
        self.likeness = Likeness.measure(table.embeddings, [one.rows for one in self.sets], background)
        set_of = {int(row): number for number, one in enumerate(self.sets) for row in one.rows}
        self.parted = {
            frozenset((set_of[one], set_of[two]))
            for rows in links.different
            for one in rows
            for two in rows
            if one != two and one in set_of and two in set_of
        }
        # Two faces of one photo, or of one moment of a video, are two people.
        self.places = [
            {(self.faces[row].path, self.faces[row].face.time_s) for row in one.rows.tolist()} for one in self.sets
        ]
        self.parted_rows = {
            frozenset((one, two)) for rows in links.different for one in rows for two in rows if one != two
        }
        self.denied_rows = set(links.denied)
        self.denied = {(set_of[row], person) for row, person in links.denied if row in set_of}
        clarity = find_clarity(table.fingerprint)
        is_poor = np.zeros(len(table), bool) if clarity is None else clarity.are_poor(table.embeddings)
        self.is_poor = [bool(is_poor[one.rows].all()) for one in self.sets]

    def ranked(self) -> list[_Candidate]:
        """Return all candidates, first those that probably settle most faces, then the most alike."""
        found = [*self._pairs(), *self._doubts(), *self._false_faces(), *self._events()]
        return sorted(found, key=lambda one: (-one.n_settled * one.chance, -one.similarity, one))

    def rows_decided(self, candidate: _Candidate) -> set[int]:
        """Return the rows that an answer decides about: of sets of unnamed faces, and those in question themselves."""
        numbers = [number for number in (candidate.first, candidate.second) if number >= 0]
        rows = [
            row for number in numbers if self.sets[number].person is None for row in self.sets[number].rows.tolist()
        ]
        return {*rows, *(row for row in (candidate.row, candidate.twin) if row >= 0)}

    def id_of(self, candidate: _Candidate) -> str:
        """Return what stays the same as long as the question is about the same faces."""
        kind, first, second = candidate.kind, candidate.first, candidate.second
        if kind == "same_person":
            return _id(kind, [self._key(first), self._key(second)])
        if kind == "is_this":
            return _id(kind, [self._key(first)], self.sets[second].person)
        if kind == "one_event":
            return _id(kind, [self.faces[candidate.row].face, self.faces[candidate.twin].face])
        person = self.sets[second].person if kind == "is_really" else None
        return _id(kind, [self.faces[candidate.row].face], person)

    def question(self, candidate: _Candidate) -> Suggestion:
        """Return a candidate with its words, its faces and the most alike pairs of these."""
        if candidate.kind == "one_event":
            return self._event(candidate)
        first, second = candidate.first, candidate.second
        faces = (self.faces[candidate.row],) if first < 0 else self._faces(first)
        pairs = self.likeness.closest(first, second) if first >= 0 else []
        of_pair = candidate.kind == "same_person"
        return Suggestion(
            id=self.id_of(candidate),
            kind=candidate.kind,
            text=self._text(candidate),
            n_settled=candidate.n_settled,
            faces=faces,
            others=self._faces(second) if first >= 0 else (),
            person=self.sets[first if of_pair else second].person if second >= 0 else None,
            other=self.sets[second].person if of_pair else None,
            chance=candidate.chance,
            similarity=candidate.similarity,
            threshold=0.0 if candidate.kind == "not_a_face" else self.likeness.threshold,
            evidence=tuple((self.faces[one], self.faces[two], alike) for one, two, alike in pairs),
        )

    def _event(self, candidate: _Candidate) -> Suggestion:
        face, twin = self.faces[candidate.row], self.faces[candidate.twin]
        return Suggestion(
            id=self.id_of(candidate),
            kind=candidate.kind,
            text=self._text(candidate),
            n_settled=candidate.n_settled,
            faces=(face,),
            others=(twin,),
            person=twin.person,
            other=face.person,
            chance=candidate.chance,
            similarity=candidate.similarity,
            threshold=LEAST_COSINE,
            evidence=((face, twin, candidate.similarity),),
        )

    def _pairs(self) -> Iterator[_Candidate]:
        """Yield pairs of sets that may be one person."""
        threshold = self.likeness.threshold
        first_sets = self.n_known if len(self.sets) > _MOST_COMPARED else len(self.sets)
        for first, second, similarity in self.likeness.pairs_above(threshold - MARGIN, first_sets=first_sets):
            one, two = self.sets[first], self.sets[second]
            if frozenset((first, second)) in self.parted or not self.places[first].isdisjoint(self.places[second]):
                continue
            if self.is_poor[first] and self.is_poor[second]:  # blurred faces are alike, whoever is seen
                continue
            ((_, _, closest),) = self.likeness.closest(first, second, 1)
            chance = chance_of_one_person(similarity - threshold, closest - threshold)
            if chance < _LEAST_CHANCE:
                continue
            if (one.person is None) == (two.person is None):
                if one.person is not None and len(one) > len(two):
                    first, second = second, first  # the one with more faces keeps its name
                yield _Candidate("same_person", min(len(one), len(two)), chance, similarity, first, second)
                continue
            if one.person is not None:
                first, second = second, first
            if (first, self.sets[second].person) not in self.denied:
                yield _Candidate("is_this", len(self.sets[first]), chance, similarity, first, second)

    def _doubts(self) -> Iterator[_Candidate]:
        """Yield named faces that are more like another group or person than like the others of their person."""
        for number, one in enumerate(self.sets[: self.n_known]):
            if one.person is None or len(one) < 2:
                continue
            similarities = self.likeness.of_rows(number, n_sets=self.n_known)
            own = similarities[:, number].copy()
            similarities[:, number] = -np.inf
            is_odd = (own < self.likeness.threshold - MARGIN) & (similarities.max(axis=1) > own)
            for place in np.flatnonzero(is_odd).tolist():
                yield _Candidate(
                    "is_really", 1, _CHANCE_OF_DOUBT, float(own[place]), second=number, row=int(one.rows[place])
                )

    def _false_faces(self) -> Iterator[_Candidate]:
        from embedder.finding.second_score import LEAST_SECOND_SCORE

        for face in self.faces:
            if face.state != "open" or self.table.origins[face.row] != "detected":
                continue
            score, second = float(self.table.detection_scores[face.row]), float(self.table.second_scores[face.row])
            if second < LEAST_SECOND_SCORE:
                yield _Candidate("not_a_face", 1, _CHANCE_OF_NO_FACE, 1 - second, row=face.row)
            elif np.isnan(second) and score < _LOW_DETECTION_SCORE:
                yield _Candidate("not_a_face", 1, (1 - score) / 2, 1 - score, row=face.row)  # most of them are faces

    def _events(self) -> Iterator[_Candidate]:
        """Yield named faces of which nearly the same picture has another name, and is more like others of that name."""
        rows = np.array([face.row for face in self.faces if face.person is not None], np.int64)
        people = np.array([self.faces[row].person for row in rows.tolist()], np.int64)
        vectors = self.table.embeddings[rows]
        for one, two, cosine in near_duplicates(vectors, people):
            asked, twin = sorted(
                (one, two), key=lambda place: _own_likeness(vectors[people == people[place]], vectors[place])
            )
            row, other = int(rows[asked]), int(rows[twin])
            if frozenset((row, other)) not in self.parted_rows and (row, int(people[twin])) not in self.denied_rows:
                yield _Candidate("one_event", 1, _CHANCE_OF_ONE_EVENT, cosine, row=row, twin=other)

    def _text(self, candidate: _Candidate) -> str:
        how_alike = f" (similarity {candidate.similarity:.2f}, one person from {self.likeness.threshold:.2f})"
        if candidate.kind == "same_person":
            return f"are {self._name(candidate.first)} and {self._name(candidate.second)} the same person?{how_alike}"
        if candidate.kind == "is_this":
            return f"is {self._name(candidate.first)} {self._name(candidate.second)}?{how_alike}"
        face = self.faces[candidate.row]
        called = f"{face.path}#{face.face_index}"
        if candidate.kind == "is_really":
            return f"is {called} really {self._name(candidate.second)}? It is more like somebody else{how_alike}"
        if candidate.kind == "one_event":
            twin = self.faces[candidate.twin]
            one, two = (self.people[shown.person or 0].name for shown in (face, twin))
            return (
                f"is {called}, named {one}, {two}? {twin.path}#{twin.face_index} is named so and nearly the same "
                f"picture (similarity {candidate.similarity:.2f})"
            )
        score = float(self.table.detection_scores[face.row])
        second = float(self.table.second_scores[face.row])
        other = "" if np.isnan(second) else f", a second detector gives it {second:.2f}"
        return f"is {called} no face at all? It was found with a score of {score:.2f}{other}."

    def _name(self, number: int) -> str:
        name_of = {person.number: person.name for person in self.people.values()}
        return describe_set(self.sets[number], self.faces[int(self.sets[number].rows[0])], name_of)

    def _key(self, number: int) -> Face:
        return self.faces[self.likeness.representative(number)].face

    def _faces(self, number: int) -> tuple[ScannedFace, ...]:
        return tuple(self.faces[row] for row in self.sets[number].rows.tolist())


def chance_of_one_person(mean: float, closest: float) -> float:
    """Return how likely two sets of faces show one person.

    Fitted on random halves of LFW View 1 training people with two networks, see ``experiments/naming_effort.py``.

    Parameters
    ----------
    mean, closest : float
        How much the mean similarity of their faces, and that of the most alike two, is above the threshold.

    >>> [round(chance_of_one_person(mean, 0.05), 2) for mean in (-0.1, -0.05, 0.05)]
    [0.13, 0.26, 0.68]
    """
    return 1 / (1 + math.exp(-(_INTERCEPT + _OF_MEAN * mean + _OF_CLOSEST * closest)))


def _own_likeness(own: NDArray[np.float32], vector: NDArray[np.float32]) -> tuple[float, int]:
    """Return how alike a face is to the others of its person (-1: there is none), and how many these are."""
    n_others = len(own) - 1
    return (float((own @ vector).sum() - 1) / n_others if n_others else -1.0, n_others)


def _id(kind: str, faces: Sequence[Face], person: int | None = None) -> str:
    """Return what stays the same as long as the question is about the same faces."""
    parts = sorted(f"{face.photo_sha256} {' '.join(f'{side:.3f}' for side in face.box)}" for face in faces)
    return hashlib.sha256("\n".join([kind, *parts, str(person)]).encode()).hexdigest()[:12]
