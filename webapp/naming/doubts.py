"""A person's faces, those least like the others first: is this really them?"""

from typing import Annotated

from fastapi import APIRouter, Query

from people.browsing.person import rows_of_person
from people.store.reader import PeopleReader
from people.suggestions.likely import likeness_to_others
from webapp.api.context import Context, ContextOf, Reader
from webapp.api.models import Answer, FaceAnswer, Limit, Moment, Number, Offset
from webapp.naming.likeness import likeness_of

router = APIRouter(prefix="/people", tags=["people"])

_MOST_KEPT = 8


class DoubtedFace(Answer):
    """A face, and how alike it is to the person's others on average; null where there is no other."""

    face: FaceAnswer
    alike: float | None


class DoubtsPage(Answer):
    """Some of the faces, and how many there are in all."""

    total: int
    faces: list[DoubtedFace]


@router.get("/{person}/doubts", operation_id="list_doubts")
def list_doubts(
    context: ContextOf,
    reader: Reader,
    person: Number,
    since: Annotated[Moment, Query(alias="from")] = "",
    until: Annotated[Moment, Query(alias="to")] = "",
    offset: Offset = 0,
    limit: Limit = 100,
) -> DoubtsPage:
    """Return the faces of a person, those least like all their others first."""
    alike = _alike(context, reader, reader.person(person).number)
    rows = rows_of_person(reader, person, since=since, until=until)
    rows.sort(key=lambda row: alike.get(row, 2.0))
    page = rows[offset : offset + limit]
    face_of = {face.row: face for face in reader.faces_at_rows(page)}
    return DoubtsPage(
        total=len(rows),
        faces=[DoubtedFace(face=FaceAnswer.of(face_of[row]), alike=alike.get(row)) for row in page if row in face_of],
    )


def _alike(context: Context, reader: PeopleReader, person: int) -> dict[int, float]:
    """Return how alike each row of a person is to the others, kept until somebody decides or scans."""
    vectors = likeness_of(context).vectors
    rows = rows_of_person(reader, person)
    if len(rows) < 2 or vectors.version == (0, 0):
        return {}
    kept: dict[object, dict[int, float]] = context.kept("doubts", dict)
    state = (person, vectors.version, reader.revision)
    if state not in kept:
        alike = likeness_to_others(vectors.of_rows(rows))
        found = {row: round(float(value), 4) for row, value in zip(rows, alike, strict=True)}
        while len(kept) >= _MOST_KEPT:
            kept.pop(next(iter(kept)), None)
        kept[state] = found
        return found
    return kept[state]
