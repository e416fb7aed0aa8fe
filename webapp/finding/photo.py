"""A photo with its faces: who is on it, and where; and which photos stand beside it in a list."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from people.browsing.drawn import NO_ROW, check_drawn, drawn_faces
from people.browsing.photos import copies_of, faces_of_photo, find_neighbours, names_of
from people.store.records import Face, photo_number
from webapp.api.context import Reader, Store
from webapp.api.models import Answer, Ask, DecisionAnswer, FaceAnswer, Name, Number
from webapp.finding.find import Wanted

router = APIRouter(prefix="/photos", tags=["photos"])


class NamedFace(Answer):
    """A face, and the name of its person; "" where it has none.

    `waits` tells that it was drawn, and that the next scan makes its vector.
    """

    face: FaceAnswer
    name: str
    waits: bool


class PhotoAnswer(Answer):
    """A photo: the upright picture's size in pixels, when it was taken ("" if unknown), faces from left to right.

    Of a video, `seconds` is when faces were found in it, and `at` the one whose faces these are; 0 for photos.
    `paths` are all places where it lies, the first of which is `path`.
    """

    photo: int
    kind: Literal["photo", "video"]
    path: str
    paths: list[str]
    width: int
    height: int
    taken: str
    seconds: list[float]
    at: float
    faces: list[NamedFace]


class BesideAnswer(Answer):
    """Where a photo stands among those that were asked for: `index` from 0, null if it is not one of them (any more).

    `previous` and `next` are the numbers of the photos beside it, null at the ends.
    """

    index: int | None
    total: int
    previous: int | None
    next: int | None


class DrawnFace(Ask):
    """Where a face is that was not found, in fractions of the photo, and whose; null where nobody knows."""

    box: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=4, max_length=4)]
    name: Name | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        left, top, right, bottom = self.box
        if left >= right or top >= bottom:
            raise ValueError("expected left before right and top above bottom")
        return self


@router.get("/{photo}", operation_id="get_photo")
def get_photo(
    reader: Reader,
    photo: Number,
    at: Annotated[float | None, Query(ge=0, description="second in a video; the first with a face by default")] = None,
) -> PhotoAnswer:
    """Return a photo of the newest scan with its faces, or a video with those of one of its seconds."""
    file = reader.photo(photo)
    found = [*faces_of_photo(reader, file.sha256), *drawn_faces(reader, photo)]
    faces = sorted(found, key=lambda face: face.face.box[0])
    name_of = names_of(reader, [face.person for face in faces if face.person is not None])
    seconds = sorted({face.face.time_s for face in faces}) if file.kind == "video" else []
    second = min(seconds, key=lambda one: abs(one - (seconds[0] if at is None else at)), default=0.0)
    faces = [face for face in faces if face.face.time_s == second] if seconds else faces
    return PhotoAnswer(
        photo=photo,
        kind="video" if file.kind == "video" else "photo",
        path=file.path,
        paths=list(copies_of(reader, file.sha256)),
        width=file.width,
        height=file.height,
        taken=file.taken,
        seconds=seconds,
        at=second,
        faces=[
            NamedFace(
                face=FaceAnswer.of(face),
                name="" if face.person is None else name_of[face.person],
                waits=face.row == NO_ROW,
            )
            for face in faces
        ],
    )


@router.post("/{photo}/faces", operation_id="draw_face")
def draw_face(store: Store, photo: Number, drawn: DrawnFace) -> DecisionAnswer:
    """Say where a face is that was not found, and perhaps whose; the next scan makes its vector."""
    file = store.photo(photo)
    left, top, right, bottom = drawn.box
    face = Face(file.sha256, (left, top, right, bottom))
    with store.provided(lambda: check_drawn(store, file, face)):
        return DecisionAnswer.of(store, store.draw(face) if drawn.name is None else store.name([face], drawn.name))


@router.get("/{photo}/beside", operation_id="find_photos_beside")
def find_photos_beside(reader: Reader, photo: Number, wanted: Wanted) -> BesideAnswer:
    """Return which photos stand before and after one among those that are as asked for, as `find_photos` lists them."""
    beside = find_neighbours(reader, wanted, reader.photo(photo).sha256)
    return BesideAnswer(
        index=beside.index,
        total=beside.total,
        previous=None if beside.previous is None else photo_number(beside.previous),
        next=None if beside.next is None else photo_number(beside.next),
    )
