"""People: everybody, one of them with their faces, and what is decided about them."""

from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import model_validator

from foundation.text import normalize_name
from webapp.api.context import Reader, Store
from webapp.api.expectations import check_person
from webapp.api.models import (
    Answer,
    Ask,
    DecisionAnswer,
    FaceAnswer,
    Limit,
    Name,
    Number,
    Offset,
    PersonAnswer,
    SeenPerson,
)

router = APIRouter(prefix="/people", tags=["people"])


class PeoplePage(Answer):
    """Some of the people, and how many there are in all."""

    total: int
    people: list[PersonAnswer]


class FacesPage(Answer):
    """Some of the faces, and how many there are in all."""

    total: int
    faces: list[FaceAnswer]


class PersonEdit(Ask):
    """Another name, or whether a person is left out of lists; one of both."""

    expected: SeenPerson
    name: Name | None = None
    hidden: bool | None = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.name is None) == (self.hidden is None):
            raise ValueError("expected a name or hidden, one of both")
        return self


class Merge(Ask):
    """Into whom a person goes, whose name stays."""

    into: Number
    expected: SeenPerson
    expected_into: SeenPerson


@router.get("", operation_id="list_people")
def list_people(
    reader: Reader,
    q: Annotated[str, Query(max_length=200, description="letters that the name holds")] = "",
    hidden: Annotated[bool, Query(description="hidden people, too")] = False,
    offset: Offset = 0,
    limit: Limit = 100,
) -> PeoplePage:
    """Return people with most faces first; those whose name begins with `q` before all others that hold it."""
    people, wanted = reader.people(hidden=hidden), normalize_name(q).casefold()
    if wanted:
        people = [person for person in people if wanted in person.name.casefold()]
        people.sort(key=lambda person: not person.name.casefold().startswith(wanted))
    page = people[offset : offset + limit]
    covers = reader.covers([person.number for person in page])
    return PeoplePage(total=len(people), people=[PersonAnswer.of(person, covers) for person in page])


@router.get("/{person}", operation_id="get_person")
def get_person(reader: Reader, person: Number) -> PersonAnswer:
    """Return a person; of one who was merged into another, the other."""
    found = reader.person(person)
    return PersonAnswer.of(found, reader.covers([found.number]))


@router.get("/{person}/faces", operation_id="list_faces_of_person")
def list_faces_of_person(reader: Reader, person: Number, offset: Offset = 0, limit: Limit = 100) -> FacesPage:
    """Return the faces of a person that the newest scan has found."""
    found = reader.person(person).number
    faces = reader.faces_in_table(person=found, page=slice(offset, offset + limit))
    return FacesPage(total=reader.count_faces_in_table(found), faces=[FaceAnswer.of(face) for face in faces])


@router.patch("/{person}", operation_id="edit_person")
def edit_person(store: Store, person: Number, edit: PersonEdit) -> DecisionAnswer:
    """Give a person another name, or leave them out of lists."""
    with store.provided(lambda: check_person(store, person, edit.expected)):
        if edit.name is not None:
            decision = store.rename(person, edit.name)
        else:
            decision = store.hide(person, hidden=edit.hidden is not False)
    return DecisionAnswer.of(store, decision)


@router.post("/{person}/merge", operation_id="merge_person")
def merge_person(store: Store, person: Number, merge: Merge) -> DecisionAnswer:
    """Say that a person is another one, whose name stays."""

    def check() -> None:
        check_person(store, person, merge.expected)
        check_person(store, merge.into, merge.expected_into)

    with store.provided(check):
        return DecisionAnswer.of(store, store.merge(person, merge.into))
