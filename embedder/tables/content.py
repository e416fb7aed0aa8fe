"""What the values of a table's columns must be: finite, in range, unique where they name something.

The rules hold for tables that are read, whoever wrote them, and for those that are made in memory. What really occurs
is allowed: boxes that lie partly outside the photo, and a hash or size of nothing for files that could not be read.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from embedder.errors import TableError
from embedder.images.photo import KINDS, STATUSES
from embedder.tables.columns import N_HASH_DIGITS, ORIGINS, TURNS, Columns

UNIT_LENGTH_TOLERANCE = 1e-3
"""How far from 1 the length of an embedding may be; float32 arithmetic stays below 1e-5."""

_MOST_PIXELS = float(2**31 - 1)
"""How far from the photo's corner a point may be: as far as a width can say."""

_LETTERS_SHOWN = 60

_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?([+-]\d\d:[0-5]\d)?"
)


def is_unit(embeddings: np.ndarray) -> np.ndarray:
    """Return for each row of `embeddings` (n, d) whether it is finite and of unit length: bool (n,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        squared = np.einsum("ij,ij->i", embeddings, embeddings).astype(np.float64)
        return np.abs(np.sqrt(squared) - 1.0) <= UNIT_LENGTH_TOLERANCE


def check_rows(rows: Columns, *, first_row: int = 0) -> None:
    """Refuse row columns, all but the embeddings, that no table may hold.

    Parameters
    ----------
    rows : mapping
        Dataset name to values, all of one length.
    first_row : int
        The number of the first of them, for the message; rows count from 0.

    Raises
    ------
    TableError
        Naming column and row of the first value that is wrong.
    """

    def refuse(name: str, expected: str, is_wrong: Any) -> None:
        _refuse(name, expected, is_wrong, rows[name], paths=rows["path"], first_row=first_row)

    box, landmarks, score, time_s = rows["box"], rows["landmarks"], rows["detection_score"], rows["time_s"]
    refuse("face_index", "0 or more", rows["face_index"] < 0)
    refuse("face_index", "another number for each face of a photo", _is_repeated(rows["path"], rows["face_index"]))
    refuse("box", "finite numbers", ~(np.abs(box) <= _MOST_PIXELS).all(axis=1))
    refuse("box", "x_min <= x_max and y_min <= y_max", (box[:, :2] > box[:, 2:]).any(axis=1))
    refuse("landmarks", "finite numbers", ~(np.abs(landmarks) <= _MOST_PIXELS).all(axis=(1, 2)))
    refuse("detection_score", "0 to 1", ~((score >= 0) & (score <= 1)))
    second = rows["second_score"]
    refuse("second_score", "0 to 1, or NaN", ~(np.isnan(second) | ((second >= 0) & (second <= 1))))
    refuse("image_sha256", "64 hexadecimal digits or nothing", _is_no_hash(rows["image_sha256"]))
    refuse("origin", f"one of {', '.join(ORIGINS)}", _is_none_of(ORIGINS, rows["origin"]))
    refuse("time_s", "seconds, 0 or more, or NaN", ~(np.isnan(time_s) | ((time_s >= 0) & np.isfinite(time_s))))


def check_images(images: Columns) -> None:
    """Refuse a ledger that no table may hold.

    Raises
    ------
    TableError
        Naming column and entry of the first value that is wrong.
    """

    def refuse(name: str, expected: str, is_wrong: np.ndarray) -> None:
        _refuse(f"images/{name}", expected, is_wrong, images[name], paths=images["path"], first_row=0)

    refuse("path", "the relative path of a photo", _is_no_path(images["path"].tolist()))
    refuse("path", "another one in each entry", _is_seen_before(images["path"]))
    refuse("status", f"one of {', '.join(STATUSES)}", _is_none_of(STATUSES, images["status"]))
    for name in ("n_faces", "width", "height", "size"):
        refuse(name, "0 or more", images[name] < 0)
    refuse("n_faces", "0 where the status is not ok", (images["n_faces"] > 0) & (images["status"] != "ok"))
    refuse("image_sha256", "64 hexadecimal digits or nothing", _is_no_hash(images["image_sha256"]))
    refuse("turned", "0, 90, 180 or 270", ~np.isin(images["turned"], TURNS))
    refuse("taken", "a time such as 2024-05-31T18:30:00+02:00 or nothing", _is_no_time(images["taken"].tolist()))
    refuse("kind", f"one of {', '.join(KINDS)}", _is_none_of(KINDS, images["kind"]))


def _refuse(
    name: str, expected: str, is_wrong: np.ndarray, values: np.ndarray, *, paths: np.ndarray, first_row: int
) -> None:
    if not is_wrong.any():
        return
    row = int(np.argmax(is_wrong))
    value = values[row]
    found = _short(value) if isinstance(value, str) else " ".join(str(value).split())
    where = "" if name.endswith("path") else f" ({_short(paths[row])})"
    n_more = int(is_wrong.sum()) - 1
    more = f" and {n_more:,} more" if n_more else ""
    raise TableError(f"expected {expected} in `{name}`, found {found} in row {first_row + row}{where}{more}")


def _short(text: str) -> str:
    return repr(text if len(text) <= _LETTERS_SHOWN else text[:_LETTERS_SHOWN] + "...")


def _is_repeated(paths: np.ndarray, face_indices: np.ndarray) -> np.ndarray:
    """Return which rows have the path and index of a row before; quick where a photo's faces are counted up."""
    is_wrong = np.zeros(len(paths), np.bool_)
    counts_down = np.flatnonzero((paths[1:] == paths[:-1]) & (face_indices[1:] <= face_indices[:-1]))
    for path in set(paths[counts_down].tolist()):
        of_photo = np.flatnonzero(paths == path)
        _, first = np.unique(face_indices[of_photo], return_index=True)
        is_wrong[np.delete(of_photo, first)] = True
    return is_wrong


def _is_no_hash(values: np.ndarray) -> np.ndarray:
    texts = values.tolist()
    others = "".join(texts).encode("ascii", "replace").translate(None, b"0123456789abcdef")
    if not others and set(map(len, texts)) <= {0, N_HASH_DIGITS}:
        return np.zeros(len(texts), np.bool_)
    return _marked(re.fullmatch("([0-9a-f]{64})?", text) is None for text in texts)


def _is_none_of(words: tuple[str, ...], values: np.ndarray) -> np.ndarray:
    allowed = set(words)
    if set(values.tolist()) <= allowed:
        return np.zeros(len(values), np.bool_)
    return _marked(value not in allowed for value in values)


def _is_no_path(paths: list[str]) -> np.ndarray:
    together = "\0".join(["", *paths, ""])
    if not any(text in together for text in ("\0\0", "\0/", "..")) and together.count("\0") == len(paths) + 1:
        return np.zeros(len(paths), np.bool_)
    return _marked(not path or path[0] == "/" or "\0" in path or ".." in path.split("/") for path in paths)


def _is_no_time(texts: list[str]) -> np.ndarray:
    wrong = {text for text in set(texts) if text and _TIME.fullmatch(text) is None}
    if not wrong:
        return np.zeros(len(texts), np.bool_)
    return _marked(text in wrong for text in texts)


def _is_seen_before(values: np.ndarray) -> np.ndarray:
    texts = values.tolist()
    if len(set(texts)) == len(texts):
        return np.zeros(len(texts), np.bool_)
    is_wrong = np.ones(len(texts), np.bool_)
    is_wrong[list({text: row for row, text in reversed(list(enumerate(texts)))}.values())] = False
    return is_wrong


def _marked(is_wrong: Iterable[bool]) -> np.ndarray:
    return np.fromiter(is_wrong, np.bool_)
