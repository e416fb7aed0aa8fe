"""Writer: results to part files, never more at stake than 256 photos or 30 seconds."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from embedder.pipeline.mapper import PhotoResult
from embedder.tables.columns import SECOND_SCORE
from embedder.tables.file import Header, now
from embedder.tables.parts import write_part

MAX_PHOTOS_A_PART = 256
MAX_SECONDS_A_PART = 30.0


class PartWriter:
    """Collects results and writes them as part files.

    Parameters
    ----------
    folder : Path
        The parts folder.
    header : Header
        Of each part; its time is set when the part is written.
    """

    def __init__(self, folder: Path, header: Header) -> None:
        self._folder = folder
        self._header = header
        self._results: list[PhotoResult] = []
        self._begun = time.monotonic()

    def add(self, results: Sequence[PhotoResult]) -> None:
        """Take `results`; write a part if enough are there or the oldest is old enough."""
        for result in results:
            if not self._results:
                self._begun = time.monotonic()
            self._results.append(result)
            if len(self._results) == MAX_PHOTOS_A_PART:
                self.flush()
        if self._results and time.monotonic() - self._begun >= MAX_SECONDS_A_PART:
            self.flush()

    def flush(self) -> None:
        """Write what has been collected."""
        if not self._results:
            return
        header = replace(self._header, created=now())
        write_part(self._folder, header, _row_columns(self._results), _image_columns(self._results))
        self._results = []


def _row_columns(results: Sequence[PhotoResult]) -> dict[str, np.ndarray]:
    n_faces = [len(result.faces) for result in results]
    return {
        "embeddings": np.concatenate([result.embeddings for result in results]),
        "identity": _text([identity for result in results for identity in result.identities]),
        "path": np.repeat(_text([result.photo.path for result in results]), n_faces),
        "face_index": np.concatenate([np.arange(n) for n in n_faces]),
        "box": np.concatenate([result.faces.boxes for result in results]),
        "landmarks": np.concatenate([result.faces.landmarks for result in results]),
        "detection_score": np.concatenate([result.faces.scores for result in results]),
        "image_sha256": np.repeat(_text([result.photo.image_sha256 for result in results]), n_faces),
        "origin": np.concatenate([result.origins for result in results]),
        "time_s": np.concatenate([result.times for result in results]),
        SECOND_SCORE: np.concatenate([result.second_scores for result in results]),
    }


def _image_columns(results: Sequence[PhotoResult]) -> dict[str, np.ndarray]:
    photos = [result.photo for result in results]
    return {
        **{
            name: _text([getattr(photo, name) for photo in photos])
            for name in ("path", "status", "message", "image_sha256", "taken", "kind")
        },
        **{name: np.array([getattr(photo, name) for photo in photos], np.int64) for name in ("size", "mtime_ns")},
        "n_faces": np.array([len(result.faces) for result in results]),
        "height": np.array([result.size_hw[0] for result in results]),
        "width": np.array([result.size_hw[1] for result in results]),
        "turned": np.array([result.turned for result in results]),
    }


def _text(values: Sequence[str]) -> np.ndarray:
    return np.array(values, dtype=object)
