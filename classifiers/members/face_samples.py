"""Faces on photos as a head needs them: found, cut out as the head's own were, embedded and measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InputError
from foundation.formats import hash_file

# How many tracks of a clip a message lists.
_N_TRACKS_LISTED = 12


@dataclass(frozen=True, eq=False)
class FaceSample:
    """A face on a photo.

    Attributes
    ----------
    path : str
        The photo, as a head stores it.
    image_sha256 : str
        Of the photo file's bytes.
    vector : (d,) float32, unit length
    box : (4,) float32
        Pixels: x_min, y_min, x_max, y_max, max exclusive.
    landmarks : (5, 2) float32
        Pixels: left eye, right eye, nose, left and right corner of the mouth, as seen in the photo.
    sharpness : float
        Variance of the crop's Laplacian; blurred faces have little.
    turn : float
        How far the face is turned to the side: 0 looks ahead, beyond about 0.5 the nose hides an eye; may be NaN.
    nose_height : float
        Where the nose is on the way from the eyes (0) to the mouth (1); may be NaN.
    """

    path: str
    image_sha256: str
    vector: NDArray[np.float32]
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    sharpness: float
    turn: float
    nose_height: float

    @property
    def size(self) -> float:
        """Root of the box's area, pixels."""
        width, height = self.box[2:] - self.box[:2]
        return float(np.sqrt(max(0.0, float(width)) * max(0.0, float(height))))


class PhotoFaces(NamedTuple):
    """The faces of one photo, best detection first; `main` is the largest, weighted to the centre (0 if none)."""

    samples: list[FaceSample]
    main: int


class ClipTrack(NamedTuple):
    """A face followed through a clip.

    Attributes
    ----------
    number : int
        From 1.
    first_s, last_s : float
        When it was seen, seconds from the clip's beginning.
    size : float
        Root of the box's area, pixels, the median.
    looks : list of FaceSample
        The best ones, apart in time; their paths say when (`foundation.paths.path_at`).
    """

    number: int
    first_s: float
    last_s: float
    size: float
    looks: list[FaceSample]

    def __str__(self) -> str:
        return f"track {self.number}: {self.first_s:.1f} to {self.last_s:.1f} s, {self.size:.0f} pixels"


ClipReader = Callable[[Path, Any, str], Sequence[ClipTrack]]
"""File, encoder and the path as a head stores it -> the tracks of a clip."""


def choose_track(tracks: Sequence[ClipTrack], wanted: int | None = None) -> ClipTrack:
    """Return the track of a clip that is meant: the only one, or that of the number `wanted`.

    Raises
    ------
    InputError
        If there is no such track, or are several and none is wanted; the message lists them.
    """
    if not tracks:
        raise InputError("no face was found")
    chosen = [track for track in tracks if wanted in (None, track.number)]
    if len(chosen) == 1:
        return chosen[0]
    listed = "; ".join(map(str, tracks[:_N_TRACKS_LISTED]))
    more = f"; and {len(tracks) - _N_TRACKS_LISTED} more" if len(tracks) > _N_TRACKS_LISTED else ""
    expected = "one track of a face" if wanted is None else f"a track of number {wanted}"
    raise InputError(f"expected {expected}, found {listed}{more}; say which with --track")


class SampleReader:
    """Reads the faces of photos as vectors that may be compared with a head's.

    Parameters
    ----------
    encoder : object
        Such as `embedder.FaceEncoder.for_fingerprint` makes: its ``encode(image)`` gives ``faces``, ``embeddings`` and
        ``quality``, its `fingerprint` says what the vectors are.
    read_image : callable
        File to uint8 (h, w, 3) RGB.
    """

    def __init__(self, encoder: Any, *, read_image: Callable[[Path], Any]) -> None:
        self.encoder = encoder
        self._read_image = read_image

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """Return the fingerprint of the vectors, for `Head.check_fingerprint`."""
        return self.encoder.fingerprint  # type: ignore[no-any-return]

    def read(self, photo: Path, stored_path: str) -> PhotoFaces:
        """Return the faces on `photo`, which a head stores as `stored_path`.

        Raises
        ------
        ValueError
            If it is no readable image.
        OSError
            If it cannot be opened.
        """
        image = self._read_image(photo)
        sha256 = hash_file(photo)
        encoded = self.encoder.encode(image)
        faces = encoded.faces
        if not len(faces):
            return PhotoFaces([], 0)
        return PhotoFaces(samples_of(encoded, stored_path, sha256), int(faces.primary(image.shape[:2])))


def samples_of(encoded: Any, path: str, image_sha256: str) -> list[FaceSample]:
    """Return encoded faces, such as ``FaceEncoder.encode`` gives, as samples of the photo at `path`."""
    faces, quality = encoded.faces, encoded.quality
    return [
        FaceSample(path, image_sha256, vector, box, landmarks, float(sharpness), float(turn), float(nose_height))
        for vector, box, landmarks, sharpness, turn, nose_height in zip(
            encoded.embeddings,
            faces.boxes,
            faces.landmarks,
            quality.sharpness,
            quality.turns,
            quality.nose_heights,
            strict=True,
        )
    ]
