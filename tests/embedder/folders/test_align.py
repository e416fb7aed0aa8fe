import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.commands.main import main
from embedder.folders.align import AlignSummary, align_folder, name_crops
from embedder.images import kinds
from embedder.images.reading import read_image
from tests import PROJECT
from tests.embedder.fakes import DETECTOR_FAILS, NO_FACE, FakeDetector, write_photo
from tests.embedder.finding.test_upright import ByWayUp


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def crops_in(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png"))


def align(photos: Path, out: Path, detector: FakeDetector | ByWayUp | None = None, **options) -> AlignSummary:
    return align_folder(photos, out, detector=detector or FakeDetector(), size=options.pop("size", 20), **options)


def read_rows(out: Path) -> list[dict[str, str]]:
    with (out / "bounding_boxes.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_crops_lie_in_the_folders_of_their_photos(photos: Path, out: Path):
    for name in ("Ada/1.jpg", "Ada/old photos/2.png", "王小明/照片.jpg", "3.jpg"):
        write_photo(photos / name, 2)
    summary = align(photos, out)
    assert crops_in(out) == ["3.png", "Ada/1.png", "Ada/old photos/2.png", "王小明/照片.png"]
    assert (summary.n_photos, summary.n_crops, summary.n_by_status["ok"]) == (4, 4, 4)
    assert summary.all_read


def test_one_face_is_the_main_one_and_its_box_is_listed(photos: Path, out: Path):
    photo = write_photo(photos / "a.jpg", 3)
    align(photos, out, size=24, margin=0)
    image = read_image(photo)
    faces = FakeDetector().detect_batch([image])[0]
    expected = faces[1].crop(image, 24, 0)[0]
    assert np.array_equal(np.asarray(Image.open(out / "a.png")), expected)
    (row,) = read_rows(out)
    assert (row["crop"], row["photo"], row["face_index"]) == ("a.png", "a.jpg", "0")
    assert [float(row[name]) for name in ("x_min", "y_min", "x_max", "y_max")] == [20, 10, 35, 30]


def test_all_faces_are_numbered(photos: Path, out: Path):
    write_photo(photos / "x/a.jpg", 3)
    write_photo(photos / "x/b.jpg", 1)
    summary = align(photos, out, faces="all")
    assert crops_in(out) == ["x/a_0.png", "x/a_1.png", "x/a_2.png", "x/b_0.png"]
    assert [row["face_index"] for row in read_rows(out)] == ["0", "1", "2", "0"]
    assert summary.n_crops == 4


def test_photos_of_one_stem_do_not_overwrite_each_other(photos: Path, out: Path):
    for red, name in enumerate(("a.jpg", "a.png", "a.jpeg"), start=1):
        write_photo(photos / name, red)
    align(photos, out)
    assert crops_in(out) == ["a.jpg.png", "a.png", "a.png.png"]
    assert sorted(row["photo"] for row in read_rows(out)) == ["a.jpeg", "a.jpg", "a.png"]


def test_names_are_given_once_and_kept():
    photos = ["A.jpg", "a.jpg", "a.png", "b"]
    names = name_crops(photos, {})
    assert names == {"A.jpg": "A", "a.jpg": "a.jpg", "a.png": "a.png", "b": "b"}
    assert name_crops(["A.heic", *photos], names) == {"A.heic": "A.heic", **names}
    assert name_crops(["a.jpg", "A.JPG"], {"x.jpg": "a"}) == {"a.jpg": "a.jpg", "A.JPG": "A.JPG.2"}


def test_what_is_done_is_skipped_also_without_a_face(photos: Path, out: Path):
    write_photo(photos / "a.jpg", 1)
    write_photo(photos / "b.jpg", NO_FACE)
    assert align(photos, out).without_face == ["b.jpg"]
    detector = FakeDetector()
    summary = align(photos, out, detector)
    assert detector.n_seen == 0
    assert (summary.n_done_before, summary.n_crops, summary.without_face) == (2, 1, ["b.jpg"])
    write_photo(photos / "c.jpg", 1)
    assert align(photos, out, detector).n_done_before == 2
    assert detector.n_seen == 1
    assert [row["photo"] for row in read_rows(out)] == ["a.jpg", "c.jpg"]


def test_a_changed_photo_is_aligned_again_and_loses_old_crops(photos: Path, out: Path):
    photo = write_photo(photos / "a.jpg", 3)
    align(photos, out, faces="all")
    write_photo(photo, 1)
    os.utime(photo, ns=(1, 1))
    assert align(photos, out, faces="all").n_done_before == 0
    assert crops_in(out) == ["a_0.png"]
    assert len(read_rows(out)) == 1


def test_a_removed_crop_is_made_again(photos: Path, out: Path):
    write_photo(photos / "a.jpg", 1)
    align(photos, out)
    (out / "a.png").unlink()
    align(photos, out)
    assert crops_in(out) == ["a.png"]


def test_a_crop_without_a_record_is_of_a_killed_run_and_replaced(photos: Path, out: Path):
    write_photo(photos / "a.jpg", 1)
    align(photos, out)
    for part in (out / ".align").glob("*.jsonl"):
        part.unlink()
    assert align(photos, out).n_by_status["ok"] == 1


def test_somebody_elses_file_is_never_replaced(photos: Path, out: Path):
    write_photo(photos / "a.jpg", 1)
    write_photo(photos / "b.jpg", 1)
    own = write_photo(out / "a.png", 7)
    before = own.read_bytes()
    summary = align(photos, out)
    assert own.read_bytes() == before
    (failure,) = summary.failures
    assert (failure["path"], failure["status"]) == ("a.jpg", "error")
    assert "expected no file or one written by align" in failure["message"]
    assert [row["photo"] for row in read_rows(out)] == ["b.jpg"]


def test_failures_are_listed_and_tried_again(photos: Path, out: Path):
    write_photo(photos / "a.jpg", 1)
    write_photo(photos / "b.jpg", DETECTOR_FAILS)
    (photos / "text.jpg").write_text("no image")
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "notes.txt").write_text("other")
    for _ in range(2):
        summary = align(photos, out)
        assert {one["path"]: one["status"] for one in summary.failures} == {
            "b.jpg": "error",
            "text.jpg": "unreadable",
            "empty.jpg": "unreadable",
        }
        assert summary.n_by_status == {"ok": 1, "no_face": 0, "unreadable": 2, "error": 1}
        assert summary.n_other == 1
        assert not summary.all_read
        assert any("text.jpg: expected an image" in line for line in summary.lines())
    write_photo(photos / "text.jpg", 1)
    assert [one["path"] for one in align(photos, out).failures] == ["b.jpg", "empty.jpg"]


def test_photos_above_max_pixels_are_unreadable(photos: Path, out: Path):
    write_photo(photos / "a.jpg", 1)
    summary = align(photos, out, max_pixels=1999)
    assert summary.n_by_status["unreadable"] == 1
    assert "at most 1,999 pixels" in summary.failures[0]["message"]


def test_random_order_gives_the_same_folder(photos: Path, out: Path, tmp_path: Path):
    for i in range(12):
        write_photo(photos / f"{i}.jpg", 1 + i % 3, green=10 * i)
    align(photos, out)
    align(photos, tmp_path / "other", random_order=True)
    assert crops_in(out) == crops_in(tmp_path / "other")
    assert (out / "bounding_boxes.csv").read_bytes() == (tmp_path / "other" / "bounding_boxes.csv").read_bytes()
    assert all((out / crop).read_bytes() == (tmp_path / "other" / crop).read_bytes() for crop in crops_in(out))


def test_another_process_meanwhile_saves_work(photos: Path, out: Path):
    for i in range(80):
        write_photo(photos / f"{i:02}.jpg", 1)

    class OtherStartsMeanwhile(FakeDetector):
        def detect_batch(self, images):
            if self.n_seen == 0:
                self.n_seen += 1
                align(photos, out)
            return super().detect_batch(images)

    detector = OtherStartsMeanwhile()
    summary = align(photos, out, detector)
    assert detector.n_seen < 80
    assert summary.n_done_before > 0
    assert summary.n_photos == summary.n_crops == len(read_rows(out)) == 80


def test_an_output_folder_inside_the_photos_is_left_out(photos: Path):
    write_photo(photos / "a.jpg", 1)
    for _ in range(2):
        assert align(photos, photos / "crops").n_photos == 1
    assert crops_in(photos / "crops") == ["a.png"]


def test_other_settings_in_one_folder_are_refused(photos: Path, out: Path):
    write_photo(photos / "a.jpg", 1)
    align(photos, out)
    for options, name in (
        ({"size": 40}, "size"),
        ({"margin": 44}, "margin"),
        ({"faces": "all"}, "faces"),
        ({"alignment": "similarity"}, "alignment"),
        ({"margin_mode": "absolute"}, "margin_mode"),
        ({"detector": FakeDetector(min_face_size=40)}, "min_face_size"),
    ):
        with pytest.raises(ValueError, match=f"`{name}` .* before, .* now; repeat those settings or name another"):
            align(photos, out, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"faces": "some"}, "`faces` must be one of"),
        ({"size": 0}, "`size` must be at least 1 pixel"),
        ({"margin": -1}, "`margin` must be"),
        ({"margin_mode": "relative"}, "`margin_mode` must be one of"),
        ({"alignment": "affine"}, "`alignment` must be one of"),
        ({"max_pixels": 0}, "`max_pixels` must be at least 1"),
    ],
)
def test_unknown_options_are_refused(photos: Path, out: Path, options: dict, message: str):
    write_photo(photos / "a.jpg", 1)
    with pytest.raises(ValueError, match=message):
        align(photos, out, **options)
    assert not out.exists()


def test_folders_that_do_not_fit_are_refused(photos: Path, out: Path):
    with pytest.raises(FileNotFoundError):
        align(photos, out)
    photos.mkdir()
    (photos / "notes.txt").write_text("x")
    with pytest.raises(FileNotFoundError, match=r"found none \(0 hidden files, 1 that are no images\)"):
        align(photos, out)
    photo = write_photo(photos / "a.jpg", 1)
    with pytest.raises(ValueError, match="`out` must be another folder than the photos'"):
        align(photos, photos / ".." / "photos")
    with pytest.raises(OSError, match=r"a\.jpg|exists|directory"):
        align(photos, photo)


def test_what_is_left_out_is_said(photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kinds, "find_spec", lambda name: None)
    write_photo(photos / "a.png")
    for name in ("1.cr3", "2.nef", "3.mov"):
        (photos / name).touch()
    before = align(photos, out)
    assert before.n_by_kind == {"camera raw photo": 2, "video": 1}
    assert any(line.startswith("2 camera raw photos and 1 video left out; ") for line in before.lines())
    write_photo(photos / "other" / "x.png")
    assert align(photos, out, exclude=["other/"]).n_photos == before.n_photos


def test_long_lists_are_cut_short_for_people(photos: Path, out: Path):
    for i in range(13):
        write_photo(photos / f"{i:02}.jpg", NO_FACE)
    lines = align(photos, out).lines()
    assert sum(line.startswith("no face: ") for line in lines) == 11
    assert "no face: and 3 more (--json lists all)" in lines


@pytest.mark.realdata
def test_two_processes_share_the_command_line(data: Path, tmp_path: Path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for source in sorted((data / "lfw" / "images").glob("*/*.jpg"))[:24]:
        (photos / source.name).write_bytes(source.read_bytes())
    (photos / "bad.jpg").write_text("no image")
    command = [sys.executable, "-m", "embedder", "align", str(photos), str(out), "--random-order", "--threads", "1"]
    running = [
        subprocess.Popen(
            [*command, "--json", str(tmp_path / f"{i}.json")],
            cwd=PROJECT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for i in range(2)
    ]
    for i, process in enumerate(running):
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode == 1, stderr
        assert "1 unreadable" in stdout
        summary = json.loads((tmp_path / f"{i}.json").read_text())
        assert summary["n_photos"] == 25
        assert [one["path"] for one in summary["failures"]] == ["bad.jpg"]
    rows = read_rows(out)
    assert len(rows) == len(crops_in(out)) == summary["n_crops"] >= 23
    assert all(Image.open(out / row["crop"]).size == (160, 160) for row in rows)


def test_the_command_line_says_what_is_wrong(photos: Path, out: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["align", str(photos), str(out)]) == 2
    assert "expected a folder of photos, found nothing" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["align", str(photos), str(out), "--min-face-size", "small"])
    assert stopped.value.code == 2
    assert "expected auto or a whole number of pixels, got 'small'" in capsys.readouterr().err


def test_a_file_is_no_place_for_crops(photos: Path, tmp_path: Path):
    write_photo(photos / "Ada/1.jpg", 1)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(NotADirectoryError, match="expected a folder to write to, found a file; name a folder"):
        align(photos, tmp_path / "notes.txt")


class FindsItTurned(ByWayUp):
    """Finds a face on photos that stand on their head alone."""

    def __init__(self) -> None:
        super().__init__(0, 0, 0.9995, 0)


def test_photos_that_stand_on_their_head_are_cut_out_upright(photos: Path, out: Path):
    photos.mkdir()
    image = np.random.default_rng(5).integers(0, 200, (64, 64, 3), np.uint8)
    image[:16, :16] = 255
    Image.fromarray(image).save(photos / "a.png")
    align(photos, out, FindsItTurned(), margin=0)
    turned = np.ascontiguousarray(image[::-1, ::-1])
    expected = FindsItTurned().detect(turned).crop(turned, 20, 0)[0]
    np.testing.assert_array_equal(np.asarray(Image.open(out / "a.png")), expected)
    (row,) = read_rows(out)
    assert (row["turned"], float(row["x_min"]), float(row["y_max"])) == ("180", 34, 54)  # on the photo as it is stored


def test_a_folder_goes_on_as_it_was_begun(photos: Path, out: Path):
    write_photo(photos / "a.png", 1)
    align(photos, out, upright="exif")
    assert align(photos, out).n_done_before == 1
    file = out / ".align" / "settings.json"
    settings = json.loads(file.read_text())
    assert settings.pop("upright") == "exif"
    file.write_text(json.dumps(settings))  # begun before photos were turned
    assert align(photos, out).n_done_before == 1
    with pytest.raises(ValueError, match="`upright` exif before, auto now; repeat those settings"):
        align(photos, out, upright="auto")
    with pytest.raises(ValueError, match="`upright` must be one of auto, exif, got 'never'"):
        align(photos, out, upright="never")
