"""What is here: photos, faces, people, and what needs attention."""

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

import foundation
from people.errors import ConflictError
from people.workspace.workspace import Workspace
from webapp.api.context import ContextOf, Reader
from webapp.api.models import Answer, Ask

router = APIRouter(tags=["workspace"])


Folder = Annotated[str, Field(max_length=4_096, pattern=r"^[^\x00]*$")]


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

    kind: Literal["folders", "scan", "groups"]
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


class FoldersEdit(Ask):
    """Which folders to look for photos in; `expected` are those that the caller saw."""

    photo_folders: Annotated[list[Folder], Field(min_length=1, max_length=100)]
    expected: list[Folder]


class FolderQuestion(Ask):
    """Which folder of the server's machine to look into; the user's own without `path`."""

    path: Folder = ""


class FolderAnswer(Answer):
    """A folder of the server's machine: the one it lies in, and the folders in it by name."""

    path: str
    parent: str | None
    folders: list[str]


@router.get("/workspace", operation_id="get_workspace")
def get_workspace(context: ContextOf, reader: Reader) -> WorkspaceAnswer:
    """Return what is here and what needs attention."""
    table, people = reader.count_table(), reader.people()
    needs = []
    if not context.workspace.photo_folders:
        needs.append(Need(kind="folders", n=1))
    elif not context.workspace.table.is_file():
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


@router.put("/workspace/folders", operation_id="set_photo_folders")
def set_photo_folders(context: ContextOf, edit: FoldersEdit) -> FoldersEdit:
    """Look for photos in other folders from the next scan on; return them as they are written down."""
    workspace = Workspace(context.workspace.folder)
    now = list(workspace.settings.photos)
    if now != edit.expected:
        raise ConflictError("the photo folders were changed meanwhile; look again before changing them")
    workspace.set_photo_folders(edit.photo_folders)
    context.workspace = workspace
    now = list(workspace.settings.photos)
    return FoldersEdit(photo_folders=now, expected=now)


@router.post("/workspace/browse", operation_id="browse_folders")
def browse_folders(wanted: FolderQuestion) -> FolderAnswer:
    """Return the folders inside a folder of the server's machine, to choose one with photos."""
    place = Path(wanted.path or Path.home()).resolve()
    found = sorted((entry.name for entry in place.iterdir() if _is_shown(entry)), key=str.casefold)
    return FolderAnswer(path=str(place), parent=None if place.parent == place else str(place.parent), folders=found)


def _is_shown(entry: Path) -> bool:
    try:
        return not entry.name.startswith(".") and entry.is_dir()
    except OSError:  # somebody else's
        return False
