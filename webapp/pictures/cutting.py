"""Make all missing thumbnails while nobody waits for them: ``python -m webapp.pictures.cutting WORKSPACE``."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from filelock import FileLock

from foundation.errors import FacetableError
from people.browsing.photos import faces_of_photo
from people.store.reader import PeopleReader
from people.store.scanned import ScannedFace, ScannedFile
from people.workspace.workspace import Workspace
from webapp.pictures.thumbnails import make_thumbnails, photo_thumbnail_path, thumbnail_path

_LOCK = "thumbnails.lock"
_LEAST_PRIORITY = 19
"""Of processes on POSIX; see nice(2)."""


def cut_missing(workspace: Workspace) -> int:
    """Make the thumbnails of all photos with faces that lack one, those of the largest unnamed groups first.

    One process at a time does so; another one waits, for it may know of newer photos. Photos that are gone or cannot be
    read are left out.

    Returns
    -------
    int
        Photos that were decoded.

    Raises
    ------
    StoreError
        If the decisions cannot be read.
    OSError
        If the workspace cannot be written.
    """
    n_decoded = 0
    with FileLock(workspace.folder / _LOCK, mode=0o600), PeopleReader(workspace.store) as reader:
        for file in _files_in_order(reader):
            missing = _missing(workspace, file, faces_of_photo(reader, file.sha256))
            if missing is None:
                continue
            with suppress(FacetableError, OSError):
                make_thumbnails(workspace, file, [face.face for face in missing])
                n_decoded += 1
            _remove_forgotten(workspace, reader, file, missing)
    return n_decoded


def _files_in_order(reader: PeopleReader) -> list[ScannedFile]:
    size_of = dict(reader.group_sizes())
    weight: dict[str, int] = {}
    for face in reader.faces_in_table():
        size = size_of.get(face.group, 0) if face.state == "open" else 0
        weight[face.face.photo_sha256] = max(size, weight.get(face.face.photo_sha256, 0))
    files = {file.sha256: file for file in reader.files() if file.sha256 in weight}
    return sorted(files.values(), key=lambda file: -weight[file.sha256])


def _missing(workspace: Workspace, file: ScannedFile, faces: Sequence[ScannedFace]) -> list[ScannedFace] | None:
    """Return the faces of a photo without a thumbnail; None if nothing is to be made of it."""
    missing = [
        face
        for face in faces
        if not thumbnail_path(workspace, face.face).exists()
        or not photo_thumbnail_path(workspace, file, face.face.time_s).exists()
    ]
    return missing or None


def _remove_forgotten(
    workspace: Workspace, reader: PeopleReader, file: ScannedFile, made: Sequence[ScannedFace]
) -> None:
    """Remove what was made of faces that somebody has forgotten in these milliseconds."""
    left = {face.face for face in faces_of_photo(reader, file.sha256)}
    gone = [face for face in made if face.face not in left]
    for face in gone:
        thumbnail_path(workspace, face.face).unlink(missing_ok=True)
        photo_thumbnail_path(workspace, file, face.face.time_s).unlink(missing_ok=True)


def main(folder: str) -> None:
    """Make what is missing in a workspace whenever the machine has nothing else to do; where that fails, nothing."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(os, "nice"):
        os.nice(_LEAST_PRIORITY)
    with suppress(FacetableError, OSError):
        cut_missing(Workspace(folder))


if __name__ == "__main__":
    main(sys.argv[1])
