from pathlib import Path

import pytest

from recognition.errors import SaveError
from recognition.runs.options import Options
from recognition.runs.setup import check_outputs
from recognition.sources.source import parse_source


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "clip.mp4", "h.skops"):
        Path(name).write_bytes(b"\xff\xd8\xff")
    Path("photos").mkdir()
    Path("link.jsonl").symlink_to("h.skops")
    return tmp_path


def check(source: str, **outputs: str) -> None:
    check_outputs(parse_source(source), Options(source=source, head=Path("h.skops"), **outputs))  # type: ignore[arg-type]


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


def test_other_outputs_are_taken(place: Path) -> None:
    Path("old.jsonl").write_text('{"event": "face", "source": "a.jpg"}\n')
    check("a.jpg")
    check("a.jpg", events="-", save="photos")
    check("a.jpg", events="old.jsonl", save="new.jpg")
    check("0", events="new/0.jsonl")
