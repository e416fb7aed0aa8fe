"""Faces: their thumbnails, and what is decided about them."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Response
from pydantic import Field, model_validator

from people.browsing.drawn import faces_of_keys
from people.browsing.photos import faces_of_photo
from people.store.records import Decision
from people.store.scanned import ScannedFace
from people.store.store import PeopleStore
from webapp.api.context import ContextOf, Reader, Store
from webapp.api.expectations import check_faces
from webapp.api.models import Ask, DecisionAnswer, FaceAnswer, Name, Number, SeenFace
from webapp.pictures.thumbnails import read_thumbnail

router = APIRouter(prefix="/faces", tags=["faces"])

Key = Annotated[str, Path(max_length=80, description="as lists of faces tell it")]


class FaceDecision(Ask):
    """What holds of faces: they are (`name`), are not (`person`), are nobody's, or are no faces at all."""

    kind: Literal["is", "is_not", "nobody", "not_a_face"]
    faces: Annotated[list[SeenFace], Field(min_length=1, max_length=10_000)]
    name: Name | None = None
    person: Number | None = None

    @model_validator(mode="after")
    def _check_who(self) -> Self:
        if (self.name is None) == (self.kind == "is") or (self.person is None) == (self.kind == "is_not"):
            raise ValueError("`is` needs a name, `is_not` the number of a person, the others neither")
        return self


@router.get("/{key}", operation_id="get_face")
def get_face(reader: Reader, key: Key) -> FaceAnswer:
    """Return a face as the newest scan shows it."""
    return FaceAnswer.of(faces_of_keys(reader, [key])[0])


@router.get(
    "/{key}/thumbnail",
    operation_id="get_thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}},
)
def get_thumbnail(context: ContextOf, key: Key) -> Response:
    """Return a face cut out of its photo, 192 pixels square."""
    with context.pool.reader() as reader:  # not held while a photo is decoded
        found = faces_of_keys(reader, [key])[0]
        file = reader.photo(FaceAnswer.of(found).photo)
        others = [face.face for face in faces_of_photo(reader, file.sha256) if face.face != found.face]
    content = read_thumbnail(context.workspace, file, found.face, others=others)
    return Response(content, media_type="image/webp")


@router.post("/decide", operation_id="decide_about_faces")
def decide_about_faces(store: Store, wanted: FaceDecision) -> DecisionAnswer:
    """Decide about faces, all of them or none."""
    faces = faces_of_keys(store, [one.key for one in wanted.faces])
    with store.provided(lambda: _check(store, wanted)):
        return DecisionAnswer.of(store, _decide(store, wanted, faces))


def _check(store: PeopleStore, wanted: FaceDecision) -> None:
    check_faces(store, wanted.faces)


def _decide(store: PeopleStore, wanted: FaceDecision, found: list[ScannedFace]) -> Decision:
    faces = [face.face for face in found]
    if wanted.name is not None:
        return store.name(faces, wanted.name)
    if wanted.person is not None:
        return store.deny(faces, wanted.person)
    return store.mark_nobody(faces) if wanted.kind == "nobody" else store.mark_not_a_face(faces)
