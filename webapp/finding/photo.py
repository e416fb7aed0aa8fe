"""A photo with its faces: who is on it, and where; and which photos stand beside it in a list."""

from typing import Literal

from fastapi import APIRouter

from people.browsing.photos import copies_of, find_neighbours, names_of
from people.store.records import photo_number
from webapp.api.context import Reader
from webapp.api.models import Answer, FaceAnswer, Number
from webapp.finding.find import Wanted

router = APIRouter(prefix="/photos", tags=["photos"])


class NamedFace(Answer):
    """A face, and the name of its person; "" where it has none."""

    face: FaceAnswer
    name: str


class PhotoAnswer(Answer):
    """A photo: the upright picture's size in pixels, when it was taken ("" if unknown), faces from left to right.

    `paths` are all places where it lies, the first of which is `path`.
    """

    photo: int
    kind: Literal["photo", "video"]
    path: str
    paths: list[str]
    width: int
    height: int
    taken: str
    faces: list[NamedFace]


class BesideAnswer(Answer):
    """Where a photo stands among those that were asked for: `index` from 0, null if it is not one of them (any more).

    `previous` and `next` are the numbers of the photos beside it, null at the ends.
    """

    index: int | None
    total: int
    previous: int | None
    next: int | None


@router.get("/{photo}", operation_id="get_photo")
def get_photo(reader: Reader, photo: Number) -> PhotoAnswer:
    """Return a photo of the newest scan with its faces."""
    file = reader.photo(photo)
    faces = sorted(reader.faces_in_table(path=file.path), key=lambda face: face.face.box[0])
    name_of = names_of(reader, [face.person for face in faces if face.person is not None])
    return PhotoAnswer(
        photo=photo,
        kind="video" if file.kind == "video" else "photo",
        path=file.path,
        paths=list(copies_of(reader, file.sha256)),
        width=file.width,
        height=file.height,
        taken=file.taken,
        faces=[
            NamedFace(face=FaceAnswer.of(face), name=name_of.get(-1 if face.person is None else face.person, ""))
            for face in faces
        ],
    )


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
