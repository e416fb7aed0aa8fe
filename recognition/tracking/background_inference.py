"""Detection and embedding on a worker thread, while the loop goes on with the next frames."""

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
    """Faces detected on a frame that is no longer the newest.

    Attributes
    ----------
    image : numpy.ndarray
        The frame, uint8 (h, w, 3).
    flow_frame : FlowFrame or None
        What `Motion.propagate_from` needs to move them to the newest frame.
    faces : Faces
    seconds : float
        How long detection took.
    """

    image: np.ndarray
    flow_frame: FlowFrame | None
    faces: "Faces"
    seconds: float


class BackgroundInference:
    """Run one job at a time on an executor: detection on a frame, or embedding of crops.

    Parameters
    ----------
    encoder : FaceEncoder
    executor : Executor
        Runs the jobs.
    """

    def __init__(self, encoder: FaceEncoder, executor: Executor) -> None:
        self._encoder = encoder
        self._executor = executor
        self._detecting: Future[DelayedDetections] | None = None
        self._embedding: Future[list[tuple[ProbeCrop, np.ndarray]]] | None = None
        self._last_job_was_embedding = True

    @property
    def is_free(self) -> bool:
        """Whether a job can be started."""
        return self._detecting is None and self._embedding is None

    @property
    def last_job_was_embedding(self) -> bool:
        """Whether the last job was embedding, or there was none: detection and embedding take turns."""
        return self._last_job_was_embedding

    def start_detection(self, image: np.ndarray, flow_frame: FlowFrame | None) -> None:
        """Start detection on a frame, uint8 (h, w, 3); only when free."""
        self._last_job_was_embedding = False
        self._detecting = self._executor.submit(self._detect, image, flow_frame)

    def start_embedding(self, crops: list[ProbeCrop]) -> None:
        """Start embedding crops; only when free."""
        self._last_job_was_embedding = True
        self._embedding = self._executor.submit(self._embed, crops)

    def poll_detections(self) -> DelayedDetections | None:
        """Return the faces detected since the last call, if any."""
        if self._detecting is None or not self._detecting.done():
            return None
        done, self._detecting = self._detecting, None
        return done.result()

    def poll_embeddings(self, *, wait: bool = False) -> list[tuple[ProbeCrop, np.ndarray]]:
        """Return the crops embedded since the last call with their vectors; `wait` for a job that still runs."""
        if self._embedding is None or not (wait or self._embedding.done()):
            return []
        done, self._embedding = self._embedding, None
        return done.result()

    def discard_detections(self) -> None:
        """Discard the result of a detection that still runs."""
        self._detecting = None

    def _detect(self, image: np.ndarray, flow_frame: FlowFrame | None) -> DelayedDetections:
        started_s = time.monotonic()
        faces = self._encoder.detect(image)
        return DelayedDetections(image, flow_frame, faces, time.monotonic() - started_s)

    def _embed(self, crops: list[ProbeCrop]) -> list[tuple[ProbeCrop, np.ndarray]]:
        return [(crop, crop.embed(self._encoder)) for crop in crops]
