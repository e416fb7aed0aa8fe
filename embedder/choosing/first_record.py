"""A first record of a foreign network: what its file tells, and guesses for what no file tells."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from embedder.errors import WeightsError
from embedder.networks.face_embedder import FaceEmbedder, load_fp32
from embedder.networks.preset import Preset
from embedder.networks.preset_file import builder_of
from embedder.runtime.conversion import NetworkSource
from embedder.runtime.session import Network
from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from foundation.formats import hash_file
from foundation.paths import display_path, storable_text

GUESSED = ("channel_order", "mean", "scale", "alignment", "margin", "mirrored_copy")
"""What no network's file tells: a wrong value raises no error, it only makes vectors worse."""

_USUAL_SIZE = 112
"""Side in pixels for a network of any size: what most of today's take."""

_SIZE_OF_BOXES = 160
"""Networks of this input size descend from FaceNet, whose faces are cut out by their boxes."""

_COLOURS = 3


def first_preset(network: Path, *, name: str = "", output: str = "", threads: int | None = None) -> Preset:
    """Return a preset for the network of an ONNX or TFLite file, after trying it out on noise.

    Parameters
    ----------
    network : Path
    name : str
        Default: the file's name.
    output : str
        Which output is the vector, where there are several.
    threads : int, optional
        As in `FaceEmbedder`.

    Returns
    -------
    Preset
        Layout, sizes and output as the file has them; `GUESSED` fields as most networks of its input size have them.

    Raises
    ------
    WeightsError
        If the file is none of these, or its network cannot serve, with what it lacks.
    """
    sha256 = hash_file(network)
    named = name or storable_text(network.stem)
    source = NetworkSource(named, network, sha256, builder_of(network))
    loaded = load_fp32(source, threads=threads)
    layout, size, is_free = _input(network, loaded)
    preset = Preset(
        name=named,
        builder=source.builder,
        weights_file=str(network),
        weights_sha256=sha256,
        input_size=size,
        layout=layout,
        output=_output(network, loaded, output),
        alignment="box" if size == _SIZE_OF_BOXES and not is_free else "five_points",
        source=storable_text(network.name),
    )
    preset = replace(preset, embedding_size=_embedding_size(network, loaded, preset))
    FaceEmbedder(preset, threads=threads)  # refuses what is not deterministic, not finite or always the same
    return preset


def write_record(path: Path, preset: Preset) -> None:
    """Write the record of `preset` beside its network; what is as in most records is left out.

    Raises
    ------
    ValueError
        If `path` lies in another folder than the network, is no ``.json`` file, or is there already.
    OSError
        If it cannot be written.
    """
    network = Path(preset.weights_file)
    check_record_path(path, network)
    always = ("name", "weights_sha256", "input_size", "embedding_size", "layout", "channel_order", "alignment")
    defaults = {field: getattr(Preset, field, None) for field in asdict(preset)}
    changed = {name: value for name, value in asdict(preset).items() if name in always or value != defaults[name]}
    is_fixed = preset.standardization == "fixed"
    record: dict[str, Any] = {
        **{name: value for name, value in changed.items() if name != "builder"},
        "weights_file": storable_text(network.name),
        **({"mean": preset.mean, "scale": preset.scale} if is_fixed else {}),
        **({"margin": preset.margin} if preset.alignment == "box" else {"template": preset.template}),
    }
    order = ["name", "weights_file", "weights_sha256"]
    record = {name: record[name] for name in [*order, *(name for name in record if name not in order)]}
    write_bytes_atomically(path, (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode())


def check_record_path(path: Path, network: Path) -> None:
    """Refuse a place where a record cannot stand.

    Raises
    ------
    ValueError
        As `write_record`.
    """
    shown = display_path(path)
    if path.suffix != ".json":
        raise InputError(f"{shown}: expected a name that ends in .json for the record; give another -o")
    if path.resolve().parent != network.resolve().parent:
        raise InputError(
            f"{shown}: expected the record beside its network, in {display_path(network.parent)}; give a name there"
        )
    if path.exists():
        raise InputError(f"{shown}: is there already; delete it or give another name with -o")


def _input(file: Path, network: Network) -> tuple[str, int, bool]:
    """Return layout, side in pixels, and whether the side was free."""
    shape = network.input_shape
    places = {"NCHW": (1, (2, 3)), "NHWC": (3, (1, 2))}
    fitting = [layout for layout, (channels, _) in places.items() if shape[channels] == _COLOURS]
    if not fitting:
        raise WeightsError(
            f"{file}: expected a network of colour pictures, (n, 3, h, w) or (n, h, w, 3), found "
            f"({', '.join('any' if side is None else str(side) for side in shape)}); take another network"
        )
    height, width = (shape[axis] for axis in places[fitting[0]][1])
    if height != width:
        raise WeightsError(f"{file}: expected a network of square pictures, found {height} x {width}; take another")
    return fitting[0], _USUAL_SIZE if height is None else height, height is None


def _output(file: Path, network: Network, wanted: str) -> str:
    names = network.output_names
    if wanted:
        if wanted not in names:
            raise InputError(f"`output` must be one of {', '.join(names)}, got {wanted!r}")
        return wanted if len(names) > 1 else ""
    if len(names) > 1:
        shapes = [
            f"{name} ({', '.join('any' if side is None else str(side) for side in shape)})"
            for name, shape in zip(names, network.output_shapes, strict=True)
        ]
        raise WeightsError(
            f"{file}: expected a network with one output, found {len(names)}: {', '.join(shapes)}; say which is the "
            "vector with --output NAME"
        )
    return ""


def _embedding_size(file: Path, network: Network, preset: Preset) -> int:
    """Return the length of the vector that the network gives of one picture of noise."""
    noise = np.random.default_rng(0).integers(0, 256, (1, preset.input_size, preset.input_size, 3), np.uint8)
    index = network.output_names.index(preset.output) if preset.output else 0
    try:
        shape = network.run(preset.standardize(noise))[index].shape
    except Exception as error:  # ONNX Runtime's own, of many kinds
        raise WeightsError(
            f"{file}: expected a network that takes crops of {preset.input_size} pixels, found one that does not "
            f"run on them ({' '.join(str(error).split())[:200]}); export it again"
        ) from error
    if len(shape) < 2 or shape[0] != 1 or sum(side != 1 for side in shape[1:]) > 1 or math.prod(shape) < 2:
        raise WeightsError(
            f"{file}: expected an output that is a vector for each picture, such as (n, 512), found {shape} for one; "
            "cut the network off at its embedding"
        )
    return math.prod(shape)


def describe_pixels(preset: Preset) -> str:
    """Return how pixels are scaled, in a few words.

    >>> describe_pixels(Preset("a", "", "", ""))
    '(x - 127.5) / 128'
    """
    if preset.standardization == "per_image":
        return "per image"
    if preset.mean == 0:
        return "x" if preset.scale == 1 else f"x / {preset.scale:g}"
    if isinstance(preset.mean, tuple) or isinstance(preset.scale, tuple):
        return "by channel"
    return f"(x - {preset.mean:g}) / {preset.scale:g}"


def describe_cut(preset: Preset) -> str:
    """Return how faces are cut out, in a few words.

    >>> describe_cut(Preset("a", "", "", ""))
    'box, margin 32'
    """
    return f"box, margin {preset.margin:g}" if preset.alignment == "box" else f"five points, {preset.template}"
