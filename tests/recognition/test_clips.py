"""The loop on real videos, with a head on real photos: tracks, cuts and names, checked by eye once."""

from pathlib import Path

import pytest

from recognition.events import Event
from recognition.loop import FaceLoop
from recognition.naming import FaceReader, NetworkOptions, load_head_with, load_reader
from recognition.sources import SourceKind
from recognition.video_writer import VideoWriter
from recognition.videos import VideoFile
from tests.recognition.trained import train_people_head

pytestmark = pytest.mark.realdata

# Where the faces of nine people are on some frames of facenet-pytorch_video.mp4: person to {frame: (x, y)}, pixels.
WALKERS = {
    "boy in blue": {6: (946, 673), 24: (1020, 732), 48: (1004, 760), 72: (908, 724), 102: (802, 714)},
    "boy with red hair": {6: (744, 618), 24: (685, 630), 48: (618, 682), 72: (551, 657), 90: (493, 647)},
    "woman in red and black": {12: (320, 700), 36: (278, 726), 60: (237, 721), 84: (239, 723)},
    "woman who crosses": {12: (771, 807), 18: (982, 818), 24: (1224, 847), 30: (1450, 838)},
    "woman with fair curls": {6: (900, 660), 18: (942, 679), 24: (946, 697), 96: (921, 702), 102: (940, 704)},
    "man behind": {6: (1106, 650), 18: (1122, 665), 60: (1098, 702), 78: (1126, 699), 102: (1143, 695)},
    "man with glasses": {54: (1154, 734), 72: (1191, 725), 90: (1184, 713), 102: (1207, 716)},
    "woman on the telephone": {12: (1348, 685), 24: (1376, 713), 36: (1387, 723), 60: (1379, 729)},
}


@pytest.fixture(scope="module")
def head_file(data: Path) -> Path:
    return train_people_head(data)


@pytest.fixture(scope="module")
def reader(head_file: Path) -> FaceReader:
    head = load_head_with(head_file)
    return load_reader({} if head.fingerprint is None else head.fingerprint, NetworkOptions())


def events_of(video: Path, reader: FaceReader, head_file: Path, *, every_frame: bool = False) -> list[Event]:
    loop = FaceLoop(reader, load_head_with(head_file), SourceKind.VIDEO.value, every_frame=every_frame)
    events = []
    for frame in VideoFile(str(video), video.name):
        events += loop.process(frame, detect=frame.index % 3 == 0).events
    return events + loop.finish()


def spans_of(events: list[Event]) -> dict[int | None, tuple[int, int]]:
    """Return track -> first and last frame of its events."""
    frames: dict[int | None, list[int]] = {}
    for event in events:
        frames.setdefault(event.track, []).append(event.frame)
    return {track: (min(of_track), max(of_track)) for track, of_track in frames.items()}


def test_one_man_at_the_microphone(data: Path, reader: FaceReader, head_file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "microphone.avi"
    writer = VideoWriter(cut, 29.97, (360, 640))
    for frame in VideoFile(str(data / "video" / "short_hamilton_clip.mp4"), "clip"):
        if 82 <= frame.index <= 210:
            writer.write(frame.image)
    writer.close()
    events = events_of(cut, reader, head_file)
    assert [(event.event, event.track, event.identity) for event in events] == [
        ("started", 1, "unknown"), ("ended", 1, "unknown")]
    assert [event.frame for event in events] == [1, 128]
    assert events_of(cut, reader, head_file) == events, "another run tells the same"


def test_four_shots_with_one_known_face(data: Path, reader: FaceReader, head_file: Path) -> None:
    events = events_of(data / "video" / "short_hamilton_clip.mp4", reader, head_file)
    shots = [(0, 19), (20, 81), (82, 210), (211, 274)]
    for track, (first, last) in spans_of(events).items():
        assert any(begin <= first and last <= end for begin, end in shots), f"track {track} spans a cut"
    named = [event for event in events if event.accepted]
    assert {event.identity for event in named} == {"obama"}
    assert len({event.track for event in named}) == 1
    assert [event.event for event in named] == ["identified", "ended"]
    assert named[0].frame >= 211
    in_audience = [event for event in events if event.event == "started" and event.frame >= 211]
    assert len(in_audience) == 4


def test_people_walking(data: Path, reader: FaceReader, head_file: Path) -> None:
    events = events_of(data / "video" / "facenet-pytorch_video.mp4", reader, head_file, every_frame=True)
    tracks: dict[str, set[int | None]] = {}
    for person, places in WALKERS.items():
        for frame, (x, y) in places.items():
            here = [event.track for event in events if event.event == "face" and event.frame == frame
                    and event.box[0] < x < event.box[2] and event.box[1] < y < event.box[3]]
            assert len(here) <= 1, f"{person} has two boxes on frame {frame}"
            tracks.setdefault(person, set()).update(here)
    for person, of_person in tracks.items():
        assert 1 <= len(of_person - {None}) <= 2, f"{person}: {of_person}"
    numbered = [track for of_person in tracks.values() for track in of_person if track is not None]
    assert len(numbered) == len(set(numbered)), "a track covers two people"
    assert not any(event.accepted for event in events), "nobody of them is known"
