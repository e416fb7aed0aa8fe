"""Sources of photos and frames: images, folders, video files, cameras, streams.

In: addresses.
Out: `Frame`: an image with its number and time.
May import: foundation, foundation.plug_ins, embedder.images, embedder.videos.
"""

from typing import TYPE_CHECKING

from foundation import lazy_names

if TYPE_CHECKING:
    from recognition.sources.source import parse_source

__all__ = ["parse_source"]

__getattr__, __dir__ = lazy_names(__name__, {"parse_source": "source"})
