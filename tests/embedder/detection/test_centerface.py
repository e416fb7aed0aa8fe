"""CenterFace: its outputs read, images in tiles, the network's file found; and the network itself, where it is here."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from embedder.detection import centerface
from embedder.detection.boxes import pairwise_overlap
from embedder.detection.centerface import CenterFace, decode, find_weights
from embedder.detection.mtcnn import MTCNN
from embedder.errors import WeightsError
from embedder.images.reading import read_image
from embedder.runtime.weights import fetched_file

is_fetched = pytest.mark.skipif(
    fetched_file(centerface.WEIGHTS_FILE) is None, reason="needs python -m data.models centerface"
)


class RedRectangles:
    """Stands in for the network: each red rectangle of the input is a face."""

    device = "cpu"

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def run(self, batch: np.ndarray) -> tuple[np.ndarray, ...]:
        self.shapes.append(batch.shape)
        rows, columns = batch.shape[1] // 4, batch.shape[2] // 4
        heat, sizes = np.zeros((1, 1, rows, columns), np.float32), np.zeros((1, 2, rows, columns), np.float32)
        offsets, points = np.zeros_like(sizes), np.zeros((1, 10, rows, columns), np.float32)
        _, _, stats, _ = cv2.connectedComponentsWithStats((batch[0, :, :, 0] > 128).astype(np.uint8))
        for x, y, width, height, _ in stats[1:]:
            row, column = int((y + height / 2) / 4), int((x + width / 2) / 4)
            heat[0, 0, row, column] = 0.9
            sizes[0, :, row, column] = np.log([height / 4, width / 4])
            offsets[0, :, row, column] = (y + height / 2) / 4 - row - 0.5, (x + width / 2) / 4 - column - 0.5
            points[0, :, row, column] = 0.25, 0.75, 0.25, 0.25, 0.5, 0.5, 0.75, 0.25, 0.75, 0.75
        return heat, sizes, offsets, points


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> RedRectangles:
    stand_in = RedRectangles()
    monkeypatch.setattr(centerface, "find_weights", lambda: Path("centerface.onnx"))
    monkeypatch.setattr(centerface, "load_network", lambda *_, **__: stand_in)
    return stand_in


def with_faces(size_hw: tuple[int, int], boxes: np.ndarray) -> np.ndarray:
    image = np.zeros((*size_hw, 3), np.uint8)
    for x_min, y_min, x_max, y_max in boxes.tolist():
        image[y_min:y_max, x_min:x_max, 0] = 255
    return image


def test_a_cell_says_box_and_landmarks() -> None:
    heat, sizes = np.zeros((1, 1, 4, 6), np.float32), np.zeros((1, 2, 4, 6), np.float32)
    offsets, points = np.zeros_like(sizes), np.zeros((1, 10, 4, 6), np.float32)
    heat[0, 0, 2, 3], heat[0, 0, 0, 0] = 0.7, 0.3
    sizes[0, :, 2, 3] = np.log([5, 2.5])  # 20 high, 10 wide
    offsets[0, :, 2, 3] = 0.25, -0.5  # a pixel down, two to the left
    points[0, :2, 2, 3] = 0.5, 0.1
    boxes, landmarks, scores = decode((heat, sizes, offsets, points), 0.5)
    assert scores.tolist() == pytest.approx([0.7])
    np.testing.assert_allclose(boxes, [[12 - 5, 11 - 10, 12 + 5, 11 + 10]], rtol=1e-6)
    np.testing.assert_allclose(landmarks[0, 0], [7 + 1, 1 + 10], rtol=1e-6)


def test_the_input_is_padded_and_boxes_lie_in_the_image(network: RedRectangles) -> None:
    box = np.array([[80, 10, 100, 40]])
    faces = CenterFace(20).detect(with_faces((50, 100), box))
    assert network.shapes == [(1, 64, 128, 3)]
    np.testing.assert_allclose(faces.boxes, box, atol=1e-3)
    np.testing.assert_allclose(faces.landmarks[0, 0], [95, 17.5], atol=1e-3)
    assert len(CenterFace(20, thresholds=[0.95]).detect(with_faces((50, 100), box))) == 0


@pytest.mark.parametrize("min_face_size", [20, 40])
def test_faces_of_all_sizes_are_found_once_wherever_tiles_begin(network: RedRectangles, min_face_size: int) -> None:
    chance = np.random.default_rng(7)
    boxes: list[list[int]] = []
    for side in [40] * 60 + [200] * 12 + [310, 330, 500, 900]:
        for _ in range(1000):
            x, y = chance.integers(0, 5600 - side), chance.integers(0, 3600 - side)
            apart = [x > b[2] + 9 or b[0] > x + side + 9 or y > b[3] + 9 or b[1] > y + side + 9 for b in boxes]
            if all(apart):
                boxes.append([x, y, x + side, y + side])
                break
    image = with_faces((3600, 5600), np.array(boxes))
    found = CenterFace(min_face_size).detect(image)
    assert len(found) == len(boxes) == 76
    assert pairwise_overlap(found.boxes, np.array(boxes)).max(axis=0).min() > 0.85
    assert max(shape[1] * shape[2] for shape in network.shapes) <= 1280**2


def test_auto_looks_at_large_photos_in_one_piece(network: RedRectangles) -> None:
    faces = CenterFace().detect(with_faces((4000, 6000), np.array([[3000, 1000, 3600, 1900]])))
    assert len(network.shapes) == 1 and len(faces) == 1
    np.testing.assert_allclose(faces.boxes[0], [3000, 1000, 3600, 1900], atol=8)


def test_what_decides_the_faces_is_in_the_provenance(network: RedRectangles) -> None:
    made = CenterFace(30, thresholds=(0.25,)).provenance
    assert (made["detector"], made["min_face_size"], made["thresholds"]) == ("centerface", 30, [0.25])
    assert made["weights_sha256"] == {"centerface": centerface.WEIGHTS_SHA256}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"thresholds": (0.6, 0.7, 0.7)}, r"one number in 0\.\.1 for centerface, got \[0\.6, 0\.7, 0\.7\]"),
        ({"thresholds": (1.5,)}, r"one number in 0\.\.1 for centerface, got \[1\.5\]"),
        ({"min_face_size": 3}, "'auto' or a whole number of pixels, at least 12, got 3"),
    ],
)
def test_settings_out_of_range_are_refused(network: RedRectangles, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CenterFace(**settings)


def test_what_is_no_image_is_refused(network: RedRectangles) -> None:
    detector = CenterFace()
    for detect in (detector.detect, lambda image: detector.detect_batch([image])):
        with pytest.raises(ValueError, match="`image` must be an RGB array"):
            detect(np.zeros((4, 4), np.uint8))
    assert [len(faces) for faces in detector.detect_batch([np.zeros((9, 9, 3), np.uint8)] * 2)] == [0, 0]


def test_without_the_file_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path))
    monkeypatch.setattr(centerface, "WEIGHTS_PACKAGE", "no_such_package")
    with pytest.raises(WeightsError, match=r"its network centerface\.onnx .* found none; run python -m data\.models"):
        find_weights()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "centerface.onnx").write_bytes(b"another file")
    assert find_weights() == tmp_path / "models" / "centerface.onnx"
    with pytest.raises(WeightsError, match=f"expected SHA-256 {centerface.WEIGHTS_SHA256}"):
        CenterFace()


@is_fetched
@pytest.mark.realdata
def test_it_finds_the_faces_that_mtcnn_finds_at_the_same_places(data: Path, networks: None) -> None:
    photo = read_image(data / "groups" / "multiface.jpg")
    expected, found = MTCNN(threads=1).detect(photo), CenterFace(threads=1).detect(photo)
    overlap = pairwise_overlap(found.boxes, expected.boxes)
    assert len(found) == len(expected) == 6 and overlap.max(axis=1).min() > 0.7
    same = expected[overlap.argmax(axis=1)]
    sides = np.sqrt(np.prod(same.boxes[:, 2:] - same.boxes[:, :2], axis=1))
    distances = np.linalg.norm(found.landmarks - same.landmarks, axis=2) / sides[:, None]
    assert distances.mean() < 0.06  # shares of the face
