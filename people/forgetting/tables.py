"""Embedding tables, their part files, those exported as Parquet, and those that `verify` keeps in the cache."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.members.audit import Finding
from classifiers.scores.gallery import Gallery
from embedder.exchange.parquet import MAGIC, is_our_parquet, read_parquet, write_parquet
from embedder.hdf5.examination import read_outline
from embedder.tables.parts import PartsFolder
from embedder.tables.table import ROW_ATTRIBUTES, EmbeddingTable, ImageLedger
from foundation.errors import InputError
from foundation.installation import explain_import_error
from foundation.text import pluralize
from people.forgetting.holder import MENTIONED, Outcome, finding
from people.forgetting.person import Person, all_faces

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_PARTS_SUFFIX = ".parts"


class Tables:
    """Embedding tables; see `people.forgetting.holder.Holder`."""

    noun = "table"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file is a table, whole or damaged."""
        if not beginning.startswith(_HDF5_MAGIC):
            return False
        outline = read_outline(path)
        return bool(outline.damage) or outline.attributes.get("format") == "facetable"

    def _read(self, path: Path) -> EmbeddingTable:
        return EmbeddingTable.read(path)

    def learn(self, path: Path, person: Person) -> None:
        """Remember the person's rows."""
        table = self._read(path)
        person.learn(_faces(table).selected(_are_theirs(table, person)), table.fingerprint)

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return ``rows`` of the name, other ``rows at paths`` and ``files`` called like them, and ``photo folder``.

        And ``rows with their face``, of other or no name, and ``paths that mention them``.
        """
        table = self._read(path)
        own = np.array([person.is_name(name) for name in table.identities], np.bool_)
        theirs, placed = _are_theirs(table, person), _have_place(table, person)
        with_rows = set(table.paths.tolist())
        roots = [root for root in (table.photo_root, *table.more_roots) if person.is_called(root)]
        return [
            *finding("rows", table.paths[own]),
            *finding("rows at paths", table.paths[placed & ~own]),
            *finding("files", (one for one in table.images.path if one not in with_rows and person.is_called(one))),
            *finding("rows with their face", table.paths[theirs & ~own & ~placed]),
            *finding("paths that mention them", _mentions(table, person, gone=theirs | placed)),
            *finding("photo folder", roots),
        ]

    def forget(self, path: Path, person: Person) -> Outcome:
        """Write the table anew without the person's rows and without photos called like them."""
        with PartsFolder(_finished_table(path)):
            table = EmbeddingTable.read(path)
            smaller = _without(table, person)
            if path.parent.name.endswith(_PARTS_SUFFIX) and not len(smaller.images):
                path.unlink()
                return Outcome("deleted: it held nothing else")
            smaller.write(path)
        return _outcome(table, smaller, person)


class ParquetTables(Tables):
    """Tables that were exported as Parquet; see `people.forgetting.holder.Holder`."""

    noun = "exported table"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file was written from a table."""
        return beginning.startswith(MAGIC) and is_our_parquet(path)

    def _read(self, path: Path) -> EmbeddingTable:
        try:
            return read_parquet(path)
        except ImportError as error:
            raise InputError(f"{path}: cannot be looked into: {explain_import_error(error)}") from error

    def forget(self, path: Path, person: Person) -> Outcome:
        """Write the file anew without the person's rows and without photos called like them."""
        table = self._read(path)
        smaller = _without(table, person)
        write_parquet(path, smaller)
        return _outcome(table, smaller, person)


def _outcome(table: EmbeddingTable, smaller: EmbeddingTable, person: Person) -> Outcome:
    """Return what was removed, and what is to be done by hand."""
    n_others = int((_have_place(table, person) & ~_are_theirs(table, person)).sum())
    by_hand = [
        f"its photo folder is called like them ({root}): rename the folder, then embed again"
        for root in (table.photo_root, *table.more_roots)
        if person.is_called(root)
    ]
    by_hand += [MENTIONED] * bool(_mentions(smaller, person, gone=np.zeros(len(smaller), np.bool_)))
    also = f", {pluralize(n_others, 'other face')} among them, on photos called like them" if n_others else ""
    return Outcome(f"{len(table) - len(smaller):,} of {len(table):,} rows removed{also}", by_hand)


def _finished_table(path: Path) -> Path:
    """Return the table whose lock guards a table or part file."""
    folder = path.parent
    if folder.name.endswith(_PARTS_SUFFIX):
        return folder.with_name(folder.name.removesuffix(_PARTS_SUFFIX))
    return path


def _faces(table: EmbeddingTable) -> Gallery:
    return all_faces(
        table.embeddings, table.identities, paths=table.paths, image_sha256=table.image_sha256, boxes=table.boxes
    )


def _have_place(table: EmbeddingTable, person: Person) -> NDArray[np.bool_]:
    """Return ``(n,)`` bool: the rows that go with the person for what their path is called."""
    rows = zip(table.paths, table.identities, strict=True)
    return np.array([person.has_place(path, [name]) for path, name in rows], np.bool_)


def _are_theirs(table: EmbeddingTable, person: Person) -> NDArray[np.bool_]:
    """Return ``(n,)`` bool: the rows that are the person's by name, by what other files say, or by their face."""
    theirs = np.array([person.is_name(name) for name in table.identities], np.bool_)
    theirs |= person.known_in(_faces(table), table.fingerprint)
    keys = list(zip(table.paths.tolist(), table.face_indices.tolist(), strict=True))
    held = set(keys)
    for faces, everybody in person.listed.values():
        # Paths are relative: only a table that holds all the faces of a people file is the one it speaks of.
        if everybody <= held:
            theirs |= np.array([key in faces for key in keys], np.bool_)
    return theirs | person.looks_like(table.embeddings, table.fingerprint)


def _mentions(table: EmbeddingTable, person: Person, *, gone: NDArray[np.bool_]) -> list[str]:
    """Return the paths that mention the person once the rows `gone` are gone."""
    named: dict[str, set[str]] = {}
    for path, name in zip(table.paths[~gone], table.identities[~gone], strict=True):
        named.setdefault(path, set()).add(name)
    left = [path for path in table.images.path if path in named or not person.is_called(path)]
    return [path for path in left if person.is_mentioned(path, named.get(path, ()))]


def _without(table: EmbeddingTable, person: Person) -> EmbeddingTable:
    """Return a table without the person; photos that show only them leave the ledger, other entries stay."""
    gone = _are_theirs(table, person) | _have_place(table, person)
    photo_of_row = np.repeat(np.arange(len(table.images)), table.images.n_faces)
    n_faces = np.bincount(photo_of_row[~gone], minlength=len(table.images))
    called = np.array([person.is_called(path) for path in table.images.path], np.bool_)
    kept = (n_faces > 0) | (~called & (table.images.n_faces == 0))
    ledger = {name: values[kept] for name, values in table.images.columns().items()}
    ledger["n_faces"] = n_faces[kept]
    # `select` would also drop the photos without a face, which would all be embedded again.
    rows: dict[str, Any] = {name: getattr(table, name)[~gone] for name in ROW_ATTRIBUTES}
    return replace(table, **rows, images=ImageLedger(**ledger))
