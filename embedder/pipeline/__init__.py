"""A folder of photos to an embedding table, resumable at any moment, in one process or many.

In: a folder and `EmbedSettings`.
Out: a table file and an `EmbedSummary`.
May import: foundation, embedder.images, embedder.videos, embedder.detection, embedder.finding, embedder.networks,
embedder.tables, embedder.engines.
"""

from typing import TYPE_CHECKING

from foundation import lazy_names

if TYPE_CHECKING:
    from embedder.pipeline.runner import embed_folder, update_table

__all__ = ["embed_folder", "update_table"]

__getattr__, __dir__ = lazy_names(__name__, {"embed_folder": "runner", "update_table": "runner"})
