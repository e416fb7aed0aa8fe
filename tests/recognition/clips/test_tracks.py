"""Enrolling from clips: made-up ones, and the man of frames 82 to 210 of a real one."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

import facetable
from classifiers.commands.main import main as classifiers_main
from classifiers.files.head_file import load_head
from classifiers.members.face_samples import choose_track
from recognition.clips.tracks import read_clip
from recognition.outputs.video_writer import VideoWriter
from recognition.sources.video_file import VideoFile
from tests.recognition.fakes import ANN, BOB, fake_encoder, image_with


def write_clip(path: Path, images: Iterable[np.ndarray], rate: float = 25.0) -> Path:
    pictures = list(images)
    writer = VideoWriter(path, rate, (pictures[0].shape[0], pictures[0].shape[1]))
    for image in pictures:
        writer.write(image)
    writer.close()
    return path


def test_tracks_with_their_times_and_sizes(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "c.mp4",
        [
            image_with((ANN, (20 + n // 4, 30, 80 + n // 4, 90)), *([(BOB, (130, 40, 170, 80))] if n < 25 else []))
            for n in range(75)
        ],
    )
    tracks = read_clip(clip, fake_encoder(), "c.mp4")
    assert [track.number for track in tracks] == [1, 2]
    ann, bob = sorted(tracks, key=lambda track: -track.size)
    assert ann.size == pytest.approx(60, abs=3) and bob.size == pytest.approx(40, abs=3)
    assert (ann.first_s, ann.last_s) == pytest.approx((0.0, 2.96), abs=0.15)
    assert (bob.first_s, bob.last_s) == pytest.approx((0.0, 0.96), abs=0.15)
    with pytest.raises(ValueError, match=r"expected one track of a face, found track 1: 0\.0 to .* pixels; track 2: "):
        choose_track(tracks)
    assert choose_track(tracks, bob.number) is bob
    with pytest.raises(ValueError, match=r"expected a track of number 7, found track 1: "):
        choose_track(tracks, 7)
    assert read_clip(clip, fake_encoder(), "c.mp4")[0].looks[0].path == tracks[0].looks[0].path


def test_a_clip_without_a_face(tmp_path: Path) -> None:
    assert read_clip(write_clip(tmp_path / "c.mp4", [image_with()] * 10), fake_encoder(), "c.mp4") == []
    with pytest.raises(ValueError, match="no face was found"):
        choose_track([])


@pytest.mark.realdata
def test_a_person_is_enrolled_from_a_clip_and_found_in_it(
    data: Path, people_head: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = VideoFile(str(data / "video" / "short_hamilton_clip.mp4"), "clip")
    frames = [frame.image for frame in video if 82 <= frame.index <= 170]
    clip = write_clip(tmp_path / "man.mp4", frames, video.frames_per_second)
    video.close()
    head = tmp_path / "h.skops"
    shutil.copy(people_head, head)
    result = tmp_path / "r.json"
    arguments = ["enrol", str(head), "--name", "Hamilton", str(clip), "--json", str(result)]
    # Written anew by some codecs, the clip has a second track on something small that is no face.
    assert facetable.main([*arguments, "--track", "1"]) == 0
    assert "3 of 3 faces enrolled as Hamilton" in capsys.readouterr().out
    gallery = load_head(head).gallery
    own = gallery.selected(gallery.identities == "Hamilton")
    times = [float(path.removeprefix(f"{clip.resolve().as_posix()}#t=")) for path in own.paths]
    assert times == sorted(times) and np.diff(times).min() > 0.5 and times[0] >= 0 and times[-1] < 3
    assert len(set(own.image_sha256)) == 1 and (own.boxes[:, 2] - own.boxes[:, 0]).min() > 40
    assert set(own.origins) == {"enrolled"}
    assert json.loads(result.read_text())["enrolled"] == own.paths.tolist()
    assert facetable.main(["recognize", str(clip), "--head", str(head)]) == 0
    assert "\tHamilton\t" in capsys.readouterr().out


@pytest.mark.realdata
def test_what_a_clip_cannot_say_is_one_line(
    people_head: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = tmp_path / "h.skops"
    shutil.copy(people_head, head)
    (tmp_path / "bad.mp4").write_text("no video")
    arguments = ["enrol", str(head), "--name", "Ann", str(tmp_path / "bad.mp4")]
    assert facetable.main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"refused {tmp_path / 'bad.mp4'}: expected a video or an image, found no video")
    assert head.read_bytes() == people_head.read_bytes()
    assert classifiers_main(arguments) == 2
    assert "found a video; facetable enrol takes videos" in capsys.readouterr().err
    assert facetable.main([*arguments, str(tmp_path / "bad.mp4"), "--track", "1"]) == 2
    assert "--track is for one clip, got 2 clips" in capsys.readouterr().err
