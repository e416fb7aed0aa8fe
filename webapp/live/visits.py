"""Visits to cameras: who came when, with a picture and a vector; in memory alone, and the oldest go first."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from webapp.errors import UnknownVisitError
from webapp.live.messages import unpack

SAME_FACE_COSINE = 0.55
"""Cosine of two visits from which they are one person's: that of `recognition.tracking.loop.LoopSettings`."""

MOST_VISITS, MOST_BYTES = 500, 24 << 20


@dataclass(frozen=True, eq=False)
class Visit:
    """A visit: a face that a camera followed.

    Attributes
    ----------
    id : str
    camera : str
    began, seen : float
        Seconds since 1970.
    ended : bool
    name : str
        Who it is taken for, "" while nobody is accepted.
    score : float
        Of the best person, accepted or not.
    jpeg : bytes
        The best picture of the face with a little around it.
    box : (4,) float32
        Pixels of that picture; landmarks, (5, 2), likewise.
    sharpness, turn, nose_height : float
        See `classifiers.members.face_samples.FaceSample`.
    vector : (d,) float32
        Of unit length: the mean of its crops.
    decided : str
        What somebody has said of it: "", "is" or "is_not".
    """

    id: str
    camera: str
    began: float
    seen: float
    ended: bool
    name: str
    score: float
    jpeg: bytes
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    sharpness: float
    turn: float
    nose_height: float
    vector: NDArray[np.float32]
    decided: str = ""


class SimilarVisit(NamedTuple):
    """Another visit and the cosine of both."""

    visit: Visit
    similarity: float


class Visits:
    """The visits since the server began, at most `MOST_VISITS` of all cameras."""

    def __init__(self) -> None:
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._n_bytes = 0
        self._lock = Lock()
        self.revision = 0

    def put(self, camera: str, message: bytes) -> None:
        """Note what a camera's process tells of a visit, see `webapp.live.visit_reports`."""
        told, jpeg = unpack(message)
        arrays = {name: np.array(told[name], np.float32) for name in ("box", "landmarks", "vector")}
        del told["state"]
        visit = Visit(**{**told, **arrays, "camera": camera, "jpeg": jpeg})
        with self._lock:
            before = self._visits.get(visit.id)
            if before is not None:
                visit = replace(visit, decided=before.decided)
            self._set(visit)
            while len(self._visits) > MOST_VISITS or self._n_bytes > MOST_BYTES:
                self._n_bytes -= len(self._visits.popitem(last=False)[1].jpeg)

    def note_decision(self, visit_id: str, kind: str) -> None:
        """Note what somebody has said of a visit."""
        with self._lock:
            if visit_id in self._visits:
                self._set(replace(self._visits[visit_id], decided=kind))

    def get(self, visit_id: str) -> Visit:
        """Return a visit.

        Raises
        ------
        UnknownVisitError
            If there is none, or it was too long ago.
        """
        with self._lock:
            if visit_id not in self._visits:
                raise UnknownVisitError("no visit has this number; the oldest are forgotten first")
            return self._visits[visit_id]

    def newest(self, camera: str | None, limit: int) -> list[Visit]:
        """Return the newest visits, of one camera or of all, the newest first."""
        return [visit for visit in self._all() if camera in (None, visit.camera)][:limit]

    def like(self, visit: Visit) -> list[SimilarVisit]:
        """Return other visits that began before and are of the same person, the most alike first."""
        earlier = [one for one in self._all() if one.began < visit.began and one.vector.shape == visit.vector.shape]
        if not earlier:
            return []
        cosines = np.stack([one.vector for one in earlier]) @ visit.vector
        found = [SimilarVisit(one, float(cosine)) for one, cosine in zip(earlier, cosines, strict=True)]
        return sorted((one for one in found if one.similarity >= SAME_FACE_COSINE), key=lambda one: -one.similarity)

    def forget(self, name: str) -> None:
        """Let go of the visits of somebody, and of those that are of the same face."""
        theirs = [visit for visit in self._all() if visit.name == name]
        with self._lock:
            for visit in list(self._visits.values()):
                alike = (one for one in theirs if one.vector.shape == visit.vector.shape)
                if any(float(one.vector @ visit.vector) >= SAME_FACE_COSINE for one in alike):
                    self._n_bytes -= len(self._visits.pop(visit.id).jpeg)
                    self.revision += 1

    def _all(self) -> Iterator[Visit]:
        with self._lock:
            kept = list(self._visits.values())
        return iter(sorted(kept, key=lambda visit: -visit.began))

    def _set(self, visit: Visit) -> None:
        before = self._visits.get(visit.id)
        self._n_bytes += len(visit.jpeg) - (0 if before is None else len(before.jpeg))
        self._visits[visit.id] = visit
        self.revision += 1
