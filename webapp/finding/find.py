"""Find: the photos that show some people and not others, from then till then."""

from typing import Annotated

from fastapi import APIRouter, Query

from people.store.queries import PhotoQuery
from people.store.records import photo_number
from webapp.api.context import Reader
from webapp.api.models import Answer, Limit, Number, Offset

router = APIRouter(prefix="/find", tags=["find"])

Moment = Annotated[str, Query(pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$", description="2019, 2019-06 or 2019-06-30")]
People = Annotated[list[Number], Query(max_length=50)]


class PhotoTile(Answer):
    """A photo: `taken` is local time, "" where nobody knows; `names` are those of the people on it, each once."""

    photo: int
    path: str
    taken: str
    names: list[str]
    n_faces: int


class FoundAnswer(Answer):
    """Some of the photos, and how many there are in all."""

    total: int
    photos: list[PhotoTile]


@router.get("", operation_id="find_photos")
def find_photos(
    reader: Reader,
    with_people: Annotated[People, Query(alias="with", description="numbers of people who are all on it")] = [],  # noqa: B006
    without: People = [],  # noqa: B006
    only: bool = False,
    unnamed: bool = False,
    strangers: bool = False,
    since: Annotated[Moment, Query(alias="from")] = "",
    until: Annotated[Moment, Query(alias="to")] = "",
    offset: Offset = 0,
    limit: Limit = 100,
) -> FoundAnswer:
    """Return the photos of the newest scan that are as asked for, in the order of their paths."""
    wanted = PhotoQuery(
        with_people=tuple(with_people),
        without_people=tuple(without),
        only=only,
        unnamed=unnamed,
        strangers=strangers,
        since=since,
        until=until,
    )
    found = [photo for photo in reader.find_photos(wanted) if photo.faces]
    name_of = {person.number: person.name for person in reader.people()}
    return FoundAnswer(
        total=len(found),
        photos=[
            PhotoTile(
                photo=photo_number(photo.faces[0].face.photo_sha256),
                path=photo.path,
                taken=photo.taken,
                names=list(dict.fromkeys(name_of[face.person] for face in photo.faces if face.person in name_of)),
                n_faces=len(photo.faces),
            )
            for photo in found[offset : offset + limit]
        ],
    )
