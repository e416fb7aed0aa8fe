"""Networks beside the loop: faces are found, and looks embedded, while frames go on."""

import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedder.networks.encoder import FaceEncoder
from recognition.tracking.embedding_queue import ProbeCrop
from recognition.tracking.motion import FlowFrame

if TYPE_CHECKING:
    from embedder.detection.faces import Faces


@dataclass(frozen=True, eq=False)
class DelayedDetections:
    """Faces of a frame that has gone by.

    Attributes
    ----------
    image : numpy.ndarray
        The frame, uint8 (h, w, 3).
    flow_frame : FlowFrame or None
        What `recognition.tracking.motion` needs to follow them from there.
    faces : Faces
    seconds : float
        How long it took to find them.
    """

    image: np.ndarray
    flow_frame: FlowFrame | None
    faces: "Faces"
    seconds: float


class BackgroundInference:
    """Does one job at a time on another thread: finds the faces of a frame, or embeds looks.

    Parameters
    ----------
    reader : FaceEncoder
    executor : Executor
        Where the jobs run.
    """

    def __init__(self, reader: FaceEncoder, executor: Executor) -> None:
        self._reader = reader
        self._executor = executor
        self._detecting: Future[DelayedDetections] | None = None
        self._embedding: Future[list[tuple[ProbeCrop, np.ndarray]]] | None = None
        self._last_job_was_embedding = True

    @property
    def is_free(self) -> bool:
        """Whether it can take a job."""
        return self._detecting is None and self._embedding is None

    @property
    def last_job_was_embedding(self) -> bool:
        """Whether the last job was crops, or there was none: finding faces and looks take turns."""
        return self._last_job_was_embedding

    def start_detection(self, image: np.ndarray, flow_frame: FlowFrame | None) -> None:
        """Begin to look for faces on a frame; only when free."""
        self._last_job_was_embedding = False
        self._detecting = self._executor.submit(self._detect, image, flow_frame)

    def start_embedding(self, crops: list[ProbeCrop]) -> None:
        """Begin to embed looks; only when free."""
        self._last_job_was_embedding = True
        self._embedding = self._executor.submit(self._embed, crops)

    def poll_detections(self) -> DelayedDetections | None:
        """Return the faces that were found since the last call, if any."""
        if self._detecting is None or not self._detecting.done():
            return None
        done, self._detecting = self._detecting, None
        return done.result()

    def poll_embeddings(self, *, wait: bool = False) -> list[tuple[ProbeCrop, np.ndarray]]:
        """Return the looks that were embedded since the last call and their vectors; `wait` for those under way."""
        if self._embedding is None or not (wait or self._embedding.done()):
            return []
        done, self._embedding = self._embedding, None
        return done.result()

    def discard_detections(self) -> None:
        """Forget the frame whose faces are being looked for."""
        self._detecting = None

    def _detect(self, image: np.ndarray, flow_frame: FlowFrame | None) -> DelayedDetections:
        started_s = time.monotonic()
        faces = self._reader.detect(image)
        return DelayedDetections(image, flow_frame, faces, time.monotonic() - started_s)

    def _embed(self, crops: list[ProbeCrop]) -> list[tuple[ProbeCrop, np.ndarray]]:
        return [(crop, crop.embed(self._reader)) for crop in crops]
