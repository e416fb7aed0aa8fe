"""People: everybody, one of them with their faces, and what is decided about them."""

from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import model_validator

from foundation.text import normalize_name
from people.browsing.drawn import faces_of_keys
from people.browsing.person import count_months, rows_of_person
from people.browsing.photos import names_of
from people.errors import ConflictError
from webapp.api.context import Reader, Store
from webapp.api.expectations import check_faces, check_person
from webapp.api.models import (
    Answer,
    Ask,
    DecisionAnswer,
    FaceAnswer,
    Limit,
    Moment,
    Name,
    Number,
    Offset,
    PersonAnswer,
    SeenFace,
    SeenPerson,
)

router = APIRouter(prefix="/people", tags=["people"])

_MOST_TOGETHER = 30


class PeoplePage(Answer):
    """Some of the people, and how many there are in all."""

    total: int
    people: list[PersonAnswer]


class FacesPage(Answer):
    """Some of the faces, and how many there are in all."""

    total: int
    faces: list[FaceAnswer]


class TogetherPerson(Answer):
    """A person, and how many photos show both."""

    id: int
    name: str
    n_photos: int


class TogetherAnswer(Answer):
    """With whom a person is on photos."""

    people: list[TogetherPerson]


class MonthCount(Answer):
    """A month, such as 2019-06, and how many photos were taken in it."""

    month: str
    n_photos: int


class TimelineAnswer(Answer):
    """When photos were taken, in order; `n_undated` do not say."""

    months: list[MonthCount]
    n_undated: int


class Cover(Ask):
    """The face that shall stand for a person."""

    face: SeenFace


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
def list_faces_of_person(
    reader: Reader,
    person: Number,
    since: Annotated[Moment, Query(alias="from")] = "",
    until: Annotated[Moment, Query(alias="to")] = "",
    offset: Offset = 0,
    limit: Limit = 100,
) -> FacesPage:
    """Return the faces of a person that the newest scan has found, in the order of their photos."""
    rows = rows_of_person(reader, person, since=since, until=until)
    faces = reader.faces_at_rows(rows[offset : offset + limit])
    return FacesPage(total=len(rows), faces=[FaceAnswer.of(face) for face in faces])


@router.get("/{person}/together", operation_id="list_people_together")
def list_people_together(reader: Reader, person: Number) -> TogetherAnswer:
    """Return with whom a person is on photos, those first who are most often; hidden people are left out."""
    found = reader.together(person)[:_MOST_TOGETHER]
    name_of = names_of(reader, [other for _, other, _ in found])
    return TogetherAnswer(people=[TogetherPerson(id=other, name=name_of[other], n_photos=n) for _, other, n in found])


@router.get("/{person}/timeline", operation_id="get_timeline")
def get_timeline(reader: Reader, person: Number) -> TimelineAnswer:
    """Return how many photos of a person were taken in each month."""
    counted = count_months(reader, person)
    months = [MonthCount(month=month, n_photos=n) for month, n in counted.n_photos.items()]
    return TimelineAnswer(months=months, n_undated=counted.n_undated)


@router.post("/{person}/cover", operation_id="choose_cover")
def choose_cover(store: Store, person: Number, cover: Cover) -> DecisionAnswer:
    """Let one of a person's faces stand for them."""
    (face,) = faces_of_keys(store, [cover.face.key])

    def check() -> None:
        (now,) = check_faces(store, [cover.face])
        if now.person != store.person(person).number:
            raise ConflictError(f"{now.path}: this face is not that person's; look again")

    with store.provided(check):
        return DecisionAnswer.of(store, store.set_cover(person, face.face))


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
