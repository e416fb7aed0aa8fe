import logging
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from recognition.outputs import unknown_faces
from recognition.outputs.unknown_faces import Clock, UnknownFaces

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
    faces.close()
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
    clocks.later(1801)
    assert young.exists()
    faces.tidy()
    faces.close()
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
        faces.close()
    assert young.exists()
    assert "the clock has jumped" in caplog.text


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    clocks = Clocks()
    faces = UnknownFaces(tmp_path / "faces", 7, "a", clock=clocks.clock())
    (tmp_path / "faces").rmdir()
    clocks.later(3601)
    faces.tidy()
    path = faces.save(CROP, 1, 2)
    faces.close()
    assert path.exists()


def test_a_long_address_makes_no_long_name(tmp_path: Path) -> None:
    faces = UnknownFaces(tmp_path, 7, f"https://cam/{'张' * 300}-20260101T000000.000001")
    path = faces.save(CROP, 1, 2)
    faces.close()
    assert path.exists()
    assert path.name.endswith("-20260101T000000.000001-track1-frame2.jpg")


def test_a_file_that_cannot_be_removed_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clocks = Clocks()
    folder = tmp_path / "unknown-a-track1-frame2.jpg"
    folder.mkdir()
    os.utime(folder, (0, 0))
    UnknownFaces(tmp_path, 7, "a", clock=clocks.clock())
    assert "could not be removed" in caplog.text


class SlowDisk:
    """Writes only once it is let, and then as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_write = threading.Event()
        self.error: Exception | None = None
        self._write = unknown_faces.write_image
        monkeypatch.setattr(unknown_faces, "write_image", self.write)

    def write(self, path: Path, image: np.ndarray, **options: bool) -> None:
        assert self.may_write.wait(5)
        if self.error is not None:
            raise self.error
        self._write(path, image, **options)


def test_a_slow_disk_holds_up_nobody_and_what_is_left_out_is_told_once_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk, clocks = SlowDisk(monkeypatch), Clocks()
    faces = UnknownFaces(tmp_path, 7, "a", may_drop=True, clock=clocks.clock(), max_pending=2)
    started_s = time.monotonic()
    faces.save(CROP, 0, 0)
    while faces._writer._jobs.qsize():
        time.sleep(0.001)
    for track in range(1, 7):
        faces.save(CROP, track, 0)
    assert time.monotonic() - started_s < 1
    clocks.later(60)
    faces.save(CROP, 7, 0)
    faces.save(CROP, 8, 0)
    disk.may_write.set()
    faces.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"unknown-a-track{n}-frame0.jpg" for n in range(3)]
    assert caplog.messages == [
        f"{tmp_path}: {n} unknown faces were left out, for the disk is too slow" for n in (1, 4, 1)
    ]


def test_of_a_file_every_face_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = SlowDisk(monkeypatch)
    faces = UnknownFaces(tmp_path, 7, "a", max_pending=2)
    threading.Timer(0.05, disk.may_write.set).start()
    paths = [faces.save(CROP, track, 0) for track in range(9)]
    faces.close()
    assert sorted(tmp_path.iterdir()) == paths


@pytest.mark.parametrize("when", ["save", "tidy", "close"])
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    disk = SlowDisk(monkeypatch)
    disk.error = OSError("no room")
    faces = UnknownFaces(tmp_path, 7, "a", may_drop=True, max_pending=2)
    faces.save(CROP, 1, 0)
    disk.may_write.set()
    if when != "close":
        while faces._writer._error is None:
            time.sleep(0.001)
    tell = {"save": lambda: faces.save(CROP, 2, 0), "tidy": faces.tidy, "close": faces.close}
    with pytest.raises(OSError, match="no room"):
        tell[when]()
    disk.error = None
    faces.close()
    faces.close()
    assert list(tmp_path.iterdir()) == []
