"""Run networks: weights files, networks written as ONNX, once, the cache that keeps them, sessions, int8.

In: weights files and the builders that read them.
Out: `Network`, which runs batches.
May import: foundation, embedder.hdf5.
"""

from typing import TYPE_CHECKING

from foundation import lazy_names

if TYPE_CHECKING:
    from embedder.runtime.cache import cache_folder
    from embedder.runtime.conversion import NetworkSource, load_network
    from embedder.runtime.session import Network

__all__ = ["Network", "NetworkSource", "cache_folder", "load_network"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {"Network": "session", "NetworkSource": "conversion", "cache_folder": "cache", "load_network": "conversion"},
)
