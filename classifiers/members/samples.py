"""Faces on photos as a head needs them: found, cut out as the head's own were, and embedded."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# What tables had before heads said how their crops were made.
_DEFAULT_MARGIN: dict[str, Any] = {"mode": "scaled", "value": 32.0}
_DEFAULT_ALIGNMENT = "box"

# The side at which sharpness is measured: a crop of any network, half as large as the usual one.
_SHARPNESS_SIDE = 80


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
        See `measure_sharpness`.
    """

    path: str
    image_sha256: str
    vector: NDArray[np.float32]
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    sharpness: float

    @property
    def size(self) -> float:
        """Root of the box's area, pixels."""
        width, height = self.box[2:] - self.box[:2]
        return float(np.sqrt(max(0.0, float(width)) * max(0.0, float(height))))


class PhotoFaces(NamedTuple):
    """The faces of one photo, best detection first; `main` is the largest, weighted to the centre (0 if none)."""

    samples: list[FaceSample]
    main: int


class SampleReader:
    """Reads the faces of photos as vectors that may be compared with a head's.

    Parameters
    ----------
    detector, embedder
        Networks such as `embedder.MTCNN` and `embedder.FaceEmbedder`, or stand-ins.
    wanted : mapping
        The head's fingerprint; it says how faces are cut out.
    read_image : callable
        File to uint8 (h, w, 3) RGB.
    """

    def __init__(
        self, detector: Any, embedder: Any, *, wanted: Mapping[str, Any], read_image: Callable[[Path], Any]
    ) -> None:
        self._detector = detector
        self._embedder = embedder
        self._read_image = read_image
        self._wanted_provenance = dict(wanted.get("provenance", {}))
        space = wanted.get("space", {})
        margin = space.get("margin", _DEFAULT_MARGIN)
        self._crop_options = {
            "margin": margin["value"],
            "margin_mode": margin["mode"],
            "alignment": space.get("alignment", _DEFAULT_ALIGNMENT),
        }

    @property
    def fingerprint(self) -> dict[str, Any]:
        """Return the fingerprint of the vectors, for `Head.check_fingerprint`.

        What only concerns tables, and the size of the faces that are looked for, is taken from the head.
        """
        crop = self._crop_options
        space = {
            **self._embedder.space,
            "margin": {"mode": crop["margin_mode"], "value": crop["margin"]},
            "alignment": crop["alignment"],
        }
        provenance = {**self._wanted_provenance, **self._detector.provenance, **self._embedder.provenance}
        if "min_face_size" in self._wanted_provenance:
            provenance["min_face_size"] = self._wanted_provenance["min_face_size"]
        return {"space": space, "provenance": provenance}

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
        with photo.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        faces = self._detector.detect(image)
        if not len(faces):
            return PhotoFaces([], 0)
        crops = faces.crop(image, self._embedder.space["crop_size"], **self._crop_options)
        samples = [
            FaceSample(stored_path, sha256, vector, box, landmarks, measure_sharpness(crop))
            for vector, box, landmarks, crop in zip(
                self._embedder.embed(crops), faces.boxes, faces.landmarks, crops, strict=True
            )
        ]
        return PhotoFaces(samples, int(faces.primary(image.shape[:2])))


def measure_sharpness(crop: NDArray[np.uint8]) -> float:
    """Return the variance of the Laplacian of `crop`, uint8 (s, s, 3), in grey and at a fixed size.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    from PIL import Image

    side = (_SHARPNESS_SIDE, _SHARPNESS_SIDE)
    grey = np.asarray(Image.fromarray(crop).convert("L").resize(side, Image.Resampling.BOX), np.float64)
    centre = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * centre
    return float(laplacian.var())
