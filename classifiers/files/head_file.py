"""Save and load heads, without pickle.

A head file is a zip of uncompressed entries:

- ``facetable.json``: what the head is (see `describe_head`); readable with ``zipfile`` alone;
- ``serving/*.npy``: the exemplars, and what the decision rule needs beside them (see `classifiers.files.head_arrays`);
- ``estimator.skops``: the settings of the scikit-learn estimator, to fit it again; heads of our own kinds go without,
  for their name and parameters in ``facetable.json`` say it all;
- ``fitted.skops``: the fitted estimator, where the arrays do not say it all. It is used under the scikit-learn that
  wrote it; under another version the estimator is fitted again from the exemplars.
"""

import datetime
import errno
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import HeadFileError
from classifiers.files.head_arrays import pack_head, unpack_matcher, unpack_rejections
from classifiers.files.head_estimator import dump_estimator
from classifiers.files.head_rule import ESTIMATOR_ENTRY, FITTED_ENTRY, read_decision_rule, scikit_learn_version
from classifiers.heads.decision_rules import EstimatorRule
from classifiers.heads.head import Head
from classifiers.scores.thresholds import Threshold
from foundation.atomic import atomic_writer
from foundation.errors import InputError
from foundation.formats import ZIP_ARCHIVE, describe_kind

FORMAT = "facetable-head"
VERSION = 1

METADATA_ENTRY = "facetable.json"

# What reading a damaged or encrypted zip, or a record of other types, raises.
_DAMAGE = (zipfile.BadZipFile, EOFError, KeyError, TypeError, AttributeError, RuntimeError)


def describe_head(head: Head) -> dict[str, Any]:
    """Return the JSON record of a head's file, ``facetable.json``."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "head": head.name,
        "parameters": {name: _plain(value) for name, value in sorted(head.parameters.items())},
        "chooser": head.decision_rule.kind,
        "identities": head.labels,
        "n_exemplars": len(head.gallery),
        "embedding_length": int(head.gallery.vectors.shape[1]),
        "score": head.score_kind,
        "threshold": head.threshold_record.to_json(),
        "versions": {"scikit-learn": scikit_learn_version(), "numpy": np.__version__},
        "fingerprint": None if head.fingerprint is None else head.fingerprint.to_json(),
        "photo_root": head.photo_root,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def save_head(head: Head, path: str | Path) -> None:
    """Write `head` to `path`, replacing the file in one step.

    Raises
    ------
    HeadFileError
        If a file that is no head would be replaced, such as the table the head is trained on.
    UntrustedTypesError
        If the estimator holds types that are not in `classifiers.files.head_estimator.TRUSTED_TYPES`; the message
        names them.
    OSError
        If the file cannot be written.
    """
    target = Path(path)
    record = json.dumps(describe_head(head), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    entries: dict[str, str | bytes] = {METADATA_ENTRY: record}
    if not _is_made_by_name(head):
        entries[ESTIMATOR_ENTRY] = (
            head.estimator if isinstance(head.estimator, bytes) else dump_estimator(head.estimator)
        )
    if isinstance(head.decision_rule, EstimatorRule):
        entries[FITTED_ENTRY] = dump_estimator(head.decision_rule.estimator)
    refuse_other_file(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(target, is_private=True) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
        for name, array in pack_head(head).items():
            with archive.open(f"serving/{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def load_head(path: str | Path) -> Head:
    """Return the head in a file; heads called `gallery`, `knn` and `svm` load NumPy alone.

    Raises
    ------
    HeadFileError
        If the file is not a head, is damaged, or is of another version.
    UntrustedTypesError
        If the estimator asks for types that are not in `classifiers.files.head_estimator.TRUSTED_TYPES`.
    OSError
        If the file cannot be read.
    """
    source = Path(path)
    try:
        with zipfile.ZipFile(source) as archive:
            return _read_head(source, archive)
    except (*_DAMAGE, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise HeadFileError(f"{source}: {_explain(source, error)}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # A damaged entry of the zip points before the file's first byte.
        damage = zipfile.BadZipFile("an entry lies outside of it")
        raise HeadFileError(f"{source}: {_explain(source, damage)}") from error


def _explain(source: Path, error: Exception) -> str:
    if not _is_head(source):
        kind = describe_kind(source)
        found = "another zip archive, or a head that is cut short" if kind == ZIP_ARCHIVE else kind
        return f"expected a head made by train_classifier.py, found {found}; name a head, or train one"
    found = " ".join(str(error.args[0] if isinstance(error, KeyError) else error).split())
    if isinstance(error, KeyError) and " " not in found:
        found = f"it lacks {found!r}"
    return f"expected a whole head, found a damaged one ({found}); train it again"


def _is_head(path: Path) -> bool:
    """Return whether a file is a head, whole or not, and no other archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return METADATA_ENTRY in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return False
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return False


def _is_made_by_name(head: Head) -> bool:
    """Return whether the estimator is one of ours, made again by its name and parameters."""
    return "." not in head.name and all(_plain(value) is value for value in head.parameters.values())


def refuse_other_file(target: Path) -> None:
    """Refuse to write a head where a file of another kind is.

    Raises
    ------
    HeadFileError
        If a file is there that is no head and not empty.
    """
    if target.is_file() and target.stat().st_size > 0 and not _is_head(target):
        raise HeadFileError(
            f"{target}: expected a head or nothing here to replace, found a file of another kind; "
            "give another name for the head, or delete the file first"
        )


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _read_head(source: Path, archive: zipfile.ZipFile) -> Head:
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise zipfile.BadZipFile("its entries are compressed")
    record = json.loads(archive.read(METADATA_ENTRY))
    if record["format"] != FORMAT or record["version"] != VERSION:
        raise HeadFileError(
            f"{source}: expected a head file of version {VERSION}, got {record['format']} {record['version']}; "
            "train it again with this version"
        )

    def read(name: str) -> NDArray[Any]:
        content = archive.read(f"serving/{name}.npy")
        try:
            # Arrays of objects would be pickles; they are never loaded.
            return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
        except (ValueError, TypeError, EOFError, OverflowError, MemoryError) as error:
            # What NumPy says would advise to allow pickles.
            raise InputError(f"its array {name} is damaged or holds no plain numbers and text") from error

    try:
        matcher = unpack_matcher(record, read)
        # Only our own kinds go without: a module that a file names is never imported on its word.
        named = "." not in record["head"] and ESTIMATOR_ENTRY not in archive.namelist()
        estimator = None if named else archive.read(ESTIMATOR_ENTRY)
        return Head(
            matcher,
            read_decision_rule(record, archive, matcher, read_array=read, source=source),
            Threshold.from_json(record["threshold"]),
            fingerprint=record["fingerprint"],
            name=record["head"],
            parameters=record["parameters"],
            photo_root=record["photo_root"],
            estimator=estimator,
            rejections=unpack_rejections(read),
            file=str(source),
        )
    except HeadFileError as error:
        raise type(error)(f"{source}: {error}") from error
    except (ValueError, IndexError) as error:
        raise zipfile.BadZipFile(str(error)) from error
