"""The loop over frames: detection now and then, tracks in between, looks where they are worth it, events."""

import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedder.detection.faces import Faces
from embedder.networks.encoder import FaceEncoder
from foundation.threads import thread_count
from recognition.events.event import Event, make_event
from recognition.sources.video_file import Frame
from recognition.tracking.background_inference import BackgroundInference, DelayedDetections
from recognition.tracking.detection_prefetch import prefetch_detections
from recognition.tracking.embedding_queue import EmbeddingQueue, ProbeCrop
from recognition.tracking.evidence import Evidence, Scorer, Verdict
from recognition.tracking.motion import CutDetector, Motion
from recognition.tracking.tracker import FrameTime, State, Track, Tracker

if TYPE_CHECKING:
    from classifiers.heads.head import Head

EMBEDDINGS_PER_FRAME = 1
"""Faces embedded on one frame at most, and none on a frame with detection unless every frame has one, so that no frame
is held up."""

EMBEDDINGS_PER_JOB = 4
"""Faces embedded at most, beside the frames, before faces are looked for again."""

REIDENTIFICATION_COSINE = 0.55
"""Cosine of looks from which a new track is the lost one again. Of pairs of photos of LFW 0.04 % of two people and 96 %
of one person reach it."""

IDENTITY_SWITCH_COSINE = 0.3
"""Cosine to all of a track's looks below which a look is another person's; it takes two such looks to believe it.
Of pairs of photos of LFW 96 % of two people and 0.3 % of one person are below it."""


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """A face on the newest frame.

    Attributes
    ----------
    box : numpy.ndarray
        float64 (4,), pixels.
    track : int or None
        Its track's number; None while it belongs to none.
    verdict : Verdict
        Who it is held to be.
    """

    box: np.ndarray
    track: int | None
    verdict: Verdict


@dataclass(frozen=True)
class FrameResult:
    """What one frame showed.

    Attributes
    ----------
    faces : list of TrackedFace
    lost : list of TrackedFace
        Faces that were there a moment ago and may still be, where they were last.
    events : list of Event
        What it gave rise to.
    is_cut : bool
        Whether another shot begins with it.
    detected : bool
        Whether faces were looked for on it, or begun to be.
    detection_s : float or None
        How long that took, where it came to its end with this frame.
    """

    faces: list[TrackedFace]
    lost: list[TrackedFace]
    events: list[Event]
    is_cut: bool
    detected: bool
    detection_s: float | None


class FaceLoop:
    """Follows and names the faces of one source.

    Parameters
    ----------
    reader : FaceEncoder
        Finds and embeds faces.
    head : Head
        Names them.
    source : str
        The source's name in events.
    every_frame : bool
        Also give a `face` event for each face of each frame.
    on_crop : callable, optional
        Told each look that was used, with the track it belongs to now.
    on_end : callable, optional
        Told each numbered track that has ended.
    executor : Executor, optional
        Where faces are found and embedded beside the frames, one job at a time, so that no frame waits for them: what
        they say comes some frames later, moved to where the faces are by then. Without one each frame has its own
        faces, as files need that shall be told the same on every run.
    """

    def __init__(
        self,
        reader: FaceEncoder,
        head: "Head | Scorer",
        source: str,
        *,
        every_frame: bool = False,
        on_crop: Callable[[Track, ProbeCrop], None] | None = None,
        on_end: Callable[[Track], None] | None = None,
        executor: Executor | None = None,
    ) -> None:
        self._reader = reader
        self._head = head
        self._source = source
        self._every_frame = every_frame
        self._on_crop = on_crop
        self._on_end = on_end
        self._tracker = Tracker()
        self._motion = Motion()
        self._cuts = CutDetector()
        self._queue = EmbeddingQueue(reader)
        self._background = None if executor is None else BackgroundInference(reader, executor)
        self._size_hw: tuple[int, int] | None = None
        self._detected_last = False
        self._now = FrameTime(0, 0.0)
        self._events: list[Event] = []

    def process(self, frame: Frame, *, detect: bool, faces: Faces | None = None) -> FrameResult:
        """Take the next frame and return what it showed.

        Parameters
        ----------
        frame : Frame
        detect : bool
            Look for faces; at a cut they are looked for all the same.
        faces : Faces, optional
            The frame's faces, where they have been found already.
        """
        now = FrameTime(frame.index, frame.time_s)
        size_hw = (frame.image.shape[0], frame.image.shape[1])
        is_cut = self._cuts.is_cut(frame.image) or self._size_hw not in (None, size_hw)
        if is_cut:
            self.end_all_tracks()
        self._now, self._size_hw = now, size_hw
        self._motion.update(frame.image)
        visible = self._tracker.visible
        self._tracker.move(self._motion.propagate([track.box for track in visible]), now)
        detected, detection_s = detect or is_cut or faces is not None, None
        if self._background is not None and not is_cut:
            detected, detection_s = self._advance_inference(self._background, frame, detect=detect)
        else:
            if detected:
                started_s = time.monotonic()
                faces = self._reader.detect(frame.image) if faces is None else faces
                detection_s = time.monotonic() - started_s
                self._queue.fill(frame.image, faces, self._tracker.match(faces, now, size_hw), now_s=frame.time_s)
            if not detected or self._detected_last:
                self._embed_and_fuse(self._queue.pop(EMBEDDINGS_PER_FRAME), now)
        self._detected_last = detected
        self._emit_ends(self._tracker.end_expired(frame.time_s))
        seen = [_tracked_face(track) for track in self._tracker.visible]
        if self._every_frame:
            self._events += [self._face_event(face, now) for face in seen]
        lost = [_tracked_face(track) for track in self._tracker.lost]
        return FrameResult(seen, lost, self._take_events(), is_cut, detected, detection_s)

    def _advance_inference(
        self, inference: BackgroundInference, frame: Frame, *, detect: bool
    ) -> tuple[bool, float | None]:
        """Use what was done beside the frames and give it something to do; return as `FrameResult` has it."""
        now = self._now
        for crop, vector in inference.poll_embeddings():
            self._fuse_crop(crop, vector, now)
        delayed = inference.poll_detections()
        if delayed is not None:
            faces = self._propagate_to_newest(delayed)
            detections = self._tracker.match(faces, now, (frame.image.shape[0], frame.image.shape[1]))
            self._queue.fill(delayed.image, delayed.faces, detections, now_s=frame.time_s)
        begins = detect and inference.is_free and (inference.last_job_was_embedding or not self._queue)
        if begins:
            inference.start_detection(frame.image, self._motion.flow_frame)
        elif inference.is_free and self._queue:
            inference.start_embedding(self._queue.pop(EMBEDDINGS_PER_JOB))
        return begins, None if delayed is None else delayed.seconds

    def _propagate_to_newest(self, delayed: DelayedDetections) -> Faces:
        """Return the faces of a frame that has gone by where they are on the newest."""
        boxes, landmarks = delayed.faces.boxes.copy(), delayed.faces.landmarks.copy()
        for face, moved in enumerate(self._motion.propagate_from(delayed.flow_frame, list(delayed.faces.boxes))):
            if moved is not None:
                landmarks[face] = moved.apply(landmarks[face], boxes[face])
                boxes[face] = moved.box
        return Faces(boxes, landmarks, delayed.faces.scores)

    def prefetch_detections(self, frames: Iterable[Frame], every: int) -> Generator[tuple[Frame, Faces | None]]:
        """Yield frames and, of every `every`th, its faces, for `process`; see `prefetch_detections`."""
        return prefetch_detections(frames, self._reader.detect, every=every, n_threads=thread_count())

    def end_all_tracks(self) -> None:
        """End all tracks, as at a cut; their events come with the next frame or `finish`."""
        self._motion.reset()
        if self._background is not None:
            self._background.discard_detections()
            for crop, vector in self._background.poll_embeddings(wait=True):
                self._fuse_crop(crop, vector, self._now)
        self._embed_and_fuse(self._queue.pop_first_crops(), self._now)
        self._emit_ends(self._tracker.end_all())

    def finish(self) -> list[Event]:
        """End all tracks and return the last events."""
        self.end_all_tracks()
        return self._take_events()

    def replace_head(self, head: "Head | Scorer") -> None:
        """Name with another head from now on; the tracks there are are judged again by it."""
        self._head = head
        for track in self._tracker.tracks:
            self._emit_changes(track, track.last_seen, lambda evidence: evidence.decide(head, reset=True))

    def _embed_and_fuse(self, crops: list[ProbeCrop], now: FrameTime) -> None:
        for crop in crops:
            self._fuse_crop(crop, crop.embed(self._reader), now)

    def _fuse_crop(self, crop: ProbeCrop, vector: np.ndarray, now: FrameTime) -> None:
        track = crop.track
        if track.state is not State.CONFIRMED:  # it went while it was looked at
            return
        track.last_embedded_s = now.time_s
        if not track.evidence.is_empty and track.evidence.max_cosine(vector) < IDENTITY_SWITCH_COSINE:
            if track.outlier is None or float(track.outlier @ vector) < REIDENTIFICATION_COSINE:
                track.outlier = vector
                return
            track = self._split(track, now)
        track.outlier = None
        if track.number is None:
            track = self._reidentify(track, vector)
        if track.number is None:
            track.evidence.add(vector, crop.quality, self._head, is_whole=crop.is_whole)
            track.number = self._tracker.next_number()
            self._emit("started", track, now)
            if track.evidence.verdict.accepted:
                self._emit("identified", track, now)
        else:
            self._emit_changes(
                track, now, lambda evidence: evidence.add(vector, crop.quality, self._head, is_whole=crop.is_whole)
            )
        if self._on_crop is not None:
            self._on_crop(track, crop)

    def _reidentify(self, track: Track, vector: np.ndarray) -> Track:
        """Return the lost track whose looks are like the first look of a new one, or the new one."""
        lost = [old for old in self._tracker.lost if old.number is not None]
        cosines = [old.evidence.max_cosine(vector) for old in lost]
        if not lost or max(cosines) < REIDENTIFICATION_COSINE:
            return track
        old = lost[int(np.argmax(cosines))]
        old.box, old.landmarks, old.n_misses = track.box, track.landmarks, 0
        old.last_seen, old.last_detected = track.last_seen, track.last_detected
        old.state, old.last_embedded_s, old.outlier = State.CONFIRMED, track.last_embedded_s, None
        self._tracker.end(track)
        return old

    def _split(self, track: Track, now: FrameTime) -> Track:
        """Return a new track in the place of one that another face has taken over; the old one is lost."""
        new = Track(track.box, track.landmarks, now, now, now, state=State.CONFIRMED, last_embedded_s=now.time_s)
        track.state, track.outlier = State.LOST, None
        self._tracker.tracks.append(new)
        return new

    def _emit_ends(self, tracks: list[Track]) -> None:
        ended = [track for track in tracks if track.number is not None]
        # The events of all come first: what is told of one may fail.
        for track in ended:
            self._emit("ended", track, track.last_seen)
        if self._on_end is not None:
            for track in ended:
                self._on_end(track)

    def _emit_changes(self, track: Track, at: FrameTime, decide: Callable[[Evidence], Verdict]) -> None:
        before = track.evidence.verdict
        after = decide(track.evidence)
        if track.number is not None and after.identity != before.identity:
            self._emit("changed" if before.accepted else "identified", track, at)

    def _emit(self, kind: str, track: Track, at: FrameTime) -> None:
        self._events.append(self._event(kind, track.box, track.number, verdict=track.evidence.verdict, at=at))

    def _face_event(self, face: TrackedFace, now: FrameTime) -> Event:
        return self._event("face", face.box, face.track, verdict=face.verdict, at=now)

    def _event(self, kind: str, box: np.ndarray, number: int | None, *, verdict: Verdict, at: FrameTime) -> Event:
        height, width = (0, 0) if self._size_hw is None else self._size_hw
        inside = np.clip(box, 0.0, (width, height, width, height))
        return make_event(
            kind,
            self._source,
            frame=at.frame,
            time_s=at.time_s,
            track=number,
            box=inside,
            identity=verdict.identity,
            score=verdict.score,
            accepted=verdict.accepted,
        )

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events


def _tracked_face(track: Track) -> TrackedFace:
    return TrackedFace(track.box.copy(), track.number, track.evidence.verdict)
