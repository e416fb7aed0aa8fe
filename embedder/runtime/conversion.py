"""Write networks as ONNX from the files their weights come in, once on each machine; load what was written.

A converted network lies in `cache_folder` under a name made of everything that decides its content, beside a small
JSON file with its SHA-256, so that a damaged entry is noticed and made again.
"""

import importlib
import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from embedder.errors import WeightsError
from embedder.runtime.cache import cached_file
from embedder.runtime.session import Network
from embedder.runtime.weights import check_sha256
from foundation.formats import hash_file

if TYPE_CHECKING:
    import onnx

CONVERTER_VERSION = 3
"""Part of every cache key: raise it whenever how weights are read, or how a network is written, changes its result."""

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
        ``"module:function"``; the function takes `weights_path` and returns an ``onnx.ModelProto`` with one input,
        float32 ``(n, h, w, channels)``.
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
        If the weights are missing, damaged or not those of `source`.
    OSError
        If the cache folder cannot be used, see `embedder.runtime.cache.open_cache_folder`.
    ValueError
        If `threads` is less than 1.
    """
    return Network(convert(source), threads=threads)


def convert(source: NetworkSource) -> Path:
    """Return the cached ONNX file of `source`, writing it when there is none.

    Raises
    ------
    WeightsError, OSError
        As `load_network`.
    """

    def produce(target: Path) -> None:
        check_sha256(source.weights_path, source.weights_sha256)
        _announce(source.builder.partition(":")[0], source.weights_path.parent)
        target.write_bytes(_builder(source.builder)(source.weights_path).SerializeToString())

    return cached_file(source.name, conversion_settings(source), produce)


@lru_cache
def _announce(builder_module: str, weights_folder: Path) -> None:
    """Say that networks are being converted, once for those that belong together, as MTCNN's three do."""
    name = builder_module.rpartition(".")[2].removesuffix("_networks").removesuffix("_file")
    _logger.info("converting %s once for this machine ...", name)


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


def _builder(builder: str) -> "Callable[[Path], onnx.ModelProto]":
    module, _, function = builder.partition(":")
    found: Callable[[Path], onnx.ModelProto] = getattr(importlib.import_module(module), function)
    return found
