import logging
import os
from pathlib import Path

import numpy as np
import pytest

from recognition.unknown_faces import Clock, UnknownFaces

DAY_S = 86_400.0
CROP = np.full((32, 32, 3), 90, np.uint8)


class Clocks:
    def __init__(self) -> None:
        self.wall_s, self.steady_s = 1.8e9, 50.0

    def later(self, seconds: float) -> None:
        self.wall_s += seconds
        self.steady_s += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.wall_s, lambda: self.steady_s)


def aged(path: Path, clocks: Clocks, days: float) -> Path:
    path.write_bytes(b"x")
    os.utime(path, (clocks.wall_s - days * DAY_S,) * 2)
    return path


def test_a_face_is_saved_under_a_name_that_tells_where_it_is_from(tmp_path: Path) -> None:
    faces = UnknownFaces(tmp_path / "new" / "faces", 7, "a clip/张")
    path = faces.save(CROP, 4, 120)
    assert path == tmp_path / "new" / "faces" / "unknown-a_clip_张-track4-frame120.jpg"
    assert path.read_bytes()[:3] == b"\xff\xd8\xff"


def test_what_is_too_old_is_removed_and_nothing_else(tmp_path: Path) -> None:
    clocks = Clocks()
    old = aged(tmp_path / "unknown-a-track1-frame2.jpg", clocks, 8)
    young = aged(tmp_path / "unknown-a-track2-frame2.jpg", clocks, 6)
    foreign = aged(tmp_path / "holiday.jpg", clocks, 900)
    UnknownFaces(tmp_path, 7, "a", clock=clocks.clock())
    assert [path.exists() for path in (old, young, foreign)] == [False, True, True]


def test_it_is_tidied_every_hour(tmp_path: Path) -> None:
    clocks = Clocks()
    faces = UnknownFaces(tmp_path, 7, "a", clock=clocks.clock())
    young = aged(tmp_path / "unknown-a-track2-frame2.jpg", clocks, 6.99)
    clocks.later(1800)
    faces.tidy()
    assert young.exists()
    clocks.later(1801)
    faces.tidy()
    assert not young.exists()


@pytest.mark.parametrize("jump_s", [400 * DAY_S, -400 * DAY_S])
def test_a_clock_that_jumps_removes_nothing_at_once(
    tmp_path: Path, jump_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    clocks = Clocks()
    faces = UnknownFaces(tmp_path, 7, "a", clock=clocks.clock())
    young = aged(tmp_path / "unknown-a-track2-frame2.jpg", clocks, 1)
    clocks.later(3601)
    clocks.wall_s += jump_s
    with caplog.at_level(logging.WARNING):
        faces.tidy()
    assert young.exists()
    assert "the clock has jumped" in caplog.text


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    clocks = Clocks()
    faces = UnknownFaces(tmp_path / "faces", 7, "a", clock=clocks.clock())
    (tmp_path / "faces").rmdir()
    clocks.later(3601)
    faces.tidy()
    assert faces.save(CROP, 1, 2).exists()


def test_a_long_address_makes_no_long_name(tmp_path: Path) -> None:
    faces = UnknownFaces(tmp_path, 7, f"https://cam/{'张' * 300}-20260101T000000.000001")
    path = faces.save(CROP, 1, 2)
    assert path.exists()
    assert path.name.endswith("-20260101T000000.000001-track1-frame2.jpg")


def test_a_file_that_cannot_be_removed_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clocks = Clocks()
    folder = tmp_path / "unknown-a-track1-frame2.jpg"
    folder.mkdir()
    os.utime(folder, (0, 0))
    UnknownFaces(tmp_path, 7, "a", clock=clocks.clock())
    assert "could not be removed" in caplog.text
