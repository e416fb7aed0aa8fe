"""Run networks with ONNX Runtime; Keras builds and converts them, once, in a child process.

A converted network lies in `cache_folder` under a name made of everything that decides its content, beside a small
JSON file with its SHA-256, so that a damaged entry is noticed and made again. The process that serves never imports
TensorFlow: conversion is ``python -m embedder.runtime``, a child with its own environment.
"""

import argparse
import hashlib
import importlib
import importlib.util
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.errors import WeightsError
from embedder.weights import check_sha256
from foundation.atomic import TEMPORARY_SUFFIX, atomic_path, write_bytes_atomically
from foundation.threads import thread_count

if TYPE_CHECKING:
    import keras
    import onnxruntime

CACHE_VARIABLE = "FACETABLE_CACHE"

CONVERTER_VERSION = 1
"""Part of every cache key: raise it whenever the conversion below, or how weights are read, changes its result."""

_CONVERSION_TOLERANCE = 1e-4
"""Largest difference, relative to the largest output, between Keras and the converted network on random input."""

_SPIN_MICROSECONDS = 20
"""How long a thread of ONNX Runtime waits busily for its next piece of work.

Enough to bridge the gap between two layers, where sleeping and waking costs more; ONNX Runtime's own 47 milliseconds
would take the cores from whatever decodes the next photo. Measured on two busy cores, embeddings a second in batches of
8: 24.6, against 21.0 without waiting and 17.4 with ONNX Runtime's own.
"""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NetworkSource:
    """What a network is made from.

    Attributes
    ----------
    name : str
        A word for file names and messages, such as ``"pnet"``.
    weights_path : Path
        The file the builder reads.
    weights_sha256 : str
        SHA-256 of that file in hexadecimal; another file is refused.
    builder : str
        ``"module:function"``; the function takes `weights_path` and returns a functional Keras model.
    """

    name: str
    weights_path: Path
    weights_sha256: str
    builder: str


class Network:
    """A converted network, ready to run.

    Attributes
    ----------
    path : Path
        The ONNX file in the cache.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self.path = path
        self._session = _start_session(path, threads)
        self._input = self._session.get_inputs()[0]

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of the batch that `run` takes, NHWC; None for what is free."""
        return _fixed_sizes(self._input.shape)

    @property
    def output_shapes(self) -> list[tuple[int | None, ...]]:
        """Shapes of the outputs; None for what depends on the input."""
        return [_fixed_sizes(output.shape) for output in self._session.get_outputs()]

    def run(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the network's outputs for the batch `x`, in the order of the Keras model's outputs.

        Parameters
        ----------
        x : np.ndarray
            float32, NHWC; the batch may have any length of at least 1.

        Raises
        ------
        ValueError
            If `x` is not a float32 array of the network's shape with at least one row.
        """
        expected = self.input_shape
        fits = x.ndim == len(expected) and all(a in (b, None) for a, b in zip(expected, x.shape, strict=True))
        if not fits or x.dtype != np.float32 or x.size == 0:
            shape = "(" + ", ".join("any" if size is None else str(size) for size in expected) + ")"
            raise ValueError(
                f"`x` must be a float32 array of shape {shape} with at least one row, got {x.dtype} of shape {x.shape}"
            )
        return tuple(self._session.run(None, {self._input.name: x}))


def _fixed_sizes(shape: Sequence[Any]) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in shape)


def load_network(source: NetworkSource, *, threads: int | None = None) -> Network:
    """Return the network of `source`, converting it first if the cache does not hold it.

    Parameters
    ----------
    source : NetworkSource
        What the network is made from.
    threads : int, optional
        Threads of one `Network.run`; by default `foundation.threads.thread_count`.

    Raises
    ------
    WeightsError
        If the weights are missing or not those of `source`, or the conversion fails.
    OSError
        If a conversion is needed and the cache folder cannot be written.
    ValueError
        If `threads` is less than 1.
    """
    return Network(convert(source), threads=threads)


def convert(source: NetworkSource) -> Path:
    """Return the cached ONNX file of `source`, converting the Keras model in a child process when there is none.

    Raises
    ------
    WeightsError, OSError
        As `load_network`.
    """

    def produce(target: Path) -> None:
        check_sha256(source.weights_path, source.weights_sha256)
        _announce(source.builder.partition(":")[0], source.weights_path.parent)
        run_child([source.builder, str(source.weights_path), str(target)], what=f"converting {source.name}")

    return cached_file(source.name, conversion_settings(source), produce)


@lru_cache
def _announce(builder_module: str, weights_folder: Path) -> None:
    """Say that networks are being converted, once for those that belong together, as MTCNN's three do."""
    name = builder_module.rpartition(".")[2].removesuffix("_networks")
    _logger.info("converting %s once for this machine, about half a minute, more on a busy one ...", name)


def conversion_settings(source: NetworkSource) -> list[str]:
    """Return all that decides what `convert` makes of `source`.

    Raises
    ------
    WeightsError
        If the builder's module does not exist.
    """
    return [source.weights_sha256, source.builder, _source_sha256(source.builder), str(CONVERTER_VERSION)]


def cache_folder() -> Path:
    """Return the folder of converted networks: ``FACETABLE_CACHE``, else the platform's cache folder of the user."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("facetable", appauthor=False)


def cached_file(name: str, settings: Sequence[str], produce: Callable[[Path], None], *, suffix: str = ".onnx") -> Path:
    """Return the file that `produce` makes from `settings`, from the cache where it is whole.

    Of several processes that need the same file one makes it and the others wait. The file appears in one step.

    Parameters
    ----------
    name : str
        Beginning of the file's name.
    settings : sequence of str
        All that decides the file's content.
    produce : callable
        Writes the file to the path it is given.
    suffix : str
        End of the file's name.

    Raises
    ------
    OSError
        If the file has to be made and the cache folder cannot be written.
    """
    key = hashlib.sha256("\0".join(settings).encode()).hexdigest()
    folder = cache_folder()
    safe_name = re.sub(r"[^\w.-]", "_", name)  # a name that a training run chose must not lead out of the folder
    target = folder / f"{safe_name}-{key[:16]}{suffix}"
    if _is_whole(target):
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make_locked(target, produce)
    except OSError as error:
        raise OSError(
            f"cannot write the cache folder {folder} ({error.strerror or error}); "
            f"set {CACHE_VARIABLE} to a folder with room that you may write to"
        ) from error
    return target


def _make_locked(target: Path, produce: Callable[[Path], None]) -> None:
    import filelock

    lock = filelock.FileLock(target.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0.2)
    except filelock.Timeout:
        _logger.info("waiting for another process that makes %s ...", target.name)
        lock.acquire()
    try:
        if not _is_whole(target):
            _make(target, produce)
    finally:
        lock.release()


def _make(target: Path, produce: Callable[[Path], None]) -> None:
    if target.exists():
        _logger.warning("%s is damaged and is made again", target)
    for leftover in target.parent.glob(f".{target.stem}.*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)  # of a run that was killed; whoever makes this file now holds the lock
    with atomic_path(target) as temporary:
        produce(temporary)
    write_bytes_atomically(_record_path(target), json.dumps({"sha256": _sha256(target)}).encode())


def _is_whole(path: Path) -> bool:
    try:
        record = json.loads(_record_path(path).read_text(encoding="utf-8"))
        return bool(record["sha256"] == _sha256(path))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _record_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _source_sha256(builder: str) -> str:
    spec = importlib.util.find_spec(builder.partition(":")[0])
    if spec is None or spec.origin is None:
        raise WeightsError(f"`builder` must name a function as 'module:function', got {builder!r}: no such module")
    return _sha256(Path(spec.origin))


def _start_session(path: Path, threads: int | None) -> "onnxruntime.InferenceSession":
    if threads is not None and threads < 1:
        raise ValueError(f"`threads` must be a whole number of at least 1, got {threads}; leave it out for all cores")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count() if threads is None else threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(_SPIN_MICROSECONDS))
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run_child(arguments: Sequence[str], *, what: str, module: str = "embedder.runtime") -> None:
    """Run ``python -m module`` with `arguments` in an environment of its own, where TensorFlow is quiet.

    Raises
    ------
    WeightsError
        If it fails; the message starts with `what` and ends with the last line the child wrote on standard error.
    """
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    # -P: modules that lie in the user's current folder must not hide real ones.
    command = [sys.executable, "-P", "-m", module, *arguments]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if finished.returncode != 0:
        lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit code {finished.returncode}"
        raise WeightsError(f"{what} failed: {reason}")


# What follows runs only in the child process.


def _main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m embedder.runtime", description="Convert a Keras network to ONNX.")
    parser.add_argument("builder", help="module:function that takes WEIGHTS and returns a keras.Model")
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path, help="the ONNX file to write")
    arguments = parser.parse_args(argv)
    module, _, function = arguments.builder.partition(":")
    try:
        export_onnx(getattr(importlib.import_module(module), function)(arguments.weights), arguments.target)
    except WeightsError as error:
        sys.exit(str(error))  # one line, for the parent's message


def export_onnx(model: "keras.Model", target: Path) -> None:
    """Write `model` to `target` as ONNX with a free batch length, after comparing both on random input.

    Raises
    ------
    WeightsError
        If the converted network gives other outputs than `model`.
    """
    sample = np.random.default_rng(0).standard_normal(_sample_shape(model.input_shape)).astype(np.float32)
    outputs = [np.asarray(output) for output in _as_list(model(sample, training=False))]
    model.export(target, format="onnx", verbose=False)
    _check_conversion(target, sample, outputs)


def _check_conversion(path: Path, sample: np.ndarray, expected: list[np.ndarray]) -> None:
    got = Network(path).run(sample)
    if [a.shape for a in got] != [b.shape for b in expected]:
        raise WeightsError(
            f"the converted network has outputs of shapes {[a.shape for a in got]}, "
            f"the Keras network of {[b.shape for b in expected]}"
        )
    for a, b in zip(got, expected, strict=True):
        difference = float(np.abs(a - b).max())
        if not difference <= _CONVERSION_TOLERANCE * max(1.0, float(np.abs(b).max())):
            raise WeightsError(
                f"the converted network differs from the Keras network by {difference:.2g}, "
                f"expected at most {_CONVERSION_TOLERANCE:g}"
            )


def _sample_shape(input_shape: Sequence[int | None]) -> tuple[int, ...]:
    return (2, *(64 if size is None else size for size in input_shape[1:]))


def _as_list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


if __name__ == "__main__":
    _main()
