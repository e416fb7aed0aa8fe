"""What becomes of the camera loop when cameras go away, and over time.

    python -m experiments.camera_endurance VIDEO --head HEAD [--camera rtsp|mjpeg] [--minutes M] [--cuts N]
                                           [--cut-seconds S] [--rate R] [--json FILE]

A local camera, a process of its own, plays a video again and again. It is cut `--cuts` times for `--cut-seconds`: in
turn it is gone, so that connections break, and it hangs, so that connections stay and nothing comes. A number on each
picture tells when the camera showed it. Measured are

- *back*: seconds from the camera's return to the first labelled picture;
- *lag*: seconds from when the camera showed a picture to its labels, over the last five seconds;
- *memory*: the resident size of this process over the last ten seconds, against the ten seconds before minute 3, or
  before a quarter of a shorter run.

The RTSP camera needs GStreamer's server; see experiments/cameras.py.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from embedder.networks.encoder import EncoderOptions, FaceEncoder
from experiments.camera_clock import picture_at
from experiments.cameras import Camera, read_stamp, save_pictures
from foundation.command_line import EXIT_DONE, run_script, write_json
from foundation.errors import InputError
from foundation.threads import thread_count
from recognition.events.event import Event
from recognition.runs.head_watcher import HeadWatcher, file_version
from recognition.runs.session import Outputs, Session
from recognition.sources.connections import connect
from recognition.sources.grabber import FrameGrabber
from recognition.sources.source import Source, parse_source
from recognition.sources.video_file import Frame, VideoFile
from recognition.tracking.detection_interval import DetectionScheduler
from recognition.tracking.loop import FaceLoop, TrackedFace
from recognition.tracking.naming import load_head_with
from recognition.viewer.status import StatusLine

SIZE_HW = (360, 640)
MOST_PICTURES = 400
_BASELINE_S = 180.0
_MEMORY_S = 10.0
_LAG_S = 5.0


@dataclass(frozen=True)
class Figures:
    """What was measured; see above for what is what.

    Attributes
    ----------
    back_s : list of float
        One number a cut.
    lag_p50_s, lag_max_s : float
    memory_before_mb, memory_after_mb : float
    n_shown, n_dropped, n_reconnects : int
        Pictures that got labels, that nobody took, and times the camera was opened again.
    events : dict
        How many of each kind.
    """

    camera: str
    minutes: float
    back_s: list[float]
    lag_p50_s: float
    lag_max_s: float
    memory_before_mb: float
    memory_after_mb: float
    n_shown: int
    n_dropped: int
    n_reconnects: int
    events: dict[str, int]


class Watched(FrameGrabber):
    """A live source that reads the number on each picture it gives."""

    number = 0

    def read_latest(self, timeout_s: float) -> Frame | None:
        """Return the newest frame."""
        frame = super().read_latest(timeout_s)
        if frame is not None:
            self.number = read_stamp(frame.image)
        return frame


class Watch:
    """Stands where the window stands, and is told each labelled picture; also takes the events.

    Parameters
    ----------
    live : Watched
    rate : int
        Frames a second of the camera.
    n_pictures : int
        After which it starts again.
    """

    wants_to_quit = False

    def __init__(self, live: Watched, rate: int, n_pictures: int) -> None:
        self._live = live
        self._rate = rate
        self._n_pictures = n_pictures
        # Arrays, for lists of numbers would be seen in the memory of a long run.
        self.shown_s, self.lags_s = array("d"), array("d")
        self.kinds: Counter[str] = Counter()

    def show(self, _picture: np.ndarray, _faces: Sequence[TrackedFace], *, until_s: float | None = None) -> None:
        """Note when a picture had its labels, and how late that was."""
        now_s = time.monotonic()
        behind = (picture_at(now_s, self._rate, self._n_pictures) - self._live.number) % self._n_pictures
        self.shown_s.append(now_s)
        self.lags_s.append(behind / self._rate)

    def serve(self) -> None:
        """Do nothing: there are no keys."""

    def write(self, event: Event) -> None:
        """Count an event."""
        self.kinds[event.event] += 1

    def close(self) -> None:
        """Do nothing."""


class Cuts(threading.Thread):
    """Cuts a camera off and brings it back, and notes the resident size meanwhile.

    Parameters
    ----------
    camera : Camera
    seconds : float
        Of the whole run; the cuts are spread over it.
    n_cuts : int
    cut_s : float
    """

    def __init__(self, camera: Camera, seconds: float, *, n_cuts: int, cut_s: float) -> None:
        super().__init__(daemon=True)
        self._camera = camera
        self._seconds = seconds
        self._cut_s = cut_s
        self._cuts_s = [(number + 0.5) / n_cuts * seconds for number in range(n_cuts)]
        self.returned_s: list[float] = []
        self.memory: list[tuple[float, float]] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        """Go through the run."""
        started_s = time.monotonic()
        for number, cut_s in enumerate(self._cuts_s):
            self._watch_until(started_s + cut_s)
            goes_away = number % 2 == 0
            (self._camera.stop if goes_away else self._camera.freeze)()
            self._watch_until(started_s + cut_s + self._cut_s)
            (self._camera.start if goes_away else self._camera.thaw)()
            self.returned_s.append(time.monotonic())
        self._watch_until(started_s + self._seconds)
        self.stopping.set()

    def _watch_until(self, until_s: float) -> None:
        while time.monotonic() < until_s:
            self.memory.append((time.monotonic(), resident_mb()))
            time.sleep(max(0.0, min(1.0, until_s - time.monotonic())))


def resident_mb() -> float:
    """Return the resident size of this process; Linux only."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def pictures_of(video: Path) -> list[np.ndarray]:
    """Return the first frames of a video, uint8 (360, 640, 3)."""
    pictures: list[np.ndarray] = []
    for frame in VideoFile(str(video), video.name):
        pictures.append(cv2.resize(frame.image, SIZE_HW[::-1], interpolation=cv2.INTER_AREA))
        if len(pictures) == MOST_PICTURES:
            break
    return pictures


def run_loop(source: Source, head: Path, *, rate: int, n_pictures: int, cuts: Cuts) -> tuple[Watch, Watched]:
    """Run the loop on a camera until `cuts` is through, and return what was seen."""
    known, made = file_version(head), load_head_with(head)
    encoder: FaceEncoder = FaceEncoder.for_fingerprint(
        {} if made.fingerprint is None else made.fingerprint,
        EncoderOptions(detector_threads=max(1, thread_count() - 1)),
    )
    live = Watched(source.name, lambda: connect(source))
    watch = Watch(live, rate, n_pictures)
    watcher = HeadWatcher(head, load_head_with, encoder.fingerprint, known=known)
    live.start()
    watcher.start()
    cuts.start()
    viewer: Any = watch
    outputs = Outputs(watch, StatusLine(is_service=False), viewer=viewer)
    with ThreadPoolExecutor(1) as executor:
        loop = FaceLoop(encoder, made, source.name, executor=executor)
        try:
            Session(loop, outputs, cuts.stopping).run_live(live, DetectionScheduler(in_background=True), watcher)
        finally:
            watcher.stop()
            live.stop()
    return watch, live


def measure(video: Path, head: Path, kind: str, *, rate: int, minutes: float, n_cuts: int, cut_s: float) -> Figures:
    """Run the study and return its figures."""
    seconds = 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        pictures = pictures_of(video)
        save_pictures(Path(folder), pictures)
        n_pictures = len(pictures)
        del pictures
        camera = Camera(kind, Path(folder), rate)
        try:
            cuts = Cuts(camera, seconds, n_cuts=n_cuts, cut_s=cut_s)
            watch, live = run_loop(parse_source(camera.url), head, rate=rate, n_pictures=n_pictures, cuts=cuts)
        finally:
            camera.stop()
    lags_s = [
        lag_s for when_s, lag_s in zip(watch.shown_s, watch.lags_s, strict=True) if when_s > watch.shown_s[-1] - _LAG_S
    ]
    start_s, end_s = cuts.memory[0][0], cuts.memory[-1][0]
    before_s = start_s + min(_BASELINE_S, seconds / 4)
    return Figures(
        kind,
        minutes,
        [round(min(when_s for when_s in watch.shown_s if when_s > back_s) - back_s, 2) for back_s in cuts.returned_s],
        round(statistics.median(lags_s), 3),
        round(max(lags_s), 3),
        _mean_memory(cuts.memory, before_s),
        _mean_memory(cuts.memory, end_s),
        len(watch.shown_s),
        live.counts.n_dropped,
        live.counts.n_reconnects,
        dict(watch.kinds),
    )


def _mean_memory(memory: Sequence[tuple[float, float]], until_s: float) -> float:
    """Return the mean resident size, in MB, over the seconds before `until_s`."""
    return round(statistics.fmean(mb for when_s, mb in memory if until_s - _MEMORY_S <= when_s <= until_s), 1)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study and return the exit code."""
    return run_script(
        "python -m experiments.camera_endurance",
        "Cameras that go away, and long runs.",
        _add_arguments,
        _run,
        argv=argv,
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", type=Path, metavar="VIDEO", help="a video with faces; its first 400 frames are shown")
    parser.add_argument("--head", type=Path, required=True, metavar="FILE", help="head made by train_classifier.py")
    parser.add_argument("--camera", choices=["rtsp", "mjpeg"], default="mjpeg", help="what serves it (default: mjpeg)")
    parser.add_argument("--minutes", type=float, default=2.0, metavar="M", help="how long (default: 2)")
    parser.add_argument("--cuts", type=int, default=3, metavar="N", help="times it is cut (default: 3)")
    parser.add_argument("--cut-seconds", type=float, default=10.0, metavar="S", help="for how long (default: 10)")
    parser.add_argument("--rate", type=int, default=25, metavar="R", help="frames a second (default: 25)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def _run(arguments: argparse.Namespace) -> int:
    if not sys.platform.startswith("linux"):
        raise InputError("this study reads /proc/self/status; run it on Linux")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    figures = measure(
        arguments.video,
        arguments.head,
        arguments.camera,
        rate=arguments.rate,
        minutes=arguments.minutes,
        n_cuts=arguments.cuts,
        cut_s=arguments.cut_seconds,
    )
    change = figures.memory_after_mb / figures.memory_before_mb - 1
    print(
        f"{figures.camera}, {figures.minutes:g} min: back after {figures.back_s} s; "
        f"lag at the end p50 {figures.lag_p50_s:.2f} s, at most {figures.lag_max_s:.2f} s; "
        f"memory {figures.memory_before_mb:.0f} MB, then {figures.memory_after_mb:.0f} MB ({change:+.1%}); "
        f"{figures.n_shown} pictures labelled, {figures.n_dropped} dropped, {figures.n_reconnects} reconnects; "
        f"events {figures.events}"
    )
    if arguments.json is not None:
        write_json(arguments.json, asdict(figures))
    return EXIT_DONE


if __name__ == "__main__":
    raise SystemExit(main())
