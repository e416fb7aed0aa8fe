"""Made videos: coloured squares that the fakes take for faces, and photos played as clips by ffmpeg."""

import shutil
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from embedder.detection.faces import Faces
from recognition.outputs.video_writer import VideoWriter
from tests.recognition.fakes import FakeDetector

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg; on Debian: apt install ffmpeg")


class BatchDetector(FakeDetector):
    """Finds coloured squares on several pictures."""

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Faces]:
        return [self.detect(image) for image in images]


def write_clip(path: Path, images: Iterable[np.ndarray], rate: float = 25.0) -> Path:
    pictures = list(images)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = VideoWriter(path, rate, (pictures[0].shape[0], pictures[0].shape[1]))
    for image in pictures:
        writer.write(image)
    writer.close()
    return path


def run_ffmpeg(*arguments: str | Path) -> None:
    done = subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *map(str, arguments)], capture_output=True, text=True)
    if "Unknown encoder" in done.stderr:
        pytest.skip(f"this ffmpeg lacks an encoder: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


def play_photo(path: Path, photo: Path, *, begin: float, seconds: float, turned: int = 0) -> Path:
    """Write an H.264 video: grey for `begin` seconds, then a photo for `seconds`, then grey for one second.

    With `turned`, the picture is stored turned and marked so that players turn it back.
    """
    stored = {0: "null", 90: "transpose=2", 180: "transpose=2,transpose=2", 270: "transpose=1"}[turned]
    length = begin + seconds + 1
    fit = "scale=320:240:force_original_aspect_ratio=decrease,pad=320:240:-1:-1"
    when = f"enable='between(t,{begin},{begin + seconds - 0.02})'"
    shown = f"[1]{fit}[p];[0][p]overlay={when},{stored},format=yuv420p"
    run_ffmpeg(
        *("-f", "lavfi", "-i", f"color=gray:size=320x240:rate=25:duration={length}", "-i", photo),
        *("-filter_complex", shown, "-c:v", "libx264", "-t", f"{length}"),
        *("-metadata", "creation_time=2023-06-01T10:20:30Z", path),
    )
    mark_turned(path, turned)
    return path


def mark_turned(path: Path, turned: int) -> None:
    """Let an MP4 or MOV file say that players turn it clockwise: the matrix of its track header (ISO/IEC 14496-12)."""
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[turned]
    matrix = struct.pack(">9i", cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    content[place : place + len(matrix)] = matrix
    path.write_bytes(content)
