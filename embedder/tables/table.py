"""EmbeddingTable: the faces of a photo folder as parallel arrays, and the ledger of every input file."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.errors import TableError
from embedder.images.photo import STATUSES
from embedder.tables.file import Header, TableFileReader, TableFileWriter, file_size_bound
from foundation.atomic import write_atomically
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint
from foundation.text import pluralize

if TYPE_CHECKING:
    import pandas

UNIT_LENGTH_TOLERANCE = 1e-3
"""How far from 1 the length of an embedding may be; float32 arithmetic stays below 1e-6."""

LANDMARK_NAMES = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")

_TEXT = np.dtype(object)


def is_unit(embeddings: np.ndarray) -> np.ndarray:
    """Return for each row of `embeddings` (n, d) whether it is finite and of unit length: bool (n,)."""
    squared = np.einsum("ij,ij->i", embeddings, embeddings, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.abs(np.sqrt(squared) - 1.0) <= UNIT_LENGTH_TOLERANCE


@dataclass(frozen=True, eq=False)
class ImageLedger:
    """One entry for every input file, whatever became of it; parallel arrays in path order.

    Attributes
    ----------
    path : (n,) str
        Relative to the photo folder.
    status : (n,) str
        ``ok``, ``no_face``, ``unreadable`` or ``error``.
    message : (n,) str
        Why a file is unreadable or failed, else empty.
    n_faces : (n,) int32
        Rows the table holds for it.
    width, height : (n,) int32
        Pixels of the upright picture, 0 where it could not be read.
    image_sha256 : (n,) str
        Of the file's bytes; empty where it could not be read.
    size, mtime_ns : (n,) int64
        Of the file: bytes, and nanoseconds since 1970.
    """

    path: np.ndarray
    status: np.ndarray
    message: np.ndarray
    n_faces: np.ndarray
    width: np.ndarray
    height: np.ndarray
    image_sha256: np.ndarray
    size: np.ndarray
    mtime_ns: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.path)
        integers = {"n_faces": np.int32, "width": np.int32, "height": np.int32, "size": np.int64, "mtime_ns": np.int64}
        for field in fields(self):
            _set_checked(self, field.name, (n,), np.dtype(integers.get(field.name, object)))
        unknown = sorted(set(self.status) - set(STATUSES))
        if unknown:
            raise InputError(f"`status` must be one of {', '.join(STATUSES)}, got {unknown[0]!r}")
        if n and self.n_faces.min() < 0:
            raise InputError(f"`n_faces` must be at least 0, got {self.n_faces.min()}")

    def __len__(self) -> int:
        return len(self.path)

    def to_frame(self) -> "pandas.DataFrame":
        """Return the ledger as a data frame, one column an attribute."""
        import pandas

        return pandas.DataFrame({field.name: getattr(self, field.name) for field in fields(self)})


@dataclass(frozen=True, eq=False)
class EmbeddingTable:
    """Embeddings and where they come from: parallel arrays, one row a face, checked when built.

    Attributes
    ----------
    embeddings : (n, d) float32
        Finite, of unit length.
    identities : (n,) str
        ``""`` is a face nobody has named.
    paths : (n,) str
        Photos, relative to their photo folder, ``/`` between folders.
    face_indices : (n,) int32
        Counted from 0 within each photo.
    boxes : (n, 4) float32
        Pixels of the upright photo: x_min, y_min, x_max, y_max, max exclusive.
    landmarks : (n, 5, 2) float32
        Pixels (x, y): left eye, right eye, nose, left and right mouth corner, as seen in the photo.
    detection_scores : (n,) float32
    image_sha256 : (n,) str
        Of the photo file's bytes.
    images : ImageLedger
        Every input file; rows follow its order, ``n_faces`` for each.
    photo_root : str
        Absolute path of the photo folder when the table was written.
    fingerprint : Fingerprint
        What decides whether vectors may be compared, and how they were made.
    created : str
        ISO 8601 time, UTC.
    more_roots : tuple of str
        The other photo folders, where there were several.

    Raises
    ------
    ValueError
        If a column has another shape or type, a vector is not finite and of unit length, or rows and ledger differ.
    """

    embeddings: np.ndarray
    identities: np.ndarray
    paths: np.ndarray
    face_indices: np.ndarray
    boxes: np.ndarray
    landmarks: np.ndarray
    detection_scores: np.ndarray
    image_sha256: np.ndarray
    images: ImageLedger
    photo_root: str
    fingerprint: Fingerprint
    created: str
    more_roots: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if np.ndim(self.embeddings) != 2:
            raise InputError(f"`embeddings` must be (n, d), got shape {np.shape(self.embeddings)}")
        object.__setattr__(self, "fingerprint", Fingerprint.of(self.fingerprint))
        n, length = np.shape(self.embeddings)
        shapes = {"embeddings": (n, length), "boxes": (n, 4), "landmarks": (n, 5, 2)}
        for name in _COLUMN_OF:
            dtype = np.int32 if name == "face_indices" else np.float32 if name in _FLOATS else object
            _set_checked(self, name, shapes.get(name, (n,)), np.dtype(dtype))
        bad = np.flatnonzero(~is_unit(self.embeddings))
        if bad.size:
            raise InputError(
                "`embeddings` must be finite and of unit length, got others in "
                f"{pluralize(bad.size, 'row')}, first in that of {self.paths[bad[0]]}; restore the table, "
                "or embed the photos again"
            )
        if not np.array_equal(self.paths, np.repeat(self.images.path, self.images.n_faces)):
            raise InputError("rows must follow the ledger, `n_faces` for each photo in its order; got other `paths`")

    def __len__(self) -> int:
        return len(self.embeddings)

    @classmethod
    def read(cls, path: str | Path) -> "EmbeddingTable":
        """Read a table file.

        Raises
        ------
        TableError
            If the file is damaged, of another version, or holds links, objects or vectors that no table may hold.
        OSError
            If the file is missing or may not be read.
        """
        with TableFileReader(Path(path)) as file:
            rows, images, header = file.rows(), file.images(), file.header
        try:
            return cls(
                **{name: rows[column] for name, column in _COLUMN_OF.items()},
                images=ImageLedger(**images),
                photo_root=header.photo_root,
                fingerprint=header.fingerprint,
                created=header.created,
                more_roots=header.more_roots,
            )
        except ValueError as error:
            raise TableError(f"{path}: {error}") from error

    def write(self, path: str | Path) -> None:
        """Write the table to a file, replacing it in one step; on any failure the file stays as it was.

        Raises
        ------
        OSError
            If the file cannot be written, or there is no room for it.
        """

        def fill(stream: Any) -> None:
            header = Header(self.photo_root, self.fingerprint, self.created, self.more_roots)
            with TableFileWriter(
                stream, header, n_rows=len(self), n_images=len(self.images), embedding_length=self.embeddings.shape[1]
            ) as file:
                file.append(
                    {column: getattr(self, name) for name, column in _COLUMN_OF.items()},
                    {field.name: getattr(self.images, field.name) for field in fields(self.images)},
                )

        text = [
            *self.identities,
            *self.paths,
            *self.image_sha256,
            *self.images.path,
            *self.images.message,
            *self.images.status,
            *self.images.image_sha256,
        ]
        write_atomically(
            Path(path).resolve(),
            fill,
            is_private=True,
            reserve=file_size_bound(
                len(self),
                len(self.images),
                embedding_length=self.embeddings.shape[1],
                n_text_bytes=sum(len(value.encode()) for value in text),
            ),
        )

    def find_photo(self, path: str) -> Path:
        """Return where the photo of a stored `path` is: in the first photo folder that holds it, else in the first."""
        places = [Path(root) / path for root in (self.photo_root, *self.more_roots)]
        return next((place for place in places if place.is_file()), places[0])

    def select(self, mask: np.ndarray) -> "EmbeddingTable":
        """Return the table of the rows where `mask` (n,) is true; its ledger holds their photos only.

        Raises
        ------
        ValueError
            If `mask` is not boolean with one entry a row.
        """
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != (len(self),):
            raise InputError(f"`mask` must be bool ({len(self)},), got {mask.dtype} {mask.shape}")
        photo_of_row = np.repeat(np.arange(len(self.images)), self.images.n_faces)
        n_faces = np.bincount(photo_of_row[mask], minlength=len(self.images))
        ledger = {field.name: getattr(self.images, field.name)[n_faces > 0] for field in fields(self.images)}
        ledger["n_faces"] = n_faces[n_faces > 0]
        return replace(self, **{name: getattr(self, name)[mask] for name in _COLUMN_OF}, images=ImageLedger(**ledger))

    def to_frame(self) -> "pandas.DataFrame":
        """Return the rows as a data frame with one number or text a cell, without the embeddings."""
        import pandas

        columns = {"identity": self.identities, "path": self.paths, "face_index": self.face_indices}
        columns |= {name: self.boxes[:, i] for i, name in enumerate(("x_min", "y_min", "x_max", "y_max"))}
        for i, landmark in enumerate(LANDMARK_NAMES):
            columns |= {f"{landmark}_{axis}": self.landmarks[:, i, j] for j, axis in enumerate("xy")}
        columns |= {"detection_score": self.detection_scores, "image_sha256": self.image_sha256}
        return pandas.DataFrame(columns)


_COLUMN_OF = {
    "embeddings": "embeddings",
    "identities": "identity",
    "paths": "path",
    "face_indices": "face_index",
    "boxes": "box",
    "landmarks": "landmarks",
    "detection_scores": "detection_score",
    "image_sha256": "image_sha256",
}
"""Attribute of `EmbeddingTable` to the dataset that holds it."""

_FLOATS = frozenset({"embeddings", "boxes", "landmarks", "detection_scores"})


def _set_checked(record: Any, name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Make attribute `name` a read-only view of the declared type, or say in one sentence what is wrong with it."""
    values = np.asarray(getattr(record, name))
    if dtype == _TEXT:
        fits = all(isinstance(value, str) for value in values.flat)
    else:
        fits = np.can_cast(values.dtype, dtype, "same_kind")
    if values.shape != shape or not fits:
        kind = "str" if dtype == _TEXT else dtype.name
        raise InputError(f"`{name}` must be {kind} {shape}, got {values.dtype} {values.shape}")
    values = values.astype(dtype, copy=False).view()
    values.flags.writeable = False
    object.__setattr__(record, name, values)
