"""Faces of photos, cut out and described as the head says."""

import hashlib
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from classifiers.members.face_samples import SampleReader
from embedder.detection.faces import Faces
from embedder.images.reading import read_image
from embedder.networks.encoder import FaceEncoder
from tests.classifiers.samples import FRONTAL, make_sample


class OneFace:
    """Finds one face at a fixed place, or none."""

    provenance: ClassVar[dict[str, Any]] = {"detector": "one face", "min_face_size": "auto"}

    def __init__(self, n_faces=1):
        self.n_faces = n_faces

    def detect(self, _image):
        return Faces(
            np.float32([[20, 20, 100, 120]] * self.n_faces).reshape(-1, 4),
            np.array([FRONTAL] * self.n_faces).reshape(-1, 5, 2),
            np.ones(self.n_faces),
        )

    def detect_batch(self, images):
        return [self.detect(image) for image in images]


class MeanColor:
    """Makes vectors of the mean colour."""

    space: ClassVar[dict[str, Any]] = {"weights_sha256": "0" * 64, "crop_size": 40}
    provenance: ClassVar[dict[str, Any]] = {"precision": "fp32"}

    def embed(self, crops):
        means = crops.mean(axis=(1, 2))
        return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


SPACE = {**MeanColor.space, "margin": {"mode": "absolute", "value": 0.0}, "alignment": "box"}


def reader(n_faces=1, *, wanted=None):
    fingerprint = {"space": SPACE, "provenance": {"min_face_size": 20, "identity_from": "folder"}}
    encoder = FaceEncoder.like(fingerprint if wanted is None else wanted, OneFace(n_faces), MeanColor())
    return SampleReader(encoder, read_image=read_image)


@pytest.fixture
def photo(tmp_path):
    pixels = np.zeros((150, 130, 3), np.uint8)
    pixels[20:120, 20:100] = (0, 200, 0)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_sample_says_everything_about_a_face(photo):
    samples, main = reader().read(photo, "stored.png")
    assert (len(samples), main) == (1, 0)
    face = samples[0]
    assert face.path == "stored.png"
    assert face.image_sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert face.vector.tolist() == [0, 1, 0]  # no margin: nothing of the black around the face
    assert face.box.tolist() == [20, 20, 100, 120]
    assert face.landmarks.tolist() == FRONTAL.tolist()
    assert face.size == pytest.approx(np.sqrt(8000))
    assert face.sharpness == 0


def test_no_face_and_several(photo):
    assert reader(0).read(photo, "p") == ([], 0)
    assert len(reader(3).read(photo, "p").samples) == 3


def test_the_fingerprint_is_the_heads_where_only_tables_are_concerned():
    assert reader().fingerprint == {
        "space": SPACE,
        "provenance": {"min_face_size": 20, "identity_from": "folder", "detector": "one face", "precision": "fp32"},
    }
    old = reader(wanted={}).fingerprint
    assert old["space"]["margin"] == {"mode": "scaled", "value": 32.0}
    assert old["provenance"]["min_face_size"] == "auto"


def test_unreadable_photos_are_errors(tmp_path):
    (tmp_path / "text.jpg").write_text("text")
    with pytest.raises(ValueError, match=r"text\.jpg"):
        reader().read(tmp_path / "text.jpg", "p")
    with pytest.raises(FileNotFoundError):
        reader().read(tmp_path / "missing.jpg", "p")


def test_an_empty_box_has_no_size():
    assert make_sample(np.eye(3)[0], box=np.array([5, 5, 5, 9], np.float32)).size == 0
