"""What tells who is on whose photos is readable by its owner alone."""

import os
from pathlib import Path

import numpy as np
import pytest

import train_classifier
from classifiers.commands.main import main as classifiers_main
from embedder.pipeline.runner import update_table
from embedder.pipeline.settings import EmbedSettings
from embedder.tables.parts import PartsFolder
from recognition.events.event_file import EventFile
from recognition.outputs.picture_folder import UNKNOWN, PictureFolder
from recognition.outputs.video_writer import VideoWriter
from tests.embedder.fakes import FakeDetector, FakeEmbedder, write_photo

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_tables_heads_people_files_and_contact_sheets(tmp_path: Path) -> None:
    for number in range(4):
        write_photo(tmp_path / "photos" / f"person {number % 2}" / f"{number}.png", 1, green=20 * number)
    table, head = tmp_path / "tables" / "faces.h5", tmp_path / "heads" / "family.skops"
    update_table(tmp_path / "photos", table, EmbedSettings(), detector=FakeDetector(), embedder=FakeEmbedder())
    assert train_classifier.main([str(table), "-o", str(head), "--threshold", "0.5", "--no-background"]) == 0
    assert {mode_of(table.parent), mode_of(head.parent)} == {0o700}, "folders that were made for them"
    people, sheet, result = tmp_path / "people.csv", tmp_path / "people.html", tmp_path / "people.json"
    command = ["cluster", str(table), "-o", str(people), "--html", str(sheet), "--threshold", "0.5", "--no-background"]
    assert classifiers_main([*command, "--json", str(result)]) == 0
    assert {path.name: oct(mode_of(path)) for path in (table, head, people, sheet, result)} == dict.fromkeys(
        ("faces.h5", "family.skops", "people.csv", "people.html", "people.json"), "0o600"
    )


def test_the_folder_of_part_files(tmp_path: Path) -> None:
    with PartsFolder(tmp_path / "faces.h5") as parts:
        assert mode_of(parts.path) == 0o700


def test_crops_of_unknown_faces(tmp_path: Path) -> None:
    faces = PictureFolder(tmp_path / "unknown", UNKNOWN, 7.0)
    faces.save(np.zeros((40, 40, 3), np.uint8), "door", "track1-frame0")
    faces.close()
    (crop,) = (tmp_path / "unknown").glob("*.jpg")
    assert (mode_of(tmp_path / "unknown"), mode_of(crop)) == (0o700, 0o600)


def test_events_and_their_folder(tmp_path: Path) -> None:
    for append in (False, True):
        events = tmp_path / f"door {append}" / "events.jsonl"
        EventFile(events, append=append).close()
        assert (mode_of(events.parent), mode_of(events)) == (0o700, 0o600)
    events.chmod(0o640)  # whoever shares it on purpose goes on doing so
    EventFile(events, append=True).close()
    assert mode_of(events) == 0o640


def test_annotated_videos(tmp_path: Path) -> None:
    video = tmp_path / "out" / "door.mp4"
    for wanted in (0o600, 0o640):
        writer = VideoWriter(video, 10, (48, 64))
        writer.write(np.zeros((48, 64, 3), np.uint8))
        writer.close()
        assert (mode_of(video.parent), mode_of(video)) == (0o700, wanted)
        video.chmod(0o640)  # whoever shares it on purpose goes on doing so
