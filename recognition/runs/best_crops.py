"""The best look at each face that is there: what is kept of the unknown, and what is enrolled."""

import hashlib
import time
from pathlib import Path

from embedder.networks.encoder import FaceEncoder
from recognition.outputs.unknown_faces import UnknownFaces
from recognition.tracking.embedding_queue import ProbeCrop
from recognition.tracking.tracker import Track


class BestCrops:
    """Keeps the best look of each track, and saves those of tracks that end unknown.

    Parameters
    ----------
    unknown_faces : UnknownFaces, optional
        Where unknown faces go; without it none are saved.
    """

    def __init__(self, unknown_faces: UnknownFaces | None = None) -> None:
        self._unknown_faces = unknown_faces
        self._crops: dict[int, ProbeCrop] = {}

    def note(self, track: Track, crop: ProbeCrop) -> None:
        """Take a look at a track."""
        number = track.number
        if number is not None and (number not in self._crops or crop.quality > self._crops[number].quality):
            self._crops[number] = crop

    def get(self, number: int) -> ProbeCrop | None:
        """Return the best look at a track; None if there was none."""
        return self._crops.get(number)

    def end(self, track: Track) -> None:
        """Forget a track, and save its face if it stayed unknown.

        Raises
        ------
        OSError
            If the face cannot be written.
        """
        crop = None if track.number is None else self._crops.pop(track.number, None)
        if self._unknown_faces is None or crop is None or track.number is None or track.evidence.verdict.accepted:
            return
        self._unknown_faces.save(crop.image, track.number, track.last_seen.frame)


def enrol_crop(head_path: Path, reader: FaceEncoder, crop: ProbeCrop, *, name: str, source: str) -> str:
    """Enrol a look under a name in the head's file and return what came of it, as one line.

    Raises
    ------
    ValueError
        If nobody can be called that, or the head cannot be changed.
    OSError
        If the file cannot be written.
    """
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import check_name, locked_for_editing
    from classifiers.members.enrolment import enrol
    from classifiers.members.samples import FaceSample, PhotoFaces
    from embedder.detection.quality import measure_pose, measure_sharpness

    identity = check_name(name)
    photo = f"{source} {time.strftime('%Y-%m-%d %H:%M:%S')}"
    sample = FaceSample(
        photo,
        hashlib.sha256(crop.image.tobytes()).hexdigest(),
        reader.embed(crop.image[None])[0],
        crop.box,
        crop.landmarks,
        measure_sharpness(crop.image),
        *measure_pose(crop.landmarks),
    )
    with locked_for_editing(head_path):
        result = enrol(load_head(head_path), [(photo, PhotoFaces([sample], 0))], identity)
        if result.enrolled:
            save_head(result.head, head_path)
    if result.refused:
        return f"not enrolled: {'; '.join(result.refused[0].reasons)}"
    return f"{identity} is enrolled"
