import errno
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from recognition.errors import SaveError
from recognition.events.event import make_event
from recognition.events.event_file import EventFile, refuse_other_run

KEYS = [
    "event",
    "source",
    "frame",
    "time_s",
    "track",
    "box",
    "identity",
    "score",
    "accepted",
    "at",
    "source_name",
    "crop",
]


def an_event(**changes: Any) -> Any:
    return make_event(
        **{
            "event": "face",
            "source": "a.jpg",
            "box": (1, 2, 3, 4),
            "identity": "unknown",
            "score": 0.25,
            "accepted": False,
            **changes,
        }
    )


def test_a_line_has_all_keys_in_order() -> None:
    assert list(json.loads(an_event().to_json())) == KEYS


def test_a_photo_has_no_time_and_no_track() -> None:
    assert json.loads(an_event().to_json()) == {
        "event": "face",
        "source": "a.jpg",
        "frame": 0,
        "time_s": None,
        "track": None,
        "box": [1.0, 2.0, 3.0, 4.0],
        "identity": "unknown",
        "score": 0.25,
        "accepted": False,
        "at": None,
        "source_name": None,
        "crop": None,
    }


def test_numbers_are_plain_and_rounded() -> None:
    import numpy as np

    event = an_event(
        frame=np.int64(7),
        time_s=np.float64(1.23456),
        track=np.int32(2),
        accepted=np.bool_(True),
        box=np.array([1.04, 2.06, 3, 4], np.float32),
        score=np.float32(0.123456),
    )
    assert event.to_json() == (
        '{"event": "face", "source": "a.jpg", "frame": 7, "time_s": 1.235, "track": 2, '
        '"box": [1.0, 2.1, 3.0, 4.0], "identity": "unknown", "score": 0.1235, "accepted": true, '
        '"at": null, "source_name": null, "crop": null}'
    )


def test_names_of_any_script_stay_readable() -> None:
    assert '"identity": "张伟"' in an_event(identity="张伟").to_json()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`event` must be one of face, started.*got 'seen'"):
        an_event(event="seen")


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        an_event(score=float("nan")).to_json()


def test_a_file_holds_each_line_at_once_and_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.jsonl"
    for source in ("a.jpg", "b.jpg"):
        file = EventFile(path)
        file.write(an_event(source=source))
        assert json.loads(path.read_text("utf-8"))["source"] == source
        file.close()


def test_a_service_goes_on_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    for source in ("a.jpg", "b.jpg"):
        file = EventFile(path, append=True)
        file.write(an_event(source=source))
        file.close()
    assert [json.loads(line)["source"] for line in path.read_text("utf-8").splitlines()] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("torn", "expected"),
    [(b'{"event": "fa', ["a", "c"]), (b"", ["a", "c"]), (an_event(source="b").to_json().encode(), ["a", "b", "c"])],
)
def test_a_service_does_not_go_on_with_a_torn_line(tmp_path: Path, torn: bytes, expected: list[str]) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(an_event(source="a").to_json().encode() + b"\n" + torn)
    file = EventFile(path, append=True)
    file.write(an_event(source="c"))
    file.close()
    assert [json.loads(line)["source"] for line in path.read_text("utf-8").splitlines()] == expected


def test_a_full_disk_is_told_naming_the_file() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which Linux has")
    file = EventFile("/dev/full")
    with pytest.raises(OSError, match="events cannot be written") as raised:
        file.write(an_event())
    file.close()
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, "/dev/full")
    assert "(No space left on device); those before are whole; free some space" in str(raised.value)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file-size limit to set")
def test_lines_before_a_full_disk_stay_whole(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "out.jsonl"
    n_bytes = len(an_event().to_json()) + 1
    file = EventFile(path)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * n_bytes + 7, limit[1]))
    try:
        file.write(an_event())
        file.write(an_event())
        with pytest.raises(OSError, match=r"File too large.*those before are whole"):
            file.write(an_event())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        file.close()
    assert path.read_text("utf-8") == 2 * (an_event().to_json() + "\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file-size limit to set")
def test_a_service_loses_no_event_while_the_disk_is_full(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import resource

    path = tmp_path / "out.jsonl"
    n_bytes = len(an_event().to_json()) + 1
    file = EventFile(path, append=True)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * n_bytes + 7, limit[1]))
    try:
        for number in range(5):
            file.write(an_event(frame=number))
        assert path.read_text("utf-8").count("\n") == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    file.write(an_event(frame=5))
    assert [json.loads(line)["frame"] for line in path.read_text("utf-8").splitlines()] == [0, 1, 2, 3, 4, 5]
    file.close()
    (warning,) = caplog.messages
    assert warning.startswith(f"{path}: the events cannot be written (File too large)")
    assert warning.endswith("they wait in memory")


def test_events_that_are_lost_at_the_end_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which Linux has")
    monkeypatch.setattr("recognition.events.event_file.MOST_WAITING", 3)
    file = EventFile("/dev/full", append=True)
    for number in range(5):
        file.write(an_event(frame=number))
    with pytest.raises(OSError, match="5 events could not be written, the disk was full"):
        file.close()
    file.close()


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("content", [b"PK\x03\x04head", b"\xff\xd8\xff\xe0photo", b"[1, 2]", b'{"event": "party"}\n'])
def test_a_file_of_another_kind_is_kept(tmp_path: Path, content: bytes, append: bool) -> None:
    path = tmp_path / "family.skops"
    path.write_bytes(content)
    with pytest.raises(SaveError, match=r"family\.skops: expected a file of events or nothing here to replace"):
        EventFile(path, append=append)
    assert path.read_bytes() == content


def test_an_empty_file_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").touch()
    EventFile(tmp_path / "out.jsonl").close()


@pytest.mark.parametrize(
    ("time_s", "is_photos", "is_refused"),
    [(1.0, False, True), (1.0, True, True), (None, False, True), (None, True, False)],
)
def test_the_events_of_another_run_are_kept(
    tmp_path: Path, time_s: float | None, is_photos: bool, is_refused: bool
) -> None:
    path = tmp_path / "door.jsonl"
    file = EventFile(path)
    file.write(an_event(time_s=time_s))
    file.close()
    if not is_refused:
        refuse_other_run(path, is_photos=is_photos)
        return
    with pytest.raises(SaveError, match=r"door\.jsonl: .*found the events of another run; .* or add --overwrite"):
        refuse_other_run(path, is_photos=is_photos)


def test_nothing_is_lost_where_there_are_no_events(tmp_path: Path) -> None:
    refuse_other_run(tmp_path / "new.jsonl", is_photos=False)
    (tmp_path / "empty.jsonl").touch()
    refuse_other_run(tmp_path / "empty.jsonl", is_photos=False)
