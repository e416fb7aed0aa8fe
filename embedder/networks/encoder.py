"""Images to faces with vectors: detector, crop rule and embedding network as one thing with one fingerprint."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from embedder.detection.alignment import FaceCropper
from embedder.detection.detector import DEFAULT_DETECTOR, Detector, detector_of, load_detector
from embedder.detection.faces import Faces
from embedder.detection.quality import FaceQuality, measure_quality
from embedder.finding.quarter_turns import turn_back, turn_image
from embedder.finding.upright import DEFAULT_UPRIGHT, TurnedFaces, Upright, check_upright, turn_upright
from embedder.networks.embedder import Embedder, default_crop_rule, mirror_crops
from embedder.networks.face_embedder import PRECISIONS, FaceEmbedder
from embedder.networks.joined import load_embedder
from embedder.networks.presets import preset_for
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint


@dataclass(frozen=True, eq=False)
class EncodedFaces:
    """The faces of one image with their vectors, best detection first.

    Attributes
    ----------
    faces : Faces
        Boxes, landmarks and scores, at their places on the image as it was given.
    crops : np.ndarray
        uint8 ``(n, s, s, 3)``, as the network has seen them.
    embeddings : np.ndarray
        float32 ``(n, d)``, rows of unit length.
    quality : FaceQuality
        Size, sharpness and pose.
    turned : {0, 90, 180, 270}
        Degrees clockwise by which the image was turned before its faces were found and cut out.
    """

    faces: Faces
    crops: np.ndarray
    embeddings: np.ndarray
    quality: FaceQuality
    turned: int = 0

    def __len__(self) -> int:
        return len(self.faces)


@dataclass(frozen=True)
class EncoderOptions:
    """Which networks an encoder takes, where somebody says something else than a fingerprint does.

    Attributes
    ----------
    preset : str, Path or None
        Built-in preset, folder of a training run or a preset's JSON file; None takes the one the fingerprint's vectors
        were made with.
    weights : Path or None
        The preset's weights file, where no package brings it.
    precision : str or None
        ``"fp32"`` or ``"int8"``; None takes the fingerprint's.
    min_face_size : int or "auto"
        Smallest face to look for, in pixels: smaller finds more faces and takes longer.
    thresholds : tuple of float or None
        Scores a face must reach in the three stages of MTCNN, or the one of CenterFace: lower finds more faces, and
        more that are none; None: the detector's own.
    detector_threads : int or None
        Threads that look for the faces of one image; None takes all. One is best where several images are searched at
        the same time.
    detector : {"mtcnn", "centerface"} or None
        What finds faces; None takes what the fingerprint's faces were found with.
    """

    preset: str | Path | None = None
    weights: Path | None = None
    precision: str | None = None
    min_face_size: int | Literal["auto"] = "auto"
    thresholds: tuple[float, ...] | None = None
    detector_threads: int | None = None
    detector: str | None = None


class FaceEncoder:
    """Finds the faces of an image, cuts them out and turns them into vectors.

    Parameters
    ----------
    detector : {"mtcnn", "centerface"} or Detector
        What finds faces: by its name, with its own settings, or an object.
    embedder : Embedder, optional
        Default: `embedder.FaceEmbedder` with the default preset.
    crop_rule : FaceCropper, optional
        Default: the rule of the network's preset. Its size must be the network's.

    Raises
    ------
    ValueError
        If the crop rule's size is not the network's.
    WeightsError
        If the weights of a default network are missing or damaged.

    Examples
    --------
    >>> encoder = FaceEncoder()  # doctest: +SKIP
    >>> encoded = encoder.encode(read_image("party.jpg"))  # doctest: +SKIP
    >>> encoded.faces.boxes, encoded.embeddings, encoded.quality.sharpness  # doctest: +SKIP
    """

    def __init__(
        self,
        detector: str | Detector = DEFAULT_DETECTOR,
        embedder: Embedder | None = None,
        crop_rule: FaceCropper | None = None,
    ) -> None:
        self.detector: Detector = load_detector(detector) if isinstance(detector, str) else detector
        self.embedder: Embedder = FaceEmbedder() if embedder is None else embedder
        default = default_crop_rule(self.embedder)
        self.crop_rule: FaceCropper = default if crop_rule is None else crop_rule
        if self.crop_rule.shape != default.shape:
            size, got = default.shape[0], self.crop_rule.shape[0]
            raise InputError(f"`crop_rule` must give crops of the network's {size} pixels, got {got}")
        self._wanted_provenance: Mapping[str, Any] = {}

    @classmethod
    def for_fingerprint(
        cls,
        wanted: Mapping[str, Any],
        options: EncoderOptions | None = None,
        *,
        source: str | Path = "the fingerprint",
    ) -> "FaceEncoder":
        """Return an encoder whose vectors may be compared with those of a table or head.

        Parameters
        ----------
        wanted : mapping
            The table's or head's fingerprint, ``{"space": {...}, "provenance": {...}}``; empty for the defaults.
        options : EncoderOptions, optional
            What is to be another way.
        source : str or Path
            The file the fingerprint comes from, for messages.

        Raises
        ------
        WeightsError
            If no built-in preset makes such vectors and `options` name none, or the weights are missing.
        """
        chosen = EncoderOptions() if options is None else options
        name = detector_of(Fingerprint.of(wanted).provenance) if chosen.detector is None else chosen.detector
        with ThreadPoolExecutor(max_workers=2) as pool:  # loading either takes a second
            detector = pool.submit(
                load_detector,
                name,
                min_face_size=chosen.min_face_size,
                thresholds=chosen.thresholds,
                threads=chosen.detector_threads,
            )
            embedder = pool.submit(_load_embedder, wanted, chosen, str(source))
            detects, embeds = detector.result(), embedder.result()
        try:
            return cls.like(wanted, detects, embeds)
        except InputError as error:
            raise InputError(f"{source}: its fingerprint cannot be followed: {error}") from error

    @classmethod
    def like(cls, wanted: Mapping[str, Any], detector: Detector, embedder: Embedder) -> "FaceEncoder":
        """Return an encoder of these networks that cuts faces out as those of a fingerprint were.

        Parameters
        ----------
        wanted : mapping
            The fingerprint; what only concerns tables in it, and the size of faces looked for, which decides what is
            found but no vector, goes into the encoder's own fingerprint.
        detector, embedder
            The networks, or stand-ins.
        """
        rule = default_crop_rule(embedder).like(Fingerprint.of(wanted).space)
        encoder = cls(detector, embedder, rule)
        encoder._wanted_provenance = Fingerprint.of(wanted).provenance
        return encoder

    @property
    def embedding_length(self) -> int:
        """Length of a vector."""
        return int(self.embedder.space["embedding_length"])

    @property
    def fingerprint(self) -> Fingerprint:
        """Return what the vectors are made of: ``space`` decides what they may be compared with."""
        space = {**self.embedder.space, **self.crop_rule.space}
        provenance = {**self._wanted_provenance, **self.detector.provenance, **self.embedder.provenance}
        if "min_face_size" in self._wanted_provenance:
            provenance["min_face_size"] = self._wanted_provenance["min_face_size"]
        return Fingerprint(space, provenance)

    def detect(self, image: np.ndarray) -> Faces:
        """Return the faces of `image`, uint8 (h, w, 3) RGB."""
        return self.detector.detect(image)

    def crop(self, image: np.ndarray, faces: Faces) -> np.ndarray:
        """Return the crops of `faces`, uint8 (n, h, w, 3), as the network takes them."""
        return self.crop_rule.crop(image, faces.boxes, faces.landmarks)

    def view(self, crops: np.ndarray) -> np.ndarray:
        """Return what a person would look at of `crops`: uint8 (n, s, s, 3)."""
        return self.crop_rule.view(crops)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Return the vectors of `crops`: float32 (n, d), unit length."""
        return self.embedder.embed(crops)

    def embed_mirrored(self, crops: np.ndarray) -> np.ndarray:
        """Return the mean vectors of `crops` and their mirror images: float32 (n, d), unit length.

        Faces that are half turned away gain by it: the chance of their one side is halved.
        """
        vectors = self.embedder.embed(np.concatenate([crops, mirror_crops(self.embedder, crops)]))
        sums = vectors[: len(crops)] + vectors[len(crops) :]
        return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)

    def encode(self, image: np.ndarray, *, upright: Upright = DEFAULT_UPRIGHT) -> EncodedFaces:
        """Return the faces of an image with their vectors and quality.

        Parameters
        ----------
        image : np.ndarray
            uint8 ``(h, w, 3)``, RGB.
        upright : {"auto", "exif"}
            ``"auto"``: where no face is sure, the image may lie on its side or stand on its head, and is turned where
            that gives a sure one, as `embedder.embed_folder` does; ``"exif"``: it is the right way up as it is.

        Raises
        ------
        ValueError
            If `image` is not uint8 RGB, or `upright` is none of its words.
        """
        found = self._find(image, upright)
        encoded = self.encode_faces(turn_image(image, found.turned), found.faces)
        faces = turn_back(found.faces, found.turned, (image.shape[0], image.shape[1]))
        return replace(encoded, faces=faces, turned=found.turned)

    def crop_main(self, image: np.ndarray, *, upright: Upright = DEFAULT_UPRIGHT) -> np.ndarray | None:
        """Return the crop of an image's main face, uint8 (h, w, 3), None where it has no face; see `encode`.

        Raises
        ------
        ValueError
            As `encode`.
        """
        found = self._find(image, upright)
        if not len(found.faces):
            return None
        turned = turn_image(image, found.turned)
        main = found.faces[found.faces.primary((turned.shape[0], turned.shape[1]))]
        crop: np.ndarray = self.crop(turned, main)[0]
        return crop

    def _find(self, image: np.ndarray, upright: Upright) -> TurnedFaces:
        check_upright(upright)
        detected = self.detect(image)
        return TurnedFaces(0, detected) if upright == "exif" else turn_upright(self.detector, image, detected)

    def encode_faces(self, image: np.ndarray, faces: Faces) -> EncodedFaces:
        """Return `faces` found in `image` before, with their vectors and quality."""
        crops = self.crop(image, faces)
        return EncodedFaces(faces, crops, self.embed(crops), measure_quality(faces, self.view(crops)))


def _load_embedder(wanted: Mapping[str, Any], options: EncoderOptions, source: str) -> Embedder:
    made_in = Fingerprint.of(wanted).precision
    if options.precision is None and made_in not in PRECISIONS:
        known = " or ".join(PRECISIONS)
        raise InputError(f"{source}: expected vectors of precision {known}, found {made_in}; give --precision")
    precision = made_in if options.precision is None else options.precision
    preset = preset_for(wanted, source=source) if options.preset is None else options.preset
    return load_embedder(preset, weights=options.weights, precision=precision)
