"""Quality of faces, measured where the crop is made: size, sharpness, pose, and all of them in one number."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from embedder.detection.boxes import areas
from embedder.detection.faces import Faces

_SHARPNESS_SIDE = 80
"""Side in pixels at which sharpness is measured: a crop of any network, half as large as the usual one."""

# A face of this many pixels (root of width times height) tells as much as a larger one: half of the network's input.
_FULL_SIZE = 80.0
# Half of the photos of LFW are sharper (see `classifiers.members.enrolment`).
_FULL_SHARPNESS = 410.0
_LEAST = 0.05


@dataclass(frozen=True, eq=False)
class FaceQuality:
    """How much the crops of one image's faces can tell, as parallel arrays.

    Attributes
    ----------
    sizes : np.ndarray
        float64 ``(n,)``: root of the box's area, pixels of the photo.
    sharpness : np.ndarray
        float64 ``(n,)``, see `measure_sharpness`.
    turns : np.ndarray
        float64 ``(n,)``: how far the face is turned to the side, see `measure_pose`.
    nose_heights : np.ndarray
        float64 ``(n,)``: where the nose is between eyes and mouth, see `measure_pose`.
    """

    sizes: np.ndarray
    sharpness: np.ndarray
    turns: np.ndarray
    nose_heights: np.ndarray


def measure_quality(faces: Faces, crops: np.ndarray) -> FaceQuality:
    """Return the quality of `faces` with their `crops`, uint8 (n, s, s, 3)."""
    poses = np.array([measure_pose(points) for points in faces.landmarks], np.float64).reshape(len(faces), 2)
    return FaceQuality(
        sizes=np.sqrt(areas(faces.boxes.astype(np.float64))),
        sharpness=np.array([measure_sharpness(crop) for crop in crops], np.float64),
        turns=poses[:, 0],
        nose_heights=poses[:, 1],
    )


def measure_sharpness(crop: np.ndarray) -> float:
    """Return the variance of the Laplacian of `crop`, uint8 (s, s, 3), in grey and at a fixed size.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    side = (_SHARPNESS_SIDE, _SHARPNESS_SIDE)
    grey = np.asarray(Image.fromarray(crop).convert("L").resize(side, Image.Resampling.BOX), np.float64)
    centre = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * centre
    return float(laplacian.var())


def measure_pose(landmarks: np.ndarray) -> tuple[float, float]:
    """Return how far a face is turned to the side and how high its nose is, from `landmarks (5, 2)`.

    The first is 0 for a face that looks ahead and about 0.5 or -0.5 where the nose is level with an eye; the second
    is the nose's place between eyes (0) and mouth (1). Both are NaN where the landmarks coincide.
    """
    left, right, nose, mouth_left, mouth_right = np.asarray(landmarks, np.float64)
    middle = (left + right) / 2
    eyes, down = right - left, (mouth_left + mouth_right) / 2 - middle
    if not (eyes @ eyes and down @ down):
        return float("nan"), float("nan")
    return float((nose - middle) @ eyes / (eyes @ eyes)), float((nose - middle) @ down / (down @ down))


def face_quality(crop: np.ndarray, box: np.ndarray, landmarks: np.ndarray) -> float:
    """Return a quality in 0.05..1: the product of size, sharpness and pose, each at most 1.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 (s, s, 3), the face as the network sees it.
    box : numpy.ndarray
        (4,), pixels of the frame.
    landmarks : numpy.ndarray
        (5, 2), pixels of the frame.
    """
    sharp = min(1.0, measure_sharpness(crop) / _FULL_SHARPNESS)
    return max(_LEAST, sharp * geometric_quality(box, landmarks))


def geometric_quality(box: np.ndarray, landmarks: np.ndarray) -> float:
    """Return the quality of a face by size and pose alone, 0..1: an upper bound of `face_quality`."""
    size = float(np.sqrt(np.prod(np.maximum(box[2:] - box[:2], 0.0))))
    turn, _ = measure_pose(landmarks)
    frontal = 1.0 / (1.0 + (2.0 * turn) ** 2) if np.isfinite(turn) else 0.0
    return min(1.0, size / _FULL_SIZE) * frontal
