"""Make the columns of a table of vectors that another program made."""

import datetime
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foundation.errors import InputError
from foundation.fingerprint import UNNAMED_VECTORS, Fingerprint
from foundation.paths import display_path

# Where a face's box comes from that this project's detector has not found; see `embedder.tables.columns.ORIGINS`.
_IMPORTED = "imported"


def table_columns(
    vectors: Any,
    *,
    identities: Sequence[str] | np.ndarray | None,
    paths: Sequence[str | os.PathLike[str]] | np.ndarray | None,
    boxes: Any,
    space: str | Mapping[str, Any] | None,
    photo_root: str | Path | None,
) -> dict[str, Any]:
    """Return the arguments of `embedder.EmbeddingTable`, `images` as columns; see its `from_arrays`.

    Raises
    ------
    InputError
        As `from_arrays`.
    """
    units = as_unit_rows("vectors", vectors)
    n = len(units)
    stored = _numbered(n) if paths is None else [_relative(path, photo_root) for path in paths]
    _check_length("paths", stored, n)
    photos, first, counts = _photos_in_order(stored)
    face_indices = np.arange(n) - np.repeat(first, counts)
    return {
        "embeddings": units,
        "identities": _texts("identities", [""] * n if identities is None else identities, n),
        "paths": np.array(stored, dtype=object),
        "face_indices": face_indices.astype(np.int32),
        "boxes": _boxes(boxes, n),
        "landmarks": np.zeros((n, 5, 2), np.float32),
        "detection_scores": np.ones(n, np.float32),
        "image_sha256": np.full(n, "", dtype=object),
        "origins": np.full(n, _IMPORTED, dtype=object),
        "images": _ledger(photos, counts),
        "photo_root": "" if photo_root is None else str(Path(photo_root).absolute()),
        "fingerprint": _fingerprint(space, units.shape[1]),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def as_unit_rows(name: str, vectors: Any, *, length: int | None = None) -> np.ndarray:
    """Return `vectors` as float32 rows of unit length.

    Parameters
    ----------
    name : str
        Names them in errors.
    vectors : (n, d) array of numbers
        Of any length but 0.
    length : int, optional
        What `d` must be.

    Raises
    ------
    InputError
        If they are not (n, d), not numbers, or a row is not finite or all zeros; the message names the row.
    """
    try:
        rows = np.asarray(vectors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"`{name}` must be numbers of shape (n, d), got others ({error})") from None
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InputError(f"`{name}` must have shape (n, d), got {rows.shape}; give one vector a row")
    if length is not None and rows.shape[1] != length:
        raise InputError(f"`{name}` must hold vectors of length {length}, got {rows.shape[1]}; use the same network")
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise InputError(f"`{name}` must be finite, got NaN or infinity in row {int(np.argmin(finite))}; leave it out")
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    if not largest.all():
        raise InputError(f"`{name}` must not be all zeros, got row {int(np.argmin(largest))}; leave it out")
    rows = rows / largest  # squares of very small and very large numbers stay in range
    units: np.ndarray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units


def _numbered(n: int) -> list[str]:
    """Return what stands for the photo of each row where there is none."""
    return [f"row-{row:0{len(str(max(n - 1, 0)))}d}" for row in range(n)]


def _relative(path: str | os.PathLike[str], photo_root: str | Path | None) -> str:
    """Return a photo's stored path, relative to the photo folder."""
    if not Path(path).is_absolute():
        return display_path(path)
    if photo_root is None:
        raise InputError(f"`paths` must be relative to a photo folder, got {display_path(path)!r}; give `photo_root`")
    try:
        return display_path(Path(path).relative_to(Path(photo_root).absolute()))
    except ValueError:
        raise InputError(f"`paths` must lie in `photo_root` {photo_root}, got {display_path(path)!r}") from None


def _photos_in_order(paths: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the photos, the first row of each and how many rows it has.

    Raises
    ------
    InputError
        If rows of one photo do not follow one another.
    """
    first = [row for row, path in enumerate(paths) if row == 0 or path != paths[row - 1]]
    photos = [paths[row] for row in first]
    seen: set[str] = set()
    for row, photo in zip(first, photos, strict=True):
        if photo in seen:
            raise InputError(
                f"the faces of one photo must follow one another, got {photo!r} again in row {row}; sort them"
            )
        seen.add(photo)
    return photos, np.array(first, np.int64), np.diff([*first, len(paths)]).astype(np.int32)


def _texts(name: str, values: Any, n: int) -> np.ndarray:
    texts = list(values)
    _check_length(name, texts, n)
    wrong = next((row for row, text in enumerate(texts) if not isinstance(text, str)), None)
    if wrong is not None:
        raise InputError(f'`{name}` must be text, "" for nobody, got {texts[wrong]!r} in row {wrong}; write it as text')
    return np.array([str(text) for text in texts] + [None], dtype=object)[:-1]


def _check_length(name: str, values: Sequence[Any], n: int) -> None:
    if len(values) != n:
        raise InputError(f"`{name}` must have one entry per vector: expected {n}, got {len(values)}")


def _boxes(boxes: Any, n: int) -> np.ndarray:
    if boxes is None:
        return np.zeros((n, 4), np.float32)
    given = np.asarray(boxes, dtype=np.float32)
    if given.shape != (n, 4):
        raise InputError(f"`boxes` must have shape ({n}, 4), got {given.shape}: x_min, y_min, x_max, y_max a row")
    return given


def _ledger(photos: Sequence[str], counts: np.ndarray) -> dict[str, np.ndarray]:
    n = len(photos)
    texts = {"path": np.array([*photos, None], dtype=object)[:-1], "status": np.full(n, "ok", dtype=object)}
    texts |= {name: np.full(n, "", dtype=object) for name in ("message", "image_sha256")}
    numbers = {name: np.zeros(n, np.int32) for name in ("width", "height")}
    longs = {name: np.zeros(n, np.int64) for name in ("size", "mtime_ns")}
    return {**texts, "n_faces": counts, **numbers, **longs}


def _fingerprint(space: str | Mapping[str, Any] | None, length: int) -> Fingerprint:
    """Return the fingerprint of vectors of a space that is named, described, or neither."""
    if isinstance(space, Mapping) and "space" in space:
        made = Fingerprint.of(space)
    elif isinstance(space, Mapping):
        made = Fingerprint(space)
    else:
        made = Fingerprint({"vectors": UNNAMED_VECTORS if space is None else space})
    said = made.space.get("embedding_length", length)
    if said != length:
        raise InputError(f"`space` says that vectors have length {said}, got {length}; use the same network")
    return Fingerprint({**made.space, "embedding_length": length}, made.provenance)
