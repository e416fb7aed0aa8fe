from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder import MTCNN, read_image
from embedder.detection.alignment import CropRule
from embedder.detection.faces import Faces
from embedder.finding.finder import FaceFinder
from embedder.finding.quarter_turns import turn_image
from embedder.finding.upright import detect_any_way_up
from embedder.images.photo import Photo

FACE = np.array([[10, 10, 30, 30]])
POINTS = np.array([[[15, 15], [25, 15], [20, 20], [16, 25], [24, 25]]], np.float32)


class ByWayUp:
    """Finds one face, whose score follows from where the white corner of an image is; counts the images."""

    def __init__(self, *scores: float, tilted: bool = False, name: str = "by way up") -> None:
        self.scores = scores
        self.tilted = tilted
        self.name = name
        self.n_seen = 0

    @property
    def provenance(self) -> dict[str, Any]:
        return {"detector": self.name}

    def detect(self, image: np.ndarray) -> Faces:
        return self.detect_batch([image])[0]

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Faces]:
        self.n_seen += len(images)
        corners = [(image[0, 0, 0], image[0, -1, 0], image[-1, -1, 0], image[-1, 0, 0]) for image in images]
        return [self._faces(int(np.argmax(corner))) for corner in corners]

    def _faces(self, way: int) -> Faces:
        if not self.scores[way]:
            return Faces.empty()
        points = POINTS[..., ::-1] if self.tilted and way == 0 else POINTS
        return Faces(FACE, points, np.array([self.scores[way]]))


def marked() -> np.ndarray:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:16, :16] = 255
    return image


@pytest.mark.parametrize(
    ("scores", "turned", "n_seen"),
    [
        ((0.9995, 0, 1, 0), 0, 1),  # sure: nobody looks further
        ((0, 1, 0, 0), 90, 5),
        ((0, 0.96, 0.999, 0), 180, 5),
        ((0.9, 0, 0, 0.995), 270, 5),
        ((0.99, 0, 0.995, 0), 0, 5),  # not so much surer
        ((0, 0.97, 0, 0), 0, 5),  # better than nothing, but no sure face
        ((0, 0.9, 0, 0), 0, 4),  # the small copy shows too little
        ((0, 0, 0, 0), 0, 4),
    ],
)
def test_the_way_with_the_surest_face_is_taken(scores: tuple[float, ...], turned: int, n_seen: int) -> None:
    detector = ByWayUp(*scores)
    found = detect_any_way_up(detector, marked())
    assert (found.turned, detector.n_seen) == (turned, n_seen)
    assert found.faces.scores.tolist() == pytest.approx([scores[turned // 90]] if scores[turned // 90] else [])


@pytest.mark.parametrize(
    ("scores", "turned", "n_seen"),
    [
        ((0.9, 0, 0.95, 0), 0, 1),  # as sure as CenterFace is of any face
        ((0, 0, 0.85, 0), 180, 5),
        ((0.6, 0.85, 0, 0), 90, 5),
        ((0.8, 0.85, 0, 0), 0, 5),
        ((0.5, 0.78, 0, 0), 0, 5),
        ((0.5, 0.7, 0, 0), 0, 4),
    ],
)
def test_scores_of_centerface_mean_something_else(scores: tuple[float, ...], turned: int, n_seen: int) -> None:
    detector = ByWayUp(*scores, name="centerface")
    assert (detect_any_way_up(detector, marked()).turned, detector.n_seen) == (turned, n_seen)


def test_a_face_that_lies_on_its_side_is_no_sure_one() -> None:
    assert detect_any_way_up(ByWayUp(1, 0.999, 0, 0, tilted=True), marked()).turned == 90
    assert detect_any_way_up(ByWayUp(1, 0, 0, 0, tilted=True), marked()).turned == 0


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_photos_that_lie_on_their_side_give_the_upright_crops(
    data: Path, degrees: int, as_photo: Callable[[np.ndarray], Photo]
) -> None:
    image = read_image(sorted((data / "people" / "train").rglob("*.jpg"))[0])
    finder = FaceFinder(MTCNN(), CropRule(), upright="auto")
    upright, lying = finder.find([as_photo(image), as_photo(turn_image(image, degrees))])
    assert (upright.turned, lying.turned) == (0, 360 - degrees)
    np.testing.assert_array_equal(lying.crops, upright.crops)
    assert lying.size_hw == turn_image(image, degrees).shape[:2]
    # Boxes lie on the photo as it is stored: turned like it, they are the upright one's.
    height, width = image.shape[:2]
    x_min, y_min, x_max, y_max = upright.faces.boxes.T
    on_stored = {
        90: (height - y_max, x_min, height - y_min, x_max),
        180: (width - x_max, height - y_max, width - x_min, height - y_min),
        270: (y_min, width - x_max, y_max, width - x_min),
    }
    np.testing.assert_allclose(lying.faces.boxes, np.stack(on_stored[degrees], axis=1), atol=1e-3)


def test_exif_alone_turns_nothing(as_photo: Callable[[np.ndarray], Photo]) -> None:
    finder = FaceFinder(ByWayUp(0, 1, 0, 0), CropRule())
    (found,) = finder.find([as_photo(marked())])
    assert (found.turned, found.photo.status) == (0, "no_face")


@pytest.fixture
def as_photo() -> Callable[[np.ndarray], Photo]:
    return lambda image: Photo("photo", image, image_sha256="0" * 64, size=1, mtime_ns=2)
