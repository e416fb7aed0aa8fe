"""What is here: photos, faces, people, and what needs attention."""

from typing import Literal

from fastapi import APIRouter

import foundation
from webapp.api.context import ContextOf, Reader
from webapp.api.models import Answer

router = APIRouter(tags=["workspace"])


class Counts(Answer):
    """How many there are of what."""

    photos: int
    faces: int
    named: int
    unnamed: int
    nobody: int
    not_a_face: int
    groups: int
    people: int
    hidden_people: int


class Need(Answer):
    """Something that waits for somebody, and how many of it."""

    kind: Literal["scan", "groups"]
    n: int


class WorkspaceAnswer(Answer):
    """A workspace; `revision` is the number of its newest decision."""

    name: str
    photo_folders: list[str]
    preset: str
    counts: Counts
    needs: list[Need]
    revision: int
    version: str


@router.get("/workspace", operation_id="get_workspace")
def get_workspace(context: ContextOf, reader: Reader) -> WorkspaceAnswer:
    """Return what is here and what needs attention."""
    table, people = reader.count_table(), reader.people()
    needs = []
    if not context.workspace.table.is_file():
        needs.append(Need(kind="scan", n=1))
    if table.n_groups:
        needs.append(Need(kind="groups", n=table.n_groups))
    return WorkspaceAnswer(
        name=context.workspace.folder.resolve().name,
        photo_folders=list(context.workspace.settings.photos),
        preset=context.workspace.settings.preset,
        counts=Counts(
            photos=table.n_files,
            faces=table.n_open + table.n_named + table.n_nobody + table.n_not_a_face,
            named=table.n_named,
            unnamed=table.n_open,
            nobody=table.n_nobody,
            not_a_face=table.n_not_a_face,
            groups=table.n_groups,
            people=len(people),
            hidden_people=sum(person.is_hidden for person in people),
        ),
        needs=needs,
        revision=reader.revision,
        version=foundation.__version__,
    )
