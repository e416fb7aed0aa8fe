from pathlib import Path

import pytest

from recognition.errors import SaveError, SourceError
from recognition.runs.options import Options
from recognition.runs.setup import check_outputs, check_sources, warn_of_missed_faces
from recognition.sources.source import parse_source


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "clip.mp4", "h.skops"):
        Path(name).write_bytes(b"\xff\xd8\xff")
    Path("photos").mkdir()
    Path("link.jsonl").symlink_to("h.skops")
    return tmp_path


def check(source: str, **outputs: str | bool) -> None:
    check_outputs([parse_source(source)], Options(sources=(source,), head=Path("h.skops"), **outputs))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "outputs", "message"),
    [
        ("a.jpg", {"events": "h.skops"}, "h.skops: is the head; give another name for --events"),
        ("a.jpg", {"events": "photos/../h.skops"}, "is the head"),
        ("a.jpg", {"events": "link.jsonl"}, "link.jsonl: is the head"),
        ("a.jpg", {"events": "a.jpg"}, "a.jpg: is what is looked at; give another name for --events"),
        ("clip.mp4", {"events": "clip.mp4"}, "clip.mp4: is what is looked at"),
        ("photos", {"events": "photos"}, "photos: is what is looked at"),
        ("a.jpg", {"events": "photos"}, "photos: expected a file for the events, found a folder; name a file in it"),
        ("clip.mp4", {"events": "a.jpg"}, "a.jpg: expected a file of events or nothing here to replace"),
        ("a.jpg", {"events": "new.jpg", "save": "new.jpg"}, "new.jpg: is given for --save too"),
        ("a.jpg", {"save": "h.skops"}, "h.skops: is the head; save the annotated copy somewhere else"),
    ],
)
def test_outputs_that_would_harm_something_are_refused(
    place: Path, source: str, outputs: dict[str, str], message: str
) -> None:
    with pytest.raises(SaveError, match=message):
        check(source, **outputs)


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            ["a.jpg", "clip.mp4"],
            "clip.mp4: expected only photos and folders of photos where .* found a video; run it alone",
        ),
        (["0", "photos"], "camera 0: expected only photos .* found a camera; run it alone"),
        (["photos", "rtsp://me:secret@cam/live"], "^rtsp://cam/live: expected only photos .* found a stream"),
        (["a.jpg", "-"], "-: expected only photos .* found a pipe"),
        (["clip.mp4", "clip.mp4"], "clip.mp4: expected only photos"),
    ],
)
def test_a_video_or_camera_beside_other_sources_is_refused(place: Path, sources: list[str], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        check_sources([parse_source(source) for source in sources])


def test_photos_and_folders_go_together(place: Path) -> None:
    check_sources([parse_source(source) for source in ("a.jpg", "photos", "a.jpg")])
    for source in ("clip.mp4", "0", "-", "photos", "a.jpg"):
        check_sources([parse_source(source)])


def test_events_that_would_replace_one_of_several_photos_are_refused(place: Path) -> None:
    sources = [parse_source(source) for source in ("photos", "a.jpg")]
    with pytest.raises(SaveError, match=r"a\.jpg: is what is looked at"):
        check_outputs(sources, Options(("photos", "a.jpg"), Path("h.skops"), events="a.jpg"))


def test_other_outputs_are_taken(place: Path) -> None:
    Path("old.jsonl").write_text('{"event": "face", "source": "a.jpg"}\n')
    check("a.jpg")
    check("a.jpg", events="-", save="photos")
    check("a.jpg", events="old.jsonl", save="new.jpg")
    check("0", events="new/0.jsonl")
    check("0", events="old.jsonl")
    check("clip.mp4", events="old.jsonl", overwrite=True)


def test_a_video_replaces_no_events_of_another_run(place: Path) -> None:
    Path("door.jsonl").write_text('{"event": "started", "source": "camera 0", "time_s": 1.0}\n')
    for source in ("clip.mp4", "a.jpg"):
        with pytest.raises(SaveError, match=r"door\.jsonl: expected nothing here to replace, found the events of an"):
            check(source, events="door.jsonl")


@pytest.mark.parametrize(
    ("at_hand", "share"), [(True, "1 in 15 is missed)"), (False, "1 in 8 is missed; with the network")]
)
def test_it_is_said_how_many_faces_are_missed_and_what_would_miss_fewer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, at_hand: bool, share: str
) -> None:
    monkeypatch.setattr("recognition.runs.setup.is_at_hand", lambda: at_hand)
    warn_of_missed_faces(Options(("a.jpg",), Path("h.skops")))
    assert not caplog.text
    warn_of_missed_faces(Options(("a.jpg",), Path("h.skops"), save="out", anonymize="all"))
    assert share in caplog.text
