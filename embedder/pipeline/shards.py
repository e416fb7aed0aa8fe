"""Work cut into shards: idempotent tasks that any process can do, each writing its own part files."""

from collections.abc import Sequence
from pathlib import Path

from embedder.pipeline.writer import MAX_PHOTOS_A_PART

_SHARDS_A_WORKER = 4
_MIN_PHOTOS_A_SHARD = 16


def cut_into_shards(paths: Sequence[Path], n_workers: int) -> list[tuple[Path, ...]]:
    """Cut `paths` into shards, small enough that `n_workers` end together and at most one part large.

    >>> [len(shard) for shard in cut_into_shards([Path("a.jpg")] * 100, 2)]
    [16, 16, 16, 16, 16, 16, 4]
    """
    size = -(-len(paths) // (n_workers * _SHARDS_A_WORKER))
    size = min(max(size, _MIN_PHOTOS_A_SHARD), MAX_PHOTOS_A_PART)
    return [tuple(paths[start : start + size]) for start in range(0, len(paths), size)]
