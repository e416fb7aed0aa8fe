"""Where the time of a run goes."""

import threading
import time
from pathlib import Path

import pytest

from embedder.pipeline.runner import update_table
from embedder.pipeline.settings import EmbedSettings
from embedder.pipeline.worker import STAGES, Progress, StageClock
from tests.embedder.fakes import FakeDetector, FakeEmbedder, write_photo


def test_the_seconds_of_all_threads_are_added_up_and_taken_once() -> None:
    clock = StageClock()
    wait = clock.timed("reading", time.sleep)
    threads = [threading.Thread(target=wait, args=(0.05,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reading, *others = clock.take()
    assert 0.15 <= reading < 5 and others == [0, 0, 0]
    assert clock.take() == (0, 0, 0, 0)


def test_time_that_ends_in_an_error_counts_too() -> None:
    clock = StageClock()

    def fail(seconds: float) -> None:
        time.sleep(seconds)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        clock.timed("writing", fail)(0.02)
    assert clock.take()[STAGES.index("writing")] >= 0.02


def test_a_run_says_where_its_time_went(tmp_path: Path) -> None:
    class SlowDetector(FakeDetector):
        def detect_batch(self, images):
            time.sleep(0.1)
            return super().detect_batch(images)

    class SlowEmbedder(FakeEmbedder):
        def embed(self, crops):
            time.sleep(0.05)
            return super().embed(crops)

    write_photo(tmp_path / "photos" / "Ada" / "1.png", 1)
    summary = update_table(
        tmp_path / "photos", tmp_path / "t.h5", EmbedSettings(), detector=SlowDetector(), embedder=SlowEmbedder()
    )
    assert list(summary.stage_seconds) == ["reading", "detecting", "embedding", "writing"]
    assert summary.to_json()["stage_seconds"] == summary.stage_seconds
    assert 0.1 <= summary.stage_seconds["detecting"] <= summary.seconds
    assert 0.05 <= summary.stage_seconds["embedding"] <= summary.seconds
    assert summary.stage_seconds["reading"] > 0
    again = update_table(
        tmp_path / "photos", tmp_path / "t.h5", EmbedSettings(), detector=FakeDetector(), embedder=FakeEmbedder()
    )
    assert set(again.stage_seconds.values()) == {0.0}


def test_progress_adds_up() -> None:
    assert Progress(1, 2, 3, (1, 2, 3, 4)) + Progress(10, 20, 30, (0, 0, 0, 1)) == Progress(11, 22, 33, (1, 2, 3, 5))
