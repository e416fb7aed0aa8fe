"""The loop over frames: detection now and then, tracks in between, looks where they are worth it, events."""

import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedder.detection.faces import Faces
from foundation.threads import thread_count
from recognition.events.event import Event, make_event
from recognition.sources.video_file import Frame
from recognition.tracking.background_inference import Beside, LateFaces
from recognition.tracking.detection_prefetch import find_ahead
from recognition.tracking.embedding_queue import Look, LookQueue
from recognition.tracking.evidence import Evidence, Scorer, Verdict
from recognition.tracking.motion import CutDetector, Motion
from recognition.tracking.naming import FaceReader
from recognition.tracking.tracker import Stamp, State, Track, Tracker

if TYPE_CHECKING:
    from classifiers.heads.head import Head

LOOKS_A_FRAME = 1
"""Faces embedded on one frame at most, and none on a frame with detection unless every frame has one, so that no frame
is held up."""

LOOKS_BESIDE = 4
"""Faces embedded at most, beside the frames, before faces are looked for again."""

SAME_COSINE = 0.55
"""Cosine of looks from which a new track is the lost one again. Of pairs of photos of LFW 0.04 % of two people and 96 %
of one person reach it."""

OTHER_COSINE = 0.3
"""Cosine to all of a track's looks below which a look is another person's; it takes two such looks to believe it.
Of pairs of photos of LFW 96 % of two people and 0.3 % of one person are below it."""


@dataclass(frozen=True, eq=False)
class SeenFace:
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
class Seen:
    """What one frame showed.

    Attributes
    ----------
    faces : list of SeenFace
    lost : list of SeenFace
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

    faces: list[SeenFace]
    lost: list[SeenFace]
    events: list[Event]
    is_cut: bool
    detected: bool
    detection_s: float | None


class FaceLoop:
    """Follows and names the faces of one source.

    Parameters
    ----------
    reader : FaceReader
        Finds and embeds faces.
    head : Head
        Names them.
    source : str
        The source's name in events.
    every_frame : bool
        Also give a `face` event for each face of each frame.
    on_look : callable, optional
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
        reader: FaceReader,
        head: "Head | Scorer",
        source: str,
        *,
        every_frame: bool = False,
        on_look: Callable[[Track, Look], None] | None = None,
        on_end: Callable[[Track], None] | None = None,
        executor: Executor | None = None,
    ) -> None:
        self._reader = reader
        self._head = head
        self._source = source
        self._every_frame = every_frame
        self._on_look = on_look
        self._on_end = on_end
        self._tracker = Tracker()
        self._motion = Motion()
        self._cuts = CutDetector()
        self._queue = LookQueue(reader)
        self._beside = None if executor is None else Beside(reader, executor)
        self._size_hw: tuple[int, int] | None = None
        self._detected_last = False
        self._stamp = Stamp(0, 0.0)
        self._events: list[Event] = []

    def process(self, frame: Frame, *, detect: bool, faces: Faces | None = None) -> Seen:
        """Take the next frame and return what it showed.

        Parameters
        ----------
        frame : Frame
        detect : bool
            Look for faces; at a cut they are looked for all the same.
        faces : Faces, optional
            The frame's faces, where they have been found already.
        """
        stamp = Stamp(frame.index, frame.time_s)
        size_hw = (frame.image.shape[0], frame.image.shape[1])
        is_cut = self._cuts.is_cut(frame.image) or self._size_hw not in (None, size_hw)
        if is_cut:
            self.break_off()
        self._stamp, self._size_hw = stamp, size_hw
        self._motion.see(frame.image)
        visible = self._tracker.visible
        self._tracker.move(self._motion.follow([track.box for track in visible]), stamp)
        detected, detection_s = detect or is_cut or faces is not None, None
        if self._beside is not None and not is_cut:
            detected, detection_s = self._work_beside(self._beside, frame, detect=detect)
        else:
            if detected:
                started_s = time.monotonic()
                faces = self._reader.detect(frame.image) if faces is None else faces
                detection_s = time.monotonic() - started_s
                self._queue.fill(frame.image, faces, self._tracker.match(faces, stamp, size_hw), now_s=frame.time_s)
            if not detected or self._detected_last:
                self._use(self._queue.take(LOOKS_A_FRAME), stamp)
        self._detected_last = detected
        self._end(self._tracker.end_old(frame.time_s))
        seen = [_as_seen(track) for track in self._tracker.visible]
        if self._every_frame:
            self._events += [self._face_event(face, stamp) for face in seen]
        lost = [_as_seen(track) for track in self._tracker.lost]
        return Seen(seen, lost, self._take_events(), is_cut, detected, detection_s)

    def _work_beside(self, beside: Beside, frame: Frame, *, detect: bool) -> tuple[bool, float | None]:
        """Use what was done beside the frames and give it something to do; return as `Seen` has it."""
        stamp = self._stamp
        for look, vector in beside.take_looks():
            self._use_look(look, vector, stamp)
        late = beside.take_faces()
        if late is not None:
            faces = self._where_now(late)
            sightings = self._tracker.match(faces, stamp, (frame.image.shape[0], frame.image.shape[1]))
            self._queue.fill(late.image, late.faces, sightings, now_s=frame.time_s)
        begins = detect and beside.is_free and (beside.looked_last or not self._queue)
        if begins:
            beside.find(frame.image, self._motion.view)
        elif beside.is_free and self._queue:
            beside.look(self._queue.take(LOOKS_BESIDE))
        return begins, None if late is None else late.seconds

    def _where_now(self, late: LateFaces) -> Faces:
        """Return the faces of a frame that has gone by where they are on the newest."""
        boxes, landmarks = late.faces.boxes.copy(), late.faces.landmarks.copy()
        for face, moved in enumerate(self._motion.follow_from(late.view, list(late.faces.boxes))):
            if moved is not None:
                landmarks[face] = moved.carry(landmarks[face], boxes[face])
                boxes[face] = moved.box
        return Faces(boxes, landmarks, late.faces.scores)

    def look_ahead(self, frames: Iterable[Frame], every: int) -> Generator[tuple[Frame, Faces | None]]:
        """Yield frames and, of every `every`th, its faces, for `process`; see `find_ahead`."""
        return find_ahead(frames, self._reader.detect, every=every, n_threads=thread_count())

    def break_off(self) -> None:
        """End all tracks, as at a cut; their events come with the next frame or `finish`."""
        self._motion.forget()
        if self._beside is not None:
            self._beside.drop_faces()
            for look, vector in self._beside.take_looks(wait=True):
                self._use_look(look, vector, self._stamp)
        self._use(self._queue.take_first_looks(), self._stamp)
        self._end(self._tracker.end_all())

    def finish(self) -> list[Event]:
        """End all tracks and return the last events."""
        self.break_off()
        return self._take_events()

    def use_head(self, head: "Head | Scorer") -> None:
        """Name with another head from now on; the tracks there are are judged again by it."""
        self._head = head
        for track in self._tracker.tracks:
            self._tell_changes(track, track.seen, lambda evidence: evidence.judge(head, afresh=True))

    def _use(self, looks: list[Look], stamp: Stamp) -> None:
        for look in looks:
            self._use_look(look, look.embed(self._reader), stamp)

    def _use_look(self, look: Look, vector: np.ndarray, stamp: Stamp) -> None:
        track = look.track
        if track.state is not State.CONFIRMED:  # it went while it was looked at
            return
        track.last_look_s = stamp.time_s
        if not track.evidence.is_empty and track.evidence.nearness(vector) < OTHER_COSINE:
            if track.doubt is None or float(track.doubt @ vector) < SAME_COSINE:
                track.doubt = vector
                return
            track = self._split(track, stamp)
        track.doubt = None
        if track.number is None:
            track = self._find_again(track, vector)
        if track.number is None:
            track.evidence.add(vector, look.quality, self._head, is_whole=look.is_whole)
            track.number = self._tracker.next_number()
            self._tell("started", track, stamp)
            if track.evidence.verdict.accepted:
                self._tell("identified", track, stamp)
        else:
            self._tell_changes(
                track, stamp, lambda evidence: evidence.add(vector, look.quality, self._head, is_whole=look.is_whole)
            )
        if self._on_look is not None:
            self._on_look(track, look)

    def _find_again(self, track: Track, vector: np.ndarray) -> Track:
        """Return the lost track whose looks are like the first look of a new one, or the new one."""
        lost = [old for old in self._tracker.lost if old.number is not None]
        nearness = [old.evidence.nearness(vector) for old in lost]
        if not lost or max(nearness) < SAME_COSINE:
            return track
        old = lost[int(np.argmax(nearness))]
        old.box, old.landmarks, old.n_misses = track.box, track.landmarks, 0
        old.seen, old.detected = track.seen, track.detected
        old.state, old.last_look_s, old.doubt = State.CONFIRMED, track.last_look_s, None
        self._tracker.end(track)
        return old

    def _split(self, track: Track, stamp: Stamp) -> Track:
        """Return a new track in the place of one that another face has taken over; the old one is lost."""
        new = Track(track.box, track.landmarks, stamp, stamp, stamp, state=State.CONFIRMED, last_look_s=stamp.time_s)
        track.state, track.doubt = State.LOST, None
        self._tracker.tracks.append(new)
        return new

    def _end(self, tracks: list[Track]) -> None:
        ended = [track for track in tracks if track.number is not None]
        # The events of all come first: what is told of one may fail.
        for track in ended:
            self._tell("ended", track, track.seen)
        if self._on_end is not None:
            for track in ended:
                self._on_end(track)

    def _tell_changes(self, track: Track, stamp: Stamp, judge: Callable[[Evidence], Verdict]) -> None:
        before = track.evidence.verdict
        after = judge(track.evidence)
        if track.number is not None and after.identity != before.identity:
            self._tell("changed" if before.accepted else "identified", track, stamp)

    def _tell(self, kind: str, track: Track, stamp: Stamp) -> None:
        self._events.append(self._event(kind, track.box, track.number, verdict=track.evidence.verdict, stamp=stamp))

    def _face_event(self, face: SeenFace, stamp: Stamp) -> Event:
        return self._event("face", face.box, face.track, verdict=face.verdict, stamp=stamp)

    def _event(self, kind: str, box: np.ndarray, number: int | None, *, verdict: Verdict, stamp: Stamp) -> Event:
        height, width = (0, 0) if self._size_hw is None else self._size_hw
        inside = np.clip(box, 0.0, (width, height, width, height))
        return make_event(
            kind,
            self._source,
            frame=stamp.frame,
            time_s=stamp.time_s,
            track=number,
            box=inside,
            identity=verdict.identity,
            score=verdict.score,
            accepted=verdict.accepted,
        )

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events


def _as_seen(track: Track) -> SeenFace:
    return SeenFace(track.box.copy(), track.number, track.evidence.verdict)
