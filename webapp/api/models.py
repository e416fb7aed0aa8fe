"""What requests and answers look like: the models that several routers share."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from people.store.reader import PeopleReader
from people.store.records import Decision, FaceState, Kind, Person, photo_number
from people.store.scanned import ScannedFace


class Answer(BaseModel):
    """What is sent; frozen, and without fields that nobody declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ask(BaseModel):
    """What is received; unknown fields are refused, so that a misspelt one is never taken for none."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ErrorText(Answer):
    """Why something was not done: a word for programs, a line for people."""

    kind: str
    message: str


class ErrorAnswer(Answer):
    """The body of every answer with a status of 400 or more."""

    error: ErrorText


class FaceAnswer(Answer):
    """A face of the newest scan.

    `key` is its name for ever; `box` is x_min, y_min, x_max, y_max in fractions of the photo.
    """

    key: str
    photo: int
    path: str
    box: tuple[float, float, float, float]
    time_s: float
    state: FaceState
    person: int | None
    group: int

    @classmethod
    def of(cls, face: ScannedFace) -> Self:
        """Return a face of the store as it is sent."""
        return cls(
            key=face.face.key,
            photo=photo_number(face.face.photo_sha256),
            path=face.path,
            box=face.face.box,
            time_s=face.face.time_s,
            state=face.state,
            person=face.person,
            group=face.group,
        )


class PersonAnswer(Answer):
    """A person; `cover` is the key of the face that stands for them, null if their photos are gone."""

    id: int
    name: str
    n_faces: int
    n_photos: int
    hidden: bool
    cover: str | None

    @classmethod
    def of(cls, person: Person, covers: Mapping[int, ScannedFace]) -> Self:
        """Return a person of the store as it is sent."""
        cover = covers.get(person.number)
        return cls(
            id=person.number,
            name=person.name,
            n_faces=person.n_faces,
            n_photos=person.n_photos,
            hidden=person.is_hidden,
            cover=None if cover is None else cover.face.key,
        )


class DecisionAnswer(Answer):
    """A decision; `undoes` is the number of the one that it takes back.

    `name` and `other` are what the people are called now, `text` is the new name of a ``rename``, `name_before` the one
    it replaced, empty for other kinds. What is taken back may itself have taken something back: `root` is the decision
    at the end of that, `again` whether it holds again.
    """

    id: int
    at: str
    by: str
    kind: Kind
    person: int | None
    name: str
    other: str
    text: str
    undoes: int | None
    undone: bool
    n_faces: int
    root: "DecisionAnswer | None" = None
    again: bool = False
    name_before: str = ""

    @classmethod
    def of(cls, reader: PeopleReader, decision: Decision) -> Self:
        """Return a decision of the store as it is sent."""
        root, again = decision, True
        while root.undoes is not None:
            root, again = reader.decision(root.undoes), not again
        return cls(
            id=decision.number,
            at=decision.at,
            by=decision.by,
            kind=decision.kind,
            person=decision.person,
            name="" if decision.person is None else reader.first_name(decision.person),
            other="" if decision.other is None else reader.first_name(decision.other),
            text=decision.text,
            undoes=decision.undoes,
            undone=decision.is_undone,
            n_faces=decision.n_faces,
            root=None if root is decision else DecisionAnswer.of(reader, root),
            again=root is not decision and again,
            name_before=reader.name_before(decision) if decision.kind == "rename" else "",
        )


class SeenFace(Ask):
    """A face, and what the caller saw of it when they decided: if that has changed, nothing is decided (409)."""

    key: Annotated[str, Field(max_length=80)]
    state: FaceState
    person: int | None = None


class SeenPerson(Ask):
    """What the caller saw of a person when they decided: if that has changed, nothing is decided (409)."""

    name: Annotated[str, Field(max_length=1_000)]
    hidden: bool = False


Name = Annotated[str, Field(min_length=1, max_length=1_000)]
Number = Annotated[int, Field(ge=0, lt=2**53)]
Offset = Annotated[int, Field(ge=0, lt=2**31)]
Limit = Annotated[int, Field(ge=1, le=500)]
Moment = Annotated[str, Field(pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$", description="2019, 2019-06 or 2019-06-30")]
