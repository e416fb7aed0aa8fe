"""Runs of `embed_folder` with stand-ins for the networks, and what they gave."""

from pathlib import Path
from typing import Any

import numpy as np

from embedder.pipeline.runner import embed_folder
from embedder.tables.table import EmbeddingTable
from tests.embedder.fakes import FakeDetector, FakeEmbedder


def embed(photos: Path, out: Path, **options: Any) -> EmbeddingTable:
    return embed_folder(photos, out, **{"detector": FakeDetector(), "embedder": FakeEmbedder(), **options})


def same(one: EmbeddingTable, other: EmbeddingTable) -> bool:
    return (
        one.to_frame().equals(other.to_frame())
        and np.array_equal(one.embeddings, other.embeddings)
        and (one.images.to_frame().equals(other.images.to_frame()))
    )
