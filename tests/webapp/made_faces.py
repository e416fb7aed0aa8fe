"""An encoder without networks: the colour of a picture says whose face is on it, and how good it is."""

import io

import numpy as np
from PIL import Image

from classifiers.heads.decision_rules import NearestRule
from classifiers.heads.head import Head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.person_means import NEAREST_OR_MEAN
from embedder.detection.faces import Faces
from embedder.detection.quality import FaceQuality
from embedder.networks.encoder import EncodedFaces
from foundation.fingerprint import Fingerprint

ADA, BOB, NEW, THIRD = (220, 90, 90), (90, 220, 90), (90, 90, 220), (80, 90, 210)
"""Colours of pictures that show Ada and Bob of `head_of_colours`, and somebody else twice."""

BLURRED, NOBODY = (30, 30, 80), (128, 128, 128)
_LENGTH = 16
_LANDMARKS = [[0.35, 0.4], [0.65, 0.4], [0.5, 0.55], [0.4, 0.75], [0.6, 0.75]]


def head_of_colours() -> Head:
    """Return a head of Ada and Bob, with two faces each."""
    vectors = np.eye(_LENGTH, dtype=np.float32)[[0, 0, 1, 1]]
    gallery = Gallery.build(vectors, ["Ada", "Ada", "Bob", "Bob"])
    matcher = Matcher(gallery, None, person_score=NEAREST_OR_MEAN)
    return Head(matcher, NearestRule(), 0.5, fingerprint=ColourEncoder(None).fingerprint)


class ColourEncoder:
    """Stands in for `webapp.programs.networks.WorkspaceEncoder`."""

    def __init__(self, context):
        pass

    @property
    def fingerprint(self):
        return Fingerprint(space={"embedding_length": _LENGTH}, provenance={"detector": "made"}).to_json()

    def encode(self, picture):
        height, width = picture.shape[:2]
        colour = picture.reshape(-1, 3).mean(axis=0)
        n = int(colour.max() - colour.min() > 20)
        vector = np.zeros((n, _LENGTH), np.float32)
        vector[:, int(colour.argmax())] = 1
        corner, size = np.array([width / 4, height / 4]), np.array([width / 2, height / 2])
        box = np.concatenate([corner, corner + size])[None].repeat(n, axis=0)
        landmarks = (corner + np.array(_LANDMARKS) * size)[None].repeat(n, axis=0)
        sharpness = np.full(n, 20.0 if colour.max() < 100 else 500.0)
        quality = FaceQuality(np.full(n, float(np.sqrt(size.prod()))), sharpness, np.zeros(n), np.full(n, 0.43))
        crops = np.zeros((n, 160, 160, 3), np.uint8)
        return EncodedFaces(Faces(box, landmarks, np.ones(n)), crops, vector, quality)


def picture_file(colour, *, side=200, exif=b"", kind="PNG"):
    """Return the bytes of a picture of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(stream, kind, **({"exif": exif} if exif else {}))
    return stream.getvalue()
