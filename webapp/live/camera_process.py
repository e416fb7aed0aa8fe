"""The process of one camera: frames with names to standard output until standard input ends."""

import json
import os
import struct
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import cv2

from foundation.threads import thread_count
from recognition.runs.head_watcher import HeadWatcher, file_version
from recognition.runs.options import Options
from recognition.runs.setup import load_recognizer
from recognition.sources.connections import connect
from recognition.sources.grabber import FrameGrabber
from recognition.sources.source import parse_source
from recognition.sources.video_file import Frame
from recognition.tracking.detection_interval import DetectionScheduler
from recognition.tracking.loop import FaceLoop, FrameResult
from recognition.tracking.naming import load_head_with

_WIDEST = 1280
_N_VISITS = 20
_SECONDS_TO_END = 5.0
_KINDS = ("started", "identified", "changed", "ended")


def pack(header: dict[str, Any], jpeg: bytes = b"") -> bytes:
    """Return a message: length of the header as uint32, big-endian, the header as JSON, the picture."""
    text = json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text + jpeg


def _send(output: BinaryIO, message: bytes) -> None:
    output.write(struct.pack(">I", len(message)) + message)
    output.flush()


def _stop_at_end(stopping: threading.Event) -> None:
    """Stop when standard input ends: the server has closed it, or is gone."""
    sys.stdin.buffer.read()
    stopping.set()
    time.sleep(_SECONDS_TO_END)
    os._exit(1)


def _describe(frame: Frame, result: FrameResult, visits: "deque[dict[str, Any]]") -> dict[str, Any]:
    height, width = frame.image.shape[:2]
    now = time.time()
    for event in result.events:
        if event.event in _KINDS:
            visits.append({"at": now, "kind": event.event, "track": event.track, "name": event.identity})
    faces = [
        {
            "box": [float(value) / size for value, size in zip(face.box, (width, height) * 2, strict=True)],
            "name": face.verdict.identity if face.track is not None else "",
            "accepted": face.track is not None and bool(face.verdict.accepted),
        }
        for face in result.faces
    ]
    captured = now - (time.monotonic() - frame.captured_s)
    return {"state": "picture", "captured": captured, "faces": faces, "visits": list(visits)}


def _encode(frame: Frame) -> bytes:
    image = frame.image
    height, width = image.shape[:2]
    if width > _WIDEST:
        image = cv2.resize(image, (_WIDEST, round(height * _WIDEST / width)), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def run(head_file: Path, output: BinaryIO) -> None:
    """Send the frames of the camera whose address is the first line of standard input."""
    address = sys.stdin.buffer.readline().decode().strip()
    stopping = threading.Event()
    threading.Thread(target=_stop_at_end, args=(stopping,), daemon=True).start()
    source, options = parse_source(address), Options(sources=(address,), head=head_file)
    in_background = thread_count() > 1
    known = file_version(head_file)
    encoder, head = load_recognizer(options, detector_threads=thread_count() - 1 if in_background else None)
    watcher = HeadWatcher(head_file, lambda path: load_head_with(path, None), encoder.fingerprint, known=known)
    live = FrameGrabber(source.name, lambda: connect(source), reopen=True, wait_for_source=True)
    scheduler = DetectionScheduler(None, None, in_background=in_background)
    visits: deque[dict[str, Any]] = deque(maxlen=_N_VISITS)
    with ThreadPoolExecutor(1) as executor:
        loop = FaceLoop(encoder, head, source.name, executor=executor if in_background else None)
        watcher.start()
        live.start()
        connection = 1
        while not stopping.is_set() and not live.is_over:
            new_head = watcher.poll_new_head()
            if new_head is not None:
                loop.replace_head(new_head)
            frame = live.read_latest(1.0)
            if frame is None:
                _send(output, pack({"state": "waiting", "visits": list(visits)}))
                continue
            if frame.connection != connection:
                connection = frame.connection
                loop.end_all_tracks()
            began_s = time.monotonic()
            result = loop.process(frame, detect=scheduler.is_due(live.frame_interval_s))
            total_s = time.monotonic() - began_s
            scheduler.record(detected=result.detected, detection_s=result.detection_s, total_s=total_s)
            _send(output, pack(_describe(frame, result, visits), _encode(frame)))
        live.stop()
        watcher.stop()


if __name__ == "__main__":
    # FFmpeg writes by itself, and what it writes may hold a camera's address with its password.
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        run(Path(sys.argv[1]), pipe)
    except BrokenPipeError:
        os._exit(1)
