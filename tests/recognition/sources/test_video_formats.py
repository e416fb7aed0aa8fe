"""Videos as FFmpeg makes them: each format read to its end, and those that are cut, edited or without a picture."""

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from recognition.errors import SourceError
from recognition.sources.video_file import VideoFile

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg; on Debian: apt install ffmpeg")

RATE, SECONDS = 20, 3
PICTURE = ("-f", "lavfi", "-i", f"testsrc2=size=64x48:rate={RATE}:duration={SECONDS}")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=16000:duration=6")
H264 = ("-c:v", "libx264", "-preset", "ultrafast")
# Two of three frames of the second second are left out.
VARIABLE = ("-vf", "select='not(between(n,20,39)*mod(n,3))'", "-vsync", "vfr")
N_VARIABLE = 60 - 13


def make(path: Path, *arguments: str | Path) -> Path:
    """Let FFmpeg make a file; skip where this build of it lacks an encoder."""
    command = ["ffmpeg", "-loglevel", "error", "-y", *map(str, arguments), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "Unknown encoder" in done.stderr:
        pytest.skip(f"this ffmpeg lacks an encoder: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return path


def cut(path: Path, share: float = 0.5) -> Path:
    content = path.read_bytes()
    shorter = path.with_stem("cut")
    shorter.write_bytes(content[: int(share * len(content))])
    return shorter


def read(path: Path) -> tuple[VideoFile, list[float]]:
    video = VideoFile(str(path), path.name)
    times_s = [frame.time_s for frame in video]
    video.close()
    return video, times_s


FORMATS = {
    "H.264 in MP4": ("a.mp4", H264),
    "H.264 in fragments": ("a.mp4", (*H264, "-movflags", "frag_keyframe+empty_moov")),
    "H.264 in 3GP": ("a.3gp", H264),
    "HEVC": ("a.mp4", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")),
    "HEVC of ten bits": (
        "a.mov",
        ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"),
    ),
    "VP8": ("a.webm", ("-c:v", "libvpx", "-deadline", "realtime")),
    "VP9": ("a.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")),
    "ProRes": ("a.mov", ("-c:v", "prores_ks")),
    "MPEG-TS": ("a.ts", H264),
    "M2TS": ("a.m2ts", H264),
    "MPEG-PS": ("a.mpg", ("-c:v", "mpeg2video", "-r", "25")),
    "Flash": ("a.flv", H264),
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_read_to_its_end(tmp_path: Path, name: str) -> None:
    file, options = FORMATS[name]
    video, times_s = read(make(tmp_path / file, *PICTURE, *options))
    rate = 25 if name == "MPEG-PS" else RATE
    assert len(times_s) == rate * SECONDS
    assert times_s == pytest.approx([number / rate for number in range(rate * SECONDS)], abs=0.002)
    assert (video.describe_shortfall(), video.is_truncated) == (None, False)


@pytest.mark.parametrize("file", ["a.mkv", "a.mp4", "a.ts"])
def test_a_variable_frame_rate_is_no_truncation(tmp_path: Path, file: str) -> None:
    video, times_s = read(make(tmp_path / file, *PICTURE, *VARIABLE, *H264))
    assert len(times_s) == N_VARIABLE
    assert times_s[-1] == pytest.approx(SECONDS - 1 / RATE, abs=0.002)
    assert np.diff(times_s).max() == pytest.approx(3 / RATE, abs=0.002)
    assert video.describe_shortfall() is None


def test_the_last_picture_may_last(tmp_path: Path) -> None:
    slides = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=1/5:duration=15")
    video, times_s = read(make(tmp_path / "a.mkv", *slides, *H264))
    assert times_s == pytest.approx([0, 5, 10])
    assert video.describe_shortfall() is None
    # Here it lasts longer than any before, but the file lists all frames.
    still = ("-vf", "select='lt(n,20)',tpad=stop=0,setpts='if(eq(N,19),40,N)/20/TB'", "-vsync", "vfr")
    video, times_s = read(make(tmp_path / "a.mp4", *PICTURE, *still, *H264))
    assert (len(times_s), video.describe_shortfall()) == (20, None)


@pytest.mark.parametrize("file", ["a.mkv", "a.mp4", "a.ts"])
def test_sound_may_last_longer_than_the_picture(tmp_path: Path, file: str) -> None:
    path = make(tmp_path / file, *PICTURE, *SOUND, *H264, "-c:a", "aac")
    assert read(path)[0].describe_shortfall() is None


@pytest.mark.parametrize("file", ["a.mkv", "a.mp4"])
def test_sound_may_begin_before_the_picture(tmp_path: Path, file: str) -> None:
    delay = ("-itsoffset", "2")
    path = make(tmp_path / file, *delay, *PICTURE, *SOUND, "-map", "0", "-map", "1", *H264, "-c:a", "aac")
    assert read(path)[0].describe_shortfall() is None


def test_what_an_edit_list_hides_is_not_missing(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole.mp4", *PICTURE, *H264, "-g", "250")
    path = make(tmp_path / "a.mp4", "-ss", "1.5", "-t", "1", "-i", whole, "-c", "copy")
    video, times_s = read(path)
    assert video.n_expected > len(times_s) == 20, "the frames before are in the file"
    assert video.describe_shortfall() is None


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("a.mkv", ()),
        ("a.webm", ("-c:v", "libvpx", "-deadline", "realtime")),
        ("a.mp4", ("-movflags", "+faststart")),
        ("a.avi", ("-c:v", "mpeg4")),
        ("a.mkv", VARIABLE),
    ],
)
def test_a_cut_file_says_where_it_ends(tmp_path: Path, file: str, options: tuple[str, ...]) -> None:
    encoder = () if "-c:v" in options else H264
    video, times_s = read(cut(make(tmp_path / file, *PICTURE, *encoder, *options, "-g", "10")))
    assert 10 < len(times_s) < 54
    assert video.is_truncated
    assert video.describe_shortfall() == (
        f"ends after {times_s[-1]:.1f} of 3.0 seconds ({len(times_s)} frames); it may be truncated"
    )


def test_a_cut_stream_is_what_it_is(tmp_path: Path) -> None:
    # A recording of MPEG-TS begins and ends anywhere: nothing says how long it was to be.
    video, times_s = read(cut(make(tmp_path / "a.ts", *PICTURE, *H264)))
    assert 10 < len(times_s) < 54
    assert video.describe_shortfall() is None


def test_a_video_that_opencv_gives_up_is_told(tmp_path: Path) -> None:
    # It stops at the empty packets by which Theora repeats a frame.
    video, times_s = read(make(tmp_path / "a.ogv", *PICTURE, "-c:v", "libtheora"))
    assert len(times_s) == 60 or video.is_truncated


def test_a_damaged_place_that_nothing_can_be_read_behind_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mp4", *PICTURE, *H264, "-g", "10")
    content = bytearray(path.read_bytes())
    start, end = int(0.3 * len(content)), int(0.6 * len(content))
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    video, times_s = read(path)
    assert 0 < len(times_s) < 54
    assert str(video.describe_shortfall()).startswith(f"ends after {times_s[-1]:.1f} of 3.0 seconds")


@pytest.mark.parametrize("file", ["a.mp4", "a.mov"])
def test_a_movie_without_its_header_is_refused_in_one_line(tmp_path: Path, file: str) -> None:
    path = cut(make(tmp_path / file, *PICTURE, *H264))
    with pytest.raises(SourceError) as refusal:
        read(path)
    assert str(refusal.value) == (
        f"{path.name}: expected a video or an image, found no video that can be read; it may be damaged, or still "
        "being written"
    )


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_phones_rotation_mark_turns_the_picture(tmp_path: Path, degrees: int) -> None:
    plain = make(tmp_path / "plain.mp4", *PICTURE, *H264)
    turned = make(tmp_path / "a.mp4", "-i", plain, "-c", "copy", "-metadata:s:v", f"rotate={degrees}")
    upright = make(tmp_path / "first.png", "-i", turned, "-frames:v", "1")
    expected = cv2.cvtColor(np.asarray(cv2.imread(str(upright))), cv2.COLOR_BGR2RGB)
    first = next(iter(VideoFile(str(turned), "a"))).image
    assert first.shape == expected.shape == ((48, 64, 3) if degrees == 180 else (64, 48, 3))
    assert np.abs(first.astype(int) - expected).mean() < 6
    assert np.abs(first[::-1, ::-1].astype(int) - expected).mean() > 20, "the pattern looks otherwise upside down"


@pytest.mark.parametrize("file", ["a.mp4", "a.mkv", "a.mp3", "a.wav"])
def test_sound_alone_is_said_to_be_sound(tmp_path: Path, file: str) -> None:
    path = make(tmp_path / file, *SOUND)
    with pytest.raises(SourceError) as refusal:
        read(path)
    assert str(refusal.value) == f"{file}: expected a video or an image, found sound without a picture"


def test_a_codec_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", *PICTURE, "-frames:v", "3", "-c:v", "libaom-av1", "-cpu-used", "8")
    try:
        assert len(read(path)[1]) == 3
    except SourceError as error:
        assert "a.mkv: a video without frames; it may be damaged, still being written, or of a codec" in str(error)
        assert "that OpenCV cannot decode (AV01): convert it, as by ffmpeg -i FILE" in str(error)
