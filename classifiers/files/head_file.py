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
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import HeadFileError
from classifiers.files.estimator_schema import check_estimator
from classifiers.files.head_arrays import pack_head, unpack_matcher, unpack_rejections
from classifiers.files.head_estimator import check_trusted, dump_estimator
from classifiers.files.head_rule import ESTIMATOR_ENTRY, FITTED_ENTRY, read_decision_rule, scikit_learn_version
from classifiers.heads.decision_rules import EstimatorRule
from classifiers.heads.head import Head
from classifiers.scores.thresholds import Threshold
from foundation.atomic import atomic_writer
from foundation.head_files.arrays import array_entry
from foundation.head_files.contents import HeadContents, is_head_file, open_head_file
from foundation.head_files.description import DESCRIPTION_ENTRY, FORMAT, VERSION, check_description
from foundation.head_files.schema import parse_json


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
        "person_score": head.matcher.person_score,
        "threshold": head.threshold_record.to_json(),
        "versions": {"scikit-learn": scikit_learn_version(), "numpy": np.__version__},
        "fingerprint": None if head.fingerprint is None else head.fingerprint.to_json(),
        "photo_root": head.photo_root,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def save_head(head: Head, path: str | Path, *, trust: Iterable[str] = ()) -> None:
    """Write `head` to `path`, replacing the file in one step.

    Parameters
    ----------
    head : Head
    path : path
    trust : iterable of str
        Types of a head of one's own, as ``my_module.MyHead``; those that it was loaded with are trusted anyway.

    Raises
    ------
    HeadFileError
        If a file that is no head would be replaced, such as the table the head is trained on, or if the head could not
        be loaded again, such as one whose threshold is not a number.
    UntrustedTypesError
        If the estimator holds types that are not in `classifiers.files.head_estimator.TRUSTED_TYPES` and that nobody
        trusts; the message names them.
    OSError
        If the file cannot be written.
    """
    target = Path(path)
    trusted = (*head.trusted, *check_trusted(trust))
    entries: dict[str, str | bytes] = {DESCRIPTION_ENTRY: _description(head, target)}
    if not _is_made_by_name(head):
        entries[ESTIMATOR_ENTRY] = (
            head.estimator if isinstance(head.estimator, bytes) else dump_estimator(head.estimator, trusted=trusted)
        )
    if isinstance(head.decision_rule, EstimatorRule):
        entries[FITTED_ENTRY] = dump_estimator(head.decision_rule.estimator, trusted=trusted)
    refuse_other_file(target)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic_writer(target, is_private=True) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
        for name, array in pack_head(head).items():
            with archive.open(array_entry(name), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def _description(head: Head, target: Path) -> str:
    """Return ``facetable.json``, if it can be read back."""
    record = json.dumps(describe_head(head), indent=2, sort_keys=True, ensure_ascii=False)
    try:
        check_description(parse_json(record.encode("utf-8"), DESCRIPTION_ENTRY))
    except ValueError as error:
        raise HeadFileError(
            f"{target}: expected a head that can be loaded again, got one that cannot: {error}"
        ) from error
    return record


def load_head(path: str | Path, *, trust: Iterable[str] = ()) -> Head:
    """Return the head in a file; heads called `gallery`, `knn` and `svm` load NumPy alone.

    Nothing in the file is believed before it has been held against a schema, and against the file's own length; so a
    damaged or hostile one is refused at once, and in little memory.

    Parameters
    ----------
    path : path
    trust : iterable of str
        Types whose code may be run, as ``my_module.MyHead``: those of a head of one's own. Nothing else that a file
        asks for is ever loaded.

    Raises
    ------
    HeadFileError
        If the file is not a head, is damaged, or is of another version.
    UntrustedTypesError
        If the estimator asks for types that are neither in `classifiers.files.head_estimator.TRUSTED_TYPES` nor in
        `trust`.
    OSError
        If the file cannot be read.
    """
    source, trusted = Path(path), check_trusted(trust)
    with open_head_file(source) as contents:
        return _read_head(source, contents, trusted)


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
    if target.is_file() and target.stat().st_size > 0 and not is_head_file(target):
        raise HeadFileError(
            f"{target}: expected a head or nothing here to replace, found a file of another kind; "
            "give another name for the head, or delete the file first"
        )


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _read_head(source: Path, contents: HeadContents, trusted: tuple[str, ...]) -> Head:
    record = contents.record

    def read(name: str) -> NDArray[Any]:
        # Arrays of objects would be pickles; they are never loaded.
        return np.lib.format.read_array(io.BytesIO(contents.array_bytes(name)), allow_pickle=False)

    matcher = unpack_matcher(record, read)
    # Only our own kinds go without: a module that a file names is never imported on its word.
    named = "." not in record["head"] and ESTIMATOR_ENTRY not in contents.sizes
    estimator = None if named else contents.archive.read(ESTIMATOR_ENTRY)
    if estimator is not None:
        check_estimator(estimator, ESTIMATOR_ENTRY)
    return Head(
        matcher,
        read_decision_rule(contents, matcher, read_array=read, source=source, trusted=trusted),
        Threshold.from_json(record["threshold"]),
        fingerprint=record["fingerprint"],
        name=record["head"],
        parameters=record["parameters"],
        photo_root=record["photo_root"],
        estimator=estimator,
        rejections=unpack_rejections(read),
        trusted=trusted,
        file=str(source),
    )
