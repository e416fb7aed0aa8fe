"""EmbeddingTable: the faces of a photo folder as parallel arrays, and the ledger of every input file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.errors import TableError
from embedder.notebook.own_vectors import table_columns
from embedder.notebook.representation import table_as_html, table_as_text
from embedder.notebook.search import as_frame, search_rows
from embedder.tables.columns import IMAGE_COLUMNS, ROW_COLUMNS, Column
from embedder.tables.content import check_images, check_rows, is_unit
from embedder.tables.file import Header, TableFileReader, TableFileWriter
from embedder.tables.size import TableSize
from foundation.atomic import write_atomically
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint
from foundation.paths import path_at, split_moment
from foundation.text import pluralize

if TYPE_CHECKING:
    import pandas
    from PIL import Image

LANDMARK_NAMES = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


def _not_given() -> Any:
    """Return what stands for a column that is left out, until its default is known."""
    return None


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
    turned : (n,) int32
        Degrees clockwise by which the upright picture was turned before faces were found: 0, 90, 180 or 270; default
        0. Boxes and landmarks lie on the picture that was not turned.
    taken : (n,) str
        When, as the camera says in EXIF: local time in ISO 8601, with the offset from UTC where the camera knew it;
        empty, the default, where it says nothing.
    kind : (n,) str
        ``photo``, the default, or ``video``.
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
    turned: np.ndarray = field(default_factory=_not_given)
    taken: np.ndarray = field(default_factory=_not_given)
    kind: np.ndarray = field(default_factory=_not_given)

    def __post_init__(self) -> None:
        n = len(self.path)
        for column in IMAGE_COLUMNS:
            _set_checked(self, column.name, (n,), column)
        check_images(self.columns())

    def __len__(self) -> int:
        return len(self.path)

    def columns(self) -> dict[str, np.ndarray]:
        """Return all attributes by name, as a table file has them."""
        return {column.name: getattr(self, column.name) for column in IMAGE_COLUMNS}

    def to_frame(self) -> "pandas.DataFrame":
        """Return the ledger as a data frame, one column an attribute."""
        import pandas

        return pandas.DataFrame(self.columns())


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
    origins : (n,) str
        Where the box comes from: ``detected``, the default, ``drawn`` by a person, ``imported`` from another program.
    times : (n,) float64
        Seconds from the beginning of a video; NaN, the default, on photos.
    second_scores : (n,) float32
        What a second detector gives each face, see `embedder.finding.second_score`; NaN, the default, where none was
        asked.

    Raises
    ------
    ValueError
        If a column has another shape or type or a value that no table may hold, a vector is not finite and of unit
        length, or rows and ledger differ.
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
    origins: np.ndarray = field(default_factory=_not_given)
    times: np.ndarray = field(default_factory=_not_given)
    second_scores: np.ndarray = field(default_factory=_not_given)

    def __post_init__(self) -> None:
        if np.ndim(self.embeddings) != 2:
            raise InputError(f"`embeddings` must be (n, d), got shape {np.shape(self.embeddings)}")
        object.__setattr__(self, "fingerprint", Fingerprint.of(self.fingerprint))
        n, length = np.shape(self.embeddings)
        for name, column in _COLUMN_OF.items():
            shape = (n, length) if name == "embeddings" else (n, *column.shape)
            _set_checked(self, name, shape, column)
        check_rows(self.columns())
        bad = np.flatnonzero(~is_unit(self.embeddings))
        if bad.size:
            raise InputError(
                "`embeddings` must be finite and of unit length, got others in "
                f"{pluralize(bad.size, 'row')}, first in that of {self.paths[bad[0]]}; restore the table, "
                "or embed the photos again"
            )
        n_rows = int(self.images.n_faces.sum(dtype=np.int64))
        if n_rows != n or not np.array_equal(self.paths, np.repeat(self.images.path, self.images.n_faces)):
            raise InputError("rows must follow the ledger, `n_faces` for each photo in its order; got other `paths`")

    def __len__(self) -> int:
        return len(self.embeddings)

    def columns(self) -> dict[str, np.ndarray]:
        """Return the row columns by the names that a table file has for them."""
        return {column.name: getattr(self, name) for name, column in _COLUMN_OF.items()}

    def __repr__(self) -> str:
        return table_as_text(
            embeddings=self.embeddings,
            identities=self.identities,
            statuses=self.images.status,
            fingerprint=self.fingerprint,
            photo_root=self.photo_root,
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the same, and the first faces; a grey tile where a photo is not there."""
        columns = {"paths": self.moments, "boxes": self.boxes, "identities": self.identities}
        return table_as_html(repr(self), **columns, find_photo=self.find_photo)

    @classmethod
    def from_arrays(
        cls,
        vectors: Any,
        identities: Sequence[str] | np.ndarray | None = None,
        paths: Sequence[str | os.PathLike[str]] | np.ndarray | None = None,
        *,
        boxes: Any = None,
        space: str | Mapping[str, Any] | None = None,
        photo_root: str | Path | None = None,
    ) -> "EmbeddingTable":
        """Return a table of one's own vectors, such as another program's; one row a vector, in the same order.

        Parameters
        ----------
        vectors : (n, d) array of numbers
            Scaled to unit length, since all comparing is by cosine.
        identities : (n,) str, optional
            ``""`` is a face nobody has named, the default for all.
        paths : (n,) str or path, optional
            The photo of each vector; those of one photo follow one another. By default each is a photo of its own,
            ``row-0`` and so on.
        boxes : (n, 4) array, optional
            The face in the photo, pixels: x_min, y_min, x_max, y_max, max exclusive.
        space : str or mapping, optional
            What made the vectors: a name, the fields of a space, or another table's fingerprint. Vectors of different
            spaces are never compared; say it, for those of equal length that nobody has named count as one space.
        photo_root : path, optional
            The folder that absolute `paths` lie in.

        Raises
        ------
        ValueError
            If a vector is not finite or only zeros, columns differ in length, an identity is no text, a path is
            absolute without `photo_root`, or `space` says another length.

        Examples
        --------
        >>> EmbeddingTable.from_arrays([[3.0, 4.0], [0.0, 2.0]], ["Ada", ""], space="my-network")
        EmbeddingTable: 2 faces, 1 person, 2 photos
          2 numbers a face, my-network
        """
        columns = table_columns(
            vectors, identities=identities, paths=paths, boxes=boxes, space=space, photo_root=photo_root
        )
        return cls(**{**columns, "images": ImageLedger(**columns["images"])})

    @classmethod
    def read(cls, path: str | Path, *, is_changed: bool = False) -> "EmbeddingTable":
        """Read a table file.

        Parameters
        ----------
        path : path
        is_changed : bool
            Take a table whose checksum no longer fits, because another program changed it on purpose; all else is
            checked.

        Raises
        ------
        TableError
            If the file is damaged, of another version, or holds links, objects or vectors that no table may hold.
        OSError
            If the file is missing or may not be read.
        """
        with TableFileReader(Path(path), is_changed=is_changed) as file:
            (rows, images), header = file.everything(), file.header
        try:
            return cls(
                **{name: rows[column.name] for name, column in _COLUMN_OF.items()},
                images=ImageLedger(**images),
                photo_root=header.photo_root,
                fingerprint=header.fingerprint,
                created=header.created,
                more_roots=header.more_roots,
            )
        except TableError as error:
            raise TableError(f"{path}: {error}; restore it or embed the photos again") from error
        except ValueError as error:
            raise TableError(f"{path}: {error}") from error

    def write(self, path: str | Path) -> None:
        """Write the table to a file, replacing it in one step; on any failure the file stays as it was.

        Raises
        ------
        OSError
            If the file cannot be written, or there is no room for it.
        """

        header = Header(self.photo_root, self.fingerprint, self.created, self.more_roots)
        size = TableSize.of(self.columns(), self.images.columns())

        def fill(stream: Any) -> None:
            with TableFileWriter(stream, header, size) as file:
                file.append(self.columns(), self.images.columns())

        write_atomically(Path(path).resolve(), fill, is_private=True, reserve=size.file_bytes)

    def find_photo(self, path: str) -> Path:
        """Return where the photo of a stored `path` is: in the first photo folder that holds it, else in the first.

        Of a path that names a moment of a video (`moments`), that moment of the file that is there.
        """
        places = [Path(root) / path for root in (self.photo_root, *self.more_roots)]
        found = next((place for place in places if place.is_file()), None)
        video, time_s = split_moment(path)
        if found is None and time_s is not None:
            return Path(path_at(str(self.find_photo(video)), time_s))
        return places[0] if found is None else found

    @property
    def moments(self) -> np.ndarray:
        """Where each row is seen, (n,) str: its path and, in videos, the second, as in ``clip.mp4#t=12.4``."""
        moments = self.paths.copy()
        for row in np.flatnonzero(np.isfinite(self.times)).tolist():
            moments[row] = path_at(self.paths[row], float(self.times[row]))
        return moments

    def show(self, row: int) -> "Image.Image":
        """Return a picture of the face of a row with a little around it; of the whole photo where it has no box.

        Raises
        ------
        ValueError
            If the table has no such row, or the photo or video cannot be read.
        OSError
            If the photo is not there.
        """
        # Here, because reading tables needs nothing that reads photos, and loading that takes time.
        from embedder.notebook.pictures import cut_face
        from embedder.videos.moment import read_moment

        if not -len(self) <= row < len(self):
            raise InputError(f"`row` must be one of the table's {len(self)} rows, got {row}")
        return cut_face(read_moment(self.find_photo(self.paths[row]), float(self.times[row])), self.boxes[row])

    def search(self, vectors: Any, k: int = 5, *, approximate: bool = False) -> "pandas.DataFrame":
        """Return the `k` rows nearest to each of `vectors (n, d)`, or to one `(d,)`, best first, as a data frame.

        Its columns are ``probe`` (row of `vectors`), ``rank`` (from 1), ``row`` (of the table), ``similarity`` (the
        cosine), ``identity`` and ``path``; see `embedder.notebook.search.search_rows`.

        Raises
        ------
        ValueError
            If the vectors are not finite, only zeros or of another length, or `k` is below 1.
        """
        found = search_rows(self.embeddings, vectors, k, approximate=approximate)
        return as_frame(found, identity=self.identities, path=self.paths)

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
        ledger = {name: values[n_faces > 0] for name, values in self.images.columns().items()}
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
        columns |= {"origin": self.origins, "time_s": self.times, "second_score": self.second_scores}
        return pandas.DataFrame(columns)


ROW_ATTRIBUTES = (
    "embeddings",
    "identities",
    "paths",
    "face_indices",
    "boxes",
    "landmarks",
    "detection_scores",
    "image_sha256",
    "origins",
    "times",
    "second_scores",
)
"""Attributes of `EmbeddingTable` with one entry a row, in the order of their columns."""

_COLUMN_OF = dict(zip(ROW_ATTRIBUTES, ROW_COLUMNS, strict=True))
"""Attribute of `EmbeddingTable` to the column that holds it."""


def _set_checked(record: Any, name: str, shape: tuple[int, ...], column: Column) -> None:
    """Make attribute `name` a read-only view of the declared type, or say in one sentence what is wrong with it."""
    given, dtype = getattr(record, name), column.memory_dtype
    values = np.full(shape, column.default, dtype=dtype) if given is None else np.asarray(given)
    if column.is_text:
        fits = all(issubclass(kind, str) for kind in set(map(type, values.ravel().tolist())))
    else:
        fits = np.can_cast(values.dtype, dtype, "same_kind")
    if values.shape != shape or not fits:
        kind = "str" if column.is_text else dtype.name
        raise InputError(f"`{name}` must be {kind} {shape}, got {values.dtype} {values.shape}")
    values = values.astype(dtype, copy=False).view()
    values.flags.writeable = False
    object.__setattr__(record, name, values)
