"""People found in videos: rows with their seconds, and nothing that a bad video costs the others."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embedder.commands.main import main
from embedder.pipeline.runner import embed_folder, update_table
from embedder.pipeline.settings import EmbedSettings
from embedder.pipeline.videos import VideoFaceFinder
from embedder.tables.table import EmbeddingTable
from embedder.videos.moment import read_moment
from tests.embedder.videos.made import BatchDetector, needs_ffmpeg, play_photo, run_ffmpeg, write_clip
from tests.recognition.fakes import ANN, BOB, FakeEmbedder, image_with


class NoDetector(BatchDetector):
    """Must not be asked."""

    def detect_batch(self, images: Any) -> Any:
        raise AssertionError(f"{len(images)} frames were searched again")


def embed(photos: Path, out: Path, **options: Any) -> EmbeddingTable:
    chosen = {"detector": BatchDetector(), "embedder": FakeEmbedder(), "videos": True, "identity_from": "none"}
    return embed_folder(photos, out, **{**chosen, **options})


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A photo of Ann, and a clip: nobody for two seconds, Ann for three, then Bob for one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(image_with((ANN, (20, 30, 80, 90)))).save(folder / "ann.png")
    ann = [image_with((ANN, (20 + n // 2, 30, 80 + n // 2, 90))) for n in range(75)]
    bob = [image_with((BOB, (120, 30, 170, 80)))] * 25
    write_clip(folder / "trip/clip.mp4", [image_with()] * 50 + ann + bob)
    return folder


def test_each_track_gives_its_best_looks_at_their_seconds(tmp_path: Path, photos: Path) -> None:
    table = embed(photos, tmp_path / "faces.h5")
    assert table.images.kind.tolist() == ["photo", "video"]
    assert table.images.n_faces.tolist() == [1, len(table) - 1]
    assert (int(table.images.height[1]), int(table.images.width[1])) == (120, 200)
    of_clip = table.paths == "trip/clip.mp4"
    assert np.isnan(table.times[~of_clip]).all()
    assert (np.diff(table.times[of_clip]) >= 0).all() and (table.origins == "detected").all()
    is_ann = table.embeddings @ table.embeddings[0] > 0.9
    ann_s, bob_s = table.times[of_clip & is_ann], table.times[of_clip & ~is_ann]
    assert len(ann_s) == 3 and np.diff(ann_s).min() >= 0.5
    assert (ann_s >= 1.95).all() and (ann_s <= 5.05).all()
    assert 1 <= len(bob_s) <= 2 and (bob_s >= 4.95).all()
    for row in np.flatnonzero(of_clip).tolist():
        x_min, y_min, x_max, y_max = table.boxes[row].astype(int)
        face = read_moment(photos / "trip/clip.mp4", table.times[row])[y_min:y_max, x_min:x_max].mean(axis=(0, 1))
        assert int(np.argmax(face)) == (0 if is_ann[row] else 1)


def test_without_the_flag_they_are_named_as_left_out_and_stay_in_the_table(tmp_path: Path, photos: Path) -> None:
    table = embed(photos, tmp_path / "faces.h5")
    settings = EmbedSettings(identity_from="none")
    networks = {"detector": BatchDetector(), "embedder": FakeEmbedder()}
    summary = update_table(photos, tmp_path / "faces.h5", settings, prune=True, **networks)
    assert summary.n_by_kind == {"video": 1} and summary.gone == []
    assert any("1 video left out; people in videos are found with --videos" in line for line in summary.lines())
    assert len(EmbeddingTable.read(tmp_path / "faces.h5")) == len(table)
    without = embed(photos, tmp_path / "other.h5", videos=False)
    assert len(without) == 1
    assert len(embed(photos, tmp_path / "other.h5")) == len(table)  # added later, the photo kept
    (photos / "trip/clip.mp4").unlink()
    update_table(photos, tmp_path / "faces.h5", settings, prune=True, **networks)
    assert len(EmbeddingTable.read(tmp_path / "faces.h5")) == 1


def test_a_bad_video_costs_no_other(tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = (photos / "trip/clip.mp4").read_bytes()
    (photos / "damaged.mp4").write_bytes(whole[: len(whole) // 3])
    (photos / "empty.mov").write_bytes(b"")
    (photos / "text.avi").write_text("no video")
    write_clip(photos / "nobody.mp4", [image_with()] * 10)
    table = embed(photos, tmp_path / "faces.h5")
    status = dict(zip(table.images.path, table.images.status, strict=True))
    assert status == {
        "ann.png": "ok",
        "damaged.mp4": "unreadable",
        "empty.mov": "unreadable",
        "nobody.mp4": "no_face",
        "text.avi": "unreadable",
        "trip/clip.mp4": "ok",
    }
    messages = dict(zip(table.images.path, table.images.message, strict=True))
    assert "found an empty file" in messages["empty.mov"]
    assert "no video that can be read" in messages["damaged.mp4"] and "no video" in messages["text.avi"]


def test_a_clip_that_was_cut_off_gives_what_it_has(
    tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = write_clip(tmp_path / "whole.avi", [image_with((ANN, (20, 30, 80, 90)))] * 100).read_bytes()
    (photos / "cut.avi").write_bytes(whole[: len(whole) // 2])
    table = embed(photos, tmp_path / "faces.h5")
    entry = table.images.path.tolist().index("cut.avi")
    assert table.images.status[entry] == "ok" and "it may be truncated" in table.images.message[entry]
    assert "cut.avi: ends after" in caplog.text


def test_a_video_whose_decoder_fails_in_another_way_is_an_error(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, video: object) -> None:
        raise RuntimeError("broken decoder")

    monkeypatch.setattr(VideoFaceFinder, "_look", fail)
    table = embed(photos, tmp_path / "faces.h5")
    assert (table.images.status[1], table.images.message[1]) == ("error", "RuntimeError: broken decoder")


def test_frames_larger_than_allowed_are_refused(tmp_path: Path, photos: Path) -> None:
    table = embed(photos, tmp_path / "faces.h5", max_pixels=200 * 100)
    assert "expected at most 20,000 pixels a frame, found 200 x 120" in table.images.message[1]


def test_a_run_that_is_killed_keeps_each_video_that_was_done(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clip(photos / "trip/later.mp4", [image_with((BOB, (20, 30, 80, 90)))] * 10)
    looked: list[str] = []
    find = VideoFaceFinder.find

    def die_at_second(self: VideoFaceFinder, video: Any) -> Any:
        looked.append(video.name)
        if len(looked) == 2:
            raise KeyboardInterrupt
        return find(self, video)

    monkeypatch.setattr(VideoFaceFinder, "find", die_at_second)
    with pytest.raises(KeyboardInterrupt):
        embed(photos, tmp_path / "faces.h5")
    table = embed(photos, tmp_path / "faces.h5")
    assert looked == ["trip/clip.mp4", "trip/later.mp4", "trip/later.mp4"]
    assert table.images.status.tolist() == ["ok"] * 3


def test_another_network_takes_the_faces_of_videos_from_the_table(tmp_path: Path, photos: Path) -> None:
    before = embed(photos, tmp_path / "faces.h5")
    after = embed(photos, tmp_path / "new.h5", faces_from=tmp_path / "faces.h5", detector=NoDetector())
    for name in ("paths", "times", "boxes", "landmarks", "face_indices", "origins"):
        assert np.array_equal(getattr(before, name), getattr(after, name), equal_nan=name == "times"), name
    assert np.allclose(before.embeddings, after.embeddings, atol=1e-5)


def test_a_stored_face_whose_frame_is_gone_is_said(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(photos, tmp_path / "faces.h5")
    monkeypatch.setattr("embedder.videos.reading.VideoReader.pixels", lambda self: None)
    table = embed(photos, tmp_path / "new.h5", faces_from=tmp_path / "faces.h5", detector=NoDetector())
    assert table.images.status[1] == "unreadable" and "expected a frame at 3." in table.images.message[1]


def test_one_face_keeps_one_track_alone(tmp_path: Path, photos: Path) -> None:
    both = [image_with((ANN, (20, 20, 100, 100)), (BOB, (150, 30, 180, 60)))] * 60
    shutil.rmtree(photos / "trip")
    write_clip(photos / "both.mp4", both)
    table = embed(photos, tmp_path / "faces.h5", faces="one")
    of_clip = table.paths == "both.mp4"
    assert of_clip.sum() == 3 and (table.embeddings[of_clip] @ table.embeddings[0] > 0.9).all()


@needs_ffmpeg
def test_sound_alone_is_said(tmp_path: Path, photos: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", photos / "sound.mp4")
    table = embed(photos, tmp_path / "faces.h5")
    entry = table.images.path.tolist().index("sound.mp4")
    assert table.images.status[entry] == "unreadable" and "sound without a picture" in table.images.message[entry]


@needs_ffmpeg
@pytest.mark.realdata
def test_a_known_person_is_found_in_videos_at_the_right_second(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Obama, from second 2 to 4 of an H.264 clip of each rotation, and a singer in two shots of a real clip."""
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(next((data / "people/train/obama").iterdir()), folder / "obama.jpg")
    for turned in (0, 90, 180, 270):
        play_photo(folder / f"{turned}.mov", data / "people/test/obama1.jpg", begin=2, seconds=2, turned=turned)
    shutil.copy(data / "video/short_hamilton_clip.mp4", folder)
    out = tmp_path / "faces.h5"
    assert main(["embed", str(folder), "--videos", "--identity-from", "none", "-o", str(out)]) == 0
    assert f"{EmbeddingTable.read(out).embeddings.shape[0]} faces of 1 photo and 5 videos" in capsys.readouterr().out
    table = EmbeddingTable.read(out)
    similarity = table.embeddings @ table.embeddings[table.paths.tolist().index("obama.jpg")]
    for turned in (0, 90, 180, 270):
        rows = np.flatnonzero(table.paths == f"{turned}.mov")
        assert len(rows) >= 1 and similarity[rows].min() > 0.5
        assert (table.times[rows] >= 1.9).all() and (table.times[rows] <= 4.0).all() and table.times[rows[0]] < 2.5
        entry = table.images.path.tolist().index(f"{turned}.mov")
        assert (table.images.height[entry], table.images.width[entry]) == (240, 320)
        assert table.images.taken[entry].startswith("2023-06-01T10:20:30")
    # The man of the first shot, on the right, is the one at the microphone: frames 82 to 210 at 30 a second.
    rows = np.flatnonzero(table.paths == "short_hamilton_clip.mp4")
    singer = next(row for row in rows if table.times[row] < 0.7 and table.boxes[row][0] > 400)
    alike = rows[table.embeddings[rows] @ table.embeddings[singer] > 0.4]
    assert len(alike) == 4
    assert (table.times[alike[1:]] >= 2.7).all() and (table.times[alike[1:]] <= 7.1).all()
