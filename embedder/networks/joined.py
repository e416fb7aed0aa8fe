"""Several networks joined into one vector, whose cosine is the weighted mean of theirs.

Of unit vectors v_i with weights w_i that add up to 1, the vector ``[sqrt(w_1) v_1, sqrt(w_2) v_2, ...]`` is one of unit
length, and the cosine of two such vectors is ``sum w_i cos_i``. So tables, heads and groups need to know nothing of it.
Faces are looked for once; crops that are alike are made once and lie side by side in one picture.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from embedder.detection.alignment import CropRule
from embedder.errors import WeightsError
from embedder.networks.face_embedder import FaceEmbedder
from embedder.networks.preset import Preset
from embedder.networks.preset_file import PRESET_FILE, read_record
from embedder.networks.presets import JOINT, PRESETS, get_preset, joined_distance
from foundation.errors import InputError

MEASURED_WEIGHTS = {
    frozenset({"mobilefacenet-ms1m", "facenet-casia-20180408"}): {
        "mobilefacenet-ms1m": 0.8,
        "facenet-casia-20180408": 0.2,
    },
    frozenset({"mobilefacenet-ms1m", "facenet-ms1m-keras"}): {
        "mobilefacenet-ms1m": 0.7,
        "facenet-ms1m-keras": 0.3,
    },
    frozenset({"mobilefacenet-ms1m", "facenet-ms1m-keras", "facenet-casia-20180408"}): {
        "mobilefacenet-ms1m": 0.7,
        "facenet-ms1m-keras": 0.2,
        "facenet-casia-20180408": 0.1,
    },
}
"""Weights of built-in presets joined by name; others count equally.

By plain cosine on five random halves of LFW's people (deep-funneled; 500 enrolled with one photo, the others of the
half strangers) the mean TPIR at an FPIR of 1 % was 0.928 with 0.8 : 0.2, 0.904 with equal weights, 0.923 with
`mobilefacenet-ms1m` alone and 0.697 with `facenet-casia-20180408` alone. Of `mobilefacenet-ms1m` and
`facenet-ms1m-keras` it was 0.935 with 0.8 : 0.2, 0.932 with 0.7 : 0.3, 0.924 with equal weights; normalized, 0.7 : 0.3
is among the best (0.946 as with 0.8 : 0.2, 0.943 with 0.85 : 0.15; other draws of photos and strangers). Of all three
0.7 : 0.2 : 0.1 was the best of five by the photos found (0.952, of two at best 0.950), by people like two (0.946).
"""

_RECORD_FIELDS = {"name", "joined", "verification_threshold", "accuracy", "licence", "source"}


@dataclass(frozen=True)
class JoinedCropRule:
    """How a face is cut out for several networks: one picture with a part for each different rule.

    Attributes
    ----------
    rules : tuple of CropRule
        All different. Parts stand side by side, from the top, in this order.
    """

    rules: tuple[CropRule, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of a crop: height, width, channels."""
        return max(rule.size for rule in self.rules), sum(rule.size for rule in self.rules), 3

    @property
    def space(self) -> dict[str, Any]:
        """Nothing: the network's part of the space holds the rules, each beside its network."""
        return {}

    def like(self, space: Mapping[str, Any]) -> "JoinedCropRule":
        """Return this rule: a joined preset's rules are its networks' own."""
        return self

    def changed(self, **given: Any) -> "JoinedCropRule":
        """Return this rule, which nothing can change.

        Raises
        ------
        ValueError
            If something is given.
        """
        wanted = [f"`{name}`" for name, value in given.items() if value is not None]
        if wanted:
            raise InputError(
                f"{', '.join(wanted)} cannot be given for joined presets: each network cuts faces out its own way; "
                "leave it out"
            )
        return self

    def crop(self, image: np.ndarray, boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Return the faces of `image`, uint8 (h, w, 3), cut out: uint8 (n, *shape)."""
        crops = np.zeros((len(boxes), *self.shape), np.uint8)
        for i, rule in enumerate(self.rules):
            self.part(crops, i)[...] = rule.crop(image, boxes, landmarks)
        return crops

    def part(self, crops: np.ndarray, number: int) -> np.ndarray:
        """Return the part of `crops` that rule `number` has made: uint8 (n, s, s, 3)."""
        left, size = sum(rule.size for rule in self.rules[:number]), self.rules[number].size
        return crops[:, :size, left : left + size]

    def view(self, crops: np.ndarray) -> np.ndarray:
        """Return what a person would look at: the first part."""
        return self.part(crops, 0)


@dataclass(frozen=True)
class JoinedPreset:
    """Several presets joined.

    Attributes
    ----------
    name : str
        Such as ``"A+B"``.
    parts : tuple of Preset
        At least two, all different.
    weights : tuple of float
        Of their cosines, above 0; they add up to 1.
    verification_threshold : float or None
        Euclidean distance of unit vectors below which two faces are the same person; None when never measured.
    accuracy, licence, source : str
        As of a `Preset`; by default the licences of the parts.

    Raises
    ------
    ValueError
        If there are fewer than two presets, two alike, or weights that are no such ones.
    """

    name: str
    parts: tuple[Preset, ...]
    weights: tuple[float, ...] = ()
    verification_threshold: float | None = None
    accuracy: str = "not measured"
    licence: str = ""
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise InputError(f"`preset` {self.name}: expected at least two presets to join, got {len(self.parts)}")
        spaces = [json.dumps(_own_space(part), sort_keys=True) for part in self.parts]
        twice = next((part.name for i, part in enumerate(self.parts) if spaces[i] in spaces[:i]), None)
        if twice is not None:
            raise InputError(f"`preset` {self.name}: {twice} cannot be joined with itself; name it once")
        weights = self.weights or (1.0,) * len(self.parts)
        total = sum(weights)
        if not (math.isfinite(total) and min(weights) > 0 and len(weights) == len(self.parts)):
            raise InputError(
                f"`preset` {self.name}: weights must be numbers above 0, one for each preset, got "
                f"{', '.join(f'{weight:g}' for weight in weights)}; leave out what shall not count"
            )
        object.__setattr__(self, "weights", tuple(weight / total for weight in weights))
        if not self.licence:
            object.__setattr__(self, "licence", "; ".join(f"{part.name}: {part.licence}" for part in self.parts))

    @property
    def space(self) -> dict[str, Any]:
        """What decides whether vectors may be compared: all networks with their crop rules and weights."""
        joined = [
            {**_own_space(part), "weight": round(weight, 9)}
            for part, weight in zip(self.parts, self.weights, strict=True)
        ]
        return {
            "weights_sha256": hashlib.sha256(json.dumps(joined, sort_keys=True).encode()).hexdigest(),
            "embedding_length": sum(part.embedding_length for part in self.parts),
            "joined": joined,
        }

    @property
    def weights_sha256(self) -> str:
        """What stands for the SHA-256 of the weights: that of all that `space` holds."""
        return str(self.space["weights_sha256"])

    @property
    def crop_rule(self) -> JoinedCropRule:
        """Return how faces are cut out: each different rule of the parts once."""
        return JoinedCropRule(tuple(dict.fromkeys(part.crop_rule for part in self.parts)))


def _own_space(part: Preset) -> dict[str, Any]:
    return {**part.space, **part.crop_rule.space}


class JoinedEmbedder:
    """The networks of a joined preset.

    Parameters
    ----------
    preset : JoinedPreset
    precision, threads
        As of `FaceEmbedder`, for each network.

    Raises
    ------
    WeightsError
        As `FaceEmbedder`, for any of the networks.
    """

    def __init__(self, preset: JoinedPreset, *, precision: str = "fp32", threads: int | None = None) -> None:
        self.preset = preset
        self._networks = [FaceEmbedder(part, precision=precision, threads=threads) for part in preset.parts]
        self.crop_rule = preset.crop_rule
        self._parts = [self.crop_rule.rules.index(part.crop_rule) for part in preset.parts]

    @property
    def space(self) -> dict[str, Any]:
        """What decides whether vectors may be compared."""
        return self.preset.space

    @property
    def provenance(self) -> dict[str, Any]:
        """How else vectors were made; int8 where any of the networks uses it."""
        precisions = {network.precision for network in self._networks}
        return {"preset": self.preset.name, "precision": "int8" if "int8" in precisions else "fp32"}

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Return unit vectors, float32 (n, d), of `crops`, uint8 as `crop_rule` makes them.

        Raises
        ------
        ValueError
            If `crops` has another dtype or shape.
        """
        shape = self.crop_rule.shape
        if crops.dtype != np.uint8 or crops.shape[1:] != shape:
            raise InputError(
                f"`crops` must be uint8 of shape (n, {', '.join(map(str, shape))}), got {crops.dtype} of shape "
                f"{crops.shape}; make them with the crop rule of this preset, as FaceEncoder does"
            )
        vectors = [
            np.float32(math.sqrt(weight)) * network.embed(self.crop_rule.part(crops, part))
            for network, part, weight in zip(self._networks, self._parts, self.preset.weights, strict=True)
        ]
        return np.hstack(vectors)

    def mirror(self, crops: np.ndarray) -> np.ndarray:
        """Return `crops` with each part mirrored where it stands."""
        mirrored = np.zeros_like(crops)
        for number in range(len(self.crop_rule.rules)):
            self.crop_rule.part(mirrored, number)[...] = self.crop_rule.part(crops, number)[:, :, ::-1]
        return mirrored


def find_preset(name: str | Path) -> Preset | JoinedPreset:
    """Return what `get_preset` does, or joined presets: ``"A+B"``, or by a record with ``joined``.

    Raises
    ------
    ValueError, WeightsError
        As `get_preset`, or as `JoinedPreset`.
    """
    text, path = str(name), Path(name)
    if text in PRESETS:
        return PRESETS[text]
    record = path / PRESET_FILE if path.is_dir() else path
    if record.suffix == ".json" and record.is_file():
        content = read_record(record)
        if isinstance(content, dict) and "joined" in content:
            return _read_joined(record, content)
    elif JOINT in text and not path.exists():
        names = [part.strip() for part in text.split(JOINT)]
        if not all(names):
            raise InputError(f"`preset` {text}: expected names of presets between {JOINT}, found an empty one")
        parts = tuple(get_preset(part) for part in names)
        measured = MEASURED_WEIGHTS.get(frozenset(names), {}) if len(set(names)) == len(names) else {}
        return _with_accuracy(JoinedPreset(text, parts, tuple(measured.get(name, 1.0) for name in names)))
    return get_preset(name)


def _with_accuracy(preset: JoinedPreset) -> JoinedPreset:
    """Return a joined preset with its verification threshold and accuracy, where they were measured."""
    measured = joined_distance(preset.space["joined"])
    if measured is None:
        return preset
    return replace(preset, verification_threshold=measured[0], accuracy=f"LFW, 2,200 pairs: {measured[1]}")


def _read_joined(path: Path, record: Mapping[str, Any]) -> JoinedPreset:
    """Return the joined preset of a record: ``{"name": ..., "joined": [{"preset": ..., "weight": ...}, ...]}``."""
    unknown = sorted(set(record) - _RECORD_FIELDS)
    if unknown:
        raise _wrong(path, f"expected an object with some of {', '.join(sorted(_RECORD_FIELDS))}, got `{unknown[0]}`")
    texts = {name: record.get(name, "") for name in ("name", "accuracy", "licence", "source")}
    wrong = next((name for name, value in texts.items() if not isinstance(value, str)), "")
    if wrong or not texts["name"]:
        raise _wrong(path, f"`{wrong or 'name'}` must be text, got {record.get(wrong or 'name')!r}")
    threshold = record.get("verification_threshold")
    if threshold is not None and not (isinstance(threshold, float) and 0 < threshold < 2):
        raise _wrong(path, f"`verification_threshold` must be a number or null, got {threshold!r}")
    entries = record["joined"]
    is_list = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    if not is_list or not all(set(entry) <= {"preset", "weight"} and "preset" in entry for entry in entries):
        raise _wrong(path, '`joined` must be a list of {"preset": NAME, "weight": NUMBER}, got ' + str(entries)[:200])
    weights = [entry.get("weight", 1.0) for entry in entries]
    if any(isinstance(weight, bool) or not isinstance(weight, (int, float)) for weight in weights):
        raise _wrong(path, f"`weight` must be a number above 0, got {weights}")
    parts = tuple(_part(path, entry["preset"]) for entry in entries)
    texts = {name: value for name, value in texts.items() if value}
    try:
        return JoinedPreset(parts=parts, weights=tuple(weights), verification_threshold=threshold, **texts)
    except InputError as error:
        raise WeightsError(f"{path}: {error}") from None


def _part(path: Path, name: Any) -> Preset:
    """Return a preset that a record names: a built-in one, or the one in a file beside the record."""
    if isinstance(name, str) and name in PRESETS:
        return PRESETS[name]
    if isinstance(name, str) and Path(name).name == name and name.endswith(".json"):
        return get_preset(path.parent / name)
    raise _wrong(path, f"`preset` must be one of {', '.join(PRESETS)}, or a .json file beside this one, got {name!r}")


def _wrong(path: Path, what: str) -> WeightsError:
    return WeightsError(f"{path}: {what}; correct the record")


def load_embedder(
    preset: str | Path | Preset | JoinedPreset,
    *,
    weights: str | Path | None = None,
    precision: str = "fp32",
    threads: int | None = None,
) -> FaceEmbedder | JoinedEmbedder:
    """Return the network of a preset, or the networks of joined ones.

    Raises
    ------
    ValueError
        If the preset is unknown, or `weights` is given for joined ones.
    WeightsError
        As `FaceEmbedder`.
    """
    found = find_preset(preset) if isinstance(preset, (str, Path)) else preset
    if isinstance(found, Preset):
        return FaceEmbedder(found, weights=weights, precision=precision, threads=threads)
    if weights is not None:
        raise InputError(
            f"`weights` names one file, and {found.name} has {len(found.parts)} networks; leave it out: what "
            "data.models and data.samples fetch is found, other networks by a record beside them"
        )
    return JoinedEmbedder(found, precision=precision, threads=threads)
