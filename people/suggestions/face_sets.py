"""The sets of faces that are compared: groups of unnamed faces, people, and faces that are in no group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from foundation.text import pluralize
from people.store.scanned import NO_GROUP, ScannedFace, open_sets
from people.suggestions.likeness import Rows


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Faces of one person, as far as one knows.

    Attributes
    ----------
    rows : (n,) int64
        Of the newest table.
    group : int
        Number of the group of unnamed faces, `NO_GROUP` for a person and for a face that is in none.
    person : int or None
        Who it is.
    """

    rows: Rows
    group: int = NO_GROUP
    person: int | None = None

    def __len__(self) -> int:
        return len(self.rows)


def collect_sets(faces: Sequence[ScannedFace], same: Iterable[Sequence[int]]) -> tuple[list[FaceSet], int]:
    """Return groups, then people, then faces in no group; and how many of these are groups or people.

    Parameters
    ----------
    faces : sequence of ScannedFace
        All of the newest table.
    same : iterable of sequence of int
        Rows that show one person, as somebody said.
    """
    groups, alone, named = list[FaceSet](), list[FaceSet](), dict[int, list[int]]()
    for number, members in open_sets(faces, same):
        found = FaceSet(np.array([face.row for face in members]), number)
        (alone if number == NO_GROUP else groups).append(found)
    for face in faces:
        if face.person is not None:
            named.setdefault(face.person, []).append(face.row)
    people = [FaceSet(np.array(rows), person=person) for person, rows in named.items()]
    return [*groups, *people, *alone], len(groups) + len(people)


def describe_set(faces: FaceSet, first: ScannedFace, name_of: dict[int, str]) -> str:
    """Return what a set is called in a question: a person's name, a group with its size, a face.

    Parameters
    ----------
    faces : FaceSet
    first : ScannedFace
        The first face of it.
    name_of : dict
        Name of each person.
    """
    if faces.person is not None:
        return name_of[faces.person]
    if faces.group != NO_GROUP:
        return f"group {faces.group} ({pluralize(len(faces), 'face')})"
    more = f" with {pluralize(len(faces) - 1, 'other')}" if len(faces) > 1 else ""
    return f"{first.path}#{first.face_index}{more}"
