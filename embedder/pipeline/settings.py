"""The settings of a run from photos to a table: identities, fingerprint, and what a continued run may not change."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

from embedder.detection.alignment import Alignment, MarginMode
from embedder.detection.detector import Detector, FaceSelection
from embedder.detection.faces import Faces
from embedder.images.reading import DEFAULT_MAX_PIXELS
from embedder.networks.embedder import Embedder
from embedder.networks.presets import DEFAULT_PRESET
from embedder.tables.file import Columns
from foundation.fingerprint import _VERSIONS, _as_json

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
    min_face_size: int | Literal["auto"] = 20
    thresholds: tuple[float, ...] = (0.6, 0.7, 0.7)
    margin: float = 32
    margin_mode: MarginMode = "scaled"
    alignment: Alignment = "box"
    max_pixels: int = DEFAULT_MAX_PIXELS

    def __post_init__(self) -> None:
        for name, known in (
            ("faces", get_args(FaceSelection)),
            ("identity_from", get_args(IdentitySource)),
            ("margin_mode", get_args(MarginMode)),
            ("alignment", get_args(Alignment)),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"`{name}` must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if not 0 <= self.margin < float("inf"):
            raise ValueError(f"`margin` must be a finite number of pixels, at least 0, got {self.margin}")
        if self.max_pixels < 1:
            raise ValueError(f"`max_pixels` must be at least 1, got {self.max_pixels}")

    def fingerprint(self, detector: Detector, embedder: Embedder) -> dict[str, Any]:
        """Return the fingerprint of tables made by `detector` and `embedder` with these settings."""
        space = {
            **embedder.space,
            "margin": {"mode": self.margin_mode, "value": float(self.margin)},
            "alignment": self.alignment,
        }
        provenance = {
            **detector.provenance,
            **embedder.provenance,
            "faces": self.faces,
            "identity_from": self.identity_from,
            "max_pixels": self.max_pixels,
            _VERSIONS: _versions(),
        }
        return {"space": _as_json(space), "provenance": _as_json(provenance)}

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
    """Return the identity a photo's path gives.

    >>> identity_of("Ada/1840/portrait.jpg", "folder"), identity_of("portrait.jpg", "folder")
    ('Ada', '')
    >>> identity_of("people/Ada.jpg", "filename")
    'Ada'
    """
    parts = PurePosixPath(path).parts
    if identity_from == "folder" and len(parts) > 1:
        return parts[0]
    if identity_from == "filename":
        return PurePosixPath(path).stem
    return NO_IDENTITY


def _versions() -> dict[str, str]:
    from embedder import __version__

    versions = {"facetable": __version__}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # installed otherwise, such as opencv-python-headless
            versions[package] = "unknown"
    return versions
