from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recognition.outputs import recorder as recorder_module
from recognition.outputs.recorder import Recorder, choose_rate
from recognition.sources.video_file import VideoFile


def image(number: int) -> np.ndarray:
    return np.full((48, 64, 3), 20 * (number % 10), np.uint8)


def recorded(path: Path, times_s: Sequence[float], claimed_rate: float | None = None) -> VideoFile:
    recorder = Recorder(path, claimed_rate)
    for number, time_s in enumerate(times_s):
        recorder.write(image(number), time_s)
    recorder.close()
    return VideoFile(str(path), path.name)


def shown(video: VideoFile) -> list[int]:
    """Return the numbers of the frames of a video, up to tens."""
    return [round(float(frame.image.mean()) / 20) for frame in video]


@pytest.mark.parametrize("rate", [5.0, 25.0, 30000 / 1001, 60.0, 240.0])
def test_a_source_that_keeps_its_rate_is_written_frame_by_frame(tmp_path: Path, rate: float) -> None:
    video = recorded(tmp_path / "a.avi", [round(3.0 + number / rate, 3) for number in range(40)], rate)
    assert video.frames_per_second == pytest.approx(rate, abs=0.01)
    assert shown(video) == [number % 10 for number in range(40)]


@pytest.mark.parametrize("claimed_rate", [1000.0, 90000.0, 5.0, None])
def test_times_are_believed_rather_than_claims(tmp_path: Path, claimed_rate: float | None) -> None:
    video = recorded(tmp_path / "a.avi", [number / 20 for number in range(40)], claimed_rate)
    assert video.frames_per_second == pytest.approx(20)
    assert shown(video) == [number % 10 for number in range(40)]


def test_a_camera_that_slows_down_is_shown_at_its_own_speed(tmp_path: Path) -> None:
    times_s = [number / 20 for number in range(20)] + [1.0 + number / 5 for number in range(6)]
    video = recorded(tmp_path / "a.avi", times_s)
    assert video.frames_per_second == pytest.approx(20)
    assert shown(video) == [
        number % 10 for number in [*range(20), *[20] * 4, *[21] * 4, *[22] * 4, *[23] * 4, *[24] * 4, 25]
    ]


def test_frames_that_come_too_fast_are_left_out(tmp_path: Path) -> None:
    times_s = [number / 10 for number in range(10)] + [0.9 + number / 100 for number in range(1, 101)]
    assert len(list(recorded(tmp_path / "a.avi", times_s))) in (20, 21)


def test_irregular_frames_last_as_long_as_they_did(tmp_path: Path) -> None:
    times_s = np.cumsum(np.random.default_rng(1).uniform(0.01, 0.12, 100))
    video = recorded(tmp_path / "a.avi", [float(time_s) for time_s in times_s])
    lasts_s = len(list(video)) / video.frames_per_second
    assert lasts_s == pytest.approx(times_s[-1] - times_s[0], abs=2 / video.frames_per_second)


def test_a_gap_is_shortened(tmp_path: Path) -> None:
    times_s = [number / 10 for number in range(10)] + [100.0, 100.1]
    assert len(list(recorded(tmp_path / "a.avi", times_s))) == 10 + 2 * 10 - 1 + 2


def test_a_slow_source_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[float] = []

    class Writer:
        def __init__(self, _path: Path, rate: float, _size_hw: tuple[int, int]) -> None:
            begun.append(rate)

        def write(self, _image: np.ndarray) -> None: ...

    monkeypatch.setattr(recorder_module, "VideoWriter", Writer)
    recorder = Recorder(tmp_path / "a.avi")
    for time_s in (0.0, 1.0, 2.0):
        assert begun == []
        recorder.write(image(0), time_s)
    assert begun == [1.0]


def test_a_slide_show_keeps_every_picture(tmp_path: Path) -> None:
    assert shown(recorded(tmp_path / "a.avi", [0.0, 5.0, 10.0], 0.2)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("times_s", "claimed", "expected"),
    [
        ([0.0], 30.0, 30.0),
        ([0.0], 1000.0, 25.0),
        ([0.0, 0.0], None, 25.0),
        ([0.0, 0.001, 0.002], None, 120.0),
        ([0.0, 9.0], None, 1.0),
        ([0.0, 0.001, 0.002], 1000.0, 1000.0),
    ],
)
def test_rates_of_few_or_strange_times(times_s: list[float], claimed: float | None, expected: float) -> None:
    assert choose_rate(times_s, claimed) == expected


def test_one_frame_and_none(tmp_path: Path) -> None:
    assert shown(recorded(tmp_path / "a.avi", [7.0])) == [0]
    Recorder(tmp_path / "b.avi").close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.avi"]
