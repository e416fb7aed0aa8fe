"""Runs of `embed_folder` with stand-ins for the networks, and what they gave."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from embedder.pipeline.runner import embed_folder
from embedder.tables.table import EmbeddingTable, ImageLedger
from tests.embedder.fakes import FakeDetector, FakeEmbedder


def embed(photos: Path, out: Path, **options: Any) -> EmbeddingTable:
    return embed_folder(photos, out, **{"detector": FakeDetector(), "embedder": FakeEmbedder(), **options})


def same(one: EmbeddingTable, other: EmbeddingTable) -> bool:
    return same_columns(one, other) and same_columns(one.images, other.images)


def same_columns(one: EmbeddingTable | ImageLedger, other: EmbeddingTable | ImageLedger) -> bool:
    """Return whether the arrays of two tables or ledgers are equal."""
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)]
    arrays = [(a, b) for a, b in pairs if isinstance(a, np.ndarray)]
    return all(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in arrays)
