"""The script as its users run it, on real photos and on bad input."""

import json
import os
import re
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.images.reading import read_image
from tests import PROJECT

HEAVY = ("tensorflow", "keras", "sklearn", "skops", "pandas", "matplotlib", "scipy", "joblib", "h5py", "onnx")


def run(*arguments: str | Path, cwd: Path = PROJECT, code: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the script, or `code` with the same arguments, in a fresh interpreter."""
    command = [sys.executable, *([str(PROJECT / "recognize.py")] if code is None else ["-c", code])]
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        timeout=120,
    )


def write_video(path: Path, images: list[np.ndarray], rate: float = 25.0) -> Path:
    from recognition.outputs.video_writer import VideoWriter

    writer = VideoWriter(path, rate, (images[0].shape[0], images[0].shape[1]))
    for image in images:
        writer.write(image)
    writer.close()
    return path


def lines_of(finished: "subprocess.CompletedProcess[str]") -> list[list[str]]:
    return [line.split("\t") for line in finished.stdout.splitlines()]


def test_help_answers_at_once() -> None:
    run("--help")  # the first run writes the byte code
    started_s = _seconds_of_children()
    finished = run("--help")
    assert finished.returncode == 0
    assert "SOURCE" in finished.stdout
    assert _seconds_of_children() - started_s < 0.5


def _seconds_of_children() -> float:
    """Return the processor time of the processes that have ended, which others on the machine do not lengthen."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.jpg", "--head", "h.skops"], "recognize.py: error: nothing.jpg: no such file or folder"),
        (["README.md", "--head", "h.skops"], "README.md: expected a video or an image"),
        (["README.md", "--head", "h.skops", "--events", "README.md"], "README.md: is what is looked at"),
        (["nothing.mp4", "--head", "h.skops"], "nothing.mp4: no such file or folder"),
        (
            ["broken.mp4", "--head", "h.skops"],
            "broken.mp4: expected a video or an image, found no video that can be read",
        ),
        (["zero.mp4", "--head", "h.skops"], "zero.mp4: expected a video or an image, found an empty file"),
        (["ftp://host/x", "--head", "h.skops"], "URLs begin with one of http"),
        (["0", "--head", "h", "--show", "--headless"], "--headless and --show exclude each other"),
        (
            ["0", "--head", "h", "--anonymize", "--save-unknown", "x"],
            "--anonymize and --save-unknown exclude each other",
        ),
        (["0", "--head", "h", "--anonymize"], "--anonymize changes pictures; say where they go, with --save or --show"),
        (["broken.mp4", "--head", "h", "--budget-ms", "9"], "--budget-ms is for live sources; for videos say"),
        (
            [".", "--head", "h", "--save-unknown", "x"],
            "--save-unknown is for videos and live sources; to cut faces out",
        ),
        (
            ["zero.png", "broken.mp4", "--head", "h"],
            "broken.mp4: expected only photos and folders of photos where there are several sources, found a video; "
            "run it alone",
        ),
        (
            ["zero.png", ".", "--head", "h", "--save", "x.jpg"],
            "x.jpg: expected a folder for the annotated photos of several sources, found the name of a file; name a",
        ),
        (["rtsp://me:secret/1@cam/live", "--head", "h"], "in a password write / ? # as %2F %3F %23"),
        (["0", "--head", "h", "--keep-days", "0"], "expected a number of days, such as 7, got '0'"),
        (["broken.mp4", "--head", "h", "--save", "x.jpg"], "x.jpg: expected a video file, one of .mp4"),
        (["a.jpg"], "the following arguments are required: --head"),
        (["a.jpg", "--head", "h", "--threshold", "x"], "expected a score such as 0.6, got 'x'"),
    ],
)
def test_bad_arguments_are_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    for name in ("README.md", "broken.mp4"):
        (tmp_path / name).write_text("text")
    for name in ("zero.mp4", "zero.png"):
        (tmp_path / name).write_bytes(b"")
    finished = run(*arguments, cwd=tmp_path)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert message in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "missing.skops"),
        (b"pickle", "missing.skops: expected a head made by facetable train"),
    ],
)
def test_a_bad_head_is_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    Image.new("RGB", (30, 30)).save(tmp_path / "a.png")
    if content is not None:
        (tmp_path / "missing.skops").write_bytes(content)
    finished = run("a.png", "--head", "missing.skops", cwd=tmp_path)
    assert (finished.returncode, finished.stdout, len(finished.stderr.splitlines())) == (2, "", 1)
    assert message in finished.stderr


@pytest.mark.parametrize(
    ("content", "found"), [(None, "it is not there"), (b"no font", "unknown file format"), (b"", "")]
)
def test_a_bad_font_is_one_line(tmp_path: Path, content: bytes | None, found: str) -> None:
    Image.new("RGB", (30, 30)).save(tmp_path / "a.png")
    if content is not None:
        (tmp_path / "bad.ttf").write_bytes(content)
    finished = run("a.png", "--head", "h.skops", "--save", "out", "--font", "bad.ttf", cwd=tmp_path)
    assert (finished.returncode, finished.stdout, len(finished.stderr.splitlines())) == (2, "", 1)
    assert "bad.ttf: expected a font file such as NotoSans-Regular.ttf, found none" in finished.stderr
    assert found in finished.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.realdata
def test_a_group_photo_is_labelled_as_asked_for(data: Path, people_head: Path, tmp_path: Path) -> None:
    photo = data / "people" / "test" / "obama_and_biden.jpg"
    saved = {}
    for labels in ("names", "numbers", "none"):
        finished = run(photo, "--head", people_head, "--save", tmp_path / f"{labels}.png", "--labels", labels)
        assert finished.returncode == 0, finished.stderr
        saved[labels] = read_image(tmp_path / f"{labels}.png")
    height, width = read_image(photo).shape[:2]
    assert saved["names"].shape == saved["none"].shape == (height, width, 3)
    assert saved["numbers"].shape[0] > height
    green = {labels: (drawn[:height] == (22, 128, 60)).all(axis=2).sum() for labels, drawn in saved.items()}
    assert green["names"] > green["numbers"] > green["none"] > 0


@pytest.mark.realdata
def test_a_folder_of_test_photos(data: Path, people_head: Path, tmp_path: Path) -> None:
    photos = data / "people" / "test"
    finished = run(photos, "--head", people_head, "--save", tmp_path / "out", "--events", tmp_path / "e.jsonl")
    assert finished.returncode == 0, finished.stderr
    named = [(Path(source).name, identity) for source, identity, *_ in lines_of(finished) if identity != "unknown"]
    assert sorted(named) == [
        ("alex_lacamoire1.jpg", "alex_lacamoire"),
        ("johnsnow_test1.jpg", "kit_harington"),
        ("kit_with_rose.jpg", "kit_harington"),
        ("kit_with_rose.jpg", "rose_leslie"),
        ("obama1.jpg", "obama"),
        ("obama_and_biden.jpg", "biden"),
        ("obama_and_biden.jpg", "obama"),
    ]
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text("utf-8").splitlines()]
    assert len(events) == len(lines_of(finished))
    assert all(
        (event["event"], event["frame"], event["time_s"], event["track"]) == ("face", 0, None, None) for event in events
    )
    assert events[0]["source"] == f"{photos.as_posix()}/alex_lacamoire1.jpg"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in photos.iterdir())


@pytest.mark.realdata
def test_several_photos_and_folders(data: Path, people_head: Path, tmp_path: Path) -> None:
    photos = data / "people" / "test"
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.jpg").write_bytes((photos / "johnsnow_test1.jpg").read_bytes())
    sources = [photos / "obama1.jpg", folder, photos / "obama_and_biden.jpg"]
    finished = run(*sources, "--head", people_head, "--save", tmp_path / "out", "--events", tmp_path / "e.jsonl")
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr.splitlines()[-1].startswith("3 photos, ")
    alone = [run(source, "--head", people_head).stdout for source in sources]
    assert finished.stdout == "".join(alone)
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text("utf-8").splitlines()]
    assert [event["source"] for event in events] == [row[0] for row in lines_of(finished)]
    saved = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.jpg")]
    assert sorted(saved) == ["obama1.jpg", "obama_and_biden.jpg", "sub/a.jpg"]


@pytest.mark.realdata
def test_the_first_name_comes_soon_and_without_the_heavy_libraries(data: Path, people_head: Path) -> None:
    code = (
        "import sys, recognize; exit_code = recognize.main(sys.argv[1:]); "
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), exit_code)"
    )
    started_s = time.monotonic()
    finished = run(data / "people" / "test" / "obama1.jpg", "--head", people_head, code=code)
    assert time.monotonic() - started_s < 30.0  # one that hangs; the benchmark says how fast it is
    (_, identity, score, box), (loaded,) = lines_of(finished)
    assert (identity, loaded) == ("obama", "[] 0")
    assert float(score) > 0.6
    assert np.abs(np.subtract([int(edge) for edge in box.split(",")], (540, 120, 910, 640))).max() < 40


@pytest.mark.realdata
def test_a_threshold_nobody_reaches_and_one_everybody_does(data: Path, people_head: Path) -> None:
    photo = data / "people" / "test" / "obama_and_biden.jpg"
    for threshold, share_unknown in (("2", 1), ("-2", 0)):
        rows = lines_of(run(photo, "--head", people_head, "--threshold", threshold))
        assert len(rows) >= 2
        assert [row[1] for row in rows].count("unknown") == share_unknown * len(rows)


@pytest.mark.realdata
def test_photos_without_faces_and_photos_that_cannot_be_read(data: Path, people_head: Path, tmp_path: Path) -> None:
    folder = tmp_path / "照片 x"
    folder.mkdir()
    Image.new("RGB", (64, 64), "white").save(folder / "a.png")
    (folder / "b.jpg").write_text("text")
    finished = run("照片 x", "--head", people_head, cwd=tmp_path)
    assert finished.returncode == 1
    assert finished.stdout == "照片 x/a.png\tno face\n"
    warning, summary = finished.stderr.splitlines()
    assert "照片 x/b.jpg: expected an image" in warning
    assert summary == "2 photos, 0 faces, 0 named, 0 unknown, 1 photo without a face, 1 photo unreadable"
    alone = run("照片 x/a.png", "--head", people_head, cwd=tmp_path)
    assert (alone.returncode, alone.stdout) == (0, "照片 x/a.png\tno face\n")
    alone = run("照片 x/b.jpg", "--head", people_head, cwd=tmp_path)
    assert (alone.returncode, alone.stdout, len(alone.stderr.splitlines())) == (1, "", 1)
    assert alone.stderr.startswith("照片 x/b.jpg: expected an image")


@pytest.mark.realdata
def test_events_instead_of_text(data: Path, people_head: Path) -> None:
    finished = run(data / "people" / "test" / "obama1.jpg", "--head", people_head, "--events", "-")
    assert json.loads(finished.stdout)["identity"] == "obama"


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("63", "camera 63 cannot be opened; "),
        ("rtsp://me:secret@127.0.0.1:9/live", "rtsp://127.0.0.1:9/live: refuses the connection"),
        ("http://me:secret@127.0.0.1:9/video", "http://127.0.0.1:9/video: refuses the connection"),
    ],
)
def test_live_sources_that_are_not_there(people_head: Path, source: str, message: str) -> None:
    finished = run(source, "--head", people_head)
    assert (finished.returncode, finished.stdout, len(finished.stderr.splitlines())) == (2, "", 1)
    assert message in finished.stderr
    assert "secret" not in finished.stderr


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("html", "expected a video stream, got a page (text/html); phone apps serve theirs at"),
        ("401", "refuses access (HTTP 401); write the address like http://USER:PASSWORD@ADDRESS/PATH"),
        ("hang", "does not answer within 2 s; check the address, and that the camera is on"),
        ("nothing", "opens, but sends no picture; check the path, and that the camera is on"),
    ],
)
def test_addresses_that_are_no_camera(people_head: Path, answer: str, message: str) -> None:
    from tests.recognition.mjpeg_server import MjpegServer

    with MjpegServer(lambda _: b"", answer=answer) as server:
        finished = run(f"http://me:secret@127.0.0.1:{server.port}/video", "--head", people_head)
    assert (finished.returncode, finished.stdout, len(finished.stderr.splitlines())) == (2, "", 1)
    assert f"http://127.0.0.1:{server.port}/video: {message}" in finished.stderr
    assert "secret" not in finished.stderr


@pytest.mark.realdata
def test_a_video_without_frames(people_head: Path, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", [np.full((120, 160, 3), 90, np.uint8)] * 4).read_bytes()
    (tmp_path / "a.avi").write_bytes(whole[: whole.index(b"movi") + 4])
    finished = run("a.avi", "--head", people_head, "--save", "out.avi", cwd=tmp_path)
    assert (finished.returncode, finished.stdout, len(finished.stderr.splitlines())) == (2, "", 1)
    assert "a.avi: a video without frames; it may be damaged" in finished.stderr
    assert not (tmp_path / "out.avi").exists()


@pytest.mark.realdata
def test_a_show_without_a_display(people_head: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    finished = run(data / "people" / "test" / "obama1.jpg", "--head", people_head, "--show")
    assert finished.returncode == 2
    assert "--show needs a display" in finished.stderr
    assert "--save FILE" in finished.stderr


@pytest.fixture(scope="session")
def obama_clip(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that pans slowly over a photo of somebody the head knows."""
    from embedder.images.reading import read_image

    photo = np.asarray(Image.fromarray(read_image(data / "people" / "test" / "obama1.jpg")).resize((700, 500)))
    return write_video(
        tmp_path_factory.mktemp("clip") / "clip.mp4",
        [np.ascontiguousarray(photo[40:400, 20 + 2 * step : 500 + 2 * step]) for step in range(40)],
    )


@pytest.mark.realdata
def test_a_video(people_head: Path, obama_clip: Path, tmp_path: Path) -> None:
    from recognition.sources.video_file import VideoFile

    finished = run(
        obama_clip,
        "--head",
        people_head,
        "--save",
        tmp_path / "new" / "out.mp4",
        "--events",
        tmp_path / "e.jsonl",
        "--save-unknown",
        tmp_path / "unknown",
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    ((source, identity, _, _, when, track),) = lines_of(finished)
    assert (source, identity, track) == (obama_clip.as_posix(), "obama", "track 1")
    assert 0 < float(when.removesuffix("s")) < 1
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text("utf-8").splitlines()]
    assert [event["event"] for event in events] == ["started", "identified", "ended"]
    assert all(
        list(event)
        == [
            *("event", "source", "frame", "time_s", "track", "box", "identity", "score", "accepted"),
            *("at", "source_name", "crop"),
        ]
        for event in events
    )
    assert len(list(VideoFile(str(tmp_path / "new" / "out.mp4"), "out"))) == 40
    assert list((tmp_path / "unknown").iterdir()) == []
    again = run(obama_clip, "--head", people_head, "--events", tmp_path / "again.jsonl")
    assert again.stdout == finished.stdout
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "e.jsonl").read_bytes()


@pytest.mark.realdata
def test_events_of_a_video_say_when_and_show_whom(people_head: Path, obama_clip: Path, tmp_path: Path) -> None:
    dated = tmp_path / "dated.mp4"
    content = bytearray(obama_clip.read_bytes())
    place = content.index(b"mvhd") + 8
    content[place : place + 4] = (3_768_811_200).to_bytes(4, "big")  # 2023-06-05 12:00 UTC, counted from 1904
    dated.write_bytes(content)
    outputs = ["--events", "e.jsonl", "--save-crops", "crops", "--save-scenes", "scenes", "--source-name", "door"]
    finished = run(dated, "--head", people_head, *outputs, cwd=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    first = (tmp_path / "e.jsonl").read_bytes()
    events = [json.loads(line) for line in first.splitlines()]
    assert [event["event"] for event in events] == ["started", "identified", "ended"]
    for event in events:
        seconds, milliseconds = divmod(round(1000 * event["time_s"]), 1000)
        assert event["at"] == f"2023-06-05T12:00:0{seconds}.{milliseconds:03d}Z"
        assert event["source_name"] == "door"
        with Image.open(tmp_path / event["crop"]) as picture:
            assert min(picture.size) > 100
    assert {path.name for path in (tmp_path / "crops").iterdir()} == {Path(event["crop"]).name for event in events}
    assert len(list((tmp_path / "scenes").iterdir())) == 2
    again = run(dated, "--head", people_head, *outputs, cwd=tmp_path)
    assert (again.returncode, again.stdout, len(again.stderr.splitlines())) == (2, "", 1)
    assert "e.jsonl: expected nothing here to replace, found the events of another run" in again.stderr
    assert (tmp_path / "e.jsonl").read_bytes() == first


@pytest.mark.realdata
def test_a_truncated_video_is_told(people_head: Path, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", [np.full((120, 160, 3), 90, np.uint8)] * 40).read_bytes()
    (tmp_path / "a.avi").write_bytes(whole[: whole.index(b"movi") + (len(whole) - whole.index(b"movi")) // 2])
    finished = run(tmp_path / "a.avi", "--head", people_head)
    assert finished.returncode == 1
    line = r"a\.avi: ends after \d\.\d of \d\.\d seconds \(\d+ frames\); it may be truncated"
    assert re.search(line, finished.stderr)


@pytest.mark.realdata
def test_a_video_whose_resolution_changes(people_head: Path, tmp_path: Path) -> None:
    from tests.recognition.mjpeg_server import encode

    sizes = [(120, 160)] * 6 + [(240, 320)] * 6 + [(90, 90)] * 6
    (tmp_path / "a.mjpeg").write_bytes(b"".join(encode(np.full((*size, 3), 90, np.uint8)) for size in sizes))
    finished = run(tmp_path / "a.mjpeg", "--head", people_head, "--save", tmp_path / "out.avi")
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "out.avi").is_file()


@pytest.mark.realdata
def test_a_piped_stream(people_head: Path, obama_clip: Path, tmp_path: Path) -> None:
    from recognition.sources.video_file import VideoFile
    from tests.recognition.mjpeg_server import encode

    jpegs = [encode(frame.image) for frame in VideoFile(str(obama_clip), "clip")]
    crops = tmp_path / "crops"
    command = [sys.executable, str(PROJECT / "recognize.py"), "-", "--head", str(people_head), "--events", "-"]
    begun = datetime.now(UTC)
    process = subprocess.Popen(
        [*command, "--save-crops", str(crops)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    for jpeg in jpegs * 3:
        process.stdin.write(jpeg)
        process.stdin.flush()
        time.sleep(0.05)
    out, errors = process.communicate(timeout=60)
    events = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0, errors
    assert "obama" in {event["identity"] for event in events}
    assert {event["source"] for event in events} == {"-"}
    assert events[-1]["event"] == "ended"
    times = [datetime.fromisoformat(event["at"]) for event in events]
    assert begun < times[0] <= times[-1] < datetime.now(UTC)
    assert (times[-1] - times[0]).total_seconds() == pytest.approx(events[-1]["time_s"] - events[0]["time_s"], abs=0.1)
    assert {event["crop"] for event in events} == {path.as_posix() for path in crops.iterdir()}


@pytest.mark.realdata
def test_an_empty_pipe(people_head: Path) -> None:
    finished = subprocess.run(
        [sys.executable, str(PROJECT / "recognize.py"), "-", "--head", str(people_head)],
        input="",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert finished.returncode == 2
    assert "the pipe ended without a picture" in finished.stderr


@pytest.mark.realdata
def test_anonymized_photos(data: Path, people_head: Path, tmp_path: Path) -> None:
    photo = data / "people" / "test" / "obama_and_biden.jpg"
    for argument, n_faces in (("--anonymize", 2), ("--anonymize=all", 0)):
        assert run(photo, "--head", people_head, argument, "--save", tmp_path / "out.jpg").returncode == 0
        rows = lines_of(run(tmp_path / "out.jpg", "--head", people_head))
        assert sum(row[1] in ("obama", "biden") for row in rows) == n_faces


@pytest.mark.realdata
def test_a_face_that_the_edge_cuts_in_half_is_hidden_and_limits_are_said(
    data: Path, people_head: Path, tmp_path: Path
) -> None:
    image = read_image(data / "groups" / "multiface.jpg")
    photo = tmp_path / "half.png"
    Image.fromarray(image[:, 270:700]).save(photo)  # the edge runs through the left woman's face
    plain = run(photo, "--head", people_head)
    assert len(lines_of(plain)) == 3
    assert "not hidden" not in plain.stderr
    hidden = run(photo, "--head", people_head, "--anonymize=all", "--save", tmp_path / "out.png")
    assert hidden.returncode == 0
    assert hidden.stdout == plain.stdout, "names and events are those of a run that hides nobody"
    assert "faces that were not found are not hidden" in hidden.stderr
    face = slice(255, 350), slice(0, 35)
    changed = (read_image(tmp_path / "out.png")[face] != read_image(photo)[face]).any(axis=2)
    assert changed.mean() > 0.95
