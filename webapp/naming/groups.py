"""Groups of unnamed faces: which there are, which faces of one to show, and whom it may be."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from people.errors import DecisionError
from people.suggestions.likely import choose_shown, spread
from webapp.api.context import ContextOf, Reader, Store
from webapp.api.expectations import check_faces
from webapp.api.models import Answer, Ask, DecisionAnswer, FaceAnswer, PersonAnswer, SeenFace
from webapp.naming.likeness import likeness_of

router = APIRouter(prefix="/groups", tags=["groups"])


class GroupSize(Answer):
    """A group by its number, which holds until the next scan."""

    group: int
    n_faces: int


class GroupsAnswer(Answer):
    """All groups of unnamed faces, the largest first."""

    groups: list[GroupSize]
    revision: int


class Likely(Answer):
    """A named person, and how alike the group is: the cosine of mean vectors."""

    person: PersonAnswer
    similarity: float


class GroupAnswer(Answer):
    """A group: all its faces, the positions of those to show, the surest first, and whom it may be, likeliest first."""

    group: int
    faces: list[FaceAnswer]
    shown: list[int]
    likely: list[Likely]


class Split(Ask):
    """Faces of one group, of which `faces` are one person and `rest` is somebody else."""

    faces: Annotated[list[SeenFace], Field(min_length=1, max_length=1_000)]
    rest: Annotated[list[SeenFace], Field(min_length=1, max_length=1_000)]


@router.get("", operation_id="list_groups")
def list_groups(reader: Reader) -> GroupsAnswer:
    """Return the groups of unnamed faces, the largest first."""
    sizes = reader.group_sizes()
    return GroupsAnswer(
        groups=[GroupSize(group=group, n_faces=n_faces) for group, n_faces in sizes], revision=reader.revision
    )


@router.get("/{group}", operation_id="get_group")
def get_group(context: ContextOf, reader: Reader, group: Annotated[int, Path(ge=0, lt=2**31)]) -> GroupAnswer:
    """Return a group; one without a face if all were named meanwhile."""
    faces = reader.faces_in_table(group=group)
    if not faces:
        return GroupAnswer(group=group, faces=[], shown=[], likely=[])
    likeness = likeness_of(context)
    places = spread(range(len(faces)))
    vectors = likeness.vectors.of_rows([faces[place].row for place in places])
    denied = frozenset(reader.denied_people([face.row for face in faces]))
    likely = likeness.nearest(reader, vectors, without=denied)
    covers = reader.covers([person for person, _ in likely])
    return GroupAnswer(
        group=group,
        faces=[FaceAnswer.of(face) for face in faces],
        shown=[places[place] for place in choose_shown(vectors)],
        likely=[
            Likely(person=PersonAnswer.of(reader.person(person), covers), similarity=round(alike, 4))
            for person, alike in likely
        ],
    )


@router.post("/split", operation_id="split_group")
def split_group(store: Store, wanted: Split) -> DecisionAnswer:
    """Say that some faces of a group are somebody else than the rest; the next scan groups them apart."""
    faces = [face.face for face in store.faces_with_keys([one.key for one in wanted.faces])]
    rest = store.faces_with_keys([wanted.rest[0].key])[0].face
    if rest in faces:
        raise DecisionError("expected different faces in `faces` and `rest`, got one in both")
    with store.provided(lambda: _check_seen(store, wanted)):
        if len(faces) > 1:
            store.join(faces)
        return DecisionAnswer.of(store, store.part([faces[0], rest]))


def _check_seen(store: Store, wanted: Split) -> None:
    check_faces(store, [*wanted.faces, *wanted.rest[:1]])
