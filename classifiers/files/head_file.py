"""Heads on disk, without pickle.

A head file is a zip of uncompressed entries:

- ``facetable.json``: what the head is (see `describe_head`); readable with ``zipfile`` alone;
- ``serving/*.npy``: the exemplars, and what the chooser needs beside them (see `classifiers.files.head_arrays`);
- ``estimator.skops``: the settings of the scikit-learn estimator, to fit it again; heads of our own kinds go without,
  for their name and parameters in ``facetable.json`` say it all;
- ``fitted.skops``: the fitted estimator, where the arrays do not say it all. It is used under the scikit-learn that
  wrote it; under another version the estimator is fitted again from the exemplars.
"""

import datetime
import errno
import io
import json
import logging
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import HeadFileError, UntrustedTypesError
from classifiers.files.head_arrays import pack_head, unpack_machine, unpack_matcher, unpack_rejections
from classifiers.heads.decision_rules import Chooser, EstimatorChooser, LinearMachine, NearestChooser, VoteChooser
from classifiers.heads.head import Head
from classifiers.scores.matcher import Matcher
from classifiers.scores.thresholds import Threshold
from foundation.atomic import atomic_writer
from foundation.formats import ZIP_ARCHIVE, describe_kind

logger = logging.getLogger(__name__)

FORMAT = "facetable-head"
VERSION = 1

# Types beyond those skops trusts by itself (NumPy arrays and scikit-learn's public estimators). Only what is written
# here is ever loaded: what a file asks for is never trusted on its word. Trees are checked node by node when loaded
# (see `classifiers.files.tree_validation`); the others are plain Python classes that hold numbers.
TRUSTED_TYPES = [
    "classifiers.estimators.GalleryClassifier",  # the names of heads written before version 0.2
    "classifiers.estimators.KNNClassifier",
    "classifiers.estimators.LDAClassifier",
    "classifiers.estimators.LogisticClassifier",
    "classifiers.estimators.SVMClassifier",
    "classifiers.heads.estimators.GalleryClassifier",
    "classifiers.heads.estimators.KNNClassifier",
    "classifiers.heads.estimators.LDAClassifier",
    "classifiers.heads.estimators.LogisticClassifier",
    "classifiers.heads.estimators.SVMClassifier",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
]

_METADATA = "facetable.json"
_ESTIMATOR = "estimator.skops"
_FITTED = "fitted.skops"

# What reading a damaged or encrypted zip, or a record of other types, raises.
_DAMAGE = (zipfile.BadZipFile, EOFError, KeyError, TypeError, AttributeError, RuntimeError)


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
        "versions": {"scikit-learn": _scikit_learn_version(), "numpy": np.__version__},
        "fingerprint": head.fingerprint,
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
        If the estimator holds types that are not in `TRUSTED_TYPES`; the message names them.
    OSError
        If the file cannot be written.
    """
    target = Path(path)
    record = json.dumps(describe_head(head), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    entries: dict[str, str | bytes] = {_METADATA: record}
    if not _says_it_all(head):
        entries[_ESTIMATOR] = head.estimator if isinstance(head.estimator, bytes) else dump_estimator(head.estimator)
    if isinstance(head.chooser, EstimatorChooser):
        entries[_FITTED] = dump_estimator(head.chooser.estimator)
    _refuse_other_file(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
        for name, array in pack_head(head).items():
            with archive.open(f"serving/{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


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
            return _METADATA in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return False
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return False


def _says_it_all(head: Head) -> bool:
    """Return whether a head's name and parameters are enough to make its estimator again."""
    return "." not in head.name and all(_plain(value) is value for value in head.parameters.values())


def estimator_of(head: Head) -> Any:
    """Return the unfitted scikit-learn estimator of a head, made or loaded where need be.

    Raises
    ------
    UntrustedTypesError
        If the head's file asks for types that are not in `TRUSTED_TYPES`.
    """
    from classifiers.heads.registry import make_head

    if isinstance(head.estimator, bytes):
        return load_estimator(head.estimator)
    return make_head(head.name, head.parameters) if head.estimator is None else head.estimator


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


def dump_estimator(estimator: Any) -> bytes:
    """Return a scikit-learn estimator as skops data.

    Raises
    ------
    UntrustedTypesError
        If it holds types that are not in `TRUSTED_TYPES`, which could not be loaded again; the message names them.
    """
    import skops.io

    data = skops.io.dumps(estimator)
    _refuse_untrusted(skops.io.get_untrusted_types(data=data), "save")
    return data


def _refuse_other_file(target: Path) -> None:
    if target.is_file() and target.stat().st_size > 0 and not _is_head(target):
        raise HeadFileError(
            f"{target}: expected a head or nothing here to replace, found a file of another kind; "
            "give another name for the head, or delete the file first"
        )


def _refuse_untrusted(types: list[str], verb: str) -> None:
    untrusted = sorted(set(types) - set(TRUSTED_TYPES))
    if untrusted:
        raise UntrustedTypesError(
            f"refusing to {verb} a head with types that are not trusted: {', '.join(untrusted)}; "
            "expected only scikit-learn's own and this project's, use another --head"
        )


def _scikit_learn_version() -> str:
    # Asking the installed package's metadata is quicker than importing it.
    from importlib.metadata import version

    return version("scikit-learn")


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _read_head(source: Path, archive: zipfile.ZipFile) -> Head:
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise zipfile.BadZipFile("its entries are compressed")
    record = json.loads(archive.read(_METADATA))
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
            raise ValueError(f"its array {name} is damaged or holds no plain numbers and text") from error

    try:
        matcher = unpack_matcher(record, read)
        estimator = archive.read(_ESTIMATOR) if _ESTIMATOR in archive.namelist() else None
        if record["chooser"] == LinearMachine.kind:
            chooser = unpack_machine(matcher, read)
        else:
            chooser = _read_chooser(record, archive, matcher, source=source)
        return Head(
            matcher,
            chooser,
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


def _read_chooser(record: Mapping[str, Any], archive: zipfile.ZipFile, matcher: Matcher, *, source: Path) -> Chooser:
    kind = record["chooser"]
    if kind == NearestChooser.kind:
        return NearestChooser()
    if kind == VoteChooser.kind:
        return VoteChooser(int(record["parameters"]["n_neighbors"]))
    if kind != EstimatorChooser.kind:
        raise ValueError(f"its chooser {kind!r} is not known")
    wrote, here = record["versions"]["scikit-learn"], _scikit_learn_version()
    if wrote == here:
        return _checked_chooser(load_estimator(archive.read(_FITTED)), matcher)
    chooser = _refitted_chooser(record, archive, matcher, wrote=wrote)
    logger.info(
        "%s: the head was made with scikit-learn %s, here is %s: fitted it again from its photos' vectors; "
        "threshold and scores stay, a close call may get another name; train it again to save the time",
        source,
        wrote,
        here,
    )
    return chooser


def _checked_chooser(estimator: Any, matcher: Matcher) -> Chooser:
    """Return a chooser with a fitted estimator from a file, if it fits the exemplars and its trees are sound."""
    from classifiers.files.tree_validation import check_trees

    n_features = matcher.units.shape[1]
    if getattr(estimator, "n_features_in_", None) != n_features or not np.array_equal(
        np.asarray(getattr(estimator, "classes_", ())).astype(np.str_), matcher.labels
    ):
        raise ValueError("its estimator does not fit its exemplars")
    check_trees(estimator, n_features=n_features)
    return EstimatorChooser(estimator)


def _refitted_chooser(record: Mapping[str, Any], archive: zipfile.ZipFile, matcher: Matcher, *, wrote: str) -> Chooser:
    """Return a chooser with an estimator fitted again on the exemplars, because another scikit-learn fitted it."""
    from sklearn.exceptions import InconsistentVersionWarning

    from classifiers.heads.open_set import fit_chooser
    from classifiers.heads.registry import make_head

    try:
        with warnings.catch_warnings():
            # It is fitted again for the very reason this warning gives.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            if _ESTIMATOR in archive.namelist():
                return fit_chooser(load_estimator(archive.read(_ESTIMATOR)), matcher)
            return fit_chooser(make_head(record["head"], record["parameters"]), matcher)
    except UntrustedTypesError:
        raise
    except Exception as error:
        raise HeadFileError(
            f"its estimator was fitted with scikit-learn {wrote} and cannot be fitted again with "
            f"{_scikit_learn_version()} ({' '.join(str(error).split())}); train the head again"
        ) from error
