"""A photo with its faces: who is on it, and where."""

from fastapi import APIRouter

from webapp.api.context import Reader
from webapp.api.models import Answer, FaceAnswer, Number

router = APIRouter(prefix="/photos", tags=["photos"])


class NamedFace(Answer):
    """A face, and the name of its person; "" where it has none."""

    face: FaceAnswer
    name: str


class PhotoAnswer(Answer):
    """A photo: the upright picture's size in pixels, when it was taken ("" if unknown), faces from left to right."""

    photo: int
    path: str
    width: int
    height: int
    taken: str
    faces: list[NamedFace]


@router.get("/{photo}", operation_id="get_photo")
def get_photo(reader: Reader, photo: Number) -> PhotoAnswer:
    """Return a photo of the newest scan with its faces."""
    file = reader.photo(photo)
    name_of = {person.number: person.name for person in reader.people()}
    faces = sorted(reader.faces_in_table(path=file.path), key=lambda face: face.face.box[0])
    return PhotoAnswer(
        photo=photo,
        path=file.path,
        width=file.width,
        height=file.height,
        taken=file.taken,
        faces=[
            NamedFace(face=FaceAnswer.of(face), name=name_of.get(-1 if face.person is None else face.person, ""))
            for face in faces
        ],
    )
