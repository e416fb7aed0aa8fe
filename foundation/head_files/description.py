"""Schema of ``facetable.json``, what a head file says of itself."""

from collections.abc import Mapping
from typing import Any

from foundation.errors import HeadFileError, InputError
from foundation.head_files.schema import (
    Check,
    list_of,
    mapping,
    mapping_of,
    nullable,
    number,
    one_of,
    refuse,
    text,
)
from foundation.text import MAX_NAME_LENGTH, normalize_name

FORMAT = "facetable-head"
VERSION = 1

DESCRIPTION_ENTRY = "facetable.json"

RESERVED_NAME = "unknown"
"""What a face is called that is nobody enrolled; no person may be called that."""

LOWEST_SCORE = -2.0
"""The score of a face that nobody enrolled may be: below any threshold."""

_rate = number(0.0, 1.0)
_count = number(0, whole=True)
_plain: Check = nullable(lambda value, name: None if isinstance(value, (bool, int, float)) else text()(value, name))
"""What settings of estimators are: numbers, truth values, or text."""

_interval = mapping({"value": _rate, "low": _rate, "high": _rate})
_expected = mapping({"fpir": _interval, "tpir": nullable(_interval), "n_identities": _count, "n_strangers": _count})
_curve = mapping(
    {
        "n_exemplars": list_of(number(1, whole=True), shortest=2, longest=1_000),
        "thresholds": list_of(number(), shortest=2, longest=1_000),
        "score": one_of("cosine", "normalized"),
        "measured_on": text(),
    }
)
threshold_value = number(LOWEST_SCORE, expected=f"a finite number of at least {LOWEST_SCORE:g}")
"""Below the lowest score a threshold means nothing: at it, everybody gets a name already."""

_threshold = mapping(
    {
        "value": threshold_value,
        "source": one_of("curve", "calibrated", "given"),
        "note": text(),
        "fpir": nullable(number(0.0, 1.0, above=True)),
        "n_exemplars": _count,
        "curve": nullable(_curve),
        "expected": nullable(_expected),
    },
    required=("value", "source", "note"),
)
_versions = mapping_of(text(longest=100))
_space = mapping(
    {
        "weights_sha256": text(),
        "crop_size": number(1, 10_000, whole=True),
        "embedding_length": number(1, whole=True),
        "alignment": text(),
        "margin": mapping({"mode": text(), "value": number(0)}),
    },
    required=(),
)
_provenance = mapping(
    {
        "preset": nullable(text()),
        "precision": text(),
        "detector": text(),
        "faces": text(),
        "identity_from": text(),
        "min_face_size": lambda value, name: (text() if isinstance(value, str) else number(0))(value, name),
        "max_pixels": number(1, whole=True),
        "thresholds": list_of(number(), shortest=1, longest=10),
        "versions": _versions,
    },
    required=(),
)
_fingerprint = mapping({"space": _space, "provenance": _provenance}, required=())


def _check_identity(value: Any, name: str) -> None:
    """Refuse what nobody may be called, or what would not come back from a file or a line as it went there."""
    bare = _bare_name(value) if isinstance(value, str) and len(value) <= MAX_NAME_LENGTH and "\0" not in value else ""
    if not bare:
        refuse(name, f"names of 1 to {MAX_NAME_LENGTH:,} characters", value)
    if bare == RESERVED_NAME:
        raise InputError(f"its {name} hold {value!r}, which is what a stranger is called")


def _bare_name(value: str) -> str:
    """Return a name as it prints, ``""`` where it is no text that a file can hold."""
    if value.isascii():
        return value.strip()
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return ""
    return normalize_name(value)


check_identities: Check = list_of(_check_identity, shortest=1)

_FIELDS: dict[str, Check] = {
    "identities": check_identities,
    "head": text(r"[\w.]+", expected="the name of a head"),
    "parameters": mapping_of(_plain),
    "chooser": text(longest=100),
    "n_exemplars": number(1, whole=True),
    "embedding_length": number(1, whole=True),
    "score": one_of("cosine", "normalized"),
    "threshold": _threshold,
    "versions": _versions,
    "fingerprint": nullable(_fingerprint),
    "photo_root": text(longest=100_000),
    "created": text(longest=100),
}
_LATER_FIELDS: dict[str, Check] = {"person_score": one_of("nearest", "nearest_or_mean")}
"""What heads did not always say."""

_DESCRIPTION = mapping(_FIELDS | _LATER_FIELDS, required=_FIELDS)

check_background_record: Check = mapping(
    {
        "residual_variance": number(0),
        "temperature": number(0, above=True),
        "n_identities": number(1, whole=True),
        "weights_sha256": text(),
        "measured_on": text(),
    },
    required=("residual_variance", "temperature", "n_identities"),
)

CHOOSERS = ("nearest", "votes", "balanced_votes", "linear", "estimator")


def check_version(record: Any) -> None:
    """Refuse the description of something else, or of another version.

    Raises
    ------
    HeadFileError
        If it is of another format or version.
    InputError
        If it does not say of which.
    """
    mapping({"format": text(), "version": nullable(_plain)})(record, "")
    if record["format"] != FORMAT or record["version"] != VERSION:
        raise HeadFileError(
            f"expected a head file of version {VERSION}, got {record['format']} {record['version']}; "
            "train it again with this version"
        )


def check_description(record: Mapping[str, Any]) -> None:
    """Refuse a description of a head that is not whole, of wrong types or out of range, or contradicts itself.

    Raises
    ------
    InputError
        If it is one; the message says what is wrong.
    """
    _DESCRIPTION(record, "")
    identities = record["identities"]
    if identities != sorted(set(identities)):
        raise InputError("its identities must be sorted, each once")
    if len(identities) > record["n_exemplars"]:
        raise InputError(f"it has {len(identities):,} identities and {record['n_exemplars']:,} exemplars")
    if record["chooser"] not in CHOOSERS:
        raise InputError(f"its chooser {record['chooser']!r} is not known")
    if record["chooser"] in ("votes", "balanced_votes"):
        number(1, whole=True)(record["parameters"].get("n_neighbors"), "n_neighbors")
    if record["chooser"] == "estimator" and "scikit-learn" not in record["versions"]:
        raise InputError("its versions lack 'scikit-learn'")
    curve = record["threshold"].get("curve")
    if curve is not None and len(curve["n_exemplars"]) != len(curve["thresholds"]):
        raise InputError("its threshold's curve has not one threshold for each number of exemplars")
    said = ((record["fingerprint"] or {}).get("space") or {}).get("embedding_length", record["embedding_length"])
    if said != record["embedding_length"]:
        raise InputError(f"its vectors have {record['embedding_length']:,} numbers, its fingerprint says {said:,}")
