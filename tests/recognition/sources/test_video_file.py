import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from recognition.errors import SaveError, SourceError
from recognition.outputs.video_writer import CODECS, VideoWriter, fit, video_target
from recognition.sources.source import parse_source
from recognition.sources.video_file import VideoFile


def write_video(path: Path, n_frames: int, size_hw: tuple[int, int] = (48, 64), rate: float = 20.0) -> Path:
    writer = VideoWriter(path, rate, size_hw)
    for number in range(n_frames):
        writer.write(np.full((*size_hw, 3), (10 + 8 * number, 100, 200), np.uint8))
    writer.close()
    return path


@pytest.mark.parametrize("suffix", sorted(CODECS))
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", 9)
    video = VideoFile(str(path), "a")
    frames = list(video)
    assert [frame.index for frame in frames] == list(range(9))
    assert [frame.time_s for frame in frames] == pytest.approx([number / 20 for number in range(9)], abs=0.002)
    assert video.frames_per_second == pytest.approx(20)
    assert (video.n_read, video.n_expected, video.is_truncated) == (9, 9, False)
    for frame in frames:
        assert frame.image.shape == (48, 64, 3)
        assert frame.image.dtype == np.uint8
        # red, green, blue in this order, up to the codec's loss
        assert np.abs(frame.image.mean(axis=(0, 1)) - (10 + 8 * frame.index, 100, 200)).max() < 8
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def claim_rate(path: Path, rate: int) -> Path:
    """Let a Matroska or WebM file claim another frame rate than its frames' times tell."""
    head, element, rest = path.read_bytes().partition(b"\x23\xe3\x83")  # DefaultDuration, in nanoseconds
    length = rest[0] & 0x7F
    path.write_bytes(head + element + rest[:1] + (10**9 // rate).to_bytes(length, "big") + rest[1 + length :])
    return path


def test_a_clocks_ticks_are_not_taken_for_frames(tmp_path: Path) -> None:
    video = VideoFile(str(claim_rate(write_video(tmp_path / "a.webm", 9), 1000)), "a")
    assert [frame.time_s for frame in video] == pytest.approx([number / 20 for number in range(9)], abs=0.002)
    assert (video.frames_per_second, video.n_expected, video.is_truncated) == (25.0, 0, False)


def test_how_much_of_it_is_over_is_told_by_time(tmp_path: Path) -> None:
    video = VideoFile(str(write_video(tmp_path / "a.mkv", 10)), "a")
    assert video.duration_s == pytest.approx(0.5)
    assert [video.share_at(frame) for frame in video] == pytest.approx([(n + 1) / 10 for n in range(10)], abs=0.01)
    unknown = VideoFile(str(claim_rate(write_video(tmp_path / "a.webm", 3), 1000)), "a")
    assert [unknown.share_at(frame) for frame in unknown] == [None] * 3


def test_a_single_frame_and_odd_sides(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 1, (33, 51))
    assert next(iter(VideoFile(str(path), "a"))).image.shape == (32, 50, 3)


def test_without_a_frame_there_is_no_file(tmp_path: Path) -> None:
    VideoWriter(tmp_path / "a.mp4", 20, (48, 64)).close()
    assert list(tmp_path.iterdir()) == []


def test_frames_of_another_size_are_fitted(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.avi", 20, (48, 64))
    writer.write(np.full((48, 64, 3), 200, np.uint8))
    writer.write(np.full((96, 64, 3), 200, np.uint8))
    writer.close()
    second = list(VideoFile(str(tmp_path / "a.avi"), "a"))[1].image
    assert second[:, 20:44].mean() > 190
    assert second[:, :12].mean() < 10


def test_fit_scales_up_and_down() -> None:
    assert fit(np.full((2, 2, 3), 9, np.uint8), (8, 8)).min() == 9
    assert fit(np.full((40, 20, 3), 9, np.uint8), (4, 6)).sum(axis=(0, 2)).tolist() == [0, 0, 108, 108, 0, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a video or an image, found an empty file"),
        (b"hello, this is text", "found no video that can be read"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        VideoFile(str(path), "a.mp4")


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    # An AVI whose frame list was never filled: its header can be read, and no more.
    whole = write_video(tmp_path / "whole.avi", 5).read_bytes()
    path = tmp_path / "a.avi"
    path.write_bytes(whole[: whole.index(b"movi") + 4])
    with pytest.raises(SourceError, match=r"a\.avi: a video without frames"):
        list(VideoFile(str(path), "a.avi"))


def test_a_truncated_video_gives_what_it_has(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", 40).read_bytes()
    path = tmp_path / "a.avi"
    path.write_bytes(whole[: whole.index(b"movi") + (len(whole) - whole.index(b"movi")) // 2])
    video = VideoFile(str(path), "a.avi")
    n_frames = len(list(video))
    assert 0 < n_frames < 36
    assert video.is_truncated


def test_a_stream_without_timestamps_is_timed_by_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.mjpeg"
    _, jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 80, np.uint8))
    path.write_bytes(jpeg.tobytes() * 6)
    video = VideoFile(str(path), "a")
    times = [frame.time_s for frame in video]
    assert len(times) == 6
    assert np.diff(times) == pytest.approx(np.full(5, 1 / video.frames_per_second), abs=1e-3)


def test_an_unknown_suffix_and_a_closed_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match=r"cannot write a video of this format; use one of .mp4"):
        VideoWriter(tmp_path / "a.gif", 20, (48, 64))
    (tmp_path / "a.part").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        VideoWriter(tmp_path / "file" / "a.mp4", 20, (48, 64))


def test_a_full_disk_leaves_no_torn_video(tmp_path: Path) -> None:
    import resource
    import signal

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limit[1]))
    try:
        writer = VideoWriter(tmp_path / "a.mp4", 20, (120, 160))
        noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
        for number in range(40):
            writer.write(np.roll(noise, number, axis=1))
        with pytest.raises(SaveError, match="not written, the disk or a limit left no room for 40 frames"):
            writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_a_nearly_full_disk_keeps_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recognition.outputs import video_writer

    writer = VideoWriter(tmp_path / "a.mp4", 20, (48, 64))
    for _ in range(32):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    monkeypatch.setattr(video_writer.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1_000_000}))
    with pytest.raises(SaveError, match="no room for more, 1 MB are free on its disk; the first 32 frames are kept"):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    assert len(list(VideoFile(str(tmp_path / "a.mp4"), "a"))) == 32


def test_where_an_annotated_video_goes(tmp_path: Path) -> None:
    path = tmp_path / "clip.ts"
    path.write_bytes(b"")
    source, camera = parse_source(str(path)), parse_source("rtsp://cam/live")
    assert video_target(source, str(tmp_path)) == tmp_path / "clip.ts.mp4"
    assert video_target(source, "new/") == Path("new/clip.ts.mp4")
    assert video_target(source, "x.webm") == Path("x.webm")
    assert video_target(camera, "new/") == Path("new/rtsp:__cam_live.mp4")
    with pytest.raises(SaveError, match=r"x\.jpg: expected a video file, one of .mp4"):
        video_target(source, "x.jpg")
    path.rename(tmp_path / "clip.mp4")
    source = parse_source(str(tmp_path / "clip.mp4"))
    with pytest.raises(SaveError, match="is the video itself"):
        video_target(source, str(tmp_path))


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        VideoFile(str(tmp_path), "clip.mp4")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_video_without_permission_says_so(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"video")
    (tmp_path / "clip.mp4").chmod(0)
    with pytest.raises(PermissionError):
        VideoFile(str(tmp_path / "clip.mp4"), "clip.mp4")
