"""Table files as other programs and earlier versions leave them."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from embedder.hdf5.checksum import CHECKSUM_BYTES, append_checksum
from embedder.tables.table import EmbeddingTable

_CHECKSUM = b"\nfacetable checksum "


@contextmanager
def changed(path: Path) -> Iterator[h5py.File]:
    """Open a table to change it, and give it the checksum of its new content, as only a forger would."""
    with h5py.File(path, "r+") as file:
        yield file
    seal(path)


def seal(path: Path) -> None:
    """Give a file the checksum of its content, in place of the one it may have."""
    stream = io.BytesIO(without_checksum(path.read_bytes()))
    append_checksum(stream)
    path.write_bytes(stream.getvalue())


def without_checksum(content: bytes) -> bytes:
    """Return the bytes of a file but for its checksum."""
    return content[:-CHECKSUM_BYTES] if content[-CHECKSUM_BYTES:].startswith(_CHECKSUM) else content


def write_version_1(path: Path, table: EmbeddingTable) -> Path:
    """Write a table as the programs before version 2 did: their datasets, all text in HDF5's heap, no checksum."""
    text = h5py.string_dtype("utf-8")
    rows = {
        "embeddings": (table.embeddings, "<f4"),
        "identity": (table.identities, text),
        "path": (table.paths, text),
        "face_index": (table.face_indices, "<i4"),
        "box": (table.boxes, "<f4"),
        "landmarks": (table.landmarks, "<f4"),
        "detection_score": (table.detection_scores, "<f4"),
        "image_sha256": (table.image_sha256, text),
    }
    images = dict.fromkeys(("path", "status", "message", "image_sha256"), text)
    images |= dict.fromkeys(("n_faces", "width", "height"), "<i4") | dict.fromkeys(("size", "mtime_ns"), "<i8")
    with h5py.File(path, "w") as file:
        group = file.create_group("images")
        for name, (values, dtype) in rows.items():
            file.create_dataset(name, data=values, dtype=dtype)
        for name, dtype in images.items():
            group.create_dataset(name, data=getattr(table.images, name), dtype=dtype)
        file.attrs["format"], file.attrs["version"] = "facetable", np.int64(1)
        file.attrs["photo_root"], file.attrs["created"] = table.photo_root, table.created
        if table.more_roots:
            file.attrs["photo_roots"] = json.dumps([table.photo_root, *table.more_roots], ensure_ascii=False)
        file.attrs["fingerprint"] = json.dumps(table.fingerprint.to_json(), sort_keys=True, ensure_ascii=False)
    return path
