"""Quantize converted networks to 8-bit integer arithmetic, where that is faster on this machine.

The scheme is Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", 2018 (arXiv:1712.05877): every activation is an unsigned byte with one scale per tensor, every weight a
signed byte with one scale per output channel. Weights use seven bits only, because AVX2 adds two products in 16 bits
and would saturate with eight. The range of each activation was measured once on real crops and is shipped as a small
file, so that every machine builds the same network, without photos.
"""

import argparse
import importlib.metadata
import logging
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embedder.errors import WeightsError
from embedder.runtime.activation_ranges import Ranges, find_ranges, read_no_gain, read_ranges
from embedder.runtime.cache import cached_file
from embedder.runtime.conversion import NetworkSource, conversion_settings, convert, load_network
from embedder.runtime.int8_graph import QUANTIZED_OPS, keys_of_tensors, nodes_to_quantize
from embedder.runtime.onnx_quantizer import quantize_graph
from embedder.runtime.session import Network
from foundation.errors import FacetableError
from foundation.text import pluralize
from foundation.threads import CPU, device_name, thread_count

if TYPE_CHECKING:
    import onnx

QUANTIZER_VERSION = 2
"""Part of every cache key: raise it whenever the quantization below changes its result."""


_PROBE_SECONDS = 1.0
_PROBE_BATCH = 4

_logger = logging.getLogger(__name__)


def load_faster(source: NetworkSource, *, threads: int | None = None) -> tuple[Network, str]:
    """Return the int8 network of `source` and ``"int8"``, or the fp32 one and ``"fp32"`` where int8 is no faster.

    A probe of one second decides, once for each kind of processor and number of threads, unless int8 was found to gain
    this network nothing.

    Raises
    ------
    WeightsError
        If no activation ranges exist for these weights, or as `embedder.runtime.conversion.load_network`.
    OSError, ValueError
        As `embedder.runtime.conversion.load_network`.
    """
    no_gain = read_no_gain(find_ranges(source))
    if no_gain is not None:
        _logger.warning("int8 gains %s nothing (%.2f times as fast as fp32); using fp32", source.name, no_gain)
        return load_network(source, threads=threads), "fp32"
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
        _run_child(arguments, what=f"quantizing {source.name}")

    settings = [*conversion_settings(source), ranges_path.read_text(encoding="utf-8"), str(QUANTIZER_VERSION)]
    return cached_file(f"{source.name}-int8", settings, produce)


def _run_child(arguments: Sequence[str], *, what: str) -> None:
    """Quantize in a process of its own, whose memory and log lines are not ours."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # -P: modules that lie in the user's current folder must not hide real ones.
    command = [sys.executable, "-P", "-m", "embedder.runtime.quantization", *arguments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if finished.returncode != 0:
        lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit code {finished.returncode}"
        raise WeightsError(f"{what} failed: {reason}")


def _cached_ratio(source: NetworkSource, int8: Path, *, threads: int | None) -> float:
    def produce(target: Path) -> None:
        fp32 = load_network(source, threads=threads)
        _logger.info("comparing int8 with fp32 on this machine ...")
        ratio = speed_ratio(Network(int8, threads=threads), fp32)
        target.write_text(f"{ratio:.3f}\n", encoding="utf-8")

    n_threads = thread_count() if threads is None else threads
    settings = [int8.stem, _processor(), str(n_threads), importlib.metadata.version("onnxruntime")]
    if device_name() != CPU:
        settings.append(device_name())
    return float(cached_file(f"{int8.stem}-probe", settings, produce, suffix=".txt").read_text(encoding="utf-8"))


def speed_ratio(fast: Network, slow: Network, *, seconds: float = _PROBE_SECONDS) -> float:
    """Return how many times as fast `fast` is as `slow`, by the medians of alternating runs.

    Parameters
    ----------
    fast, slow : Network
        Of the same input shape; a free batch length is taken as 4.
    seconds : float
        How long to measure; longer forgives more of what else the machine does.
    """
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


# What follows runs in the child process.


def quantized(model: "onnx.ModelProto", ranges: Ranges) -> "onnx.ModelProto":
    """Return the int8 network of the fp32 `model`, which is used up.

    Raises
    ------
    WeightsError
        If a range is missing.
    QuantizerError
        If the installed ONNX Runtime cannot quantize.
    """
    nodes, keys = nodes_to_quantize(model), keys_of_tensors(model)
    missing = sorted(set(keys.values()) - ranges.keys())
    if missing:
        raise WeightsError(
            f"the activation ranges lack {pluralize(len(missing), 'layer')} of this network "
            f"({missing[0]}, ...); they belong to another network: measure them again with python "
            "-m experiments.int8_ranges"
        )
    of_tensors = {tensor: ranges[key] for tensor, key in keys.items()}
    of_tensors |= {node.input[0]: of_tensors[node.output[0]] for node in nodes if node.op_type == "Relu"}
    return quantize_graph(model, of_tensors, nodes=[node.name for node in nodes], op_types=QUANTIZED_OPS)


def _main(argv: Sequence[str] | None = None) -> None:
    import onnx

    parser = argparse.ArgumentParser(prog="python -m embedder.runtime.quantization", description="Quantize a network.")
    parser.add_argument("network", type=Path, help="a converted fp32 network")
    parser.add_argument("ranges", type=Path, help="its activation ranges")
    parser.add_argument("target", type=Path, help="the ONNX file to write")
    arguments = parser.parse_args(argv)
    try:
        model = quantized(onnx.load(arguments.network), read_ranges(arguments.ranges))
    except FacetableError as error:
        sys.exit(str(error))  # one line, for the parent's message
    onnx.save(model, arguments.target)


if __name__ == "__main__":
    _main()
