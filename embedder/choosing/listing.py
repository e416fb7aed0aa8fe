"""The presets there are to choose from: size, speed on this machine, accuracy, licence, and whether they are here."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from embedder.errors import WeightsError
from embedder.networks.joined import MEASURED_WEIGHTS, JoinedPreset, find_preset, load_embedder
from embedder.networks.preset import Preset
from embedder.networks.presets import DEFAULT_PRESET, JOINT, PRESETS
from foundation.errors import FacetableError

PROBE_SECONDS = 2.0

_CROPS_AT_ONCE = 8


@dataclass(frozen=True)
class PresetEntry:
    """What there is to know of a preset before it is chosen.

    Attributes
    ----------
    name : str
        What ``--preset`` takes.
    is_default : bool
    embedding_length : int
    megabytes : float or None
        Of the weights files; None where they are not here.
    faces_per_second : float or None
        Crops embedded a second on this machine; None where it was not measured.
    accuracy, licence : str
    missing : str
        Why it cannot be used now and what to do about it; empty where it can.
    """

    name: str
    is_default: bool
    embedding_length: int
    megabytes: float | None
    faces_per_second: float | None
    accuracy: str
    licence: str
    missing: str

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return asdict(self)


def known_presets() -> list[str]:
    """Return the names of the built-in presets and of those that are measured joined, the default first."""
    joined = [JOINT.join(name for name in weights) for weights in MEASURED_WEIGHTS.values()]
    return [DEFAULT_PRESET, *(name for name in PRESETS if name != DEFAULT_PRESET), *joined]


def list_presets(names: Iterable[str], *, with_speed: bool) -> list[PresetEntry]:
    """Return what there is to know of presets.

    Parameters
    ----------
    names : iterable of str
        As ``--preset`` takes them.
    with_speed : bool
        Embed for two seconds with each that is here.

    Raises
    ------
    ValueError, WeightsError
        If a name is unknown, or a record is damaged; a network that cannot be used is an entry that says so.
    """
    return [_entry(name, find_preset(name), with_speed=with_speed) for name in names]


def _entry(name: str, preset: Preset | JoinedPreset, *, with_speed: bool) -> PresetEntry:
    parts = preset.parts if isinstance(preset, JoinedPreset) else (preset,)
    megabytes = speed = None
    missing = ""
    try:
        files = [part.find_weights() for part in parts]
        absent = next((file for file in files if not file.is_file()), None)
        if absent is not None:
            raise WeightsError(f"{absent}: no such weights file; check the record")
        megabytes = sum(file.stat().st_size for file in files) / 1e6
        if with_speed:
            speed = measure_speed(preset, seconds=PROBE_SECONDS)
    except FacetableError as error:
        missing = str(error)
    length = sum(part.embedding_length for part in parts)
    return PresetEntry(name, name == DEFAULT_PRESET, length, megabytes, speed, preset.accuracy, preset.licence, missing)


def measure_speed(preset: Preset | JoinedPreset, *, seconds: float) -> float:
    """Return how many crops a second the network of `preset` embeds here, after one batch to warm up.

    Raises
    ------
    WeightsError, OSError
        If it cannot be loaded.
    """
    embedder = load_embedder(preset)
    shape = preset.crop_rule.shape
    crops = np.random.default_rng(0).integers(0, 256, (_CROPS_AT_ONCE, *shape), np.uint8)
    embedder.embed(crops)
    begun, n_done = time.perf_counter(), 0
    while n_done == 0 or time.perf_counter() - begun < seconds:
        embedder.embed(crops)
        n_done += len(crops)
    return n_done / (time.perf_counter() - begun)
