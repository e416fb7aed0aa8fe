"""Which vectors may be compared: the two parts of a fingerprint."""

from collections.abc import Mapping
from typing import Any

from classifiers.errors import SpaceMismatchError


def refuse_other_space(expected: Mapping[str, Any], got: Mapping[str, Any], *, whose: str = "the head's") -> None:
    """Refuse vectors of another space than `expected`; both are fingerprints.

    Raises
    ------
    SpaceMismatchError
        If they differ in `space`; the message names the fields.
    """
    fields = differing_fields(expected.get("space", {}), got.get("space", {}))
    if fields:
        raise SpaceMismatchError(
            f"these vectors cannot be compared with {whose}: expected {describe_side(fields, 0)}{_preset_of(expected)}"
            f", got {describe_side(fields, 1)}{_preset_of(got)}; embed the photos with the same settings, or train a "
            "new head"
        )


def differing_fields(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which two parts of a fingerprint differ, with both values.

    >>> differing_fields({"crop_size": 160, "alignment": "box"}, {"crop_size": 112, "alignment": "box"})
    {'crop_size': (160, 112)}
    """
    absent = "(not said)"
    return {
        name: (left.get(name, absent), right.get(name, absent))
        for name in sorted({*left, *right})
        if left.get(name, absent) != right.get(name, absent)
    }


def describe_side(fields: Mapping[str, tuple[Any, Any]], side: int) -> str:
    """Return one side of differing fields as text."""
    return ", ".join(f"{name} {values[side]}" for name, values in fields.items())


def _preset_of(fingerprint: Mapping[str, Any]) -> str:
    preset = fingerprint.get("provenance", {}).get("preset")
    return "" if preset is None else f" (preset {preset})"
