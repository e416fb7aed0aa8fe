"""Presets in JSON files: of training runs, and of the user's own networks.

One preset is one JSON object beside its network. What it says is data alone: which code reads the network follows from
the file's suffix, and its name leads to no other folder.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from embedder.detection.alignment import FIVE_POINT_TEMPLATES
from embedder.errors import WeightsError
from embedder.networks.preset import (
    CHANNEL_ORDERS,
    CROPS,
    FIXED_MEAN,
    FIXED_SCALE,
    LAYOUTS,
    STANDARDIZATIONS,
    Preset,
)
from foundation.atomic import write_bytes_atomically
from foundation.formats import describe_kind

PRESET_FILE = "preset.json"
"""The record of a training run's folder."""

RUN_BUILDER = "embedder.networks.inception_resnet_v1:from_safetensors"

_BUILDERS = {
    RUN_BUILDER: RUN_BUILDER,
    "embedder.inception_resnet_v1:from_safetensors": RUN_BUILDER,  # as runs before version 0.2 call it
}
"""What a record may name, and what it is called today: a builder is code that runs."""

_BUILDER_OF_SUFFIX = {
    ".onnx": "embedder.network_files.onnx_file:from_onnx",
    ".tflite": "embedder.network_files.tflite_file:from_tflite",
    ".safetensors": RUN_BUILDER,
}

_LARGEST_RECORD = 1_000_000
"""Bytes. A record has some hundreds."""

_NOT_IN_RECORDS = {"weights_package", "fetched_as"}
"""What only built-in presets have: a record names a file beside it, and nothing else."""


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


def builder_of(network: Path) -> str:
    """Return what reads a network file, by its suffix.

    Raises
    ------
    WeightsError
        If no network of that suffix is read.
    """
    builder = _BUILDER_OF_SUFFIX.get(network.suffix.lower())
    if builder is None or builder == RUN_BUILDER:
        raise WeightsError(
            f"{network}: expected a network file, .onnx or .tflite, found {describe_kind(network)}; export it as ONNX "
            "(files of PyTorch and pickles are not read: they may run code)"
        )
    return builder


def read_record(path: Path) -> Any:
    """Return what the JSON file `path` of a preset holds.

    Raises
    ------
    WeightsError
        If it cannot be read, or is not JSON.
    """
    try:
        if path.stat().st_size > _LARGEST_RECORD:
            raise WeightsError(f"{path}: expected a preset of some lines, found {path.stat().st_size:,} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(
            f"{path}: expected the JSON file of a preset, but it cannot be read ({error.strerror}); check the path"
        ) from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: not JSON ({error}); correct the record") from None


def read_preset(path: Path) -> Preset:
    """Return the preset in the JSON file `path`.

    Raises
    ------
    WeightsError
        If the file cannot be read, or says something that no preset may; the message names the field.
    """
    record = read_record(path)
    _check_record(path, record)
    builder = record.get("builder", _BUILDER_OF_SUFFIX.get(Path(record["weights_file"]).suffix.lower()))
    # The record names a file beside it, and nothing else: a folder from elsewhere must not point into the system.
    places = {"weights_file": str(path.parent / record["weights_file"]), "weights_package": "", "fetched_as": ""}
    numbers = {name: tuple(record[name]) for name in ("mean", "scale") if isinstance(record.get(name), list)}
    return Preset(**record | places | numbers | {"builder": _BUILDERS.get(builder, builder)})


_Check = tuple[str, Callable[[Any], bool], str]

_CHECKS: list[_Check] = [
    ("name", lambda value: _is_text(value), "a word"),
    ("weights_file", lambda value: _is_text(value) and Path(value).name == value, "a file name without a folder"),
    (
        "weights_sha256",
        lambda value: _is_text(value) and len(value) == 64 and set(value) <= set("0123456789abcdef"),
        "64 hexadecimal digits",
    ),
    ("input_size", lambda value: _is_count(value), "a whole number of at least 1"),
    ("embedding_size", lambda value: _is_count(value), "a whole number of at least 1"),
    ("standardization", lambda value: value in STANDARDIZATIONS, " or ".join(STANDARDIZATIONS)),
    (
        "verification_threshold",
        lambda value: value is None or (isinstance(value, float) and 0 < value < 2),
        "a number or null",
    ),
    ("layout", lambda value: value in LAYOUTS, " or ".join(LAYOUTS)),
    ("channel_order", lambda value: value in CHANNEL_ORDERS, " or ".join(CHANNEL_ORDERS)),
    ("mean", lambda value: _are_channels(value), "a number, or three"),
    ("scale", lambda value: _are_channels(value, least=1e-6), "a number above 0, or three"),
    ("alignment", lambda value: _is_text(value) and value in CROPS, " or ".join(CROPS)),
    ("margin", lambda value: _is_number(value) and value >= 0, "a number of pixels, at least 0"),
    ("template", lambda value: value in list(FIVE_POINT_TEMPLATES), " or ".join(FIVE_POINT_TEMPLATES)),
    ("mirrored_copy", lambda value: isinstance(value, bool), "true or false"),
    *((name, lambda value: isinstance(value, str), "text") for name in ("output", "source", "licence", "accuracy")),
]


def _check_record(path: Path, record: Any) -> None:
    names = [field.name for field in fields(Preset)]
    if not isinstance(record, dict) or not set(record) <= set(names):
        unknown = f"`{min(set(record) - set(names))}` in " if isinstance(record, dict) else ""
        raise WeightsError(
            f"{path}: expected an object with some of {', '.join(n for n in names if n not in _NOT_IN_RECORDS)}, "
            f"got {unknown}{str(record)[:200]}"
        )
    for name, fits, expected in _CHECKS:
        value = record.get(name, getattr(Preset, name, None))
        if not fits(value):
            raise _wrong(path, f"`{name}` must be {expected}, got {value!r}")
    _check_together(path, record)


def _check_together(path: Path, record: dict[str, Any]) -> None:
    """Refuse fields that each are allowed, but not beside each other."""
    suffix = Path(record["weights_file"]).suffix.lower()
    if "builder" not in record and suffix not in _BUILDER_OF_SUFFIX:
        raise _wrong(
            path, f"`weights_file` must be one of {', '.join(_BUILDER_OF_SUFFIX)}, got {record['weights_file']!r}"
        )
    builder = record.get("builder", _BUILDER_OF_SUFFIX.get(suffix))
    if builder not in [*_BUILDERS, *_BUILDER_OF_SUFFIX.values()]:
        raise _wrong(path, f"`builder` must be {RUN_BUILDER}, got {builder!r}")
    scaled = [record.get("mean", FIXED_MEAN), record.get("scale", FIXED_SCALE)] != [FIXED_MEAN, FIXED_SCALE]
    if record.get("standardization") == "per_image" and scaled:
        raise _wrong(path, "`mean` and `scale` have no use beside the standardization per_image: leave them out")


def _wrong(path: Path, what: str) -> WeightsError:
    return WeightsError(f"{path}: {what}; correct the record")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _are_channels(value: Any, *, least: float = -math.inf) -> bool:
    values = value if isinstance(value, list) else [value]
    return len(values) in (1, 3) and all(_is_number(number) and number >= least for number in values)
