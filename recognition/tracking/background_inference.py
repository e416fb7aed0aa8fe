"""Networks beside the loop: faces are found, and looks embedded, while frames go on."""

import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recognition.tracking.embedding_queue import Look
from recognition.tracking.motion import View
from recognition.tracking.naming import FaceReader

if TYPE_CHECKING:
    from embedder.detection.faces import Faces


@dataclass(frozen=True, eq=False)
class LateFaces:
    """Faces of a frame that has gone by.

    Attributes
    ----------
    image : numpy.ndarray
        The frame, uint8 (h, w, 3).
    view : View or None
        What `recognition.tracking.motion` needs to follow them from there.
    faces : Faces
    seconds : float
        How long it took to find them.
    """

    image: np.ndarray
    view: View | None
    faces: "Faces"
    seconds: float


class Beside:
    """Does one job at a time on another thread: finds the faces of a frame, or embeds looks.

    Parameters
    ----------
    reader : FaceReader
    executor : Executor
        Where the jobs run.
    """

    def __init__(self, reader: FaceReader, executor: Executor) -> None:
        self._reader = reader
        self._executor = executor
        self._finding: Future[LateFaces] | None = None
        self._looking: Future[list[tuple[Look, np.ndarray]]] | None = None
        self._looked_last = True

    @property
    def is_free(self) -> bool:
        """Whether it can take a job."""
        return self._finding is None and self._looking is None

    @property
    def looked_last(self) -> bool:
        """Whether the last job was looks, or there was none: finding faces and looks take turns."""
        return self._looked_last

    def find(self, image: np.ndarray, view: View | None) -> None:
        """Begin to look for faces on a frame; only when free."""
        self._looked_last = False
        self._finding = self._executor.submit(self._find, image, view)

    def look(self, looks: list[Look]) -> None:
        """Begin to embed looks; only when free."""
        self._looked_last = True
        self._looking = self._executor.submit(self._embed, looks)

    def take_faces(self) -> LateFaces | None:
        """Return the faces that were found since the last call, if any."""
        if self._finding is None or not self._finding.done():
            return None
        done, self._finding = self._finding, None
        return done.result()

    def take_looks(self, *, wait: bool = False) -> list[tuple[Look, np.ndarray]]:
        """Return the looks that were embedded since the last call and their vectors; `wait` for those under way."""
        if self._looking is None or not (wait or self._looking.done()):
            return []
        done, self._looking = self._looking, None
        return done.result()

    def drop_faces(self) -> None:
        """Forget the frame whose faces are being looked for."""
        self._finding = None

    def _find(self, image: np.ndarray, view: View | None) -> LateFaces:
        started_s = time.monotonic()
        faces = self._reader.detect(image)
        return LateFaces(image, view, faces, time.monotonic() - started_s)

    def _embed(self, looks: list[Look]) -> list[tuple[Look, np.ndarray]]:
        return [(look, look.embed(self._reader)) for look in looks]
