"""A workspace of made photos, scanned without a network, and the programs that read and write XMP."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from foundation.formats import hash_file
from people.store.records import Face
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace, create_workspace

SIZE = (400, 300)
"""Of each photo as it is stored."""

PATCH = (40, 60, 140, 180)
"""Where its face is, in pixels of the stored picture."""

CENTRE = ((PATCH[0] + PATCH[2]) / 2, (PATCH[1] + PATCH[3]) / 2)

Box = tuple[float, float, float, float]


def make_photo(path: Path, orientation: int = 1, *, suffix_options: dict | None = None) -> Box:
    """Save a photo with one bright patch; return its box in fractions of the upright picture, found in the pixels."""
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[PATCH[1] : PATCH[3], PATCH[0] : PATCH[2]] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, exif=exif, **(suffix_options or {}))
    with Image.open(path) as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture).convert("L")) > 128
    rows, columns = np.flatnonzero(upright.any(axis=1)), np.flatnonzero(upright.any(axis=0))
    height, width = upright.shape
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


def make_workspace(folder: Path, photos: dict[str, list[Box]], orientations: dict[str, int]) -> Workspace:
    """Return a workspace whose store knows the faces of photos that lie in ``folder/photos``."""
    workspace = create_workspace(folder / "family", [folder / "photos"])
    record(workspace, photos, orientations)
    return workspace


def record(workspace: Workspace, photos: dict[str, list[Box]], orientations: dict[str, int]) -> None:
    """Tell the store what a scan would."""
    files, file_of_row, indices, places = [], [], [], []
    for i, (path, boxes) in enumerate(photos.items()):
        size = SIZE[::-1] if orientations.get(path, 1) >= 5 else SIZE
        files.append(ScannedFile(path, hash_file(Path(workspace.settings.photos[0]) / path), *size))
        for j, box in enumerate(boxes):
            file_of_row.append(i)
            indices.append(j)
            places.append([*box, 0.0])
    with PeopleStore(workspace.store, create=True) as store:
        store.record_table(
            files,
            np.array(file_of_row, np.int64),
            face_indices=np.array(indices, np.int64),
            places=np.array(places, np.float64).reshape(-1, 5),
        )


def name(workspace: Workspace, path: str, person: str, *, face_index: int = 0) -> Face:
    """Name a face."""
    with PeopleStore(workspace.store) as store:
        (face,) = [face for face in store.faces_in_table(path=path) if face.face_index == face_index]
        store.name([face.face], person)
    return face.face


def program(called: str, package: str) -> str:
    """Return where a program is; skip the test without it."""
    found = shutil.which(called)
    if found is None:
        pytest.skip(f"{called} is not installed; apt-get install {package}")
    return found


def exiftool(*arguments: str | Path) -> str:
    """Run exiftool and return what it prints."""
    return _run(program("exiftool", "libimage-exiftool-perl"), *arguments)


def exiv2(*arguments: str | Path) -> str:
    """Run exiv2 and return what it prints."""
    return _run(program("exiv2", "exiv2"), *arguments)


def exiftool_regions(path: Path) -> list[dict]:
    """Return the regions that exiftool reads."""
    (found,) = json.loads(exiftool("-struct", "-j", "-RegionInfo", path))
    return found.get("RegionInfo", {}).get("RegionList", [])


def exiv2_values(path: Path) -> dict[str, str]:
    """Return each property that exiv2 reads, with its text."""
    lines = [line.split(maxsplit=3) for line in exiv2("-px", path).splitlines()]
    return {parts[0]: parts[3] if len(parts) > 3 else "" for parts in lines if parts}


def _run(*arguments: str | Path) -> str:
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
