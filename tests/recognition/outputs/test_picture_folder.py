import errno
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recognition.outputs import picture_folder
from recognition.outputs.picture_folder import CROP, SCENE, UNKNOWN, PictureFolder, PictureKind
from recognition.sources.clock import Clock

DAY_S = 86_400.0
IMAGE = np.full((32, 32, 3), 90, np.uint8)


class Clocks:
    def __init__(self) -> None:
        self.wall_s, self.steady_s = 1.8e9, 50.0

    def later(self, seconds: float) -> None:
        self.wall_s += seconds
        self.steady_s += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.wall_s, lambda: self.steady_s)


def save(faces: PictureFolder, track: int) -> Path | None:
    return faces.save(IMAGE, "a", f"track{track}-frame0")


def wait_until(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until_s, "it did not come to pass in time"
        time.sleep(0.001)


def aged(path: Path, clocks: Clocks, days: float) -> Path:
    path.write_bytes(b"x")
    os.utime(path, (clocks.wall_s - days * DAY_S,) * 2)
    return path


def test_a_face_is_saved_under_a_name_that_tells_where_it_is_from(tmp_path: Path) -> None:
    faces = PictureFolder(tmp_path / "new" / "faces", UNKNOWN, 7)
    path = faces.save(IMAGE, "a clip/张", "track4-frame120")
    faces.close()
    assert path == tmp_path / "new" / "faces" / "unknown-a_clip_张-track4-frame120.jpg"
    assert path.read_bytes()[:3] == b"\xff\xd8\xff"


def test_what_is_too_old_is_removed_and_nothing_else(tmp_path: Path) -> None:
    clocks = Clocks()
    old = aged(tmp_path / "unknown-a-track1-frame2.jpg", clocks, 8)
    young = aged(tmp_path / "unknown-a-track2-frame2.jpg", clocks, 6)
    foreign = aged(tmp_path / "holiday.jpg", clocks, 900)
    PictureFolder(tmp_path, UNKNOWN, 7, clock=clocks.clock())
    assert [path.exists() for path in (old, young, foreign)] == [False, True, True]


def test_it_is_tidied_every_hour(tmp_path: Path) -> None:
    clocks = Clocks()
    faces = PictureFolder(tmp_path, UNKNOWN, 7, clock=clocks.clock())
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
    faces = PictureFolder(tmp_path, UNKNOWN, 7, clock=clocks.clock())
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
    faces = PictureFolder(tmp_path / "faces", UNKNOWN, 7, clock=clocks.clock())
    (tmp_path / "faces").rmdir()
    clocks.later(3601)
    faces.tidy()
    path = faces.save(IMAGE, "a", "track1-frame2")
    faces.close()
    assert path.exists()


def test_a_long_address_makes_no_long_name(tmp_path: Path) -> None:
    faces = PictureFolder(tmp_path, UNKNOWN, 7)
    path = faces.save(IMAGE, f"https://cam/{'张' * 300}-20260101T000000.000001", "track1-frame2")
    faces.close()
    assert path.exists()
    assert path.name.endswith("-20260101T000000.000001-track1-frame2.jpg")


def test_a_file_that_cannot_be_removed_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clocks = Clocks()
    folder = tmp_path / "unknown-a-track1-frame2.jpg"
    folder.mkdir()
    os.utime(folder, (0, 0))
    PictureFolder(tmp_path, UNKNOWN, 7, clock=clocks.clock())
    assert "could not be removed" in caplog.text


class SlowDisk:
    """Writes only once it is let, and then as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_write = threading.Event()
        self.error: Exception | None = None
        self._write = picture_folder.write_image
        monkeypatch.setattr(picture_folder, "write_image", self.write)

    def write(self, path: Path, image: np.ndarray, **options: bool) -> None:
        assert self.may_write.wait(5)
        if self.error is not None:
            raise self.error
        self._write(path, image, **options)


def test_a_slow_disk_holds_up_nobody_and_what_is_left_out_is_told_once_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk, clocks = SlowDisk(monkeypatch), Clocks()
    faces = PictureFolder(tmp_path, replace(UNKNOWN, max_pending=2), 7, is_live=True, clock=clocks.clock())
    started_s = time.monotonic()
    save(faces, 0)
    while faces._writer._jobs.qsize():
        time.sleep(0.001)
    for track in range(1, 7):
        save(faces, track)
    assert time.monotonic() - started_s < 4
    clocks.later(60)
    save(faces, 7)
    save(faces, 8)
    disk.may_write.set()
    faces.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"unknown-a-track{n}-frame0.jpg" for n in range(3)]
    assert caplog.messages == [
        f"{tmp_path}: {n} unknown faces were left out, for the disk is too slow" for n in (1, 4, 1)
    ]


def test_of_a_file_every_face_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = SlowDisk(monkeypatch)
    faces = PictureFolder(tmp_path, replace(UNKNOWN, max_pending=2), 7)
    threading.Timer(0.05, disk.may_write.set).start()
    paths = [save(faces, track) for track in range(9)]
    faces.close()
    assert sorted(tmp_path.iterdir()) == paths


def test_a_full_disk_loses_no_event_of_a_live_source_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SlowDisk(monkeypatch)
    disk.may_write.set()
    disk.error = OSError(errno.ENOSPC, "No space left on device")
    faces = PictureFolder(tmp_path, UNKNOWN, 7, is_live=True)
    save(faces, 1)
    wait_until(lambda: faces._is_failing)
    assert save(faces, 2) is None, "an event names no picture that will not be there"
    wait_until(lambda: not faces._writer._jobs.qsize())
    disk.error = None
    save(faces, 3)
    wait_until(lambda: not faces._is_failing)
    assert save(faces, 4) == tmp_path / "unknown-a-track4-frame0.jpg"
    faces.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"unknown-a-track{n}-frame0.jpg" for n in (3, 4)]
    assert caplog.messages == [
        f"{tmp_path}: unknown faces cannot be written (No space left on device); events go on without them; "
        "free some space"
    ]


def test_a_full_disk_fails_the_run_over_a_file_when_everything_else_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SlowDisk(monkeypatch)
    disk.may_write.set()
    disk.error = OSError("no room")
    faces = PictureFolder(tmp_path, UNKNOWN, 7)
    for track in range(5):
        save(faces, track)
    faces.tidy()
    with pytest.raises(OSError, match="no room"):
        faces.close()
    faces.close()
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (UNKNOWN, "track1-frame2"),
        (CROP, "track1-frame2"),
        (CROP, "0123abcd-face0"),
        (SCENE, "frame2"),
    ],
)
def test_each_kind_removes_its_own_pictures_alone(tmp_path: Path, kind: PictureKind, place: str) -> None:
    clocks = Clocks()
    first = PictureFolder(tmp_path, kind, 7, clock=clocks.clock())
    own = first.save(IMAGE, "door", place)
    first.close()
    assert own is not None
    others = [f"{word}-door-{place}.jpg" for word in ("unknown", "crop", "scene", "holiday") if word != kind.word]
    paths = [aged(path, clocks, 8) for path in (own, *(tmp_path / name for name in others))]
    PictureFolder(tmp_path, kind, 7, clock=clocks.clock()).close()
    assert [path.exists() for path in paths] == [False, True, True, True]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_pictures_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path / "scenes", SCENE, 7)
    path = folder.save(IMAGE, "door", "frame1")
    folder.close()
    assert path is not None
    assert [oct(one.stat().st_mode & 0o777) for one in (path.parent, path)] == ["0o700", "0o600"]
    for one in (path, path.parent):
        one.unlink() if one.is_file() else one.rmdir()
    again = PictureFolder(tmp_path / "scenes", SCENE, 7)
    path.parent.rmdir()
    again.save(IMAGE, "door", "frame1")
    again.close()
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700", "also where it was removed meanwhile"
