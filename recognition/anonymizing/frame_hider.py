"""Decide what is hidden on each frame of a video or live source."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from embedder.detection.faces import Faces
from recognition.anonymizing.places import CARRIED_S, Places, carry_back, find_same
from recognition.sources.video_file import Frame
from recognition.tracking.loop import FrameResult, TrackedFace
from recognition.tracking.motion import FlowFrame

_MAX_BYTES_WAITING = 256 * 2**20
"""Bytes of frames that may wait for those after them."""


class CloserLook(Protocol):
    """What finds further faces, such as `embedder.detection.thorough.ThoroughDetector`."""

    @property
    def n_copies(self) -> int:
        """Return how many copies of an image it can search."""

    def find_others(self, image: np.ndarray, known: np.ndarray, *, copies: Iterable[int] | None = None) -> Faces:
        """Return faces on copies of an image, uint8 (h, w, 3), that are none of those in the boxes `known`, (n, 4)."""


@dataclass(eq=False)
class HiddenFrame:
    """A frame whose faces are to be hidden.

    Attributes
    ----------
    frame : Frame
    result : FrameResult
        Its tracked faces.
    due_s : float or None
        When it is to be shown, of ``time.monotonic()``.
    flow_frame : FlowFrame or None
        The frame for optical flow.
    places : list of numpy.ndarray
        Boxes, float64 (4,), in which something is to be hidden, tracked faces or not.
    """

    frame: Frame
    result: FrameResult
    due_s: float | None = None
    flow_frame: FlowFrame | None = None
    places: list[np.ndarray] = field(default_factory=list)


class FrameHider:
    """Look closer at the frames of a source, and carry what is found to the frames around.

    On the first frame of a shot all copies of the frame are searched; on each further one on which faces are looked for
    one copy, in turns: a closer look costs about as much as all the rest of the frame's work. What is found is
    hidden for `CARRIED_S` after, and, in a file, before.

    Parameters
    ----------
    detector : CloserLook
    hide : {"unknown", "all"}
        Whose faces are hidden: of everybody who is not identified, or of all.
    is_live : bool
        Whether frames may not wait for those after them.
    """

    def __init__(self, detector: CloserLook, hide: str, *, is_live: bool) -> None:
        self._detector = detector
        self._hide = hide
        self._is_live = is_live
        self._places = Places()
        self._waiting: deque[HiddenFrame] = deque()
        self._begins_shot = True
        self._connection = 1
        self._turn = 0

    def add(self, frame: Frame, result: FrameResult, due_s: float | None = None) -> list[HiddenFrame]:
        """Take the next frame, with its tracked faces, and return the frames that are ready, in order."""
        ready: list[HiddenFrame] = []
        if result.is_cut or frame.connection != self._connection:
            ready += self.flush()
            self._places.reset()
            self._begins_shot, self._connection = True, frame.connection
        self._places.move(frame.image, frame.time_s)
        new = self._places.add(self._find(frame.image, result), frame.time_s)
        newest = HiddenFrame(frame, result, due_s, self._places.flow_frame, self._places.boxes)
        if self._is_live:
            return [*ready, newest]
        self._waiting.append(newest)
        self._hide_before(new)
        most = max(1, _MAX_BYTES_WAITING // frame.image.nbytes)
        while len(self._waiting) > most or frame.time_s - self._waiting[0].frame.time_s > CARRIED_S:
            ready.append(self._waiting.popleft())
        return ready

    def flush(self) -> list[HiddenFrame]:
        """Return the frames that still wait."""
        ready = list(self._waiting)
        self._waiting.clear()
        return ready

    def _find(self, image: np.ndarray, result: FrameResult) -> list[np.ndarray]:
        """Return the boxes of the frame's faces that are to be hidden, tracked ones and others."""
        hidden = [face.box for face in result.faces if is_hidden(face, self._hide)]
        if not result.detected and not self._begins_shot:
            return hidden
        copies = None if self._begins_shot else [self._turn]
        self._begins_shot, self._turn = False, (self._turn + 1) % self._detector.n_copies
        known = np.array([face.box for face in result.faces]).reshape(-1, 4)
        return [*hidden, *self._detector.find_others(image, known, copies=copies).boxes]

    def _hide_before(self, new: list[np.ndarray]) -> None:
        """Carry places that were first found on the newest frame to the frames before it."""
        later = self._waiting[-1]
        for earlier in list(self._waiting)[-2::-1]:
            moved = carry_back(new, later.flow_frame, earlier.flow_frame)
            new = [box for box in moved if find_same(box, earlier.places) is None]
            if not new:
                return
            earlier.places += new
            later = earlier


def is_hidden(face: TrackedFace, hide: str | None) -> bool:
    """Whether a face is to be hidden, when nobody's are (None), everybody's who is not identified, or all."""
    return hide == "all" or (hide == "unknown" and not face.verdict.accepted)


def boxes_to_hide(result: FrameResult, hide: str | None, places: Iterable[np.ndarray] = ()) -> list[np.ndarray]:
    """Return the boxes, each (4,), that are hidden on a frame.

    Parameters
    ----------
    result : FrameResult
        Its tracked faces; lost ones are hidden where they were last.
    hide : {None, "unknown", "all"}
    places : iterable of numpy.ndarray
        Further boxes; they are left out where a face stays visible.
    """
    tracked = [face.box for face in [*result.faces, *result.lost] if is_hidden(face, hide)]
    visible = [face.box for face in result.faces if not is_hidden(face, hide)]
    return [*tracked, *(box for box in places if find_same(box, visible) is None)]
