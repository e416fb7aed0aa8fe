"""Stand-ins for networks and heads, and pictures they understand.

A fake person is a square of one colour with a fixed texture on it; the fake detector finds the squares, and the fake
embedder turns a crop into the direction of its mean colour.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from embedder.detection.faces import Faces
from embedder.networks.encoder import FaceEncoder
from recognition.events.event import Event
from recognition.sources.video_file import Frame

GREY = 96
ANN = (220, 40, 40)
BOB = (40, 200, 40)
STRANGER = (40, 60, 220)
PEOPLE = {"ann": ANN, "bob": BOB}

_TEXTURE = np.random.default_rng(7).integers(-24, 25, (200, 200, 1))


def background(size_hw: tuple[int, int] = (120, 200)) -> np.ndarray:
    """Return a grey picture with a faint pattern that holds no face."""
    height, width = size_hw
    rows, columns = np.mgrid[:height, :width]
    pattern = GREY + 6 * ((rows // 8 + columns // 8) % 2)
    return np.repeat(pattern.astype(np.uint8)[:, :, None], 3, axis=2)


def draw_person(image: np.ndarray, colour: tuple[int, int, int], box: Sequence[int]) -> np.ndarray:
    """Draw a person into `image` at `box` (x_min, y_min, x_max, y_max) and return it; the picture's edges cut."""
    x_min, y_min, x_max, y_max = box
    size = max(x_max - x_min, y_max - y_min)
    texture = cv2.resize(_TEXTURE.astype(np.float32), (size, size))[:, :, None]
    patch = np.clip(np.array(colour) + texture, 0, 255).astype(np.uint8)[: y_max - y_min, : x_max - x_min]
    top, left = max(0, y_min), max(0, x_min)
    bottom, right = min(image.shape[0], y_max), min(image.shape[1], x_max)
    if bottom > top and right > left:
        image[top:bottom, left:right] = patch[top - y_min : bottom - y_min, left - x_min : right - x_min]
    return image


def image_with(
    *people: tuple[tuple[int, int, int], Sequence[int]], size_hw: tuple[int, int] = (120, 200)
) -> np.ndarray:
    """Return a picture of people, each a colour and a box."""
    image = background(size_hw)
    for colour, box in people:
        draw_person(image, colour, box)
    return image


class FakeDetector:
    """Finds coloured squares of at least 12 pixels; counts its calls."""

    def __init__(self) -> None:
        self.n_calls = 0

    @property
    def provenance(self) -> Mapping[str, Any]:
        return {"detector": "fake", "min_face_size": 12}

    def detect(self, image: np.ndarray) -> Faces:
        self.n_calls += 1
        colours = image.astype(np.int16)
        coloured = (colours.max(axis=2) - colours.min(axis=2) > 90).astype(np.uint8)
        dominant = np.where(coloured, colours.argmax(axis=2) + 1, 0)
        boxes = []
        for channel in (1, 2, 3):
            mask = cv2.morphologyEx((dominant == channel).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
            _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
            boxes += [(x, y, x + w, y + h) for x, y, w, h, area in stats[1:] if w >= 12 and h >= 12 and area > 100]
        return faces_at(boxes)

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Faces]:
        return [self.detect(image) for image in images]


def faces_at(boxes: Sequence[Sequence[float]], score: float = 0.99) -> Faces:
    """Return faces at `boxes`, with landmarks where a face looking at the camera has them."""
    if not len(boxes):
        return Faces.empty()
    array = np.asarray(boxes, np.float32)
    corner, size = array[:, None, :2], (array[:, 2:] - array[:, :2])[:, None, :]
    places = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
    return Faces(array, corner + size * places, np.full(len(array), score))


class FakeEmbedder:
    """Turns a crop into the direction of its middle's mean colour; counts the crops."""

    def __init__(self) -> None:
        self.n_crops = 0

    @property
    def space(self) -> Mapping[str, Any]:
        return {"weights_sha256": "fake", "crop_size": 32, "standardization": "fixed", "embedding_length": 3}

    @property
    def provenance(self) -> Mapping[str, Any]:
        return {"preset": "fake", "precision": "fp32"}

    def embed(self, crops: np.ndarray) -> np.ndarray:
        self.n_crops += len(crops)
        colours = crops[:, 8:24, 8:24].mean(axis=(1, 2)) - 128.0
        return (colours / np.linalg.norm(colours, axis=1, keepdims=True)).astype(np.float32)


class FakeMatch(NamedTuple):
    """What `classifiers.heads.head.Match` holds."""

    identities: np.ndarray
    scores: np.ndarray
    exemplars: np.ndarray


class FakeHead:
    """Knows the people of `people`, name to colour; the score is the cosine."""

    def __init__(self, people: Mapping[str, tuple[int, int, int]] = PEOPLE, threshold: float = 0.9) -> None:
        self.threshold = threshold
        self.labels = list(people)
        colours = np.array(list(people.values()), np.float32) - 128.0
        self._exemplars = colours / np.linalg.norm(colours, axis=1, keepdims=True)
        self.fingerprint: dict[str, Any] | None = None
        self.checked: list[Any] = []

    @property
    def score_kind(self) -> str:
        return "cosine"

    def similarity(self, vectors: np.ndarray) -> np.ndarray:
        return (vectors @ self._exemplars.T).astype(np.float32)

    def match(self, vectors: np.ndarray) -> FakeMatch:
        similarities = self.similarity(vectors)
        best = similarities.argmax(axis=1)
        return FakeMatch(np.array(self.labels)[best], similarities.max(axis=1).astype(np.float32), best)

    def check_fingerprint(self, fingerprint: Any) -> None:
        self.checked.append(fingerprint)


def fake_encoder() -> FaceEncoder:
    """Return a reader on fake networks."""
    return FaceEncoder.like({}, FakeDetector(), FakeEmbedder())


def frames_of(images: Sequence[np.ndarray], rate: float = 25.0) -> list[Frame]:
    """Return pictures as the frames of a file."""
    return [Frame(image, number, number / rate, 0.0) for number, image in enumerate(images)]


def summary_of(events: Sequence[Event]) -> list[tuple[str, int | None, str]]:
    """Return kind, track and identity of each event."""
    return [(event.event, event.track, event.identity) for event in events]
