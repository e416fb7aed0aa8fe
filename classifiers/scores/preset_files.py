"""Find what was measured for a preset: the files that come with the program, and those of this user.

For each preset there is a background model (``.npz``), a record with thresholds (``.json``), and the numbers of the
photos they were measured on (``.photos.npy``). Shipped files are named by the network; those that ``facetable preset
calibrate`` has written for this user by everything that decides whether vectors may be compared, and go before them.
Vectors of other programs, whose space names no weights, have files of this user only, and only by their whole space.
"""

import hashlib
import importlib.resources
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import BackgroundError
from foundation.fingerprint import Fingerprint

SHIPPED_FOLDER = Path(str(importlib.resources.files("classifiers"))) / "background"

CACHE_VARIABLE = "FACETABLE_CACHE"

BACKGROUND_SUFFIX, RECORD_SUFFIX, PHOTOS_SUFFIX = ".npz", ".json", ".photos.npy"

_DIGITS = 12

# In the place of the network's digits where a space names no weights: vectors of another program.
_NO_NETWORK = "vectors"

# A photo's number is the first 32 bits of its SHA-256: of ten thousand other photos one in 40 sets has a chance hit.
_PHOTO_DIGITS = 8
# So many common photos are no chance.
_LEAST_COMMON = 3

# A crop of another margin is still of the same kind of vectors; one that enters the network otherwise is not.
_OF_THE_NETWORK = (
    "embedding_length",
    "standardization",
    "layout",
    "channel_order",
    "mean",
    "scale",
    "output",
    "mirrored_copy",
)


def own_folder() -> Path:
    """Return where this user's measurements are: in ``FACETABLE_CACHE``, else in the user's folder for data."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen) / "calibrations"
    import platformdirs

    return platformdirs.user_data_path("facetable", appauthor=False) / "calibrations"


def own_name(fingerprint: Mapping[str, Any]) -> str:
    """Return the name, without suffix, of this user's measurements for the vectors of a fingerprint."""
    space = Fingerprint.of(fingerprint).space
    text = json.dumps(dict(space), sort_keys=True)
    network = space.weights_sha256[:_DIGITS] or _NO_NETWORK
    return f"{network}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"


def find_file(fingerprint: Mapping[str, Any] | None, suffix: str, *, folder: Path | None = None) -> Path | None:
    """Return the file with `suffix` for the vectors of a fingerprint, None where there is none.

    Parameters
    ----------
    fingerprint : mapping or None
    suffix : str
    folder : Path, optional
        Where to look for files named by the network; by default this user's folder, then the program's own.
    """
    made = Fingerprint.of(fingerprint)
    if not made.space:
        return None
    places = [own_folder() / own_name(made)] if folder is None else []
    if made.space.weights_sha256:
        places.append((SHIPPED_FOLDER if folder is None else folder) / made.space.weights_sha256[:_DIGITS])
    files = (place.with_name(place.name + suffix) for place in places)
    return next((path for path in files if path.is_file()), None)


def is_of_network(record: Mapping[str, Any], fingerprint: Mapping[str, Any] | None) -> bool:
    """Return whether the record of a measurement is of the network of a fingerprint, used in the same way.

    Where the fingerprint names no network, all of the space must be the same.
    """
    space = Fingerprint.of(fingerprint).space
    if not space.weights_sha256:
        return bool(space) and record.get("space") == space
    if record.get("weights_sha256") != space.weights_sha256:
        return False
    measured = record.get("space") or space
    return all(name not in space or space[name] == measured.get(name) for name in _OF_THE_NETWORK)


def read_record(fingerprint: Mapping[str, Any] | None, *, folder: Path | None = None) -> dict[str, Any]:
    """Return what was measured for the vectors of a fingerprint, as JSON holds it; nothing where nothing was.

    Raises
    ------
    BackgroundError
        If the file is damaged.
    """
    path = find_file(fingerprint, RECORD_SUFFIX, folder=folder)
    if path is None:
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or not isinstance(record["curves"], dict):
            raise TypeError("no object with curves")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BackgroundError(
            f"{path}: expected the thresholds of a preset, found something else ({error}); calibrate the preset again, "
            "or install the program again"
        ) from error
    return record if is_of_network(record, fingerprint) else {}


def photo_numbers(
    image_sha256: Sequence[str] | NDArray[Any], *, vectors: NDArray[np.float32] | None = None
) -> NDArray[np.uint32]:
    """Return the numbers, ascending, each once, of photos with these SHA-256.

    A photo without one, as those of other programs' vectors, is known by its row of `vectors (n, d)`, and left out
    where there are none.
    """
    digests = [str(digest) for digest in image_sha256]
    if vectors is not None:
        digests = [
            digest or hashlib.sha256(vector.tobytes()).hexdigest()
            for digest, vector in zip(digests, vectors, strict=True)
        ]
    return np.unique(np.array([int(digest[:_PHOTO_DIGITS], 16) for digest in digests if digest], np.uint32))


def count_measured_photos(
    fingerprint: Mapping[str, Any] | None,
    image_sha256: Sequence[str] | NDArray[Any],
    *,
    vectors: NDArray[np.float32] | None = None,
    folder: Path | None = None,
) -> int:
    """Return on how many of some photos the preset of a fingerprint was measured; a few by chance count as none.

    Figures of a test on such photos are too good. Photos without a SHA-256 are known by their `vectors (n, d)`.
    """
    record = read_record(fingerprint, folder=folder)
    path = find_file(fingerprint, RECORD_SUFFIX, folder=folder)
    name = record.get("photos_file")
    if path is None or not isinstance(name, str) or Path(name).name != name or not (path.parent / name).is_file():
        return 0
    known: NDArray[np.uint32] = np.load(path.parent / name, allow_pickle=False)
    n_common = int(np.isin(photo_numbers(image_sha256, vectors=vectors), known).sum())
    return n_common if n_common >= _LEAST_COMMON else 0
