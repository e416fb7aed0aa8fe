"""Videos to faces: for each track the best looks, or those that another table holds, found again at their seconds."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from embedder.detection.faces import Faces
from embedder.errors import ImageError, VideoError, WeightsError
from embedder.finding.finder import FoundFaces, mark_failed
from embedder.images.listing import PhotoFile
from embedder.images.photo import KINDS, Photo, failure_reason
from embedder.networks.encoder import FaceEncoder
from embedder.pipeline.settings import EmbedSettings
from embedder.pipeline.stored_faces import StoredFaces, StoredFacesReader
from embedder.videos.creation_time import read_creation_time
from embedder.videos.looks import Look, best_looks
from embedder.videos.moment import check_size, open_video
from embedder.videos.reading import VideoReader
from embedder.videos.tracks import EVERY_S, FaceTracker, follow_faces
from foundation.formats import hash_file

logger = logging.getLogger(__name__)

_VIDEO = KINDS[1]
# A frame is the one of a stored face if its second differs by no more, as files are written to the microsecond.
_SAME_S = 1e-3


@dataclass(frozen=True)
class MappedFaces(FoundFaces):
    """A photo's or video's faces, cut out, with their seconds in a video, and what another table says of them."""

    stored: StoredFaces | None = None
    times: np.ndarray | None = None


@dataclass
class _Seen:
    """What was found in a video."""

    size_hw: tuple[int, int] = (0, 0)
    looks: list[Look] = field(default_factory=list)
    shortfall: str = ""


class VideoFaceFinder:
    """Finds the faces of videos and cuts them out.

    Parameters
    ----------
    encoder : FaceEncoder
    settings : EmbedSettings
    stored : StoredFacesReader, optional
        A table whose faces are taken instead of being looked for.
    """

    def __init__(self, encoder: FaceEncoder, settings: EmbedSettings, stored: StoredFacesReader | None = None) -> None:
        self._encoder = encoder
        self._settings = settings
        self._stored = stored

    def find(self, video: PhotoFile) -> MappedFaces:
        """Return the best looks of the faces in a video; a failure is its `status` and `message`, never raised."""
        photo = Photo(video.name, kind=_VIDEO)
        try:
            status = video.path.stat()  # before its content: what changes meanwhile is seen as changed by the next run
            photo = replace(photo, size=status.st_size, mtime_ns=status.st_mtime_ns)
            photo = replace(photo, image_sha256=hash_file(video.path))
            made = read_creation_time(video.path)
            taken = "" if made is None else made.isoformat(timespec="seconds")
            stored = None if self._stored is None else self._stored.find_video(photo)
            seen = self._look(video) if stored is None else self._look_again(video, stored)
        except WeightsError:
            raise  # no video's fault: the next one would fail too
        except (ImageError, OSError) as error:
            return self._failed(replace(photo, status="unreadable", message=failure_reason(error, video.path)))
        except Exception as error:  # noqa: BLE001 - one video that breaks its decoder must not end the run
            return self._failed(mark_failed(photo, error))
        photo = replace(photo, status="ok" if seen.looks else "no_face", taken=taken, message=seen.shortfall)
        if seen.shortfall:
            logger.warning("%s: %s", video.name, seen.shortfall)
        return self._mapped(photo, seen, stored)

    def _look(self, video: PhotoFile) -> _Seen:
        """Return the best looks of each track, by their second."""
        reader = open_video(video.path)
        try:
            tracker = follow_faces(self._searched(reader), self._encoder.detector, self._encoder.crop_rule)
            shortfall = reader.describe_shortfall() or ""
        finally:
            reader.close()
        kept = _choose(tracker, only_one=self._settings.faces == "one")
        return _Seen(tracker.size_hw, sorted(kept, key=lambda look: look.time_s), shortfall)

    def _searched(self, reader: VideoReader) -> Iterator[tuple[float, np.ndarray]]:
        """Yield the frames that faces are looked for in."""
        next_s = 0.0
        for time_s in reader.times():
            # A frame earlier than due comes before one that is late, so that the steps do not grow.
            if time_s + 0.5 / reader.frames_per_second < next_s:
                continue
            image = reader.pixels()
            if image is not None:
                check_size(image, reader.name, self._settings.max_pixels)
                next_s = time_s + EVERY_S
                yield time_s, image

    def _look_again(self, video: PhotoFile, stored: StoredFaces) -> _Seen:
        """Return the faces of a table, cut out of the frames they were found on, in the table's order."""
        crops: dict[int, np.ndarray] = {}
        reader = open_video(video.path)
        try:
            left = sorted(range(len(stored.times)), key=lambda row: float(np.nan_to_num(stored.times[row])))
            for time_s in reader.times() if left else ():
                image = None
                while left and time_s >= float(np.nan_to_num(stored.times[left[0]])) - _SAME_S:
                    row = left.pop(0)
                    image = reader.pixels() if image is None else image
                    if image is None:
                        continue
                    faces = stored.faces[[row]]
                    crops[row] = self._encoder.crop_rule.crop(image, faces.boxes, faces.landmarks)[0]
                if not left:
                    break
        finally:
            reader.close()
        if len(crops) < len(stored.times):
            missing = next(row for row in range(len(stored.times)) if row not in crops)
            raise VideoError(f"expected a frame at {stored.times[missing]:.3f} s, found none; it may be damaged")
        looks = [
            Look(
                float(stored.times[row]),
                stored.faces.boxes[row],
                stored.faces.landmarks[row],
                float(stored.faces.scores[row]),
                crops[row],
                quality=1.0,
                is_whole=True,
            )
            for row in range(len(stored.times))
        ]
        return _Seen(stored.size_hw, looks)

    def _mapped(self, photo: Photo, seen: _Seen, stored: StoredFaces | None) -> MappedFaces:
        looks = seen.looks
        if not looks:
            return replace(self._failed(photo), size_hw=seen.size_hw)
        faces = _faces_of(looks)
        crops, times = np.stack([look.crop for look in looks]), np.array([look.time_s for look in looks])
        return MappedFaces(photo, seen.size_hw, faces, crops, stored=stored, times=times)

    def _failed(self, photo: Photo) -> MappedFaces:
        crops = np.empty((0, *self._encoder.crop_rule.shape), np.uint8)
        return MappedFaces(photo, (0, 0), Faces.empty(), crops)


def _choose(tracker: FaceTracker, *, only_one: bool) -> Sequence[Look]:
    """Return the best looks of all tracks, or of the one with the largest face, weighted to the centre."""
    of_tracks = [best_looks(track.looks) for track in tracker.tracks()]
    if only_one and of_tracks:
        looks = [look for track in of_tracks for look in track]
        faces = _faces_of(looks)
        chosen = looks[faces.primary(tracker.size_hw)]
        return next(track for track in of_tracks if any(look is chosen for look in track))
    return [look for track in of_tracks for look in track]


def _faces_of(looks: Sequence[Look]) -> Faces:
    return Faces(
        np.array([look.box for look in looks]),
        np.array([look.landmarks for look in looks]),
        np.array([look.score for look in looks]),
    )
