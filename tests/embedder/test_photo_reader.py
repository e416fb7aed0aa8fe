import hashlib
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from embedder import photo_reader
from embedder.errors import ImageError
from embedder.images import read_image
from embedder.photo_reader import ahead, hash_file, read_photo, reason
from tests.embedder.fakes import write_photo


def test_reads_a_photo_with_its_ledger_columns(tmp_path: Path) -> None:
    file = write_photo(tmp_path / "Zoë" / "1.png", 9)
    photo = read_photo(tmp_path, Path("Zoë/1.png"), read_image)
    assert (photo.path, photo.status, photo.message) == ("Zoë/1.png", "ok", "")
    assert photo.image is not None and photo.image[0, 0].tolist() == [9, 0, 7]
    assert photo.image_sha256 == hashlib.sha256(file.read_bytes()).hexdigest() == hash_file(file)
    assert (photo.size, photo.mtime_ns) == (file.stat().st_size, file.stat().st_mtime_ns)


def test_a_file_that_is_no_image_is_unreadable_and_has_a_hash(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("this is no picture")
    photo = read_photo(tmp_path, Path("text.jpg"), read_image)
    assert photo.status == "unreadable" and photo.image is None and photo.size == 18
    assert photo.message.startswith("expected an image") and str(tmp_path) not in photo.message
    assert photo.image_sha256 == hashlib.sha256(b"this is no picture").hexdigest()


def test_a_file_that_is_not_there_is_unreadable_without_hash(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to("nowhere.jpg")
    photo = read_photo(tmp_path, Path("link.jpg"), read_image)
    assert (photo.status, photo.message, photo.image_sha256) == ("unreadable", "a dangling link to nowhere.jpg", "")
    assert (photo.size, photo.mtime_ns) == (0, 0)
    assert read_photo(tmp_path, Path("none.jpg"), read_image).message == "No such file or directory"


def test_a_broken_decoder_is_an_error(tmp_path: Path) -> None:
    write_photo(tmp_path / "1.png")

    def read(file: Path) -> np.ndarray:
        raise RuntimeError("two\nlines\0")

    photo = read_photo(tmp_path, Path("1.png"), read)
    assert (photo.status, photo.message) == ("error", "RuntimeError: two lines")


def test_reason_is_one_line_that_can_be_stored() -> None:
    assert reason(ImageError("a/b.jpg: no image"), "a/b.jpg") == "no image"
    assert reason(ImageError(""), "b.jpg") == "ImageError: "
    assert reason(OSError(5, "Input/output error", "b.jpg"), "b.jpg") == "Input/output error"
    assert reason(ValueError("bad \udcff name"), "b.jpg") == "ValueError: bad \\udcff name"


def test_ahead_keeps_order_whatever_the_time_each_takes() -> None:
    def slow_first(i: int) -> int:
        time.sleep(0.02 if i % 3 == 0 else 0)
        return i * i

    assert list(ahead(slow_first, range(20), threads=4, depth=8)) == [i * i for i in range(20)]
    assert list(ahead(slow_first, [], threads=4, depth=8)) == []
    assert list(ahead(slow_first, [3], threads=1, depth=1)) == [9]


def test_ahead_raises_in_the_consumer_after_what_came_before() -> None:
    def fails_at_two(i: int) -> int:
        if i == 2:
            raise RuntimeError("two")
        return i

    results = ahead(fails_at_two, range(5), threads=2, depth=3)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(RuntimeError, match="two"):
        next(results)


def test_ahead_goes_ahead_but_not_farther_than_depth() -> None:
    begun: list[int] = []
    three_begun = threading.Event()

    def record(i: int) -> int:
        begun.append(i)
        if len(begun) >= 4:
            three_begun.set()
        return i

    results = ahead(record, range(100), threads=2, depth=3)
    next(results)
    next(results)
    assert three_begun.wait(5)
    results.close()
    assert 4 <= len(begun) <= 5


def test_ahead_begins_nothing_while_too_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_reader, "MAX_BYTES_AHEAD", 100)
    in_flight = peak = 0
    lock = threading.Lock()

    def read(i: int) -> int:
        nonlocal in_flight, peak
        with lock:
            in_flight += 1
            peak = max(peak, in_flight)
        return i

    taken = []
    for i in ahead(read, range(30), threads=2, depth=16, n_bytes=lambda result: 40):
        with lock:
            in_flight -= 1
        taken.append(i)
    assert taken == list(range(30)) and peak <= 3  # 2 x 40 bytes wait at most, and one is being taken
    peak = in_flight = 0
    assert len(list(ahead(read, range(5), threads=2, depth=16, n_bytes=lambda result: 1000))) == 5
    assert ahead(read, range(5), threads=2, depth=16).__next__() == 0
