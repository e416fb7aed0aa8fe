"""Activation ranges of networks: measured once on real crops, kept as small JSON files, shipped for the presets."""

import importlib.resources
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from embedder.errors import WeightsError
from embedder.runtime.conversion import NetworkSource
from embedder.runtime.int8_graph import keys_of_tensors
from foundation.atomic import write_bytes_atomically
from foundation.threads import thread_count

SHIPPED_RANGES = Path(str(importlib.resources.files("embedder"))) / "int8"
"""One file for the weights of each preset, named by the first twelve digits of their SHA-256."""

RUN_RANGES_FILE = "int8.json"
"""The ranges of a training run's network, in its folder."""

Ranges = dict[str, tuple[float, float]]
"""Smallest and largest value of each activation, by the name of the layer it comes from."""


def find_ranges(source: NetworkSource) -> Path:
    """Return the file with the activation ranges for the weights of `source`.

    Raises
    ------
    WeightsError
        If there is none, shipped or beside the weights.
    """
    shipped = SHIPPED_RANGES / f"{source.weights_sha256[:12]}.json"
    for path in (shipped, source.weights_path.with_name(RUN_RANGES_FILE)):
        if path.is_file():
            return path
    raise WeightsError(
        f"`precision` int8 needs the activation ranges of {source.name}, and there is no {shipped.name} "
        f"in {SHIPPED_RANGES}; use fp32, or measure them with python -m experiments.int8_ranges"
    )


def measure_ranges(network: Path, batches: Iterable[np.ndarray], *, threads: int | None = None) -> Ranges:
    """Return the smallest and largest value of every activation of the fp32 `network` over all `batches`.

    Parameters
    ----------
    network : Path
        A converted fp32 network.
    batches : iterable of np.ndarray
        Standardized crops, float32 NHWC.
    threads : int, optional
        As for `embedder.runtime.session.Network`.
    """
    import onnx
    import onnxruntime

    model = onnx.load(network)
    keys = keys_of_tensors(model)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=tensor) for tensor in keys)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count() if threads is None else threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    ranges: Ranges = {}
    for batch in batches:
        outputs = session.run(list(keys), {session.get_inputs()[0].name: batch})
        for key, output in zip(keys.values(), outputs, strict=True):
            low, high = ranges.get(key, (np.inf, -np.inf))
            ranges[key] = min(low, float(output.min())), max(high, float(output.max()))
    return ranges


def write_ranges(path: Path, ranges: Ranges, *, measured_on: str) -> None:
    """Write `ranges` to `path`, saying what they were `measured_on`.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    rounded = {key: [float(f"{value:.5g}") for value in pair] for key, pair in sorted(ranges.items())}
    lines = ",\n".join(f"    {json.dumps(key)}: {json.dumps(pair)}" for key, pair in rounded.items())
    text = f'{{\n  "measured_on": {json.dumps(measured_on)},\n  "ranges": {{\n{lines}\n  }}\n}}\n'
    write_bytes_atomically(path, text.encode("utf-8"))


def read_no_gain(path: Path) -> float | None:
    """Return how many times as fast int8 was where it was found not to be worth it, None where it is offered.

    Such a network has that number, `no_gain`, in its file instead of ranges.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return float(record["no_gain"]) if "no_gain" in record else None
    except (ValueError, TypeError):
        return None  # `read_ranges` says what is wrong


def read_ranges(path: Path) -> Ranges:
    """Read what `write_ranges` wrote.

    Raises
    ------
    WeightsError
        If the file is damaged.
    """
    try:
        ranges = json.loads(path.read_text(encoding="utf-8"))["ranges"]
        return {key: (float(low), float(high)) for key, (low, high) in ranges.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"{path}: expected activation ranges, got something else ({error!r}); "
            "measure them again with python -m experiments.int8_ranges"
        ) from None
