from pathlib import Path

import numpy as np

from recognition.recorder import Recorder
from recognition.videos import VideoFile

IMAGE = np.full((48, 64, 3), 90, np.uint8)


def n_frames_of(tmp_path: Path, times_s: list[float], *, is_live: bool) -> int:
    recorder = Recorder(tmp_path / "a.mp4", 25, is_live=is_live)
    for time_s in times_s:
        recorder.write(IMAGE, time_s)
    recorder.close()
    return len(list(VideoFile(str(tmp_path / "a.mp4"), "a")))


def test_a_file_is_written_frame_by_frame(tmp_path: Path) -> None:
    assert n_frames_of(tmp_path, [0.0, 0.5, 0.6], is_live=False) == 3


def test_a_live_source_lasts_as_long_as_it_did(tmp_path: Path) -> None:
    assert n_frames_of(tmp_path, [number / 10 for number in range(21)], is_live=True) in (50, 51)


def test_frames_that_come_too_fast_are_left_out(tmp_path: Path) -> None:
    assert n_frames_of(tmp_path, [number / 100 for number in range(101)], is_live=True) in (25, 26)


def test_a_gap_is_shortened(tmp_path: Path) -> None:
    assert n_frames_of(tmp_path, [0.0, 100.0], is_live=True) == 1 + 2 * 25


def test_nothing_to_write(tmp_path: Path) -> None:
    Recorder(tmp_path / "a.mp4", 25, is_live=True).close()
    assert list(tmp_path.iterdir()) == []
