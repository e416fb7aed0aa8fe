"""Thumbnails: cut once, private, around the face; forgetting knows them by name."""

import io
import stat

import cv2
import numpy as np
import pytest
from PIL import Image

from foundation.formats import hash_file
from people.forgetting.other_files import Thumbnails
from people.store.reader import PeopleReader
from people.store.records import Face
from people.store.scanned import ScannedFile
from people.workspace.workspace import Workspace
from webapp.pictures.thumbnails import (
    SIDE,
    photo_thumbnail_path,
    read_photo_thumbnail,
    read_thumbnail,
    thumbnail_path,
)


@pytest.fixture
def shown(workspace):
    with PeopleReader(workspace.store) as reader:
        return reader.files()[1], reader.faces_in_table(path=reader.files()[1].path)


def test_it_is_cut_once_and_kept_private(workspace, shown, photos, monkeypatch):
    file, (one, two) = shown
    content = read_thumbnail(workspace, file, one.face, others=[two.face])
    picture = Image.open(io.BytesIO(content))
    assert picture.format == "WEBP" and picture.size == (SIDE, SIDE) and not picture.getexif()
    for face in (one, two):
        place = thumbnail_path(workspace, face.face)
        assert stat.S_IMODE(place.stat().st_mode) == 0o600 and stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    monkeypatch.setattr("embedder.videos.moment.read_moment", lambda *_: pytest.fail("it was decoded again"))
    assert read_thumbnail(workspace, file, one.face) == content


def test_a_whole_photo_is_made_small_once_and_kept_private(workspace, shown, monkeypatch):
    file, _ = shown
    content = read_photo_thumbnail(workspace, file)
    picture = Image.open(io.BytesIO(content))
    assert picture.format == "WEBP" and picture.size == (320, 240) and not picture.getexif()
    assert stat.S_IMODE(photo_thumbnail_path(workspace, file).stat().st_mode) == 0o600
    monkeypatch.setattr("embedder.images.reading.read_image", lambda path: pytest.fail("it was decoded again"))
    assert read_photo_thumbnail(workspace, file) == content


def test_the_face_is_in_its_middle(workspace, shown):
    file, (one, _) = shown
    picture = Image.open(io.BytesIO(read_thumbnail(workspace, file, one.face))).convert("RGB")
    red, green, blue = picture.getpixel((SIDE // 2, SIDE // 2 + 8))
    assert red > green > blue and red > 200  # skin
    assert picture.getpixel((3, 3))[0] < 60  # the photo's ground


def test_faces_at_the_edge_are_cut_inside_the_photo(workspace, shown):
    file, _ = shown
    beyond = Face(file.sha256, (-0.05, -0.05, 0.2, 0.2))
    assert Image.open(io.BytesIO(read_thumbnail(workspace, file, beyond))).size == (SIDE, SIDE)


def test_where_it_cannot_be_kept_it_is_shown_all_the_same(workspace, shown):
    file, (one, _) = shown
    workspace.thumbnails.write_text("in the way")
    assert read_thumbnail(workspace, file, one.face)[8:12] == b"WEBP"


def test_forgetting_knows_them_by_name(workspace, shown):
    place = thumbnail_path(workspace, shown[1][0].face)
    assert Thumbnails().claims(place, b"RIFF")
    assert Thumbnails().claims(photo_thumbnail_path(workspace, shown[0]), b"RIFF")
    assert Thumbnails().claims(thumbnail_path(workspace, Face("a" * 64, (-0.1, 0, 1, 1), 12.5)), b"RIFF")
    assert not Thumbnails().claims(place.with_name("holiday.webp"), b"RIFF")


def test_of_a_video_the_frame_of_the_asked_second_is_kept_under_it(workspace, tmp_path):
    video = tmp_path / "films" / "walk.mp4"
    video.parent.mkdir()
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for frame in range(20):  # dark, and bright from the first second on
        writer.write(np.full((48, 64, 3), 40 if frame < 10 else 200, np.uint8))
    writer.release()
    workspace.set_photo_folders([str(video.parent)])
    workspace = Workspace(workspace.folder)
    film = ScannedFile("walk.mp4", hash_file(video), 64, 48, "", "video")
    pictures = [Image.open(io.BytesIO(read_photo_thumbnail(workspace, film, second))) for second in (0.2, 1.4)]
    shades = [np.asarray(picture.convert("L")).mean() for picture in pictures]
    assert shades[0] < 90 < 160 < shades[1]
    kept = [photo_thumbnail_path(workspace, film, second) for second in (0.2, 1.4)]
    assert kept[0] != kept[1] and all(path.exists() and Thumbnails().claims(path, b"RIFF") for path in kept)
