"""Find: the photos that show some people and not others, from then till then."""

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Query

from people.browsing.photos import ListedPhoto, find_photo_page, names_of
from people.store.queries import PhotoQuery
from people.store.records import photo_number
from webapp.api.context import Reader
from webapp.api.models import Answer, Limit, Moment, Number, Offset
from webapp.finding.by_photo import Like

if TYPE_CHECKING:
    from people.search.like import LikeFaces

router = APIRouter(prefix="/find", tags=["find"])

People = Annotated[list[Number], Query(max_length=50)]


class PhotoTile(Answer):
    """A photo or video: `taken` is local time, "" where nobody knows; `names` are those of the people on it, each once.

    `paths` are all places where it lies; `time_s` is the second of a video's first face; `alike` is how alike
    its face is to the one that was asked for, null where none was.
    """

    photo: int
    kind: Literal["photo", "video"]
    path: str
    paths: list[str]
    taken: str
    names: list[str]
    n_faces: int
    time_s: float
    alike: float | None


class FoundAnswer(Answer):
    """Some of the photos, and how many there are in all."""

    total: int
    photos: list[PhotoTile]


def _query(
    like: Like,
    with_people: Annotated[People, Query(alias="with", description="numbers of people who are all on it")] = [],  # noqa: B006
    without: People = [],  # noqa: B006
    only: bool = False,
    unnamed: bool = False,
    strangers: bool = False,
    since: Annotated[Moment, Query(alias="from")] = "",
    until: Annotated[Moment, Query(alias="to")] = "",
    folder: Annotated[str, Query(max_length=4_096, description="in or below this folder")] = "",
) -> PhotoQuery:
    return PhotoQuery(
        with_people=tuple(with_people),
        without_people=tuple(without),
        only=only,
        unnamed=unnamed,
        strangers=strangers,
        rows=None if like is None else tuple(like.similarities),
        folder=folder,
        since=since,
        until=until,
    )


Wanted = Annotated[PhotoQuery, Depends(_query)]


@router.get("", operation_id="find_photos")
def find_photos(reader: Reader, wanted: Wanted, like: Like, offset: Offset = 0, limit: Limit = 100) -> FoundAnswer:
    """Return the photos of the newest scan that are as asked for, folder by folder, or the most alike first."""
    page = find_photo_page(reader, wanted, slice(offset, offset + limit))
    name_of = names_of(
        reader, [face.person for photo in page.photos for face in photo.faces if face.person is not None]
    )
    return FoundAnswer(total=page.total, photos=[_tile(photo, name_of, like) for photo in page.photos])


def _tile(photo: ListedPhoto, name_of: dict[int, str], like: "LikeFaces | None") -> PhotoTile:
    alike = {} if like is None else like.similarities
    return PhotoTile(
        photo=photo_number(photo.sha256),
        kind="video" if photo.kind == "video" else "photo",
        path=photo.paths[0],
        paths=list(photo.paths),
        taken=photo.taken,
        names=list(dict.fromkeys(name_of[face.person] for face in photo.faces if face.person is not None)),
        n_faces=len(photo.faces),
        time_s=min((face.face.time_s for face in photo.faces), default=0.0),
        alike=max((round(alike[face.row], 4) for face in photo.faces if face.row in alike), default=None),
    )
