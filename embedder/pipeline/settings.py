"""The settings of a run from photos to a table: identities, fingerprint, and what a continued run may not change."""

from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath
from typing import Literal, get_args

import foundation
from embedder.detection.alignment import Alignment, CropRule, FaceCropper, MarginMode
from embedder.detection.detector import DEFAULT_DETECTOR, FaceSelection, check_detector_name
from embedder.detection.faces import Faces
from embedder.detection.mtcnn import DEFAULT_MIN_FACE_SIZE
from embedder.finding.second_score import check_second_detector
from embedder.finding.upright import DEFAULT_UPRIGHT, Upright, check_upright
from embedder.images.reading import DEFAULT_MAX_PIXELS
from embedder.networks.encoder import FaceEncoder
from embedder.networks.presets import DEFAULT_PRESET
from embedder.tables.columns import Columns
from foundation.errors import InputError
from foundation.fingerprint import SECOND_DETECTOR, UPRIGHT, VERSIONS, Fingerprint, upright_of
from foundation.installation import opencv_wheels
from foundation.paths import storable_text
from foundation.text import normalize_name

IdentitySource = Literal["folder", "filename", "none"]

NO_IDENTITY = ""

_PACKAGES = ("numpy", "onnxruntime", "opencv-python", "pillow", "pillow-heif")


@dataclass(frozen=True)
class EmbedSettings:
    """All that decides what a table holds for a photo; see `embedder.pipeline.runner.embed_folder` for each.

    Raises
    ------
    ValueError
        If a value is not one of those allowed.
    """

    faces: FaceSelection = "all"
    preset: str = DEFAULT_PRESET
    weights: str | None = None
    precision: str = "fp32"
    identity_from: IdentitySource = "folder"
    min_face_size: int | Literal["auto"] = DEFAULT_MIN_FACE_SIZE
    thresholds: tuple[float, ...] | None = None
    margin: float | None = None
    margin_mode: MarginMode | None = None
    alignment: Alignment | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS
    exclude: tuple[str, ...] = ()
    faces_from: str | None = None
    upright: Upright | None = None
    videos: bool = False
    detector: str = DEFAULT_DETECTOR
    second_detector: str | None = None

    def __post_init__(self) -> None:
        for name, known in (("faces", get_args(FaceSelection)), ("identity_from", get_args(IdentitySource))):
            if getattr(self, name) not in known:
                raise InputError(f"`{name}` must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if self.upright is not None:
            check_upright(self.upright)
        check_detector_name(self.detector)
        if self.second_detector is not None:
            check_second_detector(self.second_detector)
        self.crop_rule(CropRule())  # refuses what it does not know
        if self.max_pixels < 1:
            raise InputError(f"`max_pixels` must be at least 1, got {self.max_pixels}")

    def going_on(self, before: Fingerprint | None) -> "EmbedSettings":
        """Return these settings with what they leave to the table: that of `before`, or of a new table if None."""
        upright, thresholds = self.upright, self.thresholds
        if upright is None:
            upright = DEFAULT_UPRIGHT if before is None else upright_of(before)
        if thresholds is None and before is not None and before.provenance.get("detector") == self.detector:
            stored = before.provenance.get("thresholds")
            thresholds = None if stored is None else tuple(stored)
        return replace(self, upright=upright, thresholds=thresholds)

    def crop_rule(self, default: FaceCropper) -> FaceCropper:
        """Return how faces are cut out for a network whose preset does it by `default`."""
        return default.changed(margin=self.margin, margin_mode=self.margin_mode, alignment=self.alignment)

    def fingerprint(self, encoder: FaceEncoder) -> Fingerprint:
        """Return the fingerprint of tables made by `encoder` with these settings."""
        made_by = encoder.fingerprint
        provenance = {
            **made_by.provenance,
            "faces": self.faces,
            "identity_from": self.identity_from,
            "max_pixels": self.max_pixels,
            UPRIGHT: self.upright or DEFAULT_UPRIGHT,
            VERSIONS: _versions(),
        }
        if self.second_detector is not None:
            provenance[SECOND_DETECTOR] = self.second_detector
        if self.exclude:
            provenance["exclude"] = [storable_text(pattern) for pattern in self.exclude]
        return Fingerprint(made_by.space, provenance)

    def identities(self, path: str, size_hw: tuple[int, int], faces: Faces) -> list[str]:
        """Return the identity of each face of the photo at `path` (relative, ``/`` between folders).

        Only the chosen face (largest, weighted to the centre) carries the identity of its folder or file name.
        """
        identities = [NO_IDENTITY] * len(faces)
        if len(faces):
            identities[faces.primary(size_hw)] = identity_of(path, self.identity_from)
        return identities

    def identities_of_rows(self, path: str, size_hw: tuple[int, int], rows: Columns) -> list[str]:
        """Return what `identities` does, for the row columns of one photo."""
        return self.identities(path, size_hw, Faces(rows["box"], rows["landmarks"], rows["detection_score"]))


def identity_of(path: str, identity_from: IdentitySource) -> str:
    """Return the identity a photo's path gives, in Unicode's composed form and without white space around it.

    >>> identity_of("Ada/1840/portrait.jpg", "folder"), identity_of("portrait.jpg", "folder")
    ('Ada', '')
    >>> identity_of("people/Ada.jpg", "filename")
    'Ada'
    """
    parts = PurePosixPath(path).parts
    if identity_from == "folder" and len(parts) > 1:
        return normalize_name(parts[0])
    if identity_from == "filename":
        return normalize_name(PurePosixPath(path).stem)
    return NO_IDENTITY


def _versions() -> dict[str, str]:
    versions = {"facetable": foundation.__version__}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # installed otherwise
            versions[package] = "unknown"
    if versions.get("opencv-python") == "unknown":  # its other wheels make the same pixels
        versions["opencv-python"] = next(iter(opencv_wheels().values()), "unknown")
    return versions
