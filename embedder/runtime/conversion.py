"""Convert Keras networks to ONNX, once on each machine, in a child process; load what was converted.

A converted network lies in `cache_folder` under a name made of everything that decides its content, beside a small
JSON file with its SHA-256, so that a damaged entry is noticed and made again. The process that serves never imports
TensorFlow: conversion is ``python -m embedder.runtime.conversion``, a child with its own environment.
"""

import argparse
import importlib
import importlib.util
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.errors import WeightsError
from embedder.runtime.cache import cached_file
from embedder.runtime.session import Network
from embedder.runtime.weights import check_sha256
from foundation.formats import hash_file

if TYPE_CHECKING:
    import keras


CONVERTER_VERSION = 1
"""Part of every cache key: raise it whenever the conversion below, or how weights are read, changes its result."""

_CONVERSION_TOLERANCE = 1e-4
"""Largest difference, relative to the largest output, between Keras and the converted network on random input."""


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


def _source_sha256(builder: str) -> str:
    spec = importlib.util.find_spec(builder.partition(":")[0])
    if spec is None or spec.origin is None:
        raise WeightsError(f"`builder` must name a function as 'module:function', got {builder!r}: no such module")
    return hash_file(Path(spec.origin))


def run_child(arguments: Sequence[str], *, what: str, module: str = "embedder.runtime.conversion") -> None:
    """Run ``python -m module`` with `arguments` in an environment of its own, where TensorFlow is quiet.

    Raises
    ------
    WeightsError
        If it fails; the message starts with `what` and ends with the last line the child wrote on standard error.
    """
    root = str(Path(__file__).resolve().parents[2])
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
    parser = argparse.ArgumentParser(
        prog="python -m embedder.runtime.conversion", description="Convert a Keras network to ONNX."
    )
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
