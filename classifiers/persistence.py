"""Heads on disk, without pickle.

A head file is a zip of uncompressed entries:

- ``facetable.json``: what the head is (see `describe_head`); readable with ``zipfile`` alone;
- ``serving/*.npy``: the exemplars, and what the chooser needs beside them;
- ``estimator.skops``: the scikit-learn estimator: its settings where the arrays above say the rest, else fitted.
"""

import datetime
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.choosers import Chooser, EstimatorChooser, LinearMachine, NearestChooser, VoteChooser
from classifiers.errors import HeadFileError, UntrustedTypesError
from classifiers.gallery import Gallery
from classifiers.matching import Matcher
from classifiers.normalization import BACKGROUND_ARRAYS, Background
from classifiers.serving import Head
from classifiers.thresholds import Threshold

FORMAT = "facetable-head"
VERSION = 1

# Types beyond those skops trusts by itself (NumPy arrays and scikit-learn's public estimators). Only what is written
# here is ever loaded: what a file asks for is never trusted on its word.
TRUSTED_TYPES = [
    "classifiers.heads.GalleryClassifier",
    "classifiers.heads.KNNClassifier",
    "classifiers.heads.SVMClassifier",
]

# Squared length of a unit vector after rounding to float32.
_UNIT_TOLERANCE = 1e-4

_METADATA = "facetable.json"
_ESTIMATOR = "estimator.skops"
_MACHINE_ARRAYS = ("support", "dual_coef", "intercept", "n_support")


def describe_head(head: Head) -> dict[str, Any]:
    """Return the JSON record of a head's file, ``facetable.json``."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "head": head.name,
        "parameters": {name: _plain(value) for name, value in sorted(head.parameters.items())},
        "chooser": head.chooser.kind,
        "identities": head.labels,
        "n_exemplars": len(head.gallery),
        "embedding_length": int(head.gallery.vectors.shape[1]),
        "score": head.score_kind,
        "threshold": head.threshold_record.to_json(),
        "fingerprint": head.fingerprint,
        "photo_root": head.photo_root,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def save_head(head: Head, path: str | Path) -> None:
    """Write `head` to `path`, replacing the file in one step.

    Raises
    ------
    UntrustedTypesError
        If the estimator holds types that are not in `TRUSTED_TYPES`; the message names them.
    OSError
        If the file cannot be written.
    """
    target = Path(path)
    estimator = head.estimator if isinstance(head.estimator, bytes) else _dump_estimator(head)
    arrays = {
        **_gallery_arrays(head.gallery),
        **_background_arrays(head.matcher),
        **_rejection_arrays(head.rejections),
        **_chooser_arrays(head.chooser),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                record = json.dumps(describe_head(head), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
                archive.writestr(_METADATA, record)
                archive.writestr(_ESTIMATOR, estimator)
                for name, array in arrays.items():
                    with archive.open(f"serving/{name}.npy", "w", force_zip64=True) as entry:
                        np.lib.format.write_array(entry, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def load_head(path: str | Path) -> Head:
    """Return the head in a file; `gallery`, `knn` and `svm` load NumPy alone.

    Raises
    ------
    HeadFileError
        If the file is not a head, is damaged, or is of another version.
    UntrustedTypesError
        If the estimator asks for types that are not in `TRUSTED_TYPES`.
    OSError
        If the file cannot be read.
    """
    source = Path(path)
    try:
        with zipfile.ZipFile(source) as archive:
            return _read_head(source, archive)
    except (zipfile.BadZipFile, EOFError, KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise HeadFileError(
            f"{source}: expected a head made by train_classifier.py, got a file that is not one or is damaged "
            f"({' '.join(str(error).split())}); train it again"
        ) from error


def load_estimator(data: bytes) -> Any:
    """Return the scikit-learn estimator in skops `data`.

    Raises
    ------
    UntrustedTypesError
        If it asks for types that are not in `TRUSTED_TYPES`.
    """
    import skops.io

    _refuse_untrusted(skops.io.get_untrusted_types(data=data), "load")
    return skops.io.loads(data, trusted=TRUSTED_TYPES)


def _dump_estimator(head: Head) -> bytes:
    import skops.io
    from sklearn.base import clone

    chooser = head.chooser
    data = skops.io.dumps(chooser.estimator if isinstance(chooser, EstimatorChooser) else clone(head.estimator))
    _refuse_untrusted(skops.io.get_untrusted_types(data=data), "save")
    return data


def _refuse_untrusted(types: list[str], verb: str) -> None:
    untrusted = sorted(set(types) - set(TRUSTED_TYPES))
    if untrusted:
        raise UntrustedTypesError(
            f"refusing to {verb} a head with types that are not trusted: {', '.join(untrusted)}; "
            "expected only scikit-learn's own and this project's, use another --head"
        )


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _gallery_arrays(gallery: Gallery) -> dict[str, NDArray[Any]]:
    return {
        "exemplars": gallery.vectors,
        "codes": gallery.codes.astype(np.int32),
        "paths": np.char.encode(gallery.paths, "utf-8"),
        "image_sha256": np.char.encode(gallery.image_sha256, "ascii"),
        "boxes": gallery.boxes,
    }


def _background_arrays(matcher: Matcher) -> dict[str, NDArray[Any]]:
    if matcher.background is None:
        return {}
    arrays = {f"background_{name}": array for name, array in matcher.background.to_arrays().items()}
    return {**arrays, "levels": matcher.levels}


def _rejection_arrays(rejections: Gallery) -> dict[str, NDArray[Any]]:
    return {
        "rejected": rejections.vectors,
        "rejected_identities": np.char.encode(rejections.identities, "utf-8"),
        "rejected_paths": np.char.encode(rejections.paths, "utf-8"),
        "rejected_sha256": np.char.encode(rejections.image_sha256, "ascii"),
    }


def _chooser_arrays(chooser: Chooser) -> dict[str, NDArray[Any]]:
    if not isinstance(chooser, LinearMachine):
        return {}
    return {name: getattr(chooser, name) for name in _MACHINE_ARRAYS}


def _read_head(source: Path, archive: zipfile.ZipFile) -> Head:
    if _METADATA not in archive.namelist():
        raise KeyError(f"it has no {_METADATA}")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise zipfile.BadZipFile("its entries are compressed")
    record = json.loads(archive.read(_METADATA))
    if record["format"] != FORMAT or record["version"] != VERSION:
        raise HeadFileError(
            f"{source}: expected a head file of version {VERSION}, got {record['format']} {record['version']}; "
            "train it again with this version"
        )
    try:
        matcher = _read_matcher(record, archive)
        estimator = archive.read(_ESTIMATOR)
        return Head(
            matcher,
            _read_chooser(record, archive, matcher),
            Threshold.from_json(record["threshold"]),
            fingerprint=record["fingerprint"],
            name=record["head"],
            parameters=record["parameters"],
            photo_root=record["photo_root"],
            estimator=estimator,
            rejections=_read_rejections(archive),
        )
    except HeadFileError as error:
        raise type(error)(f"{source}: {error}") from error
    except (ValueError, IndexError) as error:
        raise zipfile.BadZipFile(str(error)) from error


def _read_gallery(record: Mapping[str, Any], archive: zipfile.ZipFile) -> Gallery:
    vectors = _read_array(archive, "exemplars")
    codes = _read_array(archive, "codes")
    labels = np.array(record["identities"], dtype=np.str_)
    gallery = Gallery(
        vectors,
        labels[codes],
        paths=np.char.decode(_read_array(archive, "paths"), "utf-8"),
        image_sha256=np.char.decode(_read_array(archive, "image_sha256"), "ascii"),
        boxes=_read_array(archive, "boxes"),
    )
    squares = np.einsum("ij,ij->i", vectors, vectors)
    if (
        vectors.dtype != np.float32
        or vectors.shape != (record["n_exemplars"], record["embedding_length"])
        or not np.all((np.abs(squares - 1.0) < _UNIT_TOLERANCE) | (squares == 0.0))
        or {len(gallery.identities), len(gallery.paths), len(gallery.image_sha256)} != {len(vectors)}
        or gallery.boxes.shape != (len(vectors), 4)
        or np.any(codes < 0)
        or not np.array_equal(gallery.labels, labels)
    ):
        raise ValueError("its exemplars do not fit its description")
    return gallery


def _read_matcher(record: Mapping[str, Any], archive: zipfile.ZipFile) -> Matcher:
    gallery = _read_gallery(record, archive)
    if record["score"] == "cosine":
        return Matcher(gallery)
    arrays = {name: _read_array(archive, f"background_{name}") for name in BACKGROUND_ARRAYS}
    background = Background.from_arrays(arrays)
    levels = _read_array(archive, "levels")
    if levels.shape != (len(gallery),) or not np.isfinite(levels).all():
        raise ValueError("its levels do not fit its exemplars")
    return Matcher(gallery, background, levels=levels)


def _read_rejections(archive: zipfile.ZipFile) -> Gallery:
    return Gallery.build(
        _read_array(archive, "rejected"),
        np.char.decode(_read_array(archive, "rejected_identities"), "utf-8"),
        paths=np.char.decode(_read_array(archive, "rejected_paths"), "utf-8"),
        image_sha256=np.char.decode(_read_array(archive, "rejected_sha256"), "ascii"),
    )


def _read_chooser(record: Mapping[str, Any], archive: zipfile.ZipFile, matcher: Matcher) -> Chooser:
    kind = record["chooser"]
    if kind == NearestChooser.kind:
        return NearestChooser()
    if kind == VoteChooser.kind:
        return VoteChooser(int(record["parameters"]["n_neighbors"]))
    if kind == LinearMachine.kind:
        arrays = {name: _read_array(archive, name) for name in _MACHINE_ARRAYS}
        return LinearMachine(support_vectors=matcher.units[arrays["support"]], **arrays)
    if kind == EstimatorChooser.kind:
        return EstimatorChooser(load_estimator(archive.read(_ESTIMATOR)))
    raise ValueError(f"its chooser {kind!r} is not known")


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    # np.load would accept a pickle's bytes only with allow_pickle=True, which is never given.
    return np.load(io.BytesIO(archive.read(f"serving/{name}.npy")), allow_pickle=False)
