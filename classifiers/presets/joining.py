"""Join the tables of several presets, of the same photos, into the vectors of the joined preset."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.gallery import Gallery
from classifiers.training.train import FaceTable
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint


def gallery_of_tables(tables: Sequence[FaceTable], space: Mapping[str, Any], *, names: Sequence[str]) -> Gallery:
    """Return the named faces of some tables of one preset, each photo once.

    For a joined preset, whose `space` holds ``joined``, tables of its networks of the same photos will do: the faces
    that all of them hold, at the same place, are joined.

    Parameters
    ----------
    tables : sequence of EmbeddingTable
        At least one.
    space : mapping
        Of the preset.
    names : sequence of str
        What the tables are called in messages.

    Raises
    ------
    SpaceMismatchError
        If a table is of another preset; the message names the fields.
    InputError
        If a network of a joined preset has no table.
    """
    expected = Fingerprint(space)
    if "joined" in space and any("joined" not in Fingerprint.of(table.fingerprint).space for table in tables):
        return _joined(tables, space["joined"], names=names)
    for table, name in zip(tables, names, strict=True):
        expected.check_same_space(table.fingerprint, source=f"the preset's ({name})")
    parts = [_gallery(table, table.embeddings) for table in tables]
    gallery = parts[0]
    for more in parts[1:]:
        gallery = gallery.added(
            more.selected(~np.isin(more.image_sha256, gallery.image_sha256[gallery.image_sha256 != ""]))
        )
    return gallery


def _gallery(table: FaceTable, vectors: NDArray[np.float32]) -> Gallery:
    return Gallery.build(
        vectors, table.identities, paths=table.paths, image_sha256=table.image_sha256, boxes=table.boxes
    )


def _joined(tables: Sequence[FaceTable], joined: Sequence[Mapping[str, Any]], *, names: Sequence[str]) -> Gallery:
    galleries = []
    for part in joined:
        wanted = {name: value for name, value in part.items() if name != "weight"}
        spaces = [dict(Fingerprint.of(table.fingerprint).space) for table in tables]
        found = [number for number, of_table in enumerate(spaces) if of_table == wanted]
        if not found:
            known = ", ".join(str(of_table.get("weights_sha256"))[:12] for of_table in spaces)
            raise InputError(
                f"{', '.join(names)}: expected a table of the joined preset, or of each of its networks, found none of "
                f"{str(part['weights_sha256'])[:12]} as it is used there (found {known}); embed the photos with it"
            )
        galleries.append(_gallery(tables[found[0]], tables[found[0]].embeddings))
    keys = [_places(gallery) for gallery in galleries]
    common = [place for place in keys[0] if all(place in other for other in keys[1:])]
    if not common:
        raise InputError(f"{', '.join(names)}: expected tables of the same photos, found no face that all hold")
    rows = [np.array([of[place] for place in common]) for of in keys]
    vectors = [
        np.float32(math.sqrt(part["weight"])) * gallery.vectors[of]
        for part, gallery, of in zip(joined, galleries, rows, strict=True)
    ]
    first = galleries[0].selected(rows[0])
    return Gallery.build(
        np.hstack(vectors), first.identities, paths=first.paths, image_sha256=first.image_sha256, boxes=first.boxes
    )


def _places(gallery: Gallery) -> dict[tuple[str, str, tuple[float, ...]], int]:
    """Return the row of each face by its photo and the place on it."""
    return {
        (str(path), str(digest), tuple(np.round(box, 1).tolist())): row
        for row, (path, digest, box) in enumerate(zip(gallery.paths, gallery.image_sha256, gallery.boxes, strict=True))
    }
