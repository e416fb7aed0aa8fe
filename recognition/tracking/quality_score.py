"""Face quality: size, sharpness and pose in one number."""

import numpy as np

from embedder.detection.quality import measure_pose, measure_sharpness

# A face of this many pixels (root of width times height) tells as much as a larger one: half of the network's input.
_FULL_SIZE = 80.0
# Half of the photos of LFW are sharper (see `classifiers.members.enrolment`).
_FULL_SHARPNESS = 410.0
_LEAST = 0.05


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
