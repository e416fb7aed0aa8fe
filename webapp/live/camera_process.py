"""The process of one camera: frames with names and visits to standard output until standard input ends.

What goes wrong it says in lines on standard error.
"""

import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Literal

import cv2

from foundation.errors import FacetableError
from foundation.threads import thread_count
from recognition.runs.head_watcher import HeadWatcher, file_version
from recognition.runs.options import Options
from recognition.runs.setup import load_recognizer, load_second
from recognition.sources.connections import connect
from recognition.sources.grabber import FrameGrabber
from recognition.sources.source import Source, parse_source
from recognition.sources.video_file import Frame
from recognition.tracking.detection_interval import DetectionScheduler
from recognition.tracking.embedding_queue import EmbeddingQueueSettings
from recognition.tracking.loop import FaceLoop, FrameResult, LoopSettings
from recognition.tracking.naming import load_head_with
from webapp.live.messages import frame as framed
from webapp.live.messages import pack, without_credentials
from webapp.live.visit_reports import VisitReports

SecondDetector = Literal["centerface"]

_WIDEST = 1280
_SECONDS_TO_END = 5.0
_SECONDS_WITHOUT_FRAME = 1.0


class LastWarning(logging.Handler):
    """Keeps the newest warning: why a camera sends nothing."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning's text."""
        self.text = record.getMessage()


class PictureWriter:
    """Makes frames JPEG and writes them on a thread of its own; one that is not written when the next comes is left.

    Parameters
    ----------
    output : binary file
    """

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._newest: tuple[dict[str, Any], Frame] | None = None
        self.is_broken = False
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, header: dict[str, Any], frame: Frame) -> None:
        """Write a frame soon."""
        with self._changed:
            self._newest = header, frame
            self._changed.notify()

    def write(self, message: bytes) -> None:
        """Write a message now; nothing happens once nobody reads any more."""
        try:
            with self._writing:
                self._output.write(framed(message))
                self._output.flush()
        except OSError:
            self.is_broken = True

    def _run(self) -> None:
        while not self.is_broken:
            with self._changed:
                self._changed.wait_for(lambda: self._newest is not None)
                assert self._newest is not None
                (header, frame), self._newest = self._newest, None
            self.write(pack(header, _encode(frame)))


def _stop_at_end(stopping: threading.Event) -> None:
    """Stop when standard input ends: the server has closed it, or is gone."""
    sys.stdin.buffer.read()
    stopping.set()
    time.sleep(_SECONDS_TO_END)
    os._exit(1)


def _describe(frame: Frame, result: FrameResult, visits: VisitReports, *, is_asked: bool = False) -> dict[str, Any]:
    """Return a picture's header; `is_asked` where a second detector says what is a face.

    What it takes for none is in no numbered track. It is told all the same, so that the page can blur it, too.
    """
    height, width = frame.image.shape[:2]
    faces = [
        {
            "box": [float(value) / size for value, size in zip(face.box, (width, height) * 2, strict=True)],
            "name": face.verdict.identity if face.track is not None and face.verdict.accepted else "",
            "visit": visits.id_of(face.track),
            "is_face": face.track is not None or not is_asked,
        }
        for face in result.faces
    ]
    captured = time.time() - (time.monotonic() - frame.captured_s)
    return {"state": "picture", "captured": captured, "faces": faces}


def _encode(frame: Frame) -> bytes:
    image = frame.image
    height, width = image.shape[:2]
    if width > _WIDEST:
        # Down to half its size this looks the same, at a fifth of the time.
        how = cv2.INTER_LINEAR if width <= 2 * _WIDEST else cv2.INTER_AREA
        image = cv2.resize(image, (_WIDEST, round(height * _WIDEST / width)), interpolation=how)
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


class CameraLoop:
    """A camera with its networks and what is known of its faces.

    Parameters
    ----------
    head_file : path
    source : Source
    address : str
    second_detector : {"centerface"} or None
        Is asked about each face that appears.
    """

    def __init__(
        self, head_file: Path, source: Source, address: str, *, second_detector: SecondDetector | None = None
    ) -> None:
        self._in_background = thread_count() > 1
        known = file_version(head_file)
        options = Options(sources=(address,), head=head_file, second_detector=second_detector)
        threads = thread_count() - 1 if self._in_background else None
        self.encoder, self._head = load_recognizer(options, detector_threads=threads)
        self._second = load_second(options)
        self.watcher = HeadWatcher(
            head_file, lambda path: load_head_with(path, None), self.encoder.fingerprint, known=known
        )
        self.live = FrameGrabber(source.name, lambda: connect(source), reopen=True, wait_for_source=True)
        self._scheduler = DetectionScheduler(None, None, in_background=self._in_background)
        self.visits = VisitReports(self.encoder)
        self._source, self._connection = source, 1

    def run(self, writer: PictureWriter, stopping: threading.Event, why: LastWarning) -> None:
        """Send frames until `stopping` is set or nobody reads them."""
        settings = LoopSettings(queue=EmbeddingQueueSettings(keeps_views=True))
        with ThreadPoolExecutor(1) as executor:
            loop = FaceLoop(
                self.encoder,
                self._head,
                self._source.name,
                on_crop=self.visits.add,
                on_end=self.visits.end,
                executor=executor if self._in_background else None,
                settings=settings,
                second=self._second,
            )
            self.watcher.start()
            self.live.start()
            while not (stopping.is_set() or writer.is_broken or self.live.is_over):
                frame = self.live.read_latest(_SECONDS_WITHOUT_FRAME)
                if frame is None:
                    writer.write(pack({"state": "waiting", "reason": without_credentials(why.text)}))
                    continue
                self._process(loop, frame, writer)
            self.live.stop()
            self.watcher.stop()

    def _process(self, loop: FaceLoop, frame: Frame, writer: PictureWriter) -> None:
        new_head = self.watcher.poll_new_head()
        if new_head is not None:
            loop.replace_head(new_head)
        if frame.connection != self._connection:
            self._connection = frame.connection
            loop.end_all_tracks()
        began_s = time.monotonic()
        result = loop.process(frame, detect=self._scheduler.is_due(self.live.frame_interval_s))
        total_s = time.monotonic() - began_s
        self._scheduler.record(detected=result.detected, detection_s=result.detection_s, total_s=total_s)
        writer.put(_describe(frame, result, self.visits, is_asked=self._second is not None), frame)
        for header, jpeg in self.visits.take():
            writer.write(pack(header, jpeg))


def run(head_file: Path, output: BinaryIO, *, second_detector: SecondDetector | None = None) -> int:
    """Send the frames of the camera whose address is the first line of standard input; return the exit code."""
    address = sys.stdin.buffer.readline().decode().strip()
    stopping, why = threading.Event(), LastWarning()
    threading.Thread(target=_stop_at_end, args=(stopping,), daemon=True).start()
    logging.getLogger("recognition.sources").addHandler(why)
    try:
        camera = CameraLoop(head_file, parse_source(address), address, second_detector=second_detector)
        camera.run(PictureWriter(output), stopping, why)
    except (FacetableError, OSError, ValueError) as error:
        print(without_credentials(" ".join(str(error).split()), address), file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    # FFmpeg writes by itself, and what it writes may hold a camera's address with its password.
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    code = run(Path(sys.argv[1]), pipe, second_detector="centerface" if sys.argv[2] == "centerface" else None)
    sys.stdout.flush()
    os._exit(code)  # a thread may still wait for the camera
