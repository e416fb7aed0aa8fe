"""Compare fingerprints: which vectors may be compared, and what differs between two tables.

A fingerprint has two parts: ``space``, everything that decides whether vectors may be compared, and ``provenance``, how
they were made otherwise.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from foundation.errors import SpaceMismatchError
from foundation.threads import CPU

# The field of a provenance that holds package versions.
VERSIONS = "versions"

# The fields of a provenance that say which device the networks ran on, where it was not the processor.
_DEVICES = ("device", "detector_device")

# The field of a provenance that says by which rules boxes were found, what it was before the field came, and what else
# such a version decides.
_DETECTOR_VERSION = "detector_version"
_DETECTOR_VERSION_BEFORE = 1
_BY_DETECTOR_VERSION = ("box_vote_share",)

# The field of a provenance that says what decides which way up photos are, and what it was before the field came.
UPRIGHT = "upright"
UPRIGHT_BEFORE = "exif"

# The field of a provenance that names the detector which was asked about the faces of another.
SECOND_DETECTOR = "second_detector"

_PARTS = ("space", "provenance")

# The fields of a provenance that follow from which detector it is, and need no mention where that is another one.
_DETECTOR = "detector"
_OF_DETECTOR = ("scale_factor", "box_vote_share", "smallest_on_input", "weights_sha256")

# The fields of a provenance that say which photos are read and what their people are called: they may change from run
# to run, for no vector depends on them.
_FOLLOWED = ("identity_from", "exclude", "ignore_files")

# The field of a provenance that names the table where faces were not looked for but taken from.
FACES_FROM = "faces_from"

# The fields of a provenance that say which faces are found and kept and who they are, and nothing about a vector.
_NOT_OF_VECTORS = (*_FOLLOWED, FACES_FROM, "faces", "max_pixels", "min_face_size", UPRIGHT, SECOND_DETECTOR)


UNNAMED_VECTORS = "unnamed"
"""What the field ``vectors`` of a space says of another program's vectors that nobody has named."""


class FingerprintFields(Mapping[str, Any]):
    """Read-only fields of one part of a fingerprint, as JSON holds them; equal to a mapping with the same fields."""

    def __init__(self, fields: Mapping[str, Any] | None = None) -> None:
        self._fields: dict[str, Any] = {} if fields is None else as_json(dict(fields))

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __hash__(self) -> int:
        return hash(json.dumps(self._fields, sort_keys=True))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._fields!r})"


class Space(FingerprintFields):
    """What decides whether vectors may be compared: weights, scaling of pixels, crop rule, embedding length.

    >>> space = Space({"weights_sha256": "ab12", "crop_size": 160, "embedding_length": 512})
    >>> space.weights_sha256, space.embedding_length
    ('ab12', 512)
    """

    @property
    def weights_sha256(self) -> str:
        """Return the SHA-256 of the network's weights in hexadecimal, ``""`` where it is not said."""
        return str(self.get("weights_sha256", ""))

    @property
    def is_named(self) -> bool:
        """Return whether it says what made the vectors, beyond their length.

        >>> Space({"vectors": "my-network", "embedding_length": 64}).is_named, Space({"embedding_length": 64}).is_named
        (True, False)
        """
        return bool({*self} - {"embedding_length"}) and self.get("vectors") != UNNAMED_VECTORS

    @property
    def embedding_length(self) -> int:
        """Return the length of a vector.

        Raises
        ------
        KeyError
            If it is not said.
        """
        return int(self["embedding_length"])


class Fingerprint(Mapping[str, FingerprintFields]):
    """What vectors are made of; read-only, and a mapping of its two parts as tables and heads store it.

    Parameters
    ----------
    space, provenance : mapping, optional
        Fields that JSON can hold.

    Attributes
    ----------
    space : Space
        A difference is refused: the vectors may not be compared.
    provenance : FingerprintFields
        How else they were made; a difference between table and head is worth a warning.

    Examples
    --------
    >>> made = Fingerprint({"weights_sha256": "ab12"}, {"preset": "some-network", "precision": "fp32"})
    >>> made["space"]["weights_sha256"], made.preset, made == {"space": made.space, "provenance": made.provenance}
    ('ab12', 'some-network', True)
    """

    def __init__(self, space: Mapping[str, Any] | None = None, provenance: Mapping[str, Any] | None = None) -> None:
        self.space = Space(space)
        self.provenance = FingerprintFields(provenance)

    @classmethod
    def of(cls, value: Mapping[str, Any] | None) -> "Fingerprint":
        """Return a fingerprint from ``{"space": {...}, "provenance": {...}}``; what is missing is empty."""
        if isinstance(value, Fingerprint):
            return value
        parts = {} if value is None else value
        return cls(parts.get("space"), parts.get("provenance"))

    def __getitem__(self, part: str) -> FingerprintFields:
        if part not in _PARTS:
            raise KeyError(part)
        fields: FingerprintFields = getattr(self, part)
        return fields

    def __iter__(self) -> Iterator[str]:
        return iter(_PARTS)

    def __len__(self) -> int:
        return len(_PARTS)

    def __hash__(self) -> int:
        return hash((self.space, self.provenance))

    def __repr__(self) -> str:
        return f"Fingerprint(space={dict(self.space)!r}, provenance={dict(self.provenance)!r})"

    @property
    def preset(self) -> str | None:
        """Return the name of the preset the vectors were made with; None where it is not said."""
        name = self.provenance.get("preset")
        return None if name is None else str(name)

    @property
    def precision(self) -> str:
        """Return the arithmetic of the network, ``"fp32"`` where it is not said."""
        return str(self.provenance.get("precision", "fp32"))

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Return plain dictionaries, ready for `json.dumps`."""
        return {part: dict(self[part]) for part in self}

    def check_same_space(self, got: Mapping[str, Any], *, source: str = "the head's") -> None:
        """Refuse vectors of another space.

        Parameters
        ----------
        got : Fingerprint or mapping
            Of the vectors that are to be compared with those of this fingerprint.
        source : str
            Whose this fingerprint is, for the message.

        Raises
        ------
        SpaceMismatchError
            If the spaces differ; the message names the fields.
        """
        other = Fingerprint.of(got)
        fields = differing_fields(self.space, other.space)
        if fields:
            raise SpaceMismatchError(
                f"these vectors cannot be compared with {source}: expected {describe_side(fields, 0)}"
                f"{self._preset_note}, got {describe_side(fields, 1)}{other._preset_note}; embed the photos with the "
                "same settings, or train a new head"
            )

    @property
    def _preset_note(self) -> str:
        return "" if self.preset is None else f" (preset {self.preset})"


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


def vector_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which two provenances differ, with both values, without those that decide no vector.

    >>> vector_differences({"faces": "main", "precision": "fp32"}, {"faces": "all", "precision": "int8"})
    {'precision': ('fp32', 'int8')}

    The versions of packages count where both sides say them: an encoder that is used right now does not.

    >>> vector_differences({"versions": {"numpy": "2.4"}}, {})
    {}
    """
    unsaid = {VERSIONS} - (before.keys() & now.keys())
    fields = differing_fields(before, now)
    if _DETECTOR in fields:
        unsaid.update(_OF_DETECTOR)
    return {name: values for name, values in fields.items() if name not in (*_NOT_OF_VECTORS, *unsaid)}


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
    return ", ".join(f"{name} {_in_words(values[side])}" for name, values in fields.items())


def _in_words(value: Any) -> str:
    """Return a field's value as text; joined networks in few words, with the weight of each."""
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        return " + ".join(f"{str(part.get('weights_sha256'))[:12]}... ({part.get('weight')})" for part in value)
    return str(value)


_PARAMETERS = {"margin.mode": "margin_mode", "margin.value": "margin"} | {
    name: name
    for name in (
        "alignment",
        "detector",
        "faces",
        "max_pixels",
        "min_face_size",
        "thresholds",
        UPRIGHT,
        SECOND_DETECTOR,
    )
}
"""Which parameter of `embed_folder` decides a field of the fingerprint; the command line's flags are called alike.

Not the precision: where int8 is no faster, asking for it gives fp32.
"""


def setting_differences(before: Fingerprint, now: Fingerprint) -> list[str]:
    """Return one phrase for each setting in which two fingerprints differ.

    Left out are package versions, devices, and what may change from run to run (see `followed_fields`).
    """
    old, new = _settings(before), _settings(now)
    return [f"`{name}` {_show(old, name)} before, {_show(new, name)} now" for name in _differing(old, new)]


def same_settings(before: Fingerprint, now: Fingerprint) -> str:
    """Return what to pass for the settings of `before` where `now` differs, in Python and on the command line.

    ``""`` where something differs that no setting of that name decides, such as the weights.
    """
    old, new = _settings(before), _settings(now)
    differing = _differing(old, new)
    if not differing or not set(differing) <= set(_PARAMETERS) & old.keys():
        return ""
    arguments, flags = [], []
    for name in differing:
        parameter, value = _PARAMETERS[name], old[name]
        plain = tuple(value) if isinstance(value, list) else value
        words = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        arguments.append(f"{parameter}={plain!r}")
        flags.append(_flag(parameter, value, words))
    return f"{', '.join(arguments)} in Python, {' '.join(flags)} on the command line"


def _flag(parameter: str, value: Any, words: str) -> str:
    if parameter == "faces":
        return f"--{value}-face{'s' if value == 'all' else ''}"
    if parameter == "thresholds" and isinstance(value, list) and len(value) == 1:
        return f"--detector-threshold {words}"
    return f"--{parameter.replace('_', '-')} {words}"


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the names of flattened fields that differ, without those that follow from another detector."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    if _DETECTOR not in names:
        return names
    # The weights of the network stand under their bare name, those of a detector with a dot behind it.
    return [name for name in names if name.partition(".")[0] not in _OF_DETECTOR or name == "weights_sha256"]


def followed_fields(fingerprint: Fingerprint) -> dict[str, Any]:
    """Return the fields that say which photos are read and what their people are called.

    A table follows them from run to run: another identity rule only renames, another exclusion only adds or lists
    photos.

    >>> followed_fields(Fingerprint({}, {"identity_from": "folder", "precision": "fp32"}))
    {'identity_from': 'folder'}
    """
    return {name: fingerprint.provenance[name] for name in _FOLLOWED if name in fingerprint.provenance}


def following(before: Fingerprint, now: Fingerprint) -> Fingerprint:
    """Return `before` with the followed fields of `now`, see `followed_fields`."""
    kept = {name: value for name, value in before.provenance.items() if name not in _FOLLOWED}
    return Fingerprint(before.space, {**kept, **followed_fields(now)})


def version_differences(before: Fingerprint, now: Fingerprint) -> list[str]:
    """Return one phrase for each package whose version differs between two fingerprints, and for the detector's."""
    old, new = _versions(before), _versions(now)
    return [
        f"{name} {old.get(name)} before, {new.get(name)} now"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def device_differences(before: Fingerprint, now: Fingerprint) -> list[str]:
    """Return one phrase for each device that differs between two fingerprints.

    >>> device_differences(Fingerprint(), Fingerprint({}, {"device": "cuda"}))
    ['`device` cpu before, cuda now']
    """
    old, new = before.provenance, now.provenance
    return [
        f"`{name}` {old.get(name, CPU)} before, {new.get(name, CPU)} now"
        for name in _DEVICES
        if old.get(name, CPU) != new.get(name, CPU)
    ]


def upright_of(fingerprint: Fingerprint) -> Any:
    """Return what decides which way up photos are; ``"exif"`` where it is not said.

    >>> upright_of(Fingerprint())
    'exif'
    """
    return fingerprint.provenance.get(UPRIGHT, UPRIGHT_BEFORE)


def _versions(fingerprint: Fingerprint) -> dict[str, Any]:
    provenance = fingerprint.provenance
    detector = provenance.get(_DETECTOR_VERSION, _DETECTOR_VERSION_BEFORE)
    return {**provenance.get(VERSIONS, {}), "detector": detector}


def _settings(fingerprint: Fingerprint) -> dict[str, Any]:
    return {**dict(_flatten(fingerprint)), UPRIGHT: upright_of(fingerprint)}


def _flatten(fingerprint: Fingerprint) -> Iterator[tuple[str, Any]]:
    for part in _PARTS:
        for name, value in fingerprint[part].items():
            if name in (VERSIONS, FACES_FROM, _DETECTOR_VERSION, *_BY_DETECTOR_VERSION, *_FOLLOWED, *_DEVICES):
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
    return json.loads(json.dumps(value, sort_keys=True, allow_nan=False))
