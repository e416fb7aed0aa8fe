"""Read the tracks of a clip, each with its best looks: the faces that a person is enrolled by."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.members.face_samples import ClipTrack
from embedder.networks.encoder import FaceEncoder
from foundation.formats import hash_file
from foundation.paths import display_path
from recognition.clips.looks import best_looks
from recognition.sources.video_file import VideoFile
from recognition.tracking.embedding_queue import EmbeddingQueueSettings, ProbeCrop
from recognition.tracking.loop import FaceLoop, LoopSettings
from recognition.tracking.tracker import Track

# Detection on every third frame, as `recognize` does for video files.
_DETECT_EVERY = 3
# Crops of a track that are kept at most, the best ones.
_MOST_CROPS = 64
# More looks than a run needs to name somebody: four a second, and each that is a little better than the best before.
_SETTINGS = LoopSettings(
    queue=EmbeddingQueueSettings(unknown_refresh_s=0.25, refresh_s=0.25, min_improvement=1.05), embeddings_per_frame=4
)


@dataclass
class _Seen:
    first_s: float
    last_s: float
    sizes: list[float] = field(default_factory=list)
    crops: list[ProbeCrop] = field(default_factory=list)


class _Nobody:
    """Scorer to which all are strangers: which looks are taken of a clip does not depend on who is enrolled."""

    threshold = 2.0
    score_kind = "cosine"

    def __init__(self) -> None:
        self.labels = ["nobody"]

    def match(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.str_], NDArray[np.float32], NDArray[np.int64]]:
        n = len(vectors)
        return np.full(n, "nobody"), np.full(n, -1.0, np.float32), np.zeros(n, np.int64)

    def similarity(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.full((len(vectors), 1), -1.0, np.float32)


def read_clip(path: Path, encoder: FaceEncoder, stored_path: str) -> list[ClipTrack]:
    """Return the tracks of faces in a video file, by number.

    Parameters
    ----------
    path : Path
    encoder : FaceEncoder
        Detects and embeds.
    stored_path : str
        The clip, as a head stores it.

    Raises
    ------
    SourceError
        If it is no video that can be read.
    OSError
        If it cannot be opened.
    """
    seen = _watch(path, encoder)
    sha256 = hash_file(path)
    return [
        ClipTrack(
            number,
            track.first_s,
            track.last_s,
            float(np.median(track.sizes)),
            best_looks(track.crops, encoder, stored_path, image_sha256=sha256),
        )
        for number, track in sorted(seen.items())
    ]


def _watch(path: Path, encoder: FaceEncoder) -> dict[int, _Seen]:
    """Return what was seen of each numbered track."""
    seen: dict[int, _Seen] = {}

    def add(track: Track, crop: ProbeCrop) -> None:
        if track.number is None:
            return
        found = seen.setdefault(track.number, _Seen(track.first_seen.time_s, track.last_seen.time_s))
        found.sizes.append(float(np.sqrt(np.prod(crop.box[2:] - crop.box[:2]))))
        found.crops.append(crop)
        if len(found.crops) > _MOST_CROPS:
            found.crops.remove(min(found.crops, key=lambda one: (one.is_whole, one.quality)))

    def end(track: Track) -> None:
        if track.number in seen:
            seen[track.number].last_s = track.last_seen.time_s

    video = VideoFile(str(path), display_path(path))
    try:
        loop = FaceLoop(encoder, _Nobody(), video.name, on_crop=add, on_end=end, settings=_SETTINGS)
        with closing(loop.prefetch_detections(video, _DETECT_EVERY)) as frames:
            for frame, faces in frames:
                loop.process(frame, detect=False, faces=faces)
        loop.finish()
    finally:
        video.close()
    return seen
