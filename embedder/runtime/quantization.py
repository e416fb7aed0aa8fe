"""Networks in 8-bit integer arithmetic, made from the converted ones.

The scheme is Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", 2018 (arXiv:1712.05877): every activation is an unsigned byte with one scale per tensor, every weight a
signed byte with one scale per output channel. Weights use seven bits only, because AVX2 adds two products in 16 bits
and would saturate with eight. The range of each activation was measured once on real crops and is shipped as a small
file, so that every machine builds the same network, without photos.
"""

import argparse
import importlib.metadata
import importlib.resources
import json
import logging
import platform
import re
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.errors import WeightsError
from embedder.runtime.cache import cached_file
from embedder.runtime.conversion import NetworkSource, conversion_settings, convert, load_network, run_child
from embedder.runtime.session import Network
from foundation.atomic import write_bytes_atomically
from foundation.text import pluralize
from foundation.threads import thread_count

if TYPE_CHECKING:
    import onnx

QUANTIZER_VERSION = 1
"""Part of every cache key: raise it whenever the quantization below changes its result."""

SHIPPED_RANGES = Path(str(importlib.resources.files("embedder"))) / "int8"

RUN_RANGES_FILE = "int8.json"
"""The ranges of a training run's network, in its folder."""

Ranges = dict[str, tuple[float, float]]
"""Smallest and largest value of each activation, by the name of the Keras layer it comes from."""

_QUANTIZED_OPS = ("Conv", "Relu", "Add", "Concat", "MaxPool")
"""Quantized up to the global pooling; what follows takes 3 % of the time and in fp32 keeps the vectors closer."""

_LAYER_OF_TENSOR = re.compile(r"[^/]+/(?P<layer>[^/]+?)(?:_\d+)?/[^/]+:\d+")

_PROBE_SECONDS = 1.0
_PROBE_BATCH = 4

_logger = logging.getLogger(__name__)


def load_faster(source: NetworkSource, *, threads: int | None = None) -> tuple[Network, str]:
    """Return the int8 network of `source` and ``"int8"``, or the fp32 one and ``"fp32"`` where int8 is no faster.

    A probe of one second decides, once for each kind of processor and number of threads.

    Raises
    ------
    WeightsError
        If no activation ranges exist for these weights, or as `embedder.runtime.conversion.load_network`.
    OSError, ValueError
        As `embedder.runtime.conversion.load_network`.
    """
    path = quantize(source)
    ratio = _cached_ratio(source, path, threads=threads)
    if ratio > 1:
        return Network(path, threads=threads), "int8"
    _logger.warning("int8 is no faster than fp32 on this machine (%.2f times as fast); using fp32", ratio)
    return load_network(source, threads=threads), "fp32"


def quantize(source: NetworkSource) -> Path:
    """Return the cached ONNX file of the int8 network of `source`, making it in a child process when there is none.

    Raises
    ------
    WeightsError, OSError
        As `load_faster`.
    """
    ranges_path = find_ranges(source)

    def produce(target: Path) -> None:
        network = convert(source)
        _logger.info("quantizing %s once for this machine ...", source.name)
        arguments = [str(network), str(ranges_path), str(target)]
        run_child(arguments, what=f"quantizing {source.name}", module="embedder.runtime.quantization")

    settings = [*conversion_settings(source), ranges_path.read_text(encoding="utf-8"), str(QUANTIZER_VERSION)]
    return cached_file(f"{source.name}-int8", settings, produce)


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
    fold_scales(model)
    keys = _keys_of_tensors(model)
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


def _cached_ratio(source: NetworkSource, int8: Path, *, threads: int | None) -> float:
    def produce(target: Path) -> None:
        fp32 = load_network(source, threads=threads)
        _logger.info("comparing int8 with fp32 on this machine ...")
        ratio = speed_ratio(Network(int8, threads=threads), fp32)
        target.write_text(f"{ratio:.3f}\n", encoding="utf-8")

    n_threads = thread_count() if threads is None else threads
    settings = [int8.stem, _processor(), str(n_threads), importlib.metadata.version("onnxruntime")]
    return float(cached_file(f"{int8.stem}-probe", settings, produce, suffix=".txt").read_text(encoding="utf-8"))


def speed_ratio(fast: Network, slow: Network, *, seconds: float = _PROBE_SECONDS) -> float:
    """Return how many times as fast `fast` is as `slow`, by the medians of about `seconds` of alternating runs."""
    shape = tuple(_PROBE_BATCH if size is None else size for size in fast.input_shape)
    x = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    times: dict[Network, list[float]] = {fast: [], slow: []}
    for network in times:
        network.run(x)  # the first run also allocates
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not times[slow]:
        for network, durations in times.items():
            start = time.perf_counter()
            network.run(x)
            durations.append(time.perf_counter() - start)
    return statistics.median(times[slow]) / statistics.median(times[fast])


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1] if match else platform.processor()


# What follows runs in the child process, or where ranges are measured.


def fold_scales(model: "onnx.ModelProto") -> None:
    """Fold each multiplication by a constant number into the convolution before it, in place.

    As floating point ONNX Runtime does so itself, but a multiplication left between quantized nodes would stay one.
    """
    from onnx import numpy_helper

    graph = model.graph
    arrays = {array.name: array for array in graph.initializer}
    convolutions = {node.output[0]: node for node in graph.node if node.op_type == "Conv"}
    uses: dict[str, int] = {}
    for node in graph.node:
        for name in node.input:
            uses[name] = uses.get(name, 0) + 1
    for node in [node for node in graph.node if node.op_type == "Mul"]:
        scaled, factor = node.input
        if scaled not in convolutions or uses[scaled] != 1 or factor not in arrays:
            continue
        scale = numpy_helper.to_array(arrays[factor])
        if scale.size != 1:
            continue
        for name in convolutions[scaled].input[1:]:
            arrays[name].CopyFrom(numpy_helper.from_array(numpy_helper.to_array(arrays[name]) * scale.item(), name))
        for reader in graph.node:
            reader.input[:] = [scaled if name == node.output[0] else name for name in reader.input]
        graph.node.remove(node)


def _keys_of_tensors(model: "onnx.ModelProto") -> dict[str, str]:
    """Return the tensors that carry a range, each with its key in the ranges file: the Keras layer it comes from."""
    graph = model.graph
    images = {node.output[0]: "images" for node in graph.node if node.input[:1] == [graph.input[0].name]}
    keys = dict(images)
    for node in _nodes_to_quantize(model):
        match = _LAYER_OF_TENSOR.fullmatch(node.output[0])
        if match:
            keys[node.output[0]] = match["layer"]
    if len(set(keys.values())) != len(keys):
        raise WeightsError(
            "two activations of the network come from one layer; "
            "expected names as embedder.runtime.conversion.export_onnx gives them"
        )
    return keys


def _nodes_to_quantize(model: "onnx.ModelProto") -> "list[onnx.NodeProto]":
    types = [node.op_type for node in model.graph.node]
    end = types.index("GlobalAveragePool") if "GlobalAveragePool" in types else len(types)
    return [node for node in model.graph.node[:end] if node.op_type in _QUANTIZED_OPS]


def quantized(model: "onnx.ModelProto", ranges: Ranges) -> "onnx.ModelProto":
    """Return the int8 network of the fp32 `model`.

    Raises
    ------
    WeightsError
        If a range is missing.
    """
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import CalibrationMethod, TensorData, TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    fold_scales(model)
    nodes, keys = _nodes_to_quantize(model), _keys_of_tensors(model)
    missing = sorted(set(keys.values()) - ranges.keys())
    if missing:
        raise WeightsError(
            f"the activation ranges lack {pluralize(len(missing), 'layer')} of this network "
            f"({missing[0]}, ...); they belong to another network: measure them again with python "
            "-m experiments.int8_ranges"
        )
    data = {
        tensor: TensorData(lowest=np.float32(ranges[key][0]), highest=np.float32(ranges[key][1]))
        for tensor, key in keys.items()
    }
    # A rectifier disappears into the clipping of its quantized input, which so has the range of its output.
    data |= {node.input[0]: data[node.output[0]] for node in nodes if node.op_type == "Relu"}
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=True,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, data),
        nodes_to_exclude=[],
        nodes_to_quantize=[node.name for node in nodes],
        op_types_to_quantize=list(_QUANTIZED_OPS),
        extra_options={},
    )
    quantizer.quantize_model()
    result: Any = quantizer.model.model
    return result


def _main(argv: Sequence[str] | None = None) -> None:
    import onnx

    parser = argparse.ArgumentParser(prog="python -m embedder.runtime.quantization", description="Quantize a network.")
    parser.add_argument("network", type=Path, help="a converted fp32 network")
    parser.add_argument("ranges", type=Path, help="its activation ranges")
    parser.add_argument("target", type=Path, help="the ONNX file to write")
    arguments = parser.parse_args(argv)
    try:
        model = quantized(onnx.load(arguments.network), read_ranges(arguments.ranges))
    except WeightsError as error:
        sys.exit(str(error))  # one line, for the parent's message
    onnx.save(model, arguments.target)


if __name__ == "__main__":
    _main()
