"""Best crop of each track: saved if the track ends unknown, or enrolled."""

import hashlib
import time
from pathlib import Path

from embedder.networks.encoder import FaceEncoder
from recognition.outputs.unknown_faces import UnknownFaces
from recognition.tracking.embedding_queue import ProbeCrop
from recognition.tracking.tracker import Track


class BestCrops:
    """Keep the best crop of each track, and save it if the track ends unknown.

    Parameters
    ----------
    unknown_faces : UnknownFaces, optional
        Saves crops; without it none are saved.
    """

    def __init__(self, unknown_faces: UnknownFaces | None = None) -> None:
        self._unknown_faces = unknown_faces
        self._crops: dict[int, ProbeCrop] = {}

    def add(self, track: Track, crop: ProbeCrop) -> None:
        """Keep a crop of a track if it is the best so far."""
        number = track.number
        if number is not None and (number not in self._crops or crop.quality > self._crops[number].quality):
            self._crops[number] = crop

    def get(self, number: int) -> ProbeCrop | None:
        """Return the best crop of a track; None if there was none."""
        return self._crops.get(number)

    def end(self, track: Track) -> None:
        """Remove the crop of a track that has ended, and save it if the track is unknown.

        Raises
        ------
        OSError
            If the crop cannot be written.
        """
        crop = None if track.number is None else self._crops.pop(track.number, None)
        if self._unknown_faces is None or crop is None or track.number is None or track.evidence.verdict.accepted:
            return
        self._unknown_faces.save(crop.image, track.number, track.last_seen.frame)


def enrol_crop(head_path: Path, encoder: FaceEncoder, crop: ProbeCrop, *, name: str, source: str) -> str:
    """Enrol a crop under a name in the head's file and return the outcome as one line.

    Raises
    ------
    ValueError
        If the name is not allowed, or the head cannot be changed.
    OSError
        If the file cannot be written.
    """
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import check_new_name, locked_for_editing
    from classifiers.members.enrolment import enrol
    from classifiers.members.face_samples import FaceSample, PhotoFaces
    from embedder.detection.quality import measure_pose, measure_sharpness

    identity = check_new_name(name)
    photo = f"{source} {time.strftime('%Y-%m-%d %H:%M:%S')}"
    sample = FaceSample(
        photo,
        hashlib.sha256(crop.image.tobytes()).hexdigest(),
        encoder.embed(crop.image[None])[0],
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
