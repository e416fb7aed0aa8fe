import logging
import os
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from embedder.detection.faces import Faces
from recognition.anonymizing.frame_hider import FrameHider
from recognition.errors import SaveError
from recognition.events.console import FanOutSink
from recognition.events.event import Event, make_event
from recognition.outputs.picture_folder import CROP, SCENE, PictureFolder
from recognition.outputs.picture_folder import UNKNOWN as UNKNOWN_FACES
from recognition.outputs.recorder import Recorder
from recognition.outputs.video_writer import VideoWriter
from recognition.runs.best_crops import BestCrops, PictureOutputs, PicturePublisher
from recognition.runs.head_watcher import HeadWatcher, file_version
from recognition.runs.session import Outputs, Session, annotate_frame
from recognition.sources.clock import Timeline, format_utc
from recognition.sources.grabber import FrameGrabber
from recognition.sources.video_file import Frame, VideoFile
from recognition.tracking.detection_interval import DetectionScheduler
from recognition.tracking.embedding_queue import EmbeddingQueueSettings
from recognition.tracking.evidence import Verdict
from recognition.tracking.loop import FaceLoop, FrameResult, LoopSettings, TrackedFace
from recognition.tracking.tracker import Track
from recognition.viewer.status import StatusLine
from tests.recognition.fakes import ANN, BOB, STRANGER, FakeHead, faces_at, fake_encoder, image_with
from tests.recognition.sources.test_grabber import SHORT_PAUSES, Script, opens
from tests.recognition.sources.test_video_file import claim_rate

ANN_HERE = image_with((ANN, (20, 40, 60, 80)))
BOX = np.array([60.0, 40.0, 110.0, 90.0])


class Collected:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def write(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None: ...


def session(
    head: Any = None, *, stopping: threading.Event | None = None, crops: BestCrops | None = None, **outputs: Any
) -> tuple[Session, Collected]:
    collected = Collected()
    crops = BestCrops() if crops is None else crops
    settings = LoopSettings(queue=EmbeddingQueueSettings(keeps_views=crops.wants_views))
    head = FakeHead() if head is None else head
    loop = FaceLoop(fake_encoder(), head, "source", on_crop=crops.add, on_end=crops.end, settings=settings)
    made = Session(
        loop,
        Outputs(collected, StatusLine(is_service=False), crops=crops, **outputs),
        threading.Event() if stopping is None else stopping,
    )
    return made, collected


def video_of(tmp_path: Path, images: list[np.ndarray], name: str = "a.avi") -> VideoFile:
    writer = VideoWriter(tmp_path / name, 25, images[0].shape[:2])  # type: ignore[arg-type]
    for image in images:
        writer.write(image)
    writer.close()
    return VideoFile(str(tmp_path / name), name)


def test_a_file_from_end_to_end(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.avi", 25)
    run, collected = session(recorder=recorder)
    run.run_file(video_of(tmp_path, [ANN_HERE] * 30), 3)
    recorder.close()
    assert [(event.event, event.identity) for event in collected.events] == [
        ("started", "unknown"),
        ("identified", "ann"),
        ("ended", "ann"),
    ]
    annotated = list(VideoFile(str(tmp_path / "out.avi"), "out"))
    assert len(annotated) == 30
    # The plate of the name above the box is green, the grey behind it was not.
    above = annotated[-1].image[29:37, 24:44].astype(int)
    assert (above[:, :, 1] - above[:, :, 0]).max() > 60


def test_a_label_that_had_to_leave_its_side_does_not_jump_back(tmp_path: Path) -> None:
    class Frames:
        def __init__(self) -> None:
            self.images: list[np.ndarray] = []

        def write(self, image: np.ndarray, _time_s: float) -> None:
            self.images.append(image)

    frames = Frames()
    run, _ = session(recorder=frames)
    # It begins at the upper edge and sinks by two pixels a frame.
    sinking = [image_with((ANN, (20, y, 60, y + 40))) for y in range(0, 60, 2)]
    run.run_file(video_of(tmp_path, sinking), 1)
    above, below = frames.images[-1][40:54, 24:44].astype(int), frames.images[-1][104:112, 24:44].astype(int)
    assert (below[:, :, 1] - below[:, :, 0]).max() > 60
    assert (above[:, :, 1] - above[:, :, 0]).max() < 30


def test_a_copy_lasts_as_long_as_a_video_that_claims_an_absurd_rate(tmp_path: Path) -> None:
    video_of(tmp_path, [ANN_HERE] * 30, "a.webm").close()
    recorder = Recorder(tmp_path / "out.webm", 1000)
    run, _ = session(recorder=recorder)
    run.run_file(VideoFile(str(claim_rate(tmp_path / "a.webm", 1000)), "a.webm"), 3)
    recorder.close()
    copy = VideoFile(str(tmp_path / "out.webm"), "out")
    assert [frame.time_s for frame in copy] == pytest.approx([number / 25 for number in range(30)], abs=0.002)


def test_tracks_are_ended_when_the_picture_cannot_be_written(tmp_path: Path) -> None:
    class Full:
        n_written = 0

        def write(self, _image: np.ndarray, _time_s: float) -> None:
            self.n_written += 1
            if self.n_written == 20:
                raise SaveError("out.avi: no room")

    run, collected = session(recorder=Full())
    with pytest.raises(SaveError, match="no room"):
        run.run_file(video_of(tmp_path, [ANN_HERE] * 30), 3)
    assert collected.events[-1].event == "ended"


def test_a_sink_that_fails_keeps_no_event_from_the_others(tmp_path: Path) -> None:
    class Full(Collected):
        def write(self, event: Event) -> None:
            raise OSError("events.jsonl: no room")

    everything = Collected()
    loop = FaceLoop(fake_encoder(), FakeHead(), "source")
    run = Session(loop, Outputs(FanOutSink([Full(), everything]), StatusLine(is_service=False)), threading.Event())
    both = image_with((ANN, (20, 40, 60, 80)), (STRANGER, (120, 40, 160, 80)))
    with pytest.raises(OSError, match="no room"):
        run.run_file(video_of(tmp_path, [both] * 30), 3)
    assert [event.event for event in everything.events] == ["started", "started", "ended", "ended"]


def test_an_event_that_cannot_be_written_keeps_back_no_other(tmp_path: Path) -> None:
    class FullForAMoment(Collected):
        def write(self, event: Event) -> None:
            if (event.event, event.track) == ("started", 1):
                raise OSError("events.jsonl: no room")
            super().write(event)

    collected = FullForAMoment()
    crops = BestCrops()
    loop = FaceLoop(fake_encoder(), FakeHead(), "source", on_crop=crops.add, on_end=crops.end)
    run = Session(loop, Outputs(collected, StatusLine(is_service=False)), threading.Event())
    both = image_with((ANN, (20, 40, 60, 80)), (STRANGER, (120, 40, 160, 80)))
    with pytest.raises(OSError, match="no room"):
        run.run_file(video_of(tmp_path, [both]), 1)
    assert [(event.event, event.track) for event in collected.events] == [("started", 2), ("ended", 1), ("ended", 2)]


@pytest.mark.parametrize("n_empty", [0, 60])
def test_tracks_are_told_to_have_ended_when_their_faces_cannot_be_saved(tmp_path: Path, n_empty: int) -> None:
    class Full(BestCrops):
        def end(self, track: Track) -> None:
            raise OSError("unknown: no room")

    run, collected = session(crops=Full())
    both = image_with((ANN, (20, 40, 60, 80)), (STRANGER, (120, 40, 160, 80)))
    with pytest.raises(OSError, match="no room"):
        run.run_file(video_of(tmp_path, [both] * 30 + [image_with()] * n_empty), 3)
    assert [(event.event, event.track) for event in collected.events] == [
        ("started", 1),
        ("started", 2),
        ("identified", 1),
        ("ended", 1),
        ("ended", 2),
    ]


def test_a_file_can_be_stopped(tmp_path: Path) -> None:
    stopping = threading.Event()
    stopping.set()
    run, collected = session(stopping=stopping)
    run.run_file(video_of(tmp_path, [ANN_HERE] * 30), 3)
    assert [(event.event, event.frame) for event in collected.events] == [("started", 0), ("ended", 0)]


def watcher_of(tmp_path: Path, people: dict[str, tuple[int, int, int]]) -> HeadWatcher:
    path = tmp_path / "head"
    path.write_text("")
    return HeadWatcher(path, lambda _: FakeHead(people), {}, known=file_version(path))  # type: ignore[arg-type, return-value]


def paced(*images: np.ndarray, pause_s: float = 0.03) -> list[Any]:
    return [step for image in images for step in (image[:, :, ::-1].copy(), pause_s)]


def test_a_live_source_from_end_to_end(tmp_path: Path) -> None:
    run, collected = session()
    live = FrameGrabber("camera", opens(Script(*paced(*[ANN_HERE] * 40))), reopen=False)
    live.start()
    run.run_live(live, DetectionScheduler(every=2), watcher_of(tmp_path, {}))
    assert [(event.event, event.identity) for event in collected.events] == [
        ("started", "unknown"),
        ("identified", "ann"),
        ("ended", "ann"),
    ]
    assert run.meter.speed.frames_per_second > 5


def test_a_changed_head_names_at_once(tmp_path: Path) -> None:
    run, collected = session(FakeHead({"bob": BOB}))
    live = FrameGrabber("camera", opens(Script(*paced(*[ANN_HERE] * 60))), reopen=False)
    head = watcher_of(tmp_path, {"ann": ANN})
    live.start()
    head.start()
    os.utime(head._path, (1, 1))
    run.run_live(live, DetectionScheduler(every=2), head)
    head.stop()
    assert [(event.event, event.identity) for event in collected.events] == [
        ("started", "unknown"),
        ("identified", "ann"),
        ("ended", "ann"),
    ]


def test_a_clock_that_jumps_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = iter(range(0, 10**9, 1000))
    monkeypatch.setattr(time, "time", lambda: 1.8e9 + 86_400 * (-1) ** next(jumps) * next(jumps))
    run, collected = session()
    live = FrameGrabber("camera", opens(Script(*paced(*[ANN_HERE] * 30))), reopen=False)
    live.start()
    run.run_live(live, DetectionScheduler(every=2), watcher_of(tmp_path, {}))
    times = [event.time_s for event in collected.events if event.time_s is not None]
    assert [event.event for event in collected.events] == ["started", "identified", "ended"]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] < 10


def test_a_lost_connection_ends_the_tracks(tmp_path: Path) -> None:
    stopping = threading.Event()
    run, collected = session(stopping=stopping)
    twice = opens(Script(*paced(*[ANN_HERE] * 10)), Script(*paced(*[ANN_HERE] * 10), 5.0))
    live = FrameGrabber("camera", twice, settings=SHORT_PAUSES)
    live.start()
    threading.Timer(2.5, stopping.set).start()
    run.run_live(live, DetectionScheduler(every=1), watcher_of(tmp_path, {}))
    live.stop()
    assert [(event.event, event.track) for event in collected.events if event.event != "identified"] == [
        ("started", 1),
        ("ended", 1),
        ("started", 2),
        ("ended", 2),
    ]


def test_tracks_end_when_the_camera_is_lost_not_when_it_is_back(tmp_path: Path) -> None:
    class Stops(Collected):
        def write(self, event: Event) -> None:
            super().write(event)
            if event.event == "ended":
                stopping.set()

    stopping = threading.Event()
    collected = Stops()
    loop = FaceLoop(fake_encoder(), FakeHead(), "source")
    run = Session(loop, Outputs(collected, StatusLine(is_service=False)), stopping)
    live = FrameGrabber("camera", opens(Script(*paced(*[ANN_HERE] * 10))))
    live.start()
    late = threading.Timer(20.0, stopping.set)
    late.start()
    started_s = time.monotonic()
    run.run_live(live, DetectionScheduler(every=1), watcher_of(tmp_path, {}))
    late.cancel()
    live.stop()
    assert time.monotonic() - started_s < 15
    assert [event.event for event in collected.events if event.event != "identified"] == ["started", "ended"]


def test_unknown_faces_are_saved_and_known_ones_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "unknown"
    faces = PictureFolder(folder, UNKNOWN_FACES, 7)
    scenes = PictureFolder(tmp_path / "scenes", SCENE, 7)
    run, collected = session(crops=BestCrops(PictureOutputs("clip", unknown=faces, scenes=scenes)))
    both = image_with((ANN, (20, 40, 60, 80)), (STRANGER, (120, 40, 160, 80)))
    run.run_file(video_of(tmp_path, [both] * 30), 3)
    faces.close()
    scenes.close()
    (path,) = folder.iterdir()
    assert path.name == "unknown-clip-track2-frame29.jpg"
    middle = np.asarray(Image.open(path))[10:22, 10:22].mean(axis=(0, 1))
    assert np.argmax(middle) == 2, "the stranger is blue"
    assert [(event.event, event.track) for event in collected.events if event.crop == path.as_posix()] == [("ended", 2)]
    assert all(event.crop is not None for event in collected.events)


def test_every_event_says_when_it_was_and_what_its_source_is_called(tmp_path: Path) -> None:
    created = datetime.fromisoformat("2024-05-01T23:59:59.5+02:00")
    run, collected = session(timeline=Timeline.of_file(created), source_name="door")
    run.run_file(video_of(tmp_path, [ANN_HERE] * 30), 3)
    assert {event.source_name for event in collected.events} == {"door"}
    assert len(collected.events) == 3
    for event in collected.events:
        assert event.time_s is not None
        assert event.at == format_utc(created + timedelta(seconds=event.time_s))
    assert collected.events[-1].at == "2024-05-01T22:00:00.660Z", "29 frames of 40 ms after it began"


def test_each_event_names_the_best_picture_of_its_face(tmp_path: Path) -> None:
    sent: list[bytes] = []
    crops, scenes = PictureFolder(tmp_path / "crops", CROP, 7), PictureFolder(tmp_path / "scenes", SCENE, 7)
    publisher = PicturePublisher(sent.append)
    run, collected = session(crops=BestCrops(PictureOutputs("clip", None, crops, scenes, publisher)))
    both = image_with((ANN, (20, 40, 60, 80)), (STRANGER, (120, 40, 160, 80)))
    run.run_file(video_of(tmp_path, [both] * 30), 3)
    for output in (crops, scenes, publisher):
        output.close()
    assert len(collected.events) == 5
    for event in collected.events:
        assert event.crop is not None
        assert event.crop.startswith(f"{(tmp_path / 'crops').as_posix()}/crop-clip-track{event.track}-frame")
        picture = np.asarray(Image.open(event.crop)).astype(int)
        assert picture.shape == (72, 72, 3), "as large as in the frame, and a little around it"
        middle = picture[30:42, 30:42].mean(axis=(0, 1))
        assert np.argmax(middle) == (0 if event.track == 1 else 2), "each its own face"
    assert len(list((tmp_path / "crops").iterdir())) == len({event.crop for event in collected.events})
    frames = {event.frame for event in collected.events if event.event != "ended"}
    assert sorted(path.name for path in (tmp_path / "scenes").iterdir()) == [
        f"scene-clip-frame{frame}.jpg" for frame in sorted(frames)
    ]
    assert np.asarray(Image.open(tmp_path / "scenes" / f"scene-clip-frame{min(frames)}.jpg")).shape == both.shape
    assert 1 <= len(sent) <= len({event.crop for event in collected.events})
    assert all(jpeg[:3] == b"\xff\xd8\xff" for jpeg in sent)


def test_a_scene_alone_is_the_picture(tmp_path: Path) -> None:
    scenes = PictureFolder(tmp_path / "scenes", SCENE, 7)
    crops = BestCrops(PictureOutputs("clip", scenes=scenes))
    run, collected = session(crops=crops)
    run.run_file(video_of(tmp_path, [ANN_HERE] * 30), 3)
    scenes.close()
    assert [event.event for event in collected.events] == ["started", "identified", "ended"]
    paths = [event.crop for event in collected.events]
    assert paths[0] == (tmp_path / "scenes" / f"scene-clip-frame{collected.events[0].frame}.jpg").as_posix()
    assert paths[2] == paths[1] != paths[0], "where a face has gone, its last scene is named"
    assert crops._tracks == {}, "nothing is kept of tracks that have ended"


def test_faces_of_each_frame_have_no_picture(tmp_path: Path) -> None:
    crops = BestCrops(PictureOutputs("clip", crops=PictureFolder(tmp_path / "crops", CROP, 7)))
    event = make_event("face", "a", time_s=1.0, track=1, box=(1, 2, 3, 4), identity="ann", score=0.5, accepted=True)
    assert crops.picture_of(event, None) is None
    assert crops._tracks == {}


def seen(*faces: TrackedFace, lost: tuple[TrackedFace, ...] = ()) -> FrameResult:
    return FrameResult([*faces], [*lost], [], False, True, 0.0)


KNOWN = TrackedFace(BOX, 1, Verdict("ann", 0.8, True))
UNKNOWN = TrackedFace(BOX, 2, Verdict("unknown", 0.1, False))
NEW = TrackedFace(BOX, None, Verdict("unknown", 0.0, False))


def is_hidden(image: np.ndarray) -> bool:
    """Whether nothing fine is left where the face was."""
    return bool(cv2.Laplacian(image[50:80, 70:100].astype(np.float64), cv2.CV_64F).var() < 10)


@pytest.mark.parametrize(
    ("what", "hide", "expected"),
    [
        (seen(KNOWN), None, False),
        (seen(KNOWN), "unknown", False),
        (seen(KNOWN), "all", True),
        (seen(UNKNOWN), None, False),
        (seen(UNKNOWN), "unknown", True),
        (seen(NEW), "unknown", True),
        (seen(lost=(UNKNOWN,)), "unknown", True),
        (seen(lost=(KNOWN,)), "unknown", False),
        (seen(), "all", False),
    ],
)
def test_who_is_hidden(what: FrameResult, hide: str | None, expected: bool) -> None:
    assert is_hidden(annotate_frame(image_with((ANN, (60, 40, 110, 90))), what, hide=hide)) is expected


class SeenLate:
    """Finds one face beside those that are tracked, once, on the tenth frame that it searches."""

    n_copies = 8

    def __init__(self) -> None:
        self.n_calls = 0

    def find_others(self, _image: np.ndarray, known: np.ndarray, *, copies: Any = None) -> Faces:
        self.n_calls += 1
        return faces_at([(120, 40, 160, 80)] if self.n_calls == 10 else [])


def video_of_two(tmp_path: Path, n_frames: int) -> VideoFile:
    both = image_with((ANN, (20, 40, 60, 80)))
    both[40:80, 120:160] = np.random.default_rng(0).integers(90, 120, (40, 40, 1))  # no face for the fake detector
    return video_of(tmp_path, [both] * n_frames)


def details(video: VideoFile, columns: slice) -> list[float]:
    return [cv2.Laplacian(frame.image[40:80, columns], cv2.CV_64F).var() for frame in video]


def test_a_file_hides_what_was_missed_at_first_and_keeps_all_frames(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.avi", 25)
    hider = FrameHider(SeenLate(), "all", is_live=False)
    run, collected = session(recorder=recorder, hide="all", hider=hider)
    run.run_file(video_of_two(tmp_path, 30), 1)
    recorder.close()
    before = details(video_of_two(tmp_path, 30), slice(120, 160))
    after = details(VideoFile(str(tmp_path / "out.avi"), "out"), slice(120, 160))
    assert len(after) == 30
    assert max(after) < 0.1 * min(before)
    plain, expected = session()
    plain.run_file(video_of_two(tmp_path, 30), 1)
    assert collected.events == expected.events


def test_frames_that_wait_are_kept_when_the_video_breaks_off(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.avi", 25)
    run, _ = session(recorder=recorder, hide="all", hider=FrameHider(SeenLate(), "all", is_live=False))

    class Broken(VideoFile):
        def __iter__(self) -> Iterator[Frame]:
            yield from list(super().__iter__())[:12]
            raise OSError("a.avi: cannot be read")

    video_of_two(tmp_path, 30).close()
    with pytest.raises(OSError, match="cannot be read"):
        run.run_file(Broken(str(tmp_path / "a.avi"), "a.avi"), 1)
    recorder.close()
    assert len(list(VideoFile(str(tmp_path / "out.avi"), "out"))) == 12


def test_hidden_faces_have_no_name() -> None:
    image = image_with()
    hidden = annotate_frame(image, seen(UNKNOWN), hide="unknown")
    assert not (hidden == (255, 255, 255)).all(axis=2).any()


def test_status_is_shown_while_it_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    collected = Collected()
    loop = FaceLoop(fake_encoder(), FakeHead(), "source")
    run = Session(loop, Outputs(collected, StatusLine(is_service=True, interval_s=0.0)), threading.Event())
    with caplog.at_level(logging.INFO):
        run.run_file(video_of(tmp_path, [ANN_HERE] * 4), 3)
    assert caplog.messages[-1].startswith("100%, ")
    assert "1 face" in caplog.messages[-1]


def test_an_empty_video_is_an_error(tmp_path: Path) -> None:
    from recognition.errors import SourceError

    whole = tmp_path / "a.avi"
    video_of(tmp_path, [ANN_HERE] * 3).close()
    data = whole.read_bytes()
    whole.write_bytes(data[: data.index(b"movi") + 4])
    run, _ = session()
    with pytest.raises(SourceError, match="without frames"):
        run.run_file(VideoFile(str(whole), "a.avi"), 3)


def test_the_screen_sees_pictures_and_can_quit(tmp_path: Path) -> None:
    class Viewer:
        def __init__(self) -> None:
            self.n_shown = 0
            self.wants_to_quit = False

        def show(self, image: np.ndarray, faces: Any, *, until_s: float | None = None) -> None:
            self.n_shown += 1
            self.wants_to_quit = self.n_shown == 5
            assert until_s is not None
            assert until_s - time.monotonic() < 1

        def serve(self) -> None: ...

    viewer = Viewer()
    run, _ = session(viewer=viewer)
    run.run_file(video_of(tmp_path, [ANN_HERE] * 30), 3)
    assert viewer.n_shown == 5


def test_a_video_does_not_race_after_a_pause(tmp_path: Path) -> None:
    class Viewer:
        wants_to_quit = False

        def __init__(self) -> None:
            self.left_s: list[float] = []

        def show(self, image: np.ndarray, faces: Any, *, until_s: float | None = None) -> None:
            assert until_s is not None
            self.left_s.append(until_s - time.monotonic())
            if len(self.left_s) == 3:
                time.sleep(1.5)

    viewer = Viewer()
    run, _ = session(viewer=viewer)
    run.run_file(video_of(tmp_path, [image_with()] * 6), 3)
    assert min(viewer.left_s) > -1.0
