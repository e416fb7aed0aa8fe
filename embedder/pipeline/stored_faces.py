"""Faces that another table holds, found again by their photo's hash: what moves a table to another network.

Where faces are is the detector's matter, what their vectors are the network's. So a table for another network needs no
face looked for again; faces that a person has drawn, which no detector finds, come along.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedder.detection.detector import detector_of
from embedder.detection.faces import Faces
from embedder.images.photo import Photo
from embedder.tables.assembly import Entry, read_entries
from embedder.tables.file import Header, TableFileReader
from foundation.errors import FingerprintError
from foundation.fingerprint import FACES_FROM, SECOND_DETECTOR, Fingerprint, same_settings, setting_differences
from foundation.paths import display_path

logger = logging.getLogger(__name__)

_OF_FACES = ("detector", "faces", "max_pixels", "min_face_size", "thresholds")
"""The fields of a provenance that decide which faces a table holds, and that somebody chooses."""

_SETTLED = ("ok", "no_face")


@dataclass(frozen=True)
class StoredFaces:
    """What a table holds of one photo, but for the vectors.

    Attributes
    ----------
    path : str
        The photo's, as the table has it.
    size_hw : tuple of int
        Height and width of the upright photo.
    faces : Faces
    identities : list of str
    origins : np.ndarray
        (n,) str, see `embedder.tables.columns.ORIGINS`.
    times : np.ndarray
        float64 (n,), NaN on photos.
    """

    path: str
    size_hw: tuple[int, int]
    faces: Faces
    identities: list[str]
    origins: np.ndarray
    times: np.ndarray


class StoredFacesReader:
    """Finds the faces of photos in a table; a context manager.

    Parameters
    ----------
    table : Path

    Attributes
    ----------
    identity_from : object
        The rule by which the table's faces were named.

    Raises
    ------
    TableError, OSError
        If the table cannot be read.
    """

    def __init__(self, table: Path) -> None:
        self._file = TableFileReader(table)
        self.identity_from = self._file.header.fingerprint.provenance.get("identity_from")
        self._entries: dict[str, list[Entry]] = {}
        # A photo that was turned by hand is upright in another way than its file says.
        for entry in read_entries(table)[1]:
            if entry.status in _SETTLED and entry.image_sha256 and not entry.turned:
                self._entries.setdefault(entry.image_sha256, []).append(entry)

    def __enter__(self) -> "StoredFacesReader":
        return self

    def __exit__(self, *_: object) -> None:
        """Close the table."""
        self._file.close()

    def find(self, photo: Photo) -> StoredFaces | None:
        """Return the faces of a photo that was read; None where the table has none of these bytes and this size."""
        size_hw = (0, 0) if photo.image is None else photo.image.shape[:2]
        entries = self._entries.get(photo.image_sha256, [])
        return self._read(photo, [entry for entry in entries if (entry.height, entry.width) == size_hw])

    def find_video(self, video: Photo) -> StoredFaces | None:
        """Return the faces of a video, known by its hash alone; None where the table has none of these bytes."""
        entries = self._entries.get(video.image_sha256, [])
        return self._read(video, [entry for entry in entries if entry.kind == video.kind])

    def _read(self, photo: Photo, entries: Sequence[Entry]) -> StoredFaces | None:
        if not entries:
            return None
        entry = next((entry for entry in entries if entry.path == photo.path), entries[0])
        rows = self._file.rows(entry.row, entry.row + entry.n_faces)
        return StoredFaces(
            entry.path,
            (entry.height, entry.width),
            Faces(rows["box"], rows["landmarks"], rows["detection_score"]),
            rows["identity"].tolist(),
            rows["origin"],
            rows["time_s"],
        )


def note_of(table: Path, header: Header) -> dict[str, Any]:
    """Return what a provenance says of the table that faces come from."""
    return {"table": display_path(Path(table.name)), "preset": header.fingerprint.preset, "created": header.created}


def settings_of(table: Path) -> dict[str, Any]:
    """Return by which settings the faces of `table` were found and named, as `EmbedSettings` takes them.

    Raises
    ------
    TableError, OSError
        If the table cannot be read.
    """
    with TableFileReader(table) as file:
        made = file.header.fingerprint.provenance
    names = ("faces", "identity_from", "max_pixels", "min_face_size", "thresholds", "exclude", SECOND_DETECTOR)
    found = {name: tuple(made[name]) if isinstance(made[name], list) else made[name] for name in names if name in made}
    return {**found, "detector": detector_of(made)}


def photo_folders_of(table: Path) -> list[str]:
    """Return the photo folders of `table`."""
    with TableFileReader(table) as file:
        return list(file.header.all_roots)


def warn_of_left_behind(table: Path, present: Iterable[Entry]) -> None:
    """Log how many photos with faces `table` has whose bytes are not among `present` ones."""
    there = {entry.image_sha256 for entry in present}
    left = [entry.path for entry in read_entries(table)[1] if entry.n_faces and entry.image_sha256 not in there]
    if left:
        logger.warning(
            "%s: %s of its photos %s gone or changed, the first is %s; their faces of before stay in that table alone",
            display_path(table),
            f"{len(left):,}",
            "is" if len(left) == 1 else "are",
            left[0],
        )


def check_same_faces(table: Path, header: Header, now: Fingerprint) -> None:
    """Refuse settings by which other faces would be found than `table` holds.

    Raises
    ------
    FingerprintError
        If they differ, naming them.
    """
    parts = [_of_faces(header.fingerprint), _of_faces(now)]
    shared = set(parts[0]) & set(parts[1])
    before, after = (Fingerprint({}, {name: part[name] for name in shared}) for part in parts)
    differences = setting_differences(before, after)
    if differences:
        wanted = same_settings(before, after)
        raise FingerprintError(
            f"{display_path(table)}: its faces were found with other settings: {'; '.join(differences)}; "
            + (f"pass {wanted}, or " if wanted else "")
            + "leave out --from (in Python faces_from), so that faces are looked for anew"
        )


def _of_faces(fingerprint: Fingerprint) -> dict[str, Any]:
    return {name: fingerprint.provenance[name] for name in _OF_FACES if name in fingerprint.provenance}


def check_continued(before: Header, now: Header, *, source: Path) -> None:
    """Refuse to go on without the table that faces of part file `source` come from.

    Raises
    ------
    FingerprintError
        If the part has such a table and this run has none.
    """
    note = before.fingerprint.provenance.get(FACES_FROM)
    if note and FACES_FROM not in now.fingerprint.provenance:
        raise FingerprintError(
            f"{display_path(source.parent)}: expected --from {note.get('table')} (in Python faces_from), as this table "
            "was begun with, found none; pass it to go on, or delete this folder to begin anew"
        )


def with_note_of(before: Fingerprint, now: Fingerprint) -> Fingerprint:
    """Return `now`, with where the faces of `before` come from if it does not say so itself."""
    if FACES_FROM in now.provenance or FACES_FROM not in before.provenance:
        return now
    return Fingerprint(now.space, {**now.provenance, FACES_FROM: before.provenance[FACES_FROM]})
