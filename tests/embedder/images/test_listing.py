"""The listing of folders of images."""

import errno
import importlib.machinery
import os
from pathlib import Path

import pytest

from embedder.images import kinds
from embedder.images.listing import list_images, list_inputs
from embedder.images.reading import read_image
from foundation.errors import InputError
from foundation.paths import display_path


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\xff\xd8\xff")


def listed(root):
    return [display_path(path) for path in list_images(root).paths]


def test_empty_folder(tmp_path):
    listing = list_images(tmp_path)
    assert (listing.paths, listing.n_hidden, listing.n_other, listing.unreadable_folders) == ((), 0, 0, ())
    assert listing.root == tmp_path


def test_one_image(tmp_path):
    touch(tmp_path, "a.jpg")
    assert list_images(str(tmp_path)).paths == (Path("a.jpg"),)


def test_missing_folder_and_file_in_place_of_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder of photos, found nothing; check the path"):
        list_images(tmp_path / "no")
    touch(tmp_path, "a.jpg")
    with pytest.raises(NotADirectoryError, match="expected a folder of photos, found a file") as caught:
        list_images(tmp_path / "a.jpg")
    assert caught.value.filename == str(tmp_path / "a.jpg")


def test_path_order_compares_folder_by_folder(tmp_path):
    touch(tmp_path, "b.jpg", "a/2.jpg", "a/10.jpg", "a-c/1.jpg", "a.jpg", "a/b/0.jpg", "Z/1.jpg")
    assert listed(tmp_path) == ["Z/1.jpg", "a/10.jpg", "a/2.jpg", "a/b/0.jpg", "a-c/1.jpg", "a.jpg", "b.jpg"]


def test_hidden_and_other_files_are_only_counted(tmp_path):
    touch(tmp_path, "a.JPG", "b.HeIc", ".hidden.jpg", ".folder/c.jpg", "x/.DS_Store", "notes.txt", "x/video.mp4")
    listing = list_images(tmp_path)
    assert [path.as_posix() for path in listing.paths] == ["a.JPG", "b.HeIc"]
    assert listing.n_hidden == 3
    assert (listing.n_other, listing.n_by_kind) == (1, {"video": 1})


@pytest.mark.parametrize(
    ("content", "is_image"),
    [
        (b"\xff\xd8\xff\xe0", True),
        (b"\x89PNG\r\n\x1a\n", True),
        (b"RIFF\0\0\0\0WEBPVP8 ", True),
        (b"GIF89a", True),
        (b"\0\0\0\x18ftypheic\0\0\0\0", True),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", True),
        (b"MM\0*", True),
        (b"BMW drives\n" + bytes(20), False),
        (b"P1 is a note", False),
        (b"P5 3 1 255\n", True),
        (b"", False),
        (b"\0\0\0\x18ftypisom\0\0\0\0", False),
        (b"RIFF\0\0\0\0WAVEfmt ", False),
    ],
)
def test_files_without_suffix_are_judged_by_their_first_bytes(tmp_path, content, is_image):
    (tmp_path / "photo").write_bytes(content)
    listing = list_images(tmp_path)
    assert len(listing.paths) == is_image
    assert listing.n_other == (not is_image)


def test_symlink_loop_lists_each_real_folder_once(tmp_path):
    touch(tmp_path, "anna/1.jpg", "anna/deep/2.jpg")
    (tmp_path / "anna" / "loop").symlink_to(tmp_path)
    (tmp_path / "aaa").symlink_to(tmp_path / "anna")  # sorts first, but anna keeps her name
    (tmp_path / "self").symlink_to(tmp_path / "self")
    assert listed(tmp_path) == ["anna/1.jpg", "anna/deep/2.jpg"]


def test_links_to_folders_and_files_outside_are_followed(tmp_path):
    touch(tmp_path / "elsewhere", "1.jpg", "sub/2.jpg")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bert").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "bert again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "one.jpg").symlink_to(tmp_path / "elsewhere" / "1.jpg")
    assert listed(tmp_path / "photos") == ["bert/1.jpg", "bert/sub/2.jpg", "one.jpg"]


def test_link_that_leads_nowhere_is_listed_so_that_its_failure_is_seen(tmp_path):
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    listing = list_images(tmp_path)
    assert listing.paths == (Path("gone.jpg"),)
    assert listing.n_other == 1
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "gone.jpg")


def test_folder_that_cannot_be_listed_is_reported(tmp_path, monkeypatch, caplog):
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    scandir = os.scandir

    def refuse(folder):
        if Path(folder).name == "a":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_images(tmp_path)
    assert listing.paths == (Path("b/2.jpg"),)
    assert listing.unreadable_folders == (Path("a"),)
    assert "a: folder cannot be read (Permission denied)" in caplog.text


def test_a_link_that_leads_nowhere_says_where_to(tmp_path: Path) -> None:
    (tmp_path / "album").symlink_to("/no/such/disk")
    with pytest.raises(
        FileNotFoundError,
        match="expected a folder of photos, found a dangling link to /no/such/disk; mend the link or check the path",
    ):
        list_images(tmp_path / "album")
    (tmp_path / "a.jpg").symlink_to("gone.jpg")
    with pytest.raises(FileNotFoundError, match=r"expected an image file, found a dangling link to gone\.jpg; mend"):
        read_image(tmp_path / "a.jpg")


def test_several_folders_and_files(tmp_path):
    touch(tmp_path, "a/1.jpg", "a/x.txt", "b/2.jpg", "b/.hidden.jpg", "c.jpg")
    listing = list_inputs([tmp_path / "b", tmp_path / "a", tmp_path / "c.jpg", tmp_path / "a"])
    assert [photo.name for photo in listing.photos] == ["1.jpg", "2.jpg", "c.jpg"]
    assert [photo.path for photo in listing.photos] == [tmp_path / name for name in ("a/1.jpg", "b/2.jpg", "c.jpg")]
    assert listing.roots == (tmp_path / "b", tmp_path / "a", tmp_path)
    assert (listing.n_hidden, listing.n_other) == (1, 2)


def test_two_photos_of_one_name_are_both_named(tmp_path):
    touch(tmp_path, "a/Ann/1.jpg", "b/Ann/1.jpg")
    with pytest.raises(InputError) as caught:
        list_inputs([tmp_path / "a", tmp_path / "b"])
    assert f"found {tmp_path}/a/Ann/1.jpg and {tmp_path}/b/Ann/1.jpg, both 'Ann/1.jpg'" in str(caught.value)
    with pytest.raises(InputError, match="at least one folder or photo, got none"):
        list_inputs([])
    with pytest.raises(FileNotFoundError, match="expected a folder of photos, found nothing"):
        list_inputs([tmp_path / "a", tmp_path / "none"])


def test_folders_of_thumbnails_and_deleted_files_are_counted_and_not_looked_into(tmp_path, caplog):
    caplog.set_level("INFO")
    touch(tmp_path, "Ann/1.jpg", "Ann/@eaDir/1.jpg/SYNOPHOTO_THUMB_XL.jpg", "Bob/@eaDir/x.jpg", "#recycle/2.jpg")
    touch(tmp_path, "$RECYCLE.BIN/3.jpg", "lost+found/4.jpg", "Lost and Found/5.jpg", "@eaDir.jpg")
    touch(tmp_path, "Ann/.@__thumb/default1.jpg", ".hidden/6.jpg")
    listing = list_images(tmp_path)
    assert [photo.name for photo in listing.photos] == ["@eaDir.jpg", "Ann/1.jpg", "Lost and Found/5.jpg"]
    assert listing.skipped_folders == {"@eaDir": 2, "#recycle": 1, "$RECYCLE.BIN": 1, "lost+found": 1, ".@__thumb": 1}
    assert listing.n_hidden == 1
    assert "not looked into" in caplog.text and "@eaDir (2)" in caplog.text
    assert list_inputs([tmp_path, tmp_path / "Ann" / "1.jpg"]).skipped_folders == listing.skipped_folders


def test_a_folder_of_such_a_name_is_read_where_it_is_asked_for(tmp_path):
    touch(tmp_path, "#recycle/Ann/1.jpg")
    assert listed(tmp_path / "#recycle") == ["Ann/1.jpg"]


CAMERA_FILES = (".dng", ".CR2", ".cr3", ".NEF", ".arw", ".raf", ".orf", ".rw2")


def installed(monkeypatch, *modules):
    """Let `modules` be the only packages of readers that are there."""
    spec = importlib.machinery.ModuleSpec("reader", None)
    monkeypatch.setattr(kinds, "find_spec", lambda name: spec if name in modules else None)


def test_what_cannot_be_read_here_is_counted_by_kind_with_the_remedy(tmp_path, monkeypatch):
    installed(monkeypatch)
    touch(tmp_path, "a.jpg", "x.txt", "b.jxl", "c.psd", *(f"Ann/{i}{end}" for i, end in enumerate(CAMERA_FILES)))
    touch(tmp_path, "1.mp4", "2.MOV", "a.dng")
    listing = list_images(tmp_path)
    assert [photo.name for photo in listing.photos] == ["a.jpg"]
    assert listing.n_by_kind == {"camera raw photo": 9, "JPEG XL photo": 1, "Photoshop file": 1, "video": 2}
    assert listing.n_other == 1
    in_album = [f"Ann/{i}{end}" for i, end in enumerate(CAMERA_FILES)]
    assert [photo.name for photo in listing.unread] == ["1.mp4", "2.MOV", *in_album, "a.dng", "b.jxl"]
    assert listing.left_out_lines == [
        "left out: 0 hidden files, 1 that are no images",
        "9 camera raw photos, 1 JPEG XL photo, 1 Photoshop file and 2 videos left out; camera raw photos are read "
        "after: pip install rawpy==0.28.0; JPEG XL after: pip install pillow-jxl-plugin==1.3.8; export Photoshop files "
        "as JPEG; people in videos are found with --videos where tables and workspaces are made, and named by: "
        "facetable recognize VIDEO --head HEAD",
    ]
    assert list_inputs([tmp_path, tmp_path / "a.jpg"]).n_by_kind == listing.n_by_kind


def test_a_folder_of_such_files_alone_says_so(tmp_path, monkeypatch):
    installed(monkeypatch)
    touch(tmp_path, "a.dng")
    error = list_images(tmp_path).no_photos(tmp_path)
    assert error.filename == str(tmp_path)
    assert error.strerror == (
        "expected photos in this folder, found none (0 hidden files, 0 that are no images); 1 camera raw photo left "
        "out; camera raw photos are read after: pip install rawpy==0.28.0"
    )


def test_with_their_readers_they_are_photos_but_for_a_raw_photo_beside_its_picture(tmp_path, monkeypatch):
    installed(monkeypatch, "rawpy", "pillow_jxl")
    touch(tmp_path, "1.dng", "1.JPG", "2.dng", "b/1.dng", "c.jxl", "d.mp4")
    listing = list_images(tmp_path)
    assert [photo.name for photo in listing.photos] == ["1.JPG", "2.dng", "b/1.dng", "c.jxl"]
    assert (listing.n_by_kind, listing.n_beside) == ({"video": 1}, 1)
    assert [photo.name for photo in listing.unread] == ["d.mp4"]
    assert listing.left_out.endswith(", 1 camera raw photo beside a picture of the same name")


def test_videos_are_listed_where_they_are_asked_for_and_spare_no_raw_photo(tmp_path, monkeypatch):
    installed(monkeypatch, "rawpy")
    touch(tmp_path, "1.dng", "1.MOV", "b/2.mp4", "x.txt")
    for listing in (list_images(tmp_path, videos=True), list_inputs([tmp_path], videos=True)):
        assert [photo.name for photo in listing.photos] == ["1.MOV", "1.dng", "b/2.mp4"]
        assert [photo.is_video for photo in listing.photos] == [True, False, True]
        assert (listing.n_by_kind, listing.unread, listing.n_beside, listing.n_other) == ({}, (), 0, 1)
