"""Compare fingerprints: which vectors may be compared, and what differs between two tables.

A fingerprint has two parts: ``space``, everything that decides whether vectors may be compared, and ``provenance``, how
they were made otherwise.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from foundation.errors import SpaceMismatchError

# The field of a provenance that holds package versions.
VERSIONS = "versions"


def refuse_other_space(expected: Mapping[str, Any], got: Mapping[str, Any], *, source: str = "the head's") -> None:
    """Refuse vectors of another space than `expected`.

    Parameters
    ----------
    expected, got : mapping
        Fingerprints, of what the vectors are compared with and of the vectors.
    source : str
        Whose fingerprint `expected` is, for the message.

    Raises
    ------
    SpaceMismatchError
        If they differ in `space`; the message names the fields.
    """
    fields = differing_fields(expected.get("space", {}), got.get("space", {}))
    if fields:
        raise SpaceMismatchError(
            f"these vectors cannot be compared with {source}: expected {describe_side(fields, 0)}{_preset_of(expected)}"
            f", got {describe_side(fields, 1)}{_preset_of(got)}; embed the photos with the same settings, or train a "
            "new head"
        )


def differing_fields(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which the same part of two fingerprints differs, with both values.

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
    """Return one side of differing fields as text.

    Parameters
    ----------
    fields : mapping
        From `differing_fields`.
    side : {0, 1}
        0 for the left one's values, 1 for the right one's.

    >>> describe_side({"crop_size": (160, 112)}, 1)
    'crop_size 112'
    """
    return ", ".join(f"{name} {values[side]}" for name, values in fields.items())


def _preset_of(fingerprint: Mapping[str, Any]) -> str:
    preset = fingerprint.get("provenance", {}).get("preset")
    return "" if preset is None else f" (preset {preset})"


_PARAMETERS = {"margin.mode": "margin_mode", "margin.value": "margin"} | {
    name: name for name in ("alignment", "faces", "identity_from", "max_pixels", "min_face_size", "thresholds")
}
"""Which parameter of `embed_folder` decides a field of the fingerprint; the command line's flags are called alike.

Not the precision: where int8 is no faster, asking for it gives fp32.
"""


def setting_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return one phrase for each setting in which two fingerprints differ, package versions left out."""
    old, new = dict(_flatten(before)), dict(_flatten(now))
    return [
        f"`{name}` {_show(old, name)} before, {_show(new, name)} now"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def same_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return what to pass for the settings of `before` where `now` differs, in Python and on the command line.

    ``""`` where something differs that no setting of that name decides, such as the weights.
    """
    old, new = dict(_flatten(before)), dict(_flatten(now))
    differing = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    if not differing or not set(differing) <= set(_PARAMETERS) & old.keys():
        return ""
    arguments, flags = [], []
    for name in differing:
        parameter, value = _PARAMETERS[name], old[name]
        plain = tuple(value) if isinstance(value, list) else value
        words = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        arguments.append(f"{parameter}={plain!r}")
        flags.append(
            f"--{value}-face{'s' if value == 'all' else ''}"
            if parameter == "faces"
            else f"--{parameter.replace('_', '-')} {words}"
        )
    return f"{', '.join(arguments)} in Python, {' '.join(flags)} on the command line"


def version_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return one phrase for each package whose version differs between two fingerprints."""
    old, new = before["provenance"].get(VERSIONS, {}), now["provenance"].get(VERSIONS, {})
    return [
        f"{name} {old.get(name)} before, {new.get(name)} now"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _flatten(fingerprint: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for part in ("space", "provenance"):
        for name, value in fingerprint[part].items():
            if name == VERSIONS:
                continue
            if isinstance(value, dict):
                yield from ((f"{name}.{key}", inner) for key, inner in value.items())
            else:
                yield name, value


def _show(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return "absent"
    text = str(values[name])
    return text if len(text) <= 40 else f"{text[:12]}..."


def as_json(value: Any) -> Any:
    """Return `value` as it comes back from JSON, so that a fingerprint equals its stored self."""
    import json

    return json.loads(json.dumps(value, sort_keys=True, allow_nan=False))
