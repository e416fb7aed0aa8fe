"""The script as its users run it, on real photos and on bad input."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.recognition.trained import train_people_head

PROJECT = Path(__file__).resolve().parents[1]
HEAVY = ("tensorflow", "keras", "sklearn", "skops", "pandas", "matplotlib", "scipy", "joblib", "h5py", "onnx")


@pytest.fixture(scope="session")
def people_head(data: Path) -> Path:
    return train_people_head(data)


def run(*arguments: str | Path, cwd: Path = PROJECT, code: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the script, or `code` with the same arguments, in a fresh interpreter."""
    command = [sys.executable, *([str(PROJECT / "recognize.py")] if code is None else ["-c", code])]
    return subprocess.run([*command, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False,
                          env=os.environ | {"PYTHONPATH": str(PROJECT)}, timeout=120)


def lines_of(finished: "subprocess.CompletedProcess[str]") -> list[list[str]]:
    return [line.split("\t") for line in finished.stdout.splitlines()]


def test_help_answers_at_once() -> None:
    run("--help")  # the first run writes the byte code
    started_s = time.monotonic()
    finished = run("--help")
    assert finished.returncode == 0
    assert "SOURCE" in finished.stdout
    assert time.monotonic() - started_s < 0.5


@pytest.mark.parametrize(("arguments", "message"), [
    (["nothing.jpg", "--head", "h.skops"], "recognize.py: error: nothing.jpg: no such file or folder"),
    (["README.md", "--head", "h.skops"], "README.md: expected a video or an image"),
    (["README.md", "--head", "h.skops", "--events", "README.md"], "README.md: is what is looked at"),
    (["a.jpg"], "the following arguments are required: --head"),
    (["a.jpg", "--head", "h", "--threshold", "x"], "expected a score such as 0.6, got 'x'"),
])
def test_bad_arguments_are_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "README.md").write_text("text")
    finished = run(*arguments, cwd=tmp_path)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert message in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.parametrize(("content", "message"), [
    (None, "missing.skops"),
    (b"pickle", "missing.skops: expected a head made by train_classifier.py"),
])
def test_a_bad_head_is_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    Image.new("RGB", (30, 30)).save(tmp_path / "a.png")
    if content is not None:
        (tmp_path / "missing.skops").write_bytes(content)
    finished = run("a.png", "--head", "missing.skops", cwd=tmp_path)
    assert (finished.returncode, finished.stdout, len(finished.stderr.splitlines())) == (2, "", 1)
    assert message in finished.stderr


@pytest.mark.realdata
def test_a_folder_of_test_photos(data: Path, people_head: Path, tmp_path: Path) -> None:
    photos = data / "people" / "test"
    finished = run(photos, "--head", people_head, "--save", tmp_path / "out", "--events", tmp_path / "e.jsonl")
    assert finished.returncode == 0, finished.stderr
    named = [(Path(source).name, identity) for source, identity, *_ in lines_of(finished) if identity != "unknown"]
    assert named == [
        ("alex_lacamoire1.jpg", "alex_lacamoire"), ("johnsnow_test1.jpg", "kit_harington"),
        ("kit_with_rose.jpg", "kit_harington"), ("kit_with_rose.jpg", "rose_leslie"), ("obama1.jpg", "obama"),
        ("obama_and_biden.jpg", "obama"), ("obama_and_biden.jpg", "biden")]
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text("utf-8").splitlines()]
    assert len(events) == len(lines_of(finished))
    assert all((event["event"], event["frame"], event["time_s"], event["track"]) == ("face", 0, None, None)
               for event in events)
    assert events[0]["source"] == f"{photos.as_posix()}/alex_lacamoire1.jpg"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in photos.iterdir())


@pytest.mark.realdata
def test_the_first_name_comes_soon_and_without_the_heavy_libraries(data: Path, people_head: Path) -> None:
    code = ("import sys, recognize; exit_code = recognize.main(sys.argv[1:]); "
            f"print(sorted(set({HEAVY!r}) & set(sys.modules)), exit_code)")
    started_s = time.monotonic()
    finished = run(data / "people" / "test" / "obama1.jpg", "--head", people_head, code=code)
    assert time.monotonic() - started_s < 3.0
    (_, identity, score, box), (loaded,) = lines_of(finished)
    assert (identity, loaded) == ("obama", "[] 0")
    assert float(score) > 0.6
    assert np.abs(np.subtract([int(edge) for edge in box.split(",")], (557, 126, 913, 632))).max() < 20


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
    assert summary == "2 photos, 0 faces, 0 named, 0 unknown, 1 photos without a face, 1 photos unreadable"
    alone = run("照片 x/a.png", "--head", people_head, cwd=tmp_path)
    assert (alone.returncode, alone.stdout) == (0, "照片 x/a.png\tno face\n")
    assert run("照片 x/b.jpg", "--head", people_head, cwd=tmp_path).returncode == 2


@pytest.mark.realdata
def test_events_instead_of_text(data: Path, people_head: Path) -> None:
    finished = run(data / "people" / "test" / "obama1.jpg", "--head", people_head, "--events", "-")
    assert json.loads(finished.stdout)["identity"] == "obama"
