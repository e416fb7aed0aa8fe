from pathlib import Path

import pytest

from embedder.pipeline.shards import cut_into_shards
from embedder.pipeline.worker import Progress


@pytest.mark.parametrize(
    ("n", "n_jobs", "sizes"),
    [
        (0, 2, []),
        (1, 2, [1]),
        (100, 2, [16] * 6 + [4]),
        (1000, 2, [125] * 8),
        (1000, 1, [250] * 4),
        (10_000, 4, [256] * 39 + [16]),
    ],
)
def test_shards_hold_all_paths_in_order(n: int, n_jobs: int, sizes: list[int]) -> None:
    paths = [Path(f"{i}.jpg") for i in range(n)]
    shards = cut_into_shards(paths, n_jobs)
    assert [len(shard) for shard in shards] == sizes
    assert [path for shard in shards for path in shard] == paths


def test_progress_adds_up() -> None:
    assert Progress(1, 2, 3, (1, 2, 3, 4)) + Progress(10, 20, 30, (0, 0, 0, 1)) == Progress(11, 22, 33, (1, 2, 3, 5))
