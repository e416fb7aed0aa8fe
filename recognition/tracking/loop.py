"""Loop over the frames of a source: detect now and then, track in between, embed what is worth it, emit events."""

import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from embedder.detection.faces import Faces
from embedder.networks.encoder import FaceEncoder
from foundation.threads import thread_count
from recognition.events.event import Event, make_event
from recognition.sources.video_file import Frame
from recognition.tracking.background_inference import BackgroundInference, DelayedDetections
from recognition.tracking.detection_prefetch import prefetch_detections
from recognition.tracking.embedding_queue import EmbeddingQueue, EmbeddingQueueSettings, ProbeCrop
from recognition.tracking.evidence import Evidence, EvidenceSettings, Scorer, Verdict
from recognition.tracking.motion import CutDetector, Motion, reduce_frame
from recognition.tracking.tracker import FrameTime, State, Track, Tracker, TrackerSettings

if TYPE_CHECKING:
    from classifiers.heads.head import Head
    from embedder.finding.second_score import SecondScorer


@dataclass(frozen=True)
class LoopSettings:
    """How faces are tracked and embedded.

    Attributes
    ----------
    tracker : TrackerSettings
    evidence : EvidenceSettings, optional
        By default those of the network, see `EvidenceSettings.for_network`.
    queue : EmbeddingQueueSettings
    embeddings_per_frame : int
        Crops embedded on one frame at most, and none on a frame with detection unless every frame has one. More name
        the faces of a crowd sooner and make single frames slower.
    embeddings_per_job : int
        Crops embedded at most by one job of the background, before detection runs again.
    reidentification_cosine : float
        Cosine of embeddings from which a new track is a lost one again. Of pairs of photos of LFW 0.04 % of two people
        and 96 % of one person reach it. Higher gives one person several tracks; lower joins two people.
    identity_switch_cosine : float
        Cosine to all embeddings of a track below which a new one is another person's; two such embeddings in a row
        start a new track. Of pairs of photos of LFW 96 % of two people and 0.3 % of one person are below it. Higher
        splits tracks of one person; lower leaves a track to whoever takes a face's place.
    """

    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    evidence: EvidenceSettings | None = None
    queue: EmbeddingQueueSettings = field(default_factory=EmbeddingQueueSettings)
    embeddings_per_frame: int = 1
    embeddings_per_job: int = 4
    reidentification_cosine: float = 0.55
    identity_switch_cosine: float = 0.3


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
        Its identity.
    """

    box: np.ndarray
    track: int | None
    verdict: Verdict


@dataclass(frozen=True)
class FrameResult:
    """The tracked faces of a frame and its events.

    Attributes
    ----------
    faces : list of TrackedFace
        Faces of visible tracks.
    lost : list of TrackedFace
        Faces of lost tracks, where they were last.
    events : list of Event
    is_cut : bool
        Whether another shot begins with the frame.
    detected : bool
        Whether detection ran on it, or was started.
    detection_s : float or None
        How long detection took, in seconds, where it has ended with this frame.
    """

    faces: list[TrackedFace]
    lost: list[TrackedFace]
    events: list[Event]
    is_cut: bool
    detected: bool
    detection_s: float | None


class FaceLoop:
    """Track and identify the faces of one source.

    Parameters
    ----------
    encoder : FaceEncoder
        Detects and embeds faces.
    head : Head
        Scores embeddings.
    source : str
        The source's name in events.
    every_frame : bool
        Also emit a `face` event for each face of each frame.
    on_crop : callable, optional
        Called with each track and the crop of it that was embedded.
    on_end : callable, optional
        Called with each numbered track that has ended.
    executor : Executor, optional
        Runs detection and embedding in the background, one job at a time, so that no frame waits for them: their
        results come some frames later, and flow moves them to the newest frame. Without one they run on each frame
        itself, so that every run over a file has the same events.
    settings : LoopSettings
    second : SecondScorer, optional
        Asked about each track before it gets a number, see `recognition.tracking.embedding_queue.EmbeddingQueue`.
    """

    def __init__(
        self,
        encoder: FaceEncoder,
        head: "Head | Scorer",
        source: str,
        *,
        every_frame: bool = False,
        on_crop: Callable[[Track, ProbeCrop], None] | None = None,
        on_end: Callable[[Track], None] | None = None,
        executor: Executor | None = None,
        settings: LoopSettings = LoopSettings(),
        second: "SecondScorer | None" = None,
    ) -> None:
        self._encoder = encoder
        self._head = head
        self._source = source
        self._every_frame = every_frame
        self._on_crop = on_crop
        self._on_end = on_end
        self._settings = settings
        self._tracker = Tracker(
            settings.tracker, settings.evidence or EvidenceSettings.for_network(encoder.fingerprint)
        )
        self._motion = Motion()
        self._cuts = CutDetector()
        self._queue = EmbeddingQueue(encoder, settings.queue, second=second)
        self._background = None if executor is None else BackgroundInference(encoder, executor)
        self._size_hw: tuple[int, int] | None = None
        self._detected_last = False
        self._now = FrameTime(0, 0.0)
        self._events: list[Event] = []

    def process(self, frame: Frame, *, detect: bool, faces: Faces | None = None) -> FrameResult:
        """Process the next frame and return its faces and events.

        Parameters
        ----------
        frame : Frame
        detect : bool
            Run detection; at a cut it runs in any case.
        faces : Faces, optional
            The frame's faces, where they have been detected already.
        """
        now = FrameTime(frame.index, frame.time_s)
        size_hw = (frame.image.shape[0], frame.image.shape[1])
        reduced = reduce_frame(frame.image)
        is_cut = self._cuts.is_cut(reduced.thumbnail) or self._size_hw not in (None, size_hw)
        if is_cut:
            self.end_all_tracks()
        self._now, self._size_hw = now, size_hw
        self._motion.update(reduced.flow)
        visible = self._tracker.visible
        self._tracker.move(self._motion.propagate([track.box for track in visible]), now)
        detected, detection_s = detect or is_cut or faces is not None, None
        if self._background is not None and not is_cut:
            detected, detection_s = self._advance_inference(self._background, frame, detect=detect)
        else:
            if detected:
                started_s = time.monotonic()
                faces = self._encoder.detect(frame.image) if faces is None else faces
                detection_s = time.monotonic() - started_s
                self._queue.fill(frame.image, faces, self._tracker.match(faces, now, size_hw), now_s=frame.time_s)
            if not detected or self._detected_last:
                self._embed_and_fuse(self._queue.pop(self._settings.embeddings_per_frame), now)
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
        """Use the results of the background and start its next job; return the frame's `detected` and `detection_s`."""
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
            inference.start_embedding(self._queue.pop(self._settings.embeddings_per_job))
        return begins, None if delayed is None else delayed.seconds

    def _propagate_to_newest(self, delayed: DelayedDetections) -> Faces:
        """Return faces of an earlier frame where flow finds them on the newest."""
        boxes, landmarks = delayed.faces.boxes.copy(), delayed.faces.landmarks.copy()
        for face, moved in enumerate(self._motion.propagate_from(delayed.flow_frame, list(delayed.faces.boxes))):
            if moved is not None:
                landmarks[face] = moved.apply(landmarks[face], boxes[face])
                boxes[face] = moved.box
        return Faces(boxes, landmarks, delayed.faces.scores)

    def prefetch_detections(self, frames: Iterable[Frame], every: int) -> Generator[tuple[Frame, Faces | None]]:
        """Yield frames and, for every `every`th, its faces, for `process`.

        See `recognition.tracking.detection_prefetch.prefetch_detections`.
        """
        return prefetch_detections(frames, self._encoder.detect, every=every, n_threads=thread_count())

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
        """Use another head from now on and decide again about all present tracks."""
        self._head = head
        for track in self._tracker.tracks:
            self._emit_changes(track, track.last_seen, lambda evidence: evidence.decide(head, reset=True))

    def _embed_and_fuse(self, crops: list[ProbeCrop], now: FrameTime) -> None:
        for crop in crops:
            self._fuse_crop(crop, crop.embed(self._encoder), now)

    def _fuse_crop(self, crop: ProbeCrop, vector: np.ndarray, now: FrameTime) -> None:
        track = crop.track
        if track.state is not State.CONFIRMED:  # it ended or was lost while its crop was embedded
            return
        track.last_embedded_s = now.time_s
        if not track.evidence.is_empty and track.evidence.max_cosine(vector) < self._settings.identity_switch_cosine:
            if track.outlier is None or float(track.outlier @ vector) < self._settings.reidentification_cosine:
                track.outlier = vector
                return
            track = self._tracker.split(track, now)
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
        """Return the lost track that the first embedding of a new track belongs to, activated again, or the new one."""
        lost = [old for old in self._tracker.lost if old.number is not None]
        cosines = [old.evidence.max_cosine(vector) for old in lost]
        if not lost or max(cosines) < self._settings.reidentification_cosine:
            return track
        old = lost[int(np.argmax(cosines))]
        old.box, old.landmarks, old.n_misses = track.box, track.landmarks, 0
        old.last_seen, old.last_detected = track.last_seen, track.last_detected
        old.state, old.last_embedded_s, old.outlier = State.CONFIRMED, track.last_embedded_s, None
        self._tracker.end(track)
        return old

    def _emit_ends(self, tracks: list[Track]) -> None:
        ended = [track for track in tracks if track.number is not None]
        # The events of all come first: a callback may fail.
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
