"""The rows of an embedding table as the store knows them: files, places, names."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedder.tables.table import EmbeddingTable
from foundation.paths import display_path
from people.errors import WorkspaceError
from people.store.reader import PeopleReader
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from people.workspace.heads import Denials
from people.workspace.workspace import Workspace, table_at


def record_table(store: PeopleStore, table: EmbeddingTable) -> int:
    """Let the store know what `table` holds; return how many decided faces are not in it (they are kept)."""
    images, same = table.images, store.same_photos()
    readable = np.flatnonzero(images.image_sha256 != "")
    files = [
        ScannedFile(
            images.path[i],
            same.get(images.image_sha256[i], images.image_sha256[i]),
            int(images.width[i]),
            int(images.height[i]),
            images.taken[i],
            images.kind[i],
        )
        for i in readable.tolist()
    ]
    number_of = np.full(len(images), -1, np.int64)
    number_of[readable] = np.arange(len(readable))
    image_of_row = np.repeat(np.arange(len(images)), images.n_faces)
    return store.record_table(
        files, number_of[image_of_row], face_indices=table.face_indices, places=places_of(table, image_of_row)
    )


def places_of(table: EmbeddingTable, image_of_row: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Return ``(n, 5)`` float64: each row's box in fractions of its photo, and its second in a video (0 in photos)."""
    images = table.images
    sides = np.stack([images.width, images.height], axis=1)[image_of_row].astype(np.float64)
    boxes = table.boxes.astype(np.float64) / np.maximum(np.tile(sides, 2), 1)
    return np.column_stack([boxes, np.nan_to_num(table.times)])


def read_named_table(path: str | Path) -> tuple[EmbeddingTable, Denials]:
    """Return the table of the workspace at `path` with the names that were decided, and who its faces are not.

    Raises
    ------
    WorkspaceError
        If the folder is no workspace, was not scanned yet, or nobody is named in it.
    """
    workspace = Workspace(path)
    table = EmbeddingTable.read(table_at(path))
    with PeopleReader(workspace.store) as reader:
        names, _ = read_names(reader, len(table))
        name_of = {person.number: person.name for person in reader.people()}
        denied = reader.links().denied
    if not (names != "").any():
        raise WorkspaceError(
            f"{display_path(path)}: expected a workspace with named people, found none; name somebody with facetable "
            f"people {display_path(path)} name"
        )
    denials = [(row, name_of[person]) for row, person in denied if person in name_of]
    return replace(table, identities=names), denials


def read_names(reader: PeopleReader, n_rows: int) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Return the name of each row ``(n,)``, "" for none, and which rows are nobody's or no face, ``(n,)`` bool."""
    names, settled = np.full(n_rows, "", object), np.zeros(n_rows, bool)
    name_of = {person.number: person.name for person in reader.people()}
    for face in reader.faces_in_table():
        if face.person is not None:
            names[face.row] = name_of[face.person]
        settled[face.row] = face.state in ("nobody", "not_a_face")
    return names, settled
