"""Session over a video or live source: pass frames through the loop and its results to the outputs."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from recognition.anonymizing.frame_hider import FrameHider, HiddenFrame, boxes_to_hide, is_hidden
from recognition.events.event import Event, EventSink
from recognition.outputs.anonymize import hide_faces
from recognition.outputs.label_memory import LabelMemory
from recognition.outputs.overlay import NAMED_COLOR, UNKNOWN_COLOR, Labels, Mark, draw_marks
from recognition.outputs.recorder import Recorder
from recognition.runs.best_crops import BestCrops
from recognition.runs.head_watcher import HeadWatcher
from recognition.sources.clock import Timeline
from recognition.sources.grabber import FrameGrabber, LiveCounts
from recognition.sources.video_file import Frame, VideoFile
from recognition.tracking.detection_interval import DetectionScheduler, FrameRateMeter
from recognition.tracking.loop import FaceLoop, FrameResult, TrackedFace
from recognition.viewer.status import StatusLine, describe
from recognition.viewer.viewer import Viewer

if TYPE_CHECKING:
    from embedder.detection.faces import Faces

logger = logging.getLogger(__name__)

_READ_TIMEOUT_S = 0.1
_MAX_DELAY_S = 0.5


@dataclass
class Outputs:
    """Outputs of a session; None for those that are not wanted.

    Attributes
    ----------
    sink : EventSink
    status : StatusLine
    recorder : Recorder or None
    viewer : Viewer or None
    hide : {None, "unknown", "all"}
        Whose faces are made unrecognizable in annotated frames.
    hider : FrameHider or None
        Looks closer for what is to be hidden; None hides tracked faces alone.
    crops : BestCrops
        Pictures of tracks, as the loop gives them.
    timeline : Timeline
        When the source's moments were.
    source_name : str or None
        What the user calls the source.
    labels : {"names", "numbers", "none"}
        What stands next to the boxes; numbers are those of tracks.
    """

    sink: EventSink
    status: StatusLine
    recorder: Recorder | None = None
    viewer: Viewer | None = None
    hide: str | None = None
    hider: FrameHider | None = None
    crops: BestCrops = field(default_factory=BestCrops)
    timeline: Timeline = field(default_factory=lambda: Timeline.of_file(None))
    source_name: str | None = None
    labels: Labels = "names"


class Session:
    """Pass frames through a loop and its results to the outputs.

    Parameters
    ----------
    loop : FaceLoop
    outputs : Outputs
    stopping : threading.Event
        Set from outside to end the session after the current frame.
    """

    def __init__(self, loop: FaceLoop, outputs: Outputs, stopping: threading.Event) -> None:
        self._loop = loop
        self._outputs = outputs
        self._stopping = stopping
        self._connection = 1
        self._label_memory = LabelMemory()
        self.meter = FrameRateMeter()
        self.n_faces = 0

    def run_file(self, video: VideoFile, every: int) -> None:
        """Process all frames of a video file, with detection on every `every`th.

        Raises
        ------
        SourceError
            If the video has no frames.
        SaveError
            If output cannot be written.
        """
        due_s, before_s = time.monotonic(), 0.0
        with self._ending(), closing(self._loop.prefetch_detections(video, every)) as frames:
            for frame, faces in frames:
                # Time that the user paused is not caught up.
                due_s = max(due_s + frame.time_s - before_s, time.monotonic() - _MAX_DELAY_S)
                before_s = frame.time_s
                self._handle(frame, detect=False, faces=faces, due_s=due_s)
                self._show_status(share=video.share_at(frame))
                if self.is_stopping:
                    break

    def run_live(self, live: FrameGrabber, scheduler: DetectionScheduler, head: HeadWatcher) -> None:
        """Process frames of a live source until it ends or the session is stopped.

        Raises
        ------
        SourceError
            If the source ends with an error.
        SaveError
            If output cannot be written.
        """
        with self._ending():
            while not self.is_stopping and not live.is_over:
                new_head = head.poll_new_head()
                if new_head is not None:
                    self._loop.replace_head(new_head)
                frame = live.read_latest(_READ_TIMEOUT_S)
                if frame is not None:
                    self._handle_live(frame, scheduler, live.frame_interval_s)
                else:
                    self._wait(live)
                self._show_status(counts=live.counts)
                self._outputs.crops.tidy()

    def _wait(self, live: FrameGrabber) -> None:
        if live.is_lost:
            # No track outlives a connection, and its last event must not wait until the camera is back.
            self._write(self._loop.finish())
        if self._outputs.viewer is not None:
            self._outputs.viewer.serve()

    def _show_status(self, *, counts: LiveCounts | None = None, share: float | None = None) -> None:
        if self._outputs.status.is_due:
            speed = self.meter.speed_at(time.monotonic())
            self._outputs.status.show(describe(speed, self.n_faces, counts=counts, share=share))

    def _handle_live(self, frame: Frame, scheduler: DetectionScheduler, frame_interval_s: float) -> None:
        started_s = time.monotonic()
        result = self._handle(frame, detect=scheduler.is_due(frame_interval_s))
        scheduler.record(detected=result.detected, detection_s=result.detection_s, total_s=time.monotonic() - started_s)

    @property
    def is_stopping(self) -> bool:
        """Whether the user or the system has asked to stop."""
        viewer = self._outputs.viewer
        return self._stopping.is_set() or (viewer is not None and viewer.wants_to_quit)

    def _handle(
        self, frame: Frame, *, detect: bool, faces: "Faces | None" = None, due_s: float | None = None
    ) -> FrameResult:
        if frame.connection != self._connection:
            self._connection = frame.connection
            self._loop.end_all_tracks()
        result = self._loop.process(frame, detect=detect, faces=faces)
        self.n_faces = len(result.faces)
        self._write(result.events, frame)
        if self._outputs.recorder is None and self._outputs.viewer is None:
            self.meter.record(frame.captured_s, time.monotonic())
            return result
        hider = self._outputs.hider
        self._output([HiddenFrame(frame, result, due_s)] if hider is None else hider.add(frame, result, due_s))
        return result

    def _output(self, ready: list[HiddenFrame]) -> None:
        """Draw, record and show frames."""
        outputs = self._outputs
        for hidden in ready:
            frame, result = hidden.frame, hidden.result
            annotated = annotate_frame(
                frame.image,
                result,
                hide=outputs.hide,
                places=hidden.places,
                labels=outputs.labels,
                memory=self._label_memory,
            )
            self.meter.record(frame.captured_s, time.monotonic())
            if outputs.recorder is not None:
                outputs.recorder.write(annotated, frame.time_s)
            if outputs.viewer is not None and not outputs.viewer.wants_to_quit:
                outputs.viewer.show(annotated, result.faces, until_s=hidden.due_s)

    def _output_rest(self) -> None:
        """Draw, record and show the frames that waited for those after them."""
        if self._outputs.hider is not None:
            self._output(self._outputs.hider.flush())

    def _write(self, events: list[Event], frame: Frame | None = None) -> None:
        """Write the events that came with a frame; if one fails, the others are written nevertheless."""
        errors: list[Exception] = []
        if events:
            self._outputs.status.clear()
        for event in events:
            try:
                self._outputs.sink.write(self._complete(event, frame))
            except (OSError, ValueError) as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _complete(self, event: Event, frame: Frame | None) -> Event:
        """Return an event with its time, the source's name and its picture."""
        outputs = self._outputs
        at, crop = outputs.timeline.at(event.time_s), outputs.crops.picture_of(event, frame)
        if at is None and crop is None and outputs.source_name is None:
            return event
        return replace(event, at=at, source_name=outputs.source_name, crop=crop)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """End all tracks at the end, and after an error as far as that is possible."""
        try:
            yield
            self._output_rest()
            self._loop.end_all_tracks()
        except (OSError, ValueError):
            self._outputs.status.clear()
            with suppress(OSError, ValueError):
                self._output_rest()
            with suppress(OSError, ValueError):
                self._loop.end_all_tracks()
            with suppress(OSError, ValueError):
                self._write(self._loop.finish())
            raise
        self._outputs.status.clear()
        self._write(self._loop.finish())


def annotate_frame(
    image: np.ndarray,
    result: FrameResult,
    *,
    hide: str | None = None,
    places: Sequence[np.ndarray] = (),
    labels: Labels = "names",
    memory: LabelMemory | None = None,
) -> np.ndarray:
    """Return a copy of a frame, uint8 (h, w, 3) RGB, with boxes and names.

    Parameters
    ----------
    image : numpy.ndarray
    result : FrameResult
    hide : {None, "unknown", "all"}
        Whose faces are made unrecognizable: nobody's, everybody's who is not identified, or everybody's. Hidden faces
        have no box and no name.
    places : sequence of numpy.ndarray
        Boxes, (4,), that are made unrecognizable as well, see `recognition.anonymizing.frame_hider.boxes_to_hide`.
    labels : {"names", "numbers", "none"}
        What stands next to the boxes. A frame keeps its size: numbers have no legend, they are those of the events'
        `track`.
    memory : LabelMemory, optional
        The labels of the frames before.
    """
    hidden = boxes_to_hide(result, hide, places)
    if hidden:
        image = hide_faces(image, hidden)
    marks = [_mark_of(face) for face in result.faces if not is_hidden(face, hide)]
    return draw_marks(image, marks, labels=labels, memory=memory)


def _mark_of(face: TrackedFace) -> Mark:
    if face.track is None:
        return Mark(face.box, "", UNKNOWN_COLOR)
    if face.verdict.accepted:
        return Mark(face.box, face.verdict.identity, NAMED_COLOR, f"{face.verdict.score:.2f}", face.track)
    return Mark(face.box, face.verdict.identity, UNKNOWN_COLOR, number=face.track, is_named=False)
