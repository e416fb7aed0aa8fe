"""A photo with its faces: who is on it, and where."""

from typing import Annotated

from fastapi import APIRouter, Query

from webapp.api.context import Reader
from webapp.api.models import Answer, FaceAnswer, Number

router = APIRouter(prefix="/photos", tags=["photos"])


class NamedFace(Answer):
    """A face, and the name of its person; "" where it has none."""

    face: FaceAnswer
    name: str


class PhotoAnswer(Answer):
    """A photo: the upright picture's size in pixels, when it was taken ("" if unknown), faces from left to right.

    Of a video, `seconds` is when faces were found in it, and `at` the one whose faces these are; 0 for photos.
    """

    photo: int
    path: str
    width: int
    height: int
    taken: str
    kind: str
    seconds: list[float]
    at: float
    faces: list[NamedFace]


@router.get("/{photo}", operation_id="get_photo")
def get_photo(
    reader: Reader,
    photo: Number,
    at: Annotated[float | None, Query(ge=0, description="second in a video; the first with a face by default")] = None,
) -> PhotoAnswer:
    """Return a photo of the newest scan with its faces, or a video with those of one of its seconds."""
    file = reader.photo(photo)
    name_of = {person.number: person.name for person in reader.people()}
    faces = sorted(reader.faces_in_table(path=file.path), key=lambda face: face.face.box[0])
    seconds = sorted({face.face.time_s for face in faces}) if file.kind == "video" else []
    second = min(seconds, key=lambda one: abs(one - (seconds[0] if at is None else at)), default=0.0)
    faces = [face for face in faces if face.face.time_s == second] if seconds else faces
    return PhotoAnswer(
        photo=photo,
        path=file.path,
        width=file.width,
        height=file.height,
        taken=file.taken,
        kind=file.kind,
        seconds=seconds,
        at=second,
        faces=[
            NamedFace(face=FaceAnswer.of(face), name=name_of.get(-1 if face.person is None else face.person, ""))
            for face in faces
        ],
    )
