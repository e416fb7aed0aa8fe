"""Stand-ins for the networks, photos they understand, and small tables.

A fake photo is of one colour; its red value says what the fake networks do with it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from embedder.detection.alignment import CropRule
from embedder.detection.faces import Faces
from embedder.networks.encoder import FaceEncoder
from embedder.pipeline.settings import EmbedSettings
from embedder.tables.table import EmbeddingTable, ImageLedger

NO_FACE = 0
THREE_FACES = 3
DETECTOR_FAILS = 200
EMBEDDER_FAILS = 210
NOT_FINITE = 220
NOT_UNIT = 230

LENGTH = 8
SIZE_HW = (40, 50)


def names(folder: Path) -> list[str]:
    """Return the sorted names of what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def write_photo(path: Path, red: int = 1, *, green: int = 0) -> Path:
    """Write a photo on which the fakes find `red` faces (1 to 3), or fail; `green` makes photos differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE_HW[::-1], (red, green, 7)).save(path, format="PNG")
    return path


class FakeDetector:
    """Finds as many faces as the photo's red value says; counts the photos it sees."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.n_seen = 0

    @property
    def provenance(self) -> dict[str, Any]:
        return {"detector": "fake", "thresholds": (0.6, 0.7, 0.7), **self.settings}

    def detect(self, image: np.ndarray) -> Faces:
        return self.detect_batch([image])[0]

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Faces]:
        if any(image[0, 0, 0] == DETECTOR_FAILS for image in images):
            raise RuntimeError("this photo breaks the detector")
        # Small copies, on which another way up is looked for, are no photos.
        self.n_seen += sum(image.shape[:2] == SIZE_HW for image in images)
        return [self._faces(int(image[0, 0, 0])) for image in images]

    @staticmethod
    def _faces(red: int) -> Faces:
        n = red if red <= THREE_FACES else 1
        # The second face is the largest and nearest to the centre.
        boxes = np.array([[1, 2, 11, 12], [20, 10, 35, 30], [38, 30, 48, 39]], np.float32)[:n]
        landmarks = np.repeat(boxes[:, None, :2], 5, axis=1) + np.arange(5, dtype=np.float32)[None, :, None]
        return Faces(boxes, landmarks, np.linspace(0.99, 0.9, n, dtype=np.float32))


class FakeEmbedder:
    """Makes a unit vector from each crop, other crops other vectors; counts the crops it sees."""

    def __init__(self, weights_sha256: str = "ab" * 32, **settings: Any) -> None:
        self.weights_sha256 = weights_sha256
        self.settings = settings
        self.n_seen = 0

    @property
    def space(self) -> dict[str, Any]:
        return {
            "weights_sha256": self.weights_sha256,
            "crop_size": 16,
            "standardization": "fixed",
            "embedding_length": LENGTH,
        }

    @property
    def provenance(self) -> dict[str, Any]:
        return {"precision": "fp32", **self.settings}

    def embed(self, crops: np.ndarray) -> np.ndarray:
        if any(crop[0, 0, 0] == EMBEDDER_FAILS for crop in crops):
            raise RuntimeError("this crop breaks the embedder")
        self.n_seen += len(crops)
        colours = crops[:, 0, 0].astype(np.float32) + 1
        # Not a matrix product, whose last digits depend on how many rows it has.
        vectors = np.cos((colours[:, :, None] * np.linspace(0.1, 2, 3 * LENGTH).reshape(3, LENGTH)).sum(axis=1)) + 2
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[crops[:, 0, 0, 0] == NOT_FINITE, 0] = np.nan
        vectors[crops[:, 0, 0, 0] == NOT_UNIT] *= 1.1
        return vectors.astype(np.float32)


def make_encoder(detector: Any = None, embedder: Any = None, settings: EmbedSettings | None = None) -> FaceEncoder:
    """Return an encoder of stand-ins that cuts faces out as `settings` say."""
    embedder = FakeEmbedder() if embedder is None else embedder
    rule = (EmbedSettings() if settings is None else settings).crop_rule(CropRule(embedder.space["crop_size"]))
    return FaceEncoder(FakeDetector() if detector is None else detector, embedder, rule)


def make_table(n_faces: Sequence[int] = (1, 2, 0), *, fingerprint: dict[str, Any] | None = None) -> EmbeddingTable:
    """Return a table of photos ``a/0.jpg``, ``a/1.jpg``, ... with that many faces each."""
    n = sum(n_faces)
    rng = np.random.default_rng(n)
    vectors = rng.normal(size=(n, LENGTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    paths = np.array([f"a/{i}.jpg" for i in range(len(n_faces))], dtype=object)
    hashes = np.array([f"{i:064x}" for i in range(len(n_faces))], dtype=object)
    counts = np.array(n_faces, dtype=int)
    images = ImageLedger(
        path=paths,
        status=np.array(["ok" if k else "no_face" for k in n_faces], dtype=object),
        message=np.array([""] * len(n_faces), dtype=object),
        n_faces=counts,
        width=np.full(len(n_faces), 50),
        height=np.full(len(n_faces), 40),
        image_sha256=hashes,
        size=np.arange(len(n_faces)) + 100,
        mtime_ns=np.arange(len(n_faces)) + 10**18,
    )
    return EmbeddingTable(
        embeddings=vectors,
        identities=np.array(["Zoë", "", "王小明"] * n, dtype=object)[:n],
        paths=np.repeat(paths, counts),
        face_indices=np.concatenate([np.arange(k) for k in n_faces] + [[]]).astype(int),
        boxes=np.sort(rng.uniform(0, 40, (n, 2, 2)), axis=1).reshape(n, 4).astype(np.float32),
        landmarks=rng.uniform(0, 40, (n, 5, 2)).astype(np.float32),
        detection_scores=rng.uniform(0.9, 1, n).astype(np.float32),
        image_sha256=np.repeat(hashes, counts),
        images=images,
        photo_root="/photos",
        fingerprint=fingerprint or {"space": {"embedding_length": LENGTH}, "provenance": {"detector": "fake"}},
        created="2026-01-02T03:04:05.678901+00:00",
    )
