"""Tables as Parquet files and back: one row a face, its vector as a list of fixed size."""

import base64
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.errors import TableError
from embedder.tables.columns import IMAGE_COLUMNS, ROW_COLUMNS
from embedder.tables.file import fingerprint_text
from embedder.tables.table import EmbeddingTable, ImageLedger
from foundation.atomic import atomic_path
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint
from foundation.formats import describe_kind
from foundation.paths import display_path

if TYPE_CHECKING:
    import pyarrow

VERSION = 1
"""Of the files that are written."""

MAGIC = b"PAR1"
"""First and last four bytes of a Parquet file; see https://parquet.apache.org/docs/file-format/."""

MARK = b"facetable.fingerprint"
"""Key of the metadata that tells our files from all others."""

_ROWS_AT_ONCE = 65_536
_OF_PHOTO = tuple(column for column in IMAGE_COLUMNS if column.name not in ("path", "n_faces", "image_sha256"))
_BOX = ("x_min", "y_min", "x_max", "y_max")
_LANDMARKS = 5 * 2


def write_parquet(path: Path, table: EmbeddingTable) -> None:
    """Write one row a face, replacing the file in one step.

    Columns: ``embedding`` (list of d float32), ``identity``, ``path``, ``face_index``, ``x_min``, ``y_min``, ``x_max``,
    ``y_max``, ``landmarks`` (list of ten float32: x, y of left eye, right eye, nose, left and right mouth corner),
    ``detection_score``, ``image_sha256``, ``origin``, ``time_s``, ``second_score`` and, of its photo, ``status``,
    ``message``, ``width``, ``height``, ``size``, ``mtime_ns``, ``turned``, ``taken`` and ``kind``. The fingerprint is
    in the metadata, as JSON under ``facetable.fingerprint``; so are photos without a face.

    Raises
    ------
    ValueError
        If a file of another kind is there.
    ImportError
        If the extra ``export`` is not installed.
    OSError
        If it cannot be written.
    """
    import pyarrow
    from pyarrow import parquet

    if path.is_file() and path.stat().st_size:
        with path.open("rb") as stream:
            beginning = stream.read(len(MAGIC))
        if beginning != MAGIC:
            raise InputError(
                f"{display_path(path)}: expected a Parquet file or nothing here to replace, found "
                f"{describe_kind(path)}; give another name for --parquet"
            )
    image_of_row = np.repeat(np.arange(len(table.images)), table.images.n_faces)
    length = table.embeddings.shape[1]
    schema = _schema(pyarrow, length).with_metadata(_metadata(table))
    with atomic_path(path, is_private=True) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
        for start in range(0, len(table), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            writer.write_table(pyarrow.table(_arrays(pyarrow, table, rows, image_of_row[rows]), schema=schema))


def read_parquet(path: Path) -> EmbeddingTable:
    """Read a table from a Parquet file that `write_parquet` wrote; other programs may have left out or added columns.

    Rows of one photo may stand anywhere; they are put in order. Columns a face cannot do without are ``embedding``,
    ``path``, ``face_index``, the box and ``image_sha256``.

    Raises
    ------
    TableError
        If it is no such file, of a newer version, or holds what no table may.
    ImportError
        If the extra ``export`` is not installed.
    OSError
        If it cannot be read.
    """
    import pyarrow
    from pyarrow import parquet

    with path.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise TableError(f"{display_path(path)}: expected a Parquet file, found {describe_kind(path)}")
    try:
        read = parquet.read_table(path)
        metadata = {key.decode(): value.decode() for key, value in (read.schema.metadata or {}).items()}
        return _table(read, metadata)
    except (pyarrow.ArrowException, ValueError, KeyError, TypeError, zlib.error) as error:
        why = f"no column or entry {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise TableError(
            f"{display_path(path)}: expected a Parquet file written by facetable export, found another ({why:.200}); "
            "write it again"
        ) from error


def is_our_parquet(path: Path) -> bool:
    """Return whether a file is a Parquet file that was written from a table, by its first bytes and its footer.

    Needs no package. The footer's length is in the four bytes before the last four.
    """
    with path.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC or stream.seek(0, 2) < 12:
            return False
        stream.seek(-8, 2)
        length, end = int.from_bytes(stream.read(4), "little"), stream.read(4)
        if end != MAGIC or length > stream.tell() - 12:
            return False
        stream.seek(-8 - length, 2)
        return MARK in stream.read(length)


def _schema(pyarrow: Any, length: int) -> "pyarrow.Schema":
    fields = [("embedding", pyarrow.list_(pyarrow.float32(), length)), ("identity", pyarrow.string())]
    fields += [("path", pyarrow.string()), ("face_index", pyarrow.int32())]
    fields += [(name, pyarrow.float32()) for name in _BOX]
    fields += [("landmarks", pyarrow.list_(pyarrow.float32(), _LANDMARKS)), ("detection_score", pyarrow.float32())]
    fields += [("image_sha256", pyarrow.string()), ("origin", pyarrow.string()), ("time_s", pyarrow.float64())]
    fields.append(("second_score", pyarrow.float32()))
    for column in _OF_PHOTO:
        kind = pyarrow.string() if column.is_text else pyarrow.from_numpy_dtype(column.dtype)
        fields.append((column.name, kind))
    return pyarrow.schema(fields)


def _arrays(pyarrow: Any, table: EmbeddingTable, rows: slice, images: np.ndarray) -> dict[str, Any]:
    def lists(values: np.ndarray) -> Any:
        flat = pyarrow.array(np.ascontiguousarray(values, np.float32).ravel())
        return pyarrow.FixedSizeListArray.from_arrays(flat, values.shape[1])

    arrays: dict[str, Any] = {"embedding": lists(table.embeddings[rows])}
    arrays |= {"identity": table.identities[rows], "path": table.paths[rows], "face_index": table.face_indices[rows]}
    arrays |= {name: table.boxes[rows, i] for i, name in enumerate(_BOX)}
    arrays["landmarks"] = lists(table.landmarks[rows].reshape(-1, _LANDMARKS))
    arrays |= {"detection_score": table.detection_scores[rows], "image_sha256": table.image_sha256[rows]}
    arrays |= {"origin": table.origins[rows], "time_s": table.times[rows], "second_score": table.second_scores[rows]}
    return arrays | {column.name: getattr(table.images, column.name)[images] for column in _OF_PHOTO}


def _metadata(table: EmbeddingTable) -> dict[str, str]:
    without = table.images.n_faces == 0
    photos = {name: values[without].tolist() for name, values in table.images.columns().items()}
    packed = base64.b64encode(zlib.compress(json.dumps(photos, ensure_ascii=False).encode()))
    return {
        MARK.decode(): fingerprint_text(table.fingerprint),
        "facetable.version": str(VERSION),
        "facetable.created": table.created,
        "facetable.photo_roots": json.dumps([table.photo_root, *table.more_roots], ensure_ascii=False),
        "facetable.photos_without_face": packed.decode(),
    }


def _table(read: "pyarrow.Table", metadata: dict[str, str]) -> EmbeddingTable:
    if int(metadata["facetable.version"]) > VERSION:
        raise ValueError(f"version {metadata['facetable.version']}; update facetable to read it")
    values = {
        name: read.column(name).to_numpy() for name in read.column_names if name not in ("embedding", "landmarks")
    }
    order = np.lexsort((values["face_index"], values["path"].astype(str)))
    values = {name: column[order] for name, column in values.items()}
    photos = json.loads(zlib.decompress(base64.b64decode(metadata["facetable.photos_without_face"])))
    images, paths = _ledger(values, photos)
    n = len(order)
    roots = json.loads(metadata["facetable.photo_roots"])
    rows = {column.name: column for column in ROW_COLUMNS}
    optional = {"origins": "origin", "times": "time_s", "identities": "identity", "detection_scores": "detection_score"}
    optional["second_scores"] = "second_score"
    given = {name: values[column] for name, column in optional.items() if column in values}
    given.setdefault("identities", np.full(n, "", object))
    given.setdefault("detection_scores", np.ones(n, rows["detection_score"].dtype))
    return EmbeddingTable(
        embeddings=_lists(read, "embedding")[order],
        paths=paths,
        face_indices=values["face_index"].astype(np.int32),
        boxes=np.column_stack([values[name] for name in _BOX]).astype(np.float32).reshape(n, 4),
        landmarks=_lists(read, "landmarks")[order].reshape(n, 5, 2),
        image_sha256=values["image_sha256"],
        images=images,
        photo_root=roots[0],
        more_roots=tuple(roots[1:]),
        fingerprint=Fingerprint.of(json.loads(metadata[MARK.decode()])),
        created=metadata["facetable.created"],
        **given,
    )


def _lists(read: "pyarrow.Table", name: str) -> np.ndarray:
    column = read.column(name).combine_chunks()
    length = column.type.list_size
    return np.asarray(column.flatten(), np.float32).reshape(len(column), length)


def _ledger(values: dict[str, np.ndarray], photos: dict[str, list[Any]]) -> tuple[ImageLedger, np.ndarray]:
    """Return the ledger of photos with and without faces, in path order, and the rows' paths."""
    paths, first, counts = np.unique(values["path"].astype(object), return_index=True, return_counts=True)
    columns: dict[str, np.ndarray] = {}
    for column in IMAGE_COLUMNS:
        if column.name == "path":
            with_face = paths
        elif column.name == "n_faces":
            with_face = counts
        else:
            with_face = values[column.name][first]
        columns[column.name] = np.concatenate(
            [np.asarray(with_face, column.memory_dtype), np.array(photos[column.name], column.memory_dtype)]
        )
    order = np.argsort(columns["path"].astype(str), kind="stable")
    return ImageLedger(**{name: values[order] for name, values in columns.items()}), values["path"]
