import subprocess
import sys
from pathlib import Path

import pytest

from foundation.atomic import PartialFile, remove_stale
from tests.recognition.sources.test_video_file import write_video


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_has_its_name_once_it_is_finished(tmp_path: Path) -> None:
    place = tmp_path / "a.MP4"
    place.write_text("before")
    file = PartialFile(place)
    assert file.path.suffix == ".mp4"
    file.path.write_text("after")
    assert place.read_text() == "before"
    file.finish()
    assert place.read_text() == "after"
    PartialFile(place).discard()
    assert names(tmp_path) == ["a.MP4"]


def test_what_a_killed_process_left_is_removed_and_what_one_writes_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom foundation.atomic import PartialFile\n"
        "file = PartialFile(pathlib.Path(sys.argv[1]))\nprint(file.path.name, flush=True)\nsys.stdin.read()"
    )
    place = tmp_path / "a.mp4"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    being_written = process.stdout.readline().strip()
    ours = PartialFile(place)
    remove_stale(place)
    assert names(tmp_path) == sorted([being_written, ours.path.name])
    process.kill()
    process.communicate()
    remove_stale(place)
    assert names(tmp_path) == [ours.path.name]
    ours.discard()


@pytest.mark.parametrize(
    "name",
    [".b.12ab.part.mp4", ".a.b.12ab.part.mp4", ".a.12ab.part.mkv", "a.12ab.part.mp4", ".a.holiday.part.mp4", "a.mp4"],
)
def test_other_files_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("another's")
    remove_stale(tmp_path / "a.mp4")
    assert names(tmp_path) == [name]


def test_a_video_is_written_in_the_place_of_one_that_was_left(tmp_path: Path) -> None:
    (tmp_path / ".a[1].4711.part.mp4").write_text("left")
    write_video(tmp_path / "a[1].mp4", 3)
    assert names(tmp_path) == ["a[1].mp4"]


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    place = tmp_path / "nothing" / "a.mp4"
    remove_stale(place)
    with pytest.raises(FileNotFoundError) as caught:
        PartialFile(place)
    assert caught.value.filename == str(place)
