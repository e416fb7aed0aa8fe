"""Made-up faces on photos, good enough to be enrolled unless a test says otherwise."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.members.face_samples import FaceSample, PhotoFaces
from embedder.detection.quality import measure_pose

FRONTAL = np.array([[40, 50], [80, 50], [60, 75], [45, 95], [75, 95]], np.float32)


def make_sample(vector: NDArray[np.floating], name: str = "photo", **changes: Any) -> FaceSample:
    """Return a face of 100 pixels, sharp and looking ahead; the photo's hash is made from its name."""
    settings: dict[str, Any] = {
        "path": f"{name}.jpg",
        "image_sha256": name.encode().hex().ljust(64, "0"),
        "vector": np.asarray(vector, np.float32),
        "box": np.array([10, 10, 110, 110], np.float32),
        "landmarks": FRONTAL,
        "sharpness": 500.0,
    }
    settings |= changes
    turn, nose_height = measure_pose(settings["landmarks"])
    return FaceSample(**settings, turn=turn, nose_height=nose_height)


def make_photo(vector: NDArray[np.floating], name: str = "photo", **changes: Any) -> tuple[str, PhotoFaces]:
    """Return the name and the only face of a photo, see `make_sample`."""
    sample = make_sample(vector, name, **changes)
    return sample.path, PhotoFaces([sample], 0)


def turned_by(offset):
    return nose_moved(offset * 40, 0)


def nose_moved(right, down):
    landmarks = FRONTAL.copy()
    landmarks[2] += right, down
    return landmarks
