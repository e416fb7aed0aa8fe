"""Pictures to names: detector, embedding network and head, fitted to each other by the head's fingerprint."""

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from classifiers.heads.head import Head
    from embedder.detection.faces import Faces

# What tables had before heads said how their crops were made.
_DEFAULT_MARGIN: dict[str, Any] = {"mode": "scaled", "value": 32.0}
_DEFAULT_ALIGNMENT = "box"


class Detector(Protocol):
    """What finds faces, such as `embedder.detection.mtcnn.MTCNN`."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Return all settings that decide which faces are found."""

    def detect(self, image: np.ndarray) -> "Faces":
        """Return the faces of one image, uint8 (h, w, 3)."""


class Embedder(Protocol):
    """What turns crops into vectors, such as `embedder.networks.face_embedder.FaceEmbedder`."""

    @property
    def space(self) -> Mapping[str, Any]:
        """Return what decides whether two vectors may be compared."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Return the other settings."""

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Return unit vectors, float32 (n, d), of crops, uint8 (n, s, s, 3)."""


@dataclass(frozen=True)
class NetworkOptions:
    """How faces are found and embedded, where the user says something else than the head.

    Attributes
    ----------
    preset : str or None
        Built-in preset or folder of a training run; None takes the one the head was trained with.
    weights : Path or None
        The preset's weights file, where no package brings it.
    precision : str or None
        ``"fp32"`` or ``"int8"``; None takes the head's.
    min_face_size : int or "auto"
        Smallest face to look for, in pixels.
    thresholds : tuple of float or None
        Scores a face must reach in the three stages of MTCNN; None takes the detector's own.
    threads_an_image : int or None
        Threads that look for the faces of one image; None takes all. One is best where several images are looked at at
        once.
    """

    preset: str | None = None
    weights: Path | None = None
    precision: str | None = None
    min_face_size: int | str = "auto"
    thresholds: tuple[float, ...] | None = None
    threads_an_image: int | None = None


class FaceReader:
    """Finds faces and turns them into vectors that may be compared with a head's.

    Parameters
    ----------
    detector, embedder
        The networks, or stand-ins.
    wanted : mapping
        The head's fingerprint, ``{"space": {...}, "provenance": {...}}``; it says how faces are cut out.
    """

    def __init__(self, detector: Detector, embedder: Embedder, wanted: Mapping[str, Any]) -> None:
        self._detector = detector
        self._embedder = embedder
        space = wanted.get("space", {})
        self._wanted_provenance = dict(wanted.get("provenance", {}))
        margin = space.get("margin", _DEFAULT_MARGIN)
        self._crop_options = {
            "margin": margin["value"],
            "margin_mode": margin["mode"],
            "alignment": space.get("alignment", _DEFAULT_ALIGNMENT),
        }

    @property
    def fingerprint(self) -> dict[str, Any]:
        """Return the fingerprint of the vectors this makes, for `Head.identify`.

        What only concerns tables, and the size of the faces that are looked for, which decides what is seen but no
        vector, is taken from the head.
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

    def detect(self, image: np.ndarray) -> "Faces":
        """Return the faces of `image`, uint8 (h, w, 3) RGB."""
        return self._detector.detect(image)

    def crop(self, image: np.ndarray, faces: "Faces") -> np.ndarray:
        """Return the crops of `faces`, uint8 (n, s, s, 3), as the network takes them."""
        return faces.crop(image, self._embedder.space["crop_size"], **self._crop_options)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Return the vectors of `crops`: float32 (n, d), unit length."""
        return self._embedder.embed(crops)

    def embed_both_ways(self, crops: np.ndarray) -> np.ndarray:
        """Return the mean vectors of `crops` and their mirror images: float32 (n, d), unit length.

        Faces that are half turned away gain by it: the chance of their one side is halved.
        """
        vectors = self._embedder.embed(np.concatenate([crops, crops[:, :, ::-1]]))
        sums = vectors[: len(crops)] + vectors[len(crops) :]
        return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)


class Names(NamedTuple):
    """What a head says about `n` faces.

    Attributes
    ----------
    choices : (n,) str
        The enrolled identity that is most like each face, accepted or not.
    scores : (n,) float32
        Similarity to the nearest exemplar of that identity.
    accepted : (n,) bool
        Whether the score reaches the threshold.
    identities : (n,) str
        The choice where accepted, else ``unknown``.
    """

    choices: np.ndarray
    scores: np.ndarray
    accepted: np.ndarray
    identities: np.ndarray


def name_faces(head: "Head", vectors: np.ndarray, fingerprint: Mapping[str, Any] | None = None) -> Names:
    """Return what `head` says about `vectors`, float32 (n, d).

    Raises
    ------
    ValueError
        If `fingerprint` says that the vectors may not be compared with the head's.
    """
    from classifiers.scores.gallery import UNKNOWN

    head.check_fingerprint(fingerprint)
    if not len(vectors):
        return Names(np.empty(0, np.str_), np.empty(0, np.float32), np.empty(0, np.bool_), np.empty(0, np.str_))
    match = head.match(vectors)
    accepted = match.scores >= head.threshold
    return Names(match.identities, match.scores, accepted, np.where(accepted, match.identities, UNKNOWN))


def load_head_with(path: str | Path, threshold: float | None = None) -> "Head":
    """Return the head in a file, with `threshold` instead of its own where one is given.

    Raises
    ------
    ValueError
        If the file is no head.
    OSError
        If it cannot be read.
    """
    from classifiers.files.head_file import load_head

    head = load_head(path)
    if threshold is not None:
        head.threshold = threshold
    elif head.threshold_record.is_outgrown(len(head.gallery)):
        warnings.warn(
            f"{path}: the threshold was calibrated for {head.threshold_record.n_exemplars} photos, the head now has "
            f"{len(head.gallery)}; more strangers may be named than it promised, train it again",
            stacklevel=2,
        )
    return head


def load_reader(wanted: Mapping[str, Any], options: NetworkOptions, *, source: str | Path = "the head") -> FaceReader:
    """Load the networks that fit a head, both at once.

    Parameters
    ----------
    wanted : mapping
        The head's fingerprint; an empty one for the defaults.
    options : NetworkOptions
    source : str or Path
        The head's file, for the message.

    Raises
    ------
    ValueError
        If the head's network is not known and `options` names none.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        detector = pool.submit(_load_detector, options)
        embedder = pool.submit(_load_embedder, wanted, options, str(source))
        return FaceReader(detector.result(), embedder.result(), wanted)


def _load_detector(options: NetworkOptions) -> Detector:
    from embedder.detection.mtcnn import DEFAULT_THRESHOLDS, MTCNN

    thresholds: Sequence[float] = DEFAULT_THRESHOLDS if options.thresholds is None else options.thresholds
    size: Any = options.min_face_size
    return MTCNN(size, thresholds=thresholds, threads=options.threads_an_image)


def _load_embedder(wanted: Mapping[str, Any], options: NetworkOptions, source: str) -> Embedder:
    from embedder.networks.face_embedder import FaceEmbedder
    from embedder.networks.presets import preset_for

    trained_in = wanted.get("provenance", {}).get("precision", "fp32")
    precision = trained_in if options.precision is None else options.precision
    preset = preset_for(wanted, source=source) if options.preset is None else options.preset
    return FaceEmbedder(preset, weights=options.weights, precision=precision)
