import os
from pathlib import Path

import pytest

from embedder.shards import Progress, cut_into_shards, run_shards


@pytest.mark.parametrize(("n", "n_jobs", "sizes"), [
    (0, 2, []), (1, 2, [1]), (100, 2, [16] * 6 + [4]), (1000, 2, [125] * 8), (1000, 1, [250] * 4),
    (10_000, 4, [256] * 39 + [16]),
])
def test_shards_hold_all_paths_in_order(n: int, n_jobs: int, sizes: list[int]) -> None:
    paths = [Path(f"{i}.jpg") for i in range(n)]
    shards = cut_into_shards(paths, n_jobs)
    assert [len(shard) for shard in shards] == sizes
    assert [path for shard in shards for path in shard] == paths


def test_progress_adds_up() -> None:
    assert Progress(1, 2, 3) + Progress(10, 20, 30) == Progress(11, 22, 33)


def pid_and_double(number: int) -> tuple[int, int]:
    return os.getpid(), 2 * number


def refuse_three(number: int) -> int:
    if number == 3:
        raise ValueError("not three")
    return number


def test_runs_in_other_processes_with_bounded_threads() -> None:
    done = list(run_shards(pid_and_double, range(10), n_jobs=2, threads_a_job=1))
    assert sorted(result for _, result in done) == list(range(0, 20, 2))
    assert os.getpid() not in {pid for pid, _ in done}
    assert set(run_shards(os.getenv, ["OMP_NUM_THREADS"], n_jobs=2, threads_a_job=1)) == {"1"}


def test_an_error_of_a_shard_is_raised() -> None:
    with pytest.raises(ValueError, match="not three"):
        list(run_shards(refuse_three, range(5), n_jobs=2, threads_a_job=1))


def test_a_watched_process_ends_only_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    from embedder import shards

    exits: list[int] = []
    parents = iter([7, 7, 1])
    monkeypatch.setattr(shards.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(shards.os, "_exit", exits.append)
    monkeypatch.setattr(shards, "_SECONDS_BETWEEN_LOOKS", 0)
    shards._watch(7)
    assert exits == [1] and next(parents, None) is None
