"""Folders of photos turned into upright RGB files: names, sizes, repeats, other people's files."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.commands.main import main
from embedder.folders import convert as image_conversion
from embedder.folders.convert import convert_images, name_outputs
from embedder.images import kinds
from embedder.images.reading import read_image

BLUE = (20, 40, 200)


def photo(path, colour=BLUE, size_wh=(12, 8), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size_wh, colour).save(path, **options)
    return path


def statuses(summary):
    return {one.source.as_posix(): (one.output.as_posix(), one.status) for one in summary.conversions}


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_many_formats_become_upright_rgb_files_in_the_same_folders(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    photo(tmp_path / "in" / "安娜" / "a b.png")
    photo(tmp_path / "in" / "bert" / "turned.jpg", exif=exif)
    (tmp_path / "in" / "grey").parent.mkdir(exist_ok=True)
    Image.new("L", (5, 4), 77).save(tmp_path / "in" / "grey", "PNG")
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    summary = convert_images(tmp_path / "in", tmp_path / "out")
    assert files(tmp_path / "out") == ["bert/turned.jpg", "grey.jpg", "安娜/a b.jpg"]
    assert [one.status for one in summary.conversions] == ["written"] * 3
    assert (summary.n_other, summary.n_hidden, summary.unreadable_folders) == (1, 0, ())
    with Image.open(tmp_path / "out" / "bert" / "turned.jpg") as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (8, 12))
        assert 0x0112 not in picture.getexif()
    assert np.abs(read_image(tmp_path / "out" / "grey.jpg").astype(int) - 77).max() <= 1


def test_png_keeps_every_pixel(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(noise).save(tmp_path / "in" / "a.tif")
    convert_images(tmp_path / "in", tmp_path / "out", file_format="png")
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "a.png"), noise)


@pytest.mark.parametrize(
    ("size_wh", "expected_hw"),
    [
        ((100, 50), (20, 40)),
        ((50, 100), (40, 20)),
        ((40, 40), (40, 40)),
        ((30, 10), (10, 30)),
        ((1000, 1), (1, 40)),
    ],
)
def test_max_side_reduces_and_never_enlarges(tmp_path, size_wh, expected_hw):
    photo(tmp_path / "in" / "a.png", size_wh=size_wh)
    convert_images(tmp_path / "in", tmp_path / "out", file_format="png", max_side=40)
    image = read_image(tmp_path / "out" / "a.png")
    assert image.shape[:2] == expected_hw
    assert tuple(image[0, 0]) == BLUE


def test_empty_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / ".hidden").touch()
    with pytest.raises(FileNotFoundError, match=r"in this folder, found none \(1 hidden file, 0 that are no images\)"):
        convert_images(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_up_to_date_files_are_left_alone_and_changed_ones_made_again(tmp_path):
    path = photo(tmp_path / "in" / "a.png")
    photo(tmp_path / "in" / "b.png")
    convert_images(tmp_path / "in", tmp_path / "out", file_format="png")
    before = (tmp_path / "out" / "b.png").stat().st_mtime_ns
    photo(path, colour=(250, 0, 0))
    summary = convert_images(tmp_path / "in", tmp_path / "out", file_format="png")
    assert statuses(summary) == {"a.png": ("a.png", "written"), "b.png": ("b.png", "up to date")}
    assert (tmp_path / "out" / "b.png").stat().st_mtime_ns == before
    assert tuple(read_image(tmp_path / "out" / "a.png")[0, 0]) == (250, 0, 0)


def test_another_size_is_made_again(tmp_path):
    photo(tmp_path / "in" / "a.png")
    convert_images(tmp_path / "in", tmp_path / "out", max_side=6)
    assert convert_images(tmp_path / "in", tmp_path / "out", max_side=6).with_status("up to date")
    assert convert_images(tmp_path / "in", tmp_path / "out").with_status("written")
    assert read_image(tmp_path / "out" / "a.jpg").shape == (8, 12, 3)


def test_photos_that_would_become_one_file_become_several(tmp_path):
    for name in ("a.png", "a.jpg", "a.bmp", "A.tif"):
        photo(tmp_path / "in" / name)
    summary = convert_images(tmp_path / "in", tmp_path / "out")
    assert statuses(summary) == {
        "A.tif": ("A.tif.jpg", "written"),
        "a.bmp": ("a.bmp.jpg", "written"),
        "a.jpg": ("a.jpg", "written"),
        "a.png": ("a.png.jpg", "written"),
    }
    assert convert_images(tmp_path / "in", tmp_path / "out").with_status("up to date") == [
        image_conversion.Conversion(one.source, one.output, "up to date") for one in summary.conversions
    ]


@pytest.mark.parametrize(
    ("names", "outputs"),
    [
        ([], []),
        (["a.png"], ["a.jpg"]),
        (["a.bmp", "a.png", "a.png.jpg"], ["a.jpg", "a.png.2.jpg", "a.png.jpg"]),
        (["x/a.png", "y/a.png"], ["x/a.jpg", "y/a.jpg"]),
        (["IMG.2020.heic", "IMG"], ["IMG.2020.jpg", "IMG.jpg"]),
    ],
)
def test_names(names, outputs):
    assert [path.as_posix() for path in name_outputs([Path(name) for name in names], ".jpg")] == outputs


def test_a_failed_photo_is_listed_and_the_others_are_written(tmp_path):
    photo(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "bad.jpg").write_text("text")
    (tmp_path / "in" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    photo(tmp_path / "in" / "large.png", size_wh=(20, 20))
    summary = convert_images(tmp_path / "in", tmp_path / "out", max_pixels=100)
    assert files(tmp_path / "out") == ["a.jpg"]
    messages = {one.source.name: one.message for one in summary.with_status("failed")}
    assert "expected an image" in messages["bad.jpg"]
    assert messages["gone.jpg"] == f"a dangling link to {tmp_path / 'nowhere.jpg'}"
    assert "expected at most 100 pixels, found 20 x 20" in messages["large.png"]


def test_side_too_long_for_jpeg(tmp_path):
    photo(tmp_path / "in" / "panorama.png", size_wh=(65_501, 1))
    (failed,) = convert_images(tmp_path / "in", tmp_path / "out").conversions
    assert "expected sides of at most 65,500 pixels for JPEG, found 65,501; use" in failed.message
    assert convert_images(tmp_path / "in", tmp_path / "out", file_format="png").with_status("written")


def test_somebodys_own_file_is_never_replaced(tmp_path):
    photo(tmp_path / "in" / "a.png")
    own = photo(tmp_path / "out" / "a.jpg", colour=(0, 250, 0)).read_bytes()
    (failed,) = convert_images(tmp_path / "in", tmp_path / "out").conversions
    assert failed.status == "failed"
    assert f"or one written by convert at {tmp_path}/out/a.jpg, found another; move it" in failed.message
    assert (tmp_path / "out" / "a.jpg").read_bytes() == own


def test_out_inside_photos_is_not_converted_again(tmp_path):
    photo(tmp_path / "a.png")
    for _ in range(2):
        summary = convert_images(tmp_path, tmp_path / "sub" / "out")
    assert statuses(summary) == {"a.png": ("a.jpg", "up to date")}
    assert files(tmp_path) == ["a.png", "sub/out/a.jpg"]


def test_photos_inside_out(tmp_path):
    photo(tmp_path / "raw" / "a.png")
    photo(tmp_path / "raw" / "b.png")
    own = photo(tmp_path / "b.jpg").read_bytes()
    assert statuses(convert_images(tmp_path / "raw", tmp_path)) == {
        "a.png": ("a.jpg", "written"),
        "b.png": ("b.jpg", "failed"),
    }
    assert (tmp_path / "b.jpg").read_bytes() == own


def test_out_that_is_photos_is_refused(tmp_path):
    original = photo(tmp_path / "a.png").read_bytes()
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="`out` must be another folder than the photos'"):
        convert_images(tmp_path, tmp_path / "link")
    assert files(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == original


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"file_format": "gif"}, "`file_format` must be one of jpg, png, got 'gif'"),
        ({"max_side": 0}, "`max_side` must be at least 1 pixel, got 0"),
        ({"max_pixels": 0}, "`max_pixels` must be at least 1, got 0"),
    ],
)
def test_bad_options(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        convert_images(tmp_path, tmp_path / "out", **options)


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder of photos"):
        convert_images(tmp_path / "no", tmp_path / "out")


def test_full_disk_stops_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = photo(tmp_path / "in" / "a.png")
    convert_images(tmp_path / "in", tmp_path / "out")
    old = (tmp_path / "out" / "a.jpg").read_bytes()
    photo(path, colour=(1, 2, 3))

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(image_conversion, "_encode", fail)
    with pytest.raises(OSError, match="no room to write it"):
        convert_images(tmp_path / "in", tmp_path / "out")
    assert files(tmp_path / "out") == ["a.jpg"]
    assert (tmp_path / "out" / "a.jpg").read_bytes() == old


# --- command ---


def test_command_writes_and_reports(tmp_path, capsys):
    photo(tmp_path / "in" / "a.png", size_wh=(30, 30))
    (tmp_path / "in" / ".hidden").touch()
    code = main(
        [
            "convert",
            str(tmp_path / "in"),
            str(tmp_path / "out"),
            "--max-side",
            "10",
            "--format",
            "png",
            "--json",
            str(tmp_path / "r.json"),
        ]
    )
    assert code == 0
    captured = capsys.readouterr()
    assert captured.out == (
        f"{tmp_path}/out: 1 photo written, 0 up to date, 0 failed\nleft out: 1 hidden file, 0 that are no images\n"
    )
    assert read_image(tmp_path / "out" / "a.png").shape == (10, 10, 3)
    assert json.loads((tmp_path / "r.json").read_text()) == {
        "written": 1,
        "up_to_date": 0,
        "failed": 0,
        "hidden": 1,
        "other": 0,
        "by_kind": {},
        "left_out": ["left out: 1 hidden file, 0 that are no images"],
        "unreadable_folders": [],
        "files": [{"source": "a.png", "output": "a.png", "status": "written", "message": ""}],
    }


def test_command_lists_failures_and_exits_with_1(tmp_path, capsys):
    photo(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "empty.jpg").touch()
    assert main(["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--max-pixels", "200"]) == 1
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith(f"{tmp_path}/in/empty.jpg: expected an image (JPEG, ")
    assert "1 photo written, 0 up to date, 1 failed" in captured.out


def test_command_says_what_it_left_out_and_what_to_do(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(kinds, "find_spec", lambda name: None)
    photo(tmp_path / "in" / "a.png")
    photo(tmp_path / "in" / "thumb" / "b.png")
    for name in ("b.dng", "c.mp4"):
        (tmp_path / "in" / name).touch()
    assert main(["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--exclude", "thumb/"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/out: 1 photo written, 0 up to date, 0 failed",
        "left out: 0 hidden files, 0 that are no images, 1 excluded",
        "1 camera raw photo and 1 video left out; camera raw photos are read after: pip install rawpy==0.28.0; people "
        "in videos are found with --videos where tables and workspaces are made, and named by: facetable recognize "
        "VIDEO --head HEAD",
    ]


def test_command_that_cannot_run_exits_with_2(tmp_path, capsys):
    assert main(["convert", str(tmp_path / "no"), str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == (
        f"python -m embedder convert: error: {tmp_path}/no: expected a folder of "
        "photos, found nothing; check the path\n"
    )


def test_a_file_for_a_folder_is_refused(tmp_path):
    photo(tmp_path / "in" / "a.png")
    (tmp_path / "out").touch()
    with pytest.raises(NotADirectoryError, match="expected a folder to write to, found a file; name a folder"):
        convert_images(tmp_path / "in", tmp_path / "out")
