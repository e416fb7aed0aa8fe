"""The folder of aligned faces: which files are trained on, which are left out and why."""

import csv
import hashlib
import io
import logging
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from embedder.errors import ImageError
from embedder.images.listing import list_images
from embedder.images.reading import read_image
from foundation.atomic import write_bytes_atomically
from foundation.errors import FacetableError
from foundation.text import pluralize
from foundation.threads import thread_count

logger = logging.getLogger(__name__)

MIN_IDENTITIES_FOR_VALIDATION = 100
"""Identities below which the default holds none back for validation."""

DEFAULT_VALIDATION_SPLIT = 0.05
"""Share of the identities that the default holds back."""

_COLUMNS = ("path", "size", "mtime_ns", "sha256", "height", "width", "message")


class TrainingDataError(FacetableError, ValueError):
    """A folder that holds nothing that could be trained on."""


@dataclass(frozen=True)
class TrainingFaces:
    """Aligned faces of a folder, one sub-folder an identity.

    Attributes
    ----------
    root : Path
    identities : tuple of str
        Classes in order of their number.
    paths : tuple of str
        Faces to train on, relative to `root`, in path order.
    labels : numpy.ndarray
        int32 (n,), class of each face.
    validation_paths : tuple of str
        Faces of the identities held back.
    validation_identities : tuple of str
        Identity of each of them.
    skipped : tuple of (str, str)
        Files left out, with the reason.
    dropped : tuple of (str, int)
        Identities with too few faces, with their number of faces.
    n_unreadable : int
        Files among the skipped ones that could not be read.
    n_resized : int
        Faces whose size is not the one wanted.
    sha256 : str
        Hash of paths and contents of all faces, those held back included.
    """

    root: Path
    identities: tuple[str, ...]
    paths: tuple[str, ...]
    labels: np.ndarray
    validation_paths: tuple[str, ...]
    validation_identities: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    dropped: tuple[tuple[str, int], ...]
    n_unreadable: int
    n_resized: int
    sha256: str


@dataclass(frozen=True)
class _FileRecord:
    path: str
    size: int
    mtime_ns: int
    sha256: str
    height: int
    width: int
    message: str


def read_faces_folder(
    root: Path,
    *,
    source_size: int,
    min_images: int = 2,
    validation_split: float | None = None,
    seed: int = 0,
    record: Path | None = None,
    progress: bool = False,
) -> TrainingFaces:
    """Read every file of `root` once: what cannot be decoded is left out and listed.

    Parameters
    ----------
    root : Path
        Folder with one sub-folder an identity; faces directly in it belong to nobody and are left out.
    source_size : int
        Height and width in pixels that faces should have; the others are resized later.
    min_images : int
        Identities with fewer faces are dropped.
    validation_split : float, optional
        Share of the identities held back; default: 0.05, and 0 under 100 identities.
    seed : int
        Of the choice of the identities held back.
    record : Path, optional
        CSV file that remembers what was read, so that unchanged files are not read again.
    progress : bool
        Show a progress bar on a terminal.

    Raises
    ------
    TrainingDataError
        If fewer than two identities are left to train on.
    OSError
        If the folder cannot be read.
    """
    listing = list_images(root)
    if not listing.paths:
        raise TrainingDataError(
            f"{root}: expected sub-folders with aligned faces, one a person, found no image; "
            "make them with: facetable align PHOTOS FOLDER --size 182 --margin 44"
        )
    records = _read_records(root, [path.as_posix() for path in listing.paths], record=record, progress=progress)
    good = [entry for entry in records if not entry.message and "/" in entry.path]
    counts = Counter(_identity_of(entry.path) for entry in good)
    kept = sorted(name for name, count in counts.items() if count >= min_images)
    if len(kept) < 2:
        raise TrainingDataError(
            f"{root}: expected at least two identities with at least {pluralize(min_images, 'face')} each, "
            f"found {len(kept)} among {pluralize(len(counts), 'identity', 'identities')} and "
            f"{pluralize(len(good), 'readable face')}; add people, or lower --min-images"
        )
    held_back = _held_back(kept, validation_split, seed, root)
    identities = tuple(name for name in kept if name not in held_back)
    number = {name: i for i, name in enumerate(identities)}
    trained = [entry for entry in good if _identity_of(entry.path) in number]
    validation = [entry for entry in good if _identity_of(entry.path) in held_back]
    unreadable = [(entry.path, entry.message) for entry in records if entry.message]
    nobodys = [(entry.path, "lies in no identity's folder") for entry in records if "/" not in entry.path]
    return TrainingFaces(
        root=root,
        identities=identities,
        paths=tuple(entry.path for entry in trained),
        labels=np.array([number[_identity_of(entry.path)] for entry in trained], np.int32),
        validation_paths=tuple(entry.path for entry in validation),
        validation_identities=tuple(_identity_of(entry.path) for entry in validation),
        skipped=(*unreadable, *(entry for entry in nobodys if entry[0] not in dict(unreadable))),
        dropped=tuple(sorted((name, count) for name, count in counts.items() if count < min_images)),
        n_unreadable=len(unreadable),
        n_resized=sum((entry.height, entry.width) != (source_size, source_size) for entry in trained + validation),
        sha256=_hash_of(trained + validation),
    )


def _held_back(kept: list[str], validation_split: float | None, seed: int, root: Path) -> frozenset[str]:
    """Return the identities that are not trained on."""
    if validation_split is None:
        validation_split = DEFAULT_VALIDATION_SPLIT if len(kept) >= MIN_IDENTITIES_FOR_VALIDATION else 0.0
    n_held_back = round(validation_split * len(kept))
    if validation_split > 0 and not 2 <= n_held_back <= len(kept) - 2:
        raise TrainingDataError(
            f"{root}: `validation_split` {validation_split} of {len(kept)} identities holds back {n_held_back}; "
            "expected at least two held back and two to train on; use --validation-split 0 or another share"
        )
    order = np.random.default_rng([seed, 1]).permutation(len(kept))
    return frozenset(kept[i] for i in order[:n_held_back])


def _identity_of(path: str) -> str:
    return path.split("/", 1)[0]


def _hash_of(entries: list[_FileRecord]) -> str:
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(f"{entry.path}\0{entry.sha256}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _read_records(root: Path, paths: list[str], *, record: Path | None, progress: bool) -> list[_FileRecord]:
    known = _load_record(record) if record is not None else {}

    def read(path: str) -> _FileRecord:
        try:
            state = (root / path).stat()
            earlier = known.get(path)
            if earlier is not None and (earlier.size, earlier.mtime_ns) == (state.st_size, state.st_mtime_ns):
                return earlier
            return _read_file(root, path, state)
        except OSError as error:
            return _FileRecord(path, 0, 0, "", 0, 0, str(error.strerror))

    with ThreadPoolExecutor(thread_count()) as pool:
        records = list(
            tqdm(
                pool.map(read, paths),
                total=len(paths),
                desc="reading faces",
                unit="face",
                disable=None if progress else True,
            )
        )
    if record is not None:
        _save_record(record, records)
    return records


def _read_file(root: Path, path: str, state: os.stat_result) -> _FileRecord:
    digest = hashlib.sha256((root / path).read_bytes()).hexdigest()
    try:
        height, width, _ = read_image(root / path).shape
    except ImageError as error:
        return _FileRecord(path, state.st_size, state.st_mtime_ns, digest, 0, 0, " ".join(str(error).split()))
    return _FileRecord(path, state.st_size, state.st_mtime_ns, digest, height, width, "")


def _load_record(record: Path) -> dict[str, _FileRecord]:
    if not record.is_file():
        return {}
    try:
        with record.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            return {
                row["path"]: _FileRecord(
                    row["path"],
                    int(row["size"]),
                    int(row["mtime_ns"]),
                    row["sha256"],
                    int(row["height"]),
                    int(row["width"]),
                    row["message"],
                )
                for row in csv.DictReader(file)
            }
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        logger.warning("%s is damaged (%s); reading all faces again", record, error)
        return {}


def _save_record(record: Path, records: list[_FileRecord]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(_COLUMNS)
    writer.writerows([getattr(entry, column) for column in _COLUMNS] for entry in records)
    write_bytes_atomically(record, buffer.getvalue().encode("utf-8", "surrogateescape"))
