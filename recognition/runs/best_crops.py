"""Best crop of each track: what an event's picture shows, what is saved if the track ends unknown, or is enrolled."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embedder.networks.encoder import FaceEncoder
from foundation.paths import display_path
from recognition.events.event import Event
from recognition.outputs.background_writer import BackgroundWriter
from recognition.outputs.image_files import encode_jpeg
from recognition.outputs.picture_folder import PictureFolder
from recognition.sources.video_file import Frame
from recognition.tracking.embedding_queue import ProbeCrop
from recognition.tracking.tracker import Track


class PicturePublisher:
    """Encode pictures and send them to somebody, in the background; what comes too fast is left out.

    Parameters
    ----------
    send : callable
        Takes the bytes of a JPEG file.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._writer = BackgroundWriter(max_pending=4)

    def publish(self, image: np.ndarray) -> None:
        """Send a picture, uint8 (h, w, 3) RGB."""
        self._writer.submit(lambda: self._send(encode_jpeg(image)), wait=False)

    def close(self) -> None:
        """Wait until all pictures are sent."""
        self._writer.close()


@dataclass(frozen=True)
class PictureOutputs:
    """Where pictures go; None for those that are not wanted.

    Attributes
    ----------
    stem : str
        Part of the files' names: the video's name, or a live source's and the time it was opened.
    unknown : PictureFolder or None
        Gets the best crop of each track that ends unknown, as the network takes it.
    crops : PictureFolder or None
        Gets the best view of the face with each event of a track.
    scenes : PictureFolder or None
        Gets the whole frame of each event of a track.
    publisher : PicturePublisher or None
        Sends what `crops` gets.
    """

    stem: str = ""
    unknown: PictureFolder | None = None
    crops: PictureFolder | None = None
    scenes: PictureFolder | None = None
    publisher: PicturePublisher | None = None

    @property
    def wants_views(self) -> bool:
        """Whether faces are wanted as the frame shows them."""
        return self.crops is not None or self.publisher is not None

    def tidy(self) -> None:
        """Remove pictures that are too old, now and then."""
        for folder in (self.unknown, self.crops, self.scenes):
            if folder is not None:
                folder.tidy()


@dataclass
class _Shown:
    """Pictures of a track: its best crop, the one that was saved last and where, its last scene and unknown face."""

    best: ProbeCrop | None = None
    saved: ProbeCrop | None = None
    crop_path: Path | None = None
    scene_path: Path | None = None
    unknown_path: Path | None = None
    has_ended: bool = False


class BestCrops:
    """Keep the best crop of each track, and save pictures of tracks.

    Parameters
    ----------
    outputs : PictureOutputs
        Where they go; nowhere by default.
    """

    def __init__(self, outputs: PictureOutputs = PictureOutputs()) -> None:
        self._outputs = outputs
        self._tracks: dict[int, _Shown] = {}
        self._last_scene: tuple[int, Path | None] = (-1, None)

    @property
    def wants_views(self) -> bool:
        """Whether faces are wanted as the frame shows them."""
        return self._outputs.wants_views

    def add(self, track: Track, crop: ProbeCrop) -> None:
        """Keep a crop of a track if it is the best so far."""
        if track.number is None:
            return
        shown = self._tracks.setdefault(track.number, _Shown())
        if shown.best is None or crop.quality > shown.best.quality:
            shown.best = crop

    def get(self, number: int) -> ProbeCrop | None:
        """Return the best crop of a track; None if there was none, or the track has ended."""
        shown = self._tracks.get(number)
        return None if shown is None or shown.has_ended else shown.best

    def end(self, track: Track) -> None:
        """Let go of a track that has ended once its event has its picture, and save its crop if it is unknown."""
        shown = None if track.number is None else self._tracks.get(track.number)
        if shown is None:
            return
        shown.has_ended = True
        if self._outputs.unknown is not None and shown.best is not None and not track.evidence.verdict.accepted:
            place = f"track{track.number}-frame{track.last_seen.frame}"
            shown.unknown_path = self._outputs.unknown.save(shown.best.image, self._outputs.stem, place)

    def picture_of(self, event: Event, frame: Frame | None) -> str | None:
        """Save the picture of an event, where that is wanted, and return its path; None where none is saved.

        A track's picture is its best view so far, so that several events may share one. Of crop, unknown face and
        scene the first that is saved counts. Frame-by-frame `face` events have none.

        Parameters
        ----------
        event : Event
        frame : Frame or None
            The newest frame.
        """
        if event.track is None or event.event == "face":
            return None
        shown = self._tracks.setdefault(event.track, _Shown())
        if shown.best is not None and shown.best is not shown.saved and self._outputs.wants_views:
            self._save_crop(shown, event)
        if self._outputs.scenes is not None and frame is not None and frame.index == event.frame:
            shown.scene_path = self._save_scene(self._outputs.scenes, frame)
        if event.event == "ended":
            del self._tracks[event.track]
        path = next((one for one in (shown.crop_path, shown.unknown_path, shown.scene_path) if one is not None), None)
        return None if path is None else display_path(path)

    def tidy(self) -> None:
        """Remove pictures that are too old, now and then."""
        self._outputs.tidy()

    def _save_crop(self, shown: _Shown, event: Event) -> None:
        crop = shown.saved = shown.best
        if crop is None or crop.view is None:
            return
        if self._outputs.crops is not None:
            place = f"track{event.track}-frame{event.frame}"
            shown.crop_path = self._outputs.crops.save(crop.view, self._outputs.stem, place)
        if self._outputs.publisher is not None:
            self._outputs.publisher.publish(crop.view)

    def _save_scene(self, folder: PictureFolder, frame: Frame) -> Path | None:
        """Save a frame, once for all its events."""
        if self._last_scene[0] != frame.index:
            self._last_scene = frame.index, folder.save(frame.image, self._outputs.stem, f"frame{frame.index}")
        return self._last_scene[1]


def enrol_crop(
    head_path: Path, encoder: FaceEncoder, crop: ProbeCrop, *, name: str, source: str, trust: Sequence[str] = ()
) -> str:
    """Enrol a crop under a name in the head's file and return the outcome as one line.

    For `trust` see `classifiers.load_head`.

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
        measure_sharpness(encoder.view(crop.image[None])[0]),
        *measure_pose(crop.landmarks),
    )
    with locked_for_editing(head_path):
        result = enrol(load_head(head_path, trust=trust), [(photo, PhotoFaces([sample], 0))], identity)
        if result.enrolled:
            save_head(result.head, head_path)
    if result.refused:
        return f"not enrolled: {'; '.join(result.refused[0].reasons)}"
    return f"{identity} is enrolled"
