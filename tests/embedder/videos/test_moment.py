import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedder.errors import ImageError, VideoError
from embedder.videos.moment import read_moment
from embedder.videos.reading import VideoReader
from tests.embedder.videos.made import needs_ffmpeg, run_ffmpeg, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 12 seconds whose frames show their number, in bars that are white or black."""
    bits = [[number >> bit & 1 for bit in range(8)] for number in range(120)]
    images = [np.repeat(np.tile(255 * np.array(one, np.uint8), (64, 1)), 16, axis=1) for one in bits]
    return write_clip(tmp_path_factory.mktemp("clips") / "a.mp4", [np.dstack([one] * 3) for one in images], rate=10)


def number_on(frame: np.ndarray) -> int:
    bars = frame.reshape(64, 8, 16, 3)[:, :, 4:12].mean(axis=(0, 2, 3)) > 127
    return sum(1 << bit for bit, is_white in enumerate(bars) if is_white)


@pytest.mark.parametrize("number", [0, 1, 19, 20, 21, 64, 119])
def test_the_frame_of_a_second(clip: Path, number: int) -> None:
    assert number_on(read_moment(clip, number / 10)) == number


@needs_ffmpeg
@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".mpg", ".webm"])
def test_the_frame_of_a_second_in_other_formats(clip: Path, tmp_path: Path, suffix: str) -> None:
    other = tmp_path / f"a{suffix}"
    run_ffmpeg("-i", clip, "-r", "25" if suffix == ".mpg" else "10", "-q:v", "2", other)
    reader = VideoReader(str(other), "other")
    shown = [(time_s, number_on(reader.pixels())) for time_s in reader.times()]
    for time_s, number in shown[:: len(shown) // 7]:
        assert number_on(read_moment(other, time_s)) == number


def test_a_photo_has_no_second(tmp_path: Path) -> None:
    Image.new("RGB", (8, 6), (1, 2, 3)).save(tmp_path / "a.png")
    assert read_moment(tmp_path / "a.png", math.nan).shape == (6, 8, 3)


def test_what_cannot_be_shown(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"a\.mp4: expected a frame at 99\.000 s, found none"):
        read_moment(clip, 99.0)
    with pytest.raises(FileNotFoundError):
        read_moment(tmp_path / "none.mp4", 1.0)
    with pytest.raises(ImageError, match=r"expected at most 100 pixels a frame, found 128 x 64"):
        read_moment(clip, 1.0, max_pixels=100)
    (tmp_path / "b.mp4").write_text("no video")
    with pytest.raises(VideoError, match="no video that can be read"):
        read_moment(tmp_path / "b.mp4", 1.0)
