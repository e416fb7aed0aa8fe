"""What finds faces: the protocol of detectors, and those that can be chosen by name."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, get_args

import numpy as np

from embedder.detection.faces import Faces
from foundation.errors import InputError

FaceSelection = Literal["all", "one"]

DetectorName = Literal["mtcnn", "centerface"]

DETECTORS: tuple[DetectorName, ...] = get_args(DetectorName)
"""The names that `load_detector` takes, the default first."""

DEFAULT_DETECTOR: DetectorName = "mtcnn"


class Detector(Protocol):
    """What finds faces, such as `embedder.detection.mtcnn.MTCNN`."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Return all settings that decide which faces are found, ready for JSON."""

    def detect(self, image: np.ndarray) -> Faces:
        """Return the faces of one image, uint8 (h, w, 3)."""

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Faces]:
        """Return the faces of each image, uint8 (h, w, 3)."""


def load_detector(
    name: str,
    *,
    min_face_size: int | Literal["auto"] = "auto",
    thresholds: Sequence[float] | None = None,
    threads: int | None = None,
) -> Detector:
    """Return the detector of a name.

    Parameters
    ----------
    name : {"mtcnn", "centerface"}
    min_face_size : int or "auto"
        Side in pixels of the smallest face looked for, see `embedder.detection.mtcnn.MTCNN`.
    thresholds : sequence of float, optional
        Scores that a face must reach: three for MTCNN, one for CenterFace; None: the detector's own.
    threads : int, optional
        Threads to use; by default `foundation.threads.thread_count`.

    Raises
    ------
    ValueError
        If there is no such detector, or a setting is out of its range.
    WeightsError
        If the weights are missing or damaged.
    """
    check_detector_name(name)
    given: dict[str, Any] = {} if thresholds is None else {"thresholds": tuple(thresholds)}
    if name == "centerface":
        from embedder.detection.centerface import CenterFace

        return CenterFace(min_face_size, threads=threads, **given)
    from embedder.detection.mtcnn import MTCNN

    return MTCNN(min_face_size, threads=threads, **given)


def check_detector_name(name: str) -> None:
    """Refuse a name that is none of `DETECTORS`.

    Raises
    ------
    ValueError
        If it is none; the message lists them.
    """
    if name not in DETECTORS:
        raise InputError(f"`detector` must be one of {', '.join(DETECTORS)}, got {name!r}")


def detector_of(provenance: Mapping[str, Any]) -> str:
    """Return the name of the detector that a fingerprint's provenance speaks of; the default where it is another one.

    >>> detector_of({"detector": "centerface"}), detector_of({"detector": "somebody's own"}), detector_of({})
    ('centerface', 'mtcnn', 'mtcnn')
    """
    name = provenance.get("detector")
    return name if name in DETECTORS else DEFAULT_DETECTOR
