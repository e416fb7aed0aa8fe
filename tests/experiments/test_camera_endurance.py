"""What the study of cameras that go away measures with; the study itself runs in tests/recognition/test_cameras.py."""

import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from experiments.camera_clock import picture_at
from experiments.camera_endurance import Cuts, Watch, Watched, _mean_memory, pictures_of, resident_mb
from experiments.cameras import read_stamp, save_pictures, stamp
from tests.recognition.fakes import image_with
from tests.recognition.sources.test_grabber import Script, opens
from tests.recognition.sources.test_video_file import write_video


@pytest.mark.parametrize("number", [0, 1, 399, 4095])
def test_a_number_survives_compression(number: int, tmp_path: Path) -> None:
    image = image_with(size_hw=(360, 640))
    stamped = stamp(image, number)
    assert np.array_equal(stamped[:-16], image[:-16])
    _, jpeg = cv2.imencode(".jpg", stamped, [cv2.IMWRITE_JPEG_QUALITY, 20])
    assert read_stamp(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) == number


def test_the_pictures_of_a_camera_are_numbered(tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "new", [image_with(size_hw=(240, 320))] * 3)
    assert [path.name for path in sorted(folder.iterdir())] == ["0000.jpg", "0001.jpg", "0002.jpg"]
    assert [read_stamp(cv2.imread(str(path))) for path in sorted(folder.iterdir())] == [0, 1, 2]


def test_a_camera_starts_again_after_its_last_picture() -> None:
    assert [picture_at(now_s, 10, 25) for now_s in (0.0, 0.19, 2.4, 2.5)] == [0, 1, 24, 0]


def test_the_lag_is_from_when_the_camera_showed_a_picture() -> None:
    shown = stamp(image_with(size_hw=(360, 640)), picture_at(time.monotonic() - 0.5, 10, 100))
    live = Watched("camera", opens(Script(shown, 5.0)))
    live.start()
    watch = Watch(live, 10, 100)
    assert live.read_latest(1.0) is not None
    watch.show(shown, [])
    assert watch.lags_s[0] == pytest.approx(0.5, abs=0.2)


def test_a_camera_is_cut_and_frozen_in_turn() -> None:
    class Camera:
        def __init__(self) -> None:
            self.calls: list[str] = []

        def __getattr__(self, name: str) -> Any:
            return lambda: self.calls.append(name)

    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc/self/status")
    camera: Any = Camera()
    cuts = Cuts(camera, 0.6, n_cuts=3, cut_s=0.05)
    cuts.run()
    assert camera.calls == ["stop", "start", "freeze", "thaw", "stop", "start"]
    assert len(cuts.returned_s) == 3
    assert cuts.stopping.is_set()
    assert cuts.memory[-1][1] == pytest.approx(resident_mb(), rel=0.2)


def test_the_mean_is_over_ten_seconds() -> None:
    assert _mean_memory([(0.0, 1000.0), (11.0, 10.0), (19.0, 20.0), (25.0, 99.0)], 20.0) == 15.0


def test_only_the_first_frames_of_a_video_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.camera_endurance.MOST_PICTURES", 3)
    pictures = pictures_of(write_video(tmp_path / "a.avi", 5))
    assert [one.shape for one in pictures] == [(360, 640, 3)] * 3
