from pathlib import Path

import numpy as np
import pytest

from embedder.detection import thorough
from embedder.detection.boxes import pairwise_overlap
from embedder.detection.centerface import WEIGHTS_FILE
from embedder.detection.faces import Faces
from embedder.detection.mtcnn import MTCNN, smallest_face
from embedder.detection.thorough import COPIES, REFLECTED_COPY, Copy, ThoroughDetector
from embedder.images.reading import read_image
from embedder.runtime.weights import fetched_file
from tests.recognition.fakes import ANN, BOB, FakeDetector, faces_at, image_with

HERE = (300, 200, 380, 280)


class Fixed:
    """Finds the same faces in every image."""

    provenance = {"detector": "fixed"}  # noqa: RUF012 - as the protocol has it

    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    def detect(self, _image: np.ndarray) -> Faces:
        return self._faces

    def detect_batch(self, images: list[np.ndarray]) -> list[Faces]:
        return [self._faces for _ in images]


@pytest.fixture
def fake_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let coloured squares be faces on the copies."""

    monkeypatch.setattr(thorough, "load_detector", lambda *_, **__: FakeDetector())
    monkeypatch.setattr(thorough, "is_at_hand", lambda: True)


@pytest.mark.parametrize("copy", [*COPIES, REFLECTED_COPY])
@pytest.mark.parametrize("size_hw", [(600, 800), (2400, 3200)])
def test_what_a_copy_shows_is_found_where_it_is_in_the_image(
    fake_copies: None, copy: Copy, size_hw: tuple[int, int]
) -> None:
    times = size_hw[0] // 600
    here = tuple(times * edge for edge in HERE)
    detector = ThoroughDetector(Fixed(Faces.empty()), copies=[copy])
    found = detector.find_others(image_with((ANN, here), size_hw=size_hw), np.empty((0, 4)))
    assert len(found) == 1
    centre = (found.boxes[0, :2] + found.boxes[0, 2:]) / 2
    assert centre == pytest.approx([340 * times, 240 * times], abs=1.5 * times)
    # The upright square around a square turned by 25 degrees is 1.33 times as wide.
    wide = 1.0 if copy.degrees % 90 == 0 else 1.33
    assert found.boxes[0, 2:] - found.boxes[0, :2] == pytest.approx([80 * wide * times] * 2, rel=0.06)
    eyes, mouth = found.landmarks[0, :2].mean(axis=0), found.landmarks[0, 3:].mean(axis=0)
    downwards = {90: (-1, 0), 180: (0, -1), 270: (1, 0)}.get(round(copy.degrees), (0, 1))
    assert np.dot(mouth - eyes, downwards) > 0.3 * 80 * times


def test_what_is_found_first_comes_first_as_it_was(fake_copies: None) -> None:
    plain = faces_at([HERE, (10, 10, 40, 40)], score=0.8)
    found = ThoroughDetector(Fixed(plain)).detect(
        image_with((ANN, HERE), (BOB, (500, 300, 560, 360)), size_hw=(600, 800))
    )
    np.testing.assert_array_equal(found.boxes[:2], plain.boxes)
    np.testing.assert_array_equal(found.landmarks[:2], plain.landmarks)
    np.testing.assert_array_equal(found.scores[:2], plain.scores)
    assert len(found) == 3, "the face known already is not found again, the other is found once"
    assert found.boxes[2] == pytest.approx([500, 300, 560, 360], abs=3)


def test_a_face_cut_off_reaches_beyond_the_image_only_where_it_is_asked_for(fake_copies: None) -> None:
    detector = ThoroughDetector(Fixed(faces_at([])), copies=[Copy(frame=0.15)])
    image = image_with((ANN, (0, 200, 60, 260)), size_hw=(600, 800))
    assert detector.detect(image).boxes[0, 0] == 0
    assert detector.detect_batch([image, image])[1].boxes.min() >= 0


def test_the_image_goes_on_in_its_reflection_which_is_no_face_of_its_own(fake_copies: None) -> None:
    detector = ThoroughDetector(Fixed(faces_at([])), copies=[REFLECTED_COPY])
    image = image_with(
        (ANN, (0, 200, 30, 260)), (BOB, (500, 300, 560, 360)), (BOB, (700, 4, 760, 64)), size_hw=(600, 800)
    )
    boxes = detector.find_others(image, np.empty((0, 4))).boxes
    assert sorted(boxes.round().tolist()) == [
        pytest.approx(box, abs=2) for box in ([-30, 200, 30, 260], [500, 300, 560, 360], [700, 4, 760, 64])
    ]


def test_centerface_is_asked_only_where_its_network_is_at_hand(
    fake_copies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ThoroughDetector(Fixed(Faces.empty()), thresholds=(0.1,)).provenance["copies"]
    assert [copy["detector"] for copy in asked] == ["mtcnn"] * 8 + ["centerface"]
    assert asked[-1]["thresholds"] == [0.1], "lower than its own, and one number says nothing about MTCNN's three"
    assert asked[0]["thresholds"] == [0.4, 0.4, 0.4]
    monkeypatch.setattr(thorough, "is_at_hand", lambda: False)
    assert ThoroughDetector(Fixed(Faces.empty())).copies == COPIES


def test_thresholds_may_be_lowered_and_stand_in_the_provenance(fake_copies: None) -> None:
    detector = ThoroughDetector(Fixed(Faces.empty()), thresholds=(0.5, 0.3, 0.7))
    assert detector.provenance["detector"] == "fixed"
    thresholds = [copy["thresholds"] for copy in detector.provenance["copies"]]
    assert thresholds[0] == [0.4, 0.3, 0.4]
    assert thresholds[-2] == [0.5, 0.3, 0.7]
    assert detector.n_copies == len(COPIES) + 1 == 9


@pytest.fixture(scope="module")
def group(data: Path) -> np.ndarray:
    return read_image(data / "groups" / "multiface.jpg")


@pytest.fixture(scope="module")
def plain(networks: None) -> MTCNN:
    return MTCNN()


def _covers(boxes: np.ndarray, face: np.ndarray) -> bool:
    return len(boxes) > 0 and bool((pairwise_overlap(boxes, face[None], measure="union") > 0.5).any())


@pytest.mark.realdata
def test_faces_that_an_edge_cuts_in_half_are_found(group: np.ndarray, plain: MTCNN) -> None:
    closer = ThoroughDetector(plain)
    boxes = plain.detect(group).boxes
    assert len(boxes) == 6
    n_plain = n_closer = 0
    for box in boxes[:4]:
        left = round(float(box[0] + box[2]) / 2)
        photo = np.ascontiguousarray(group[:, left : left + 400])
        face = np.array([0, box[1], box[2] - left, box[3]])
        n_plain += _covers(plain.detect(photo).boxes, face)
        n_closer += _covers(closer.detect(photo).boxes, face)
    assert n_plain < 4
    assert n_closer == 4


@pytest.mark.realdata
@pytest.mark.skipif(fetched_file(WEIGHTS_FILE) is None, reason="needs python -m data.models centerface")
def test_a_bystander_of_whom_edges_leave_nose_mouth_and_chin_is_found(data: Path, plain: MTCNN) -> None:
    photo = read_image(data / "groups" / "bald_guys.jpg")
    face = np.array([1920.0, 0, 1986, 115])
    assert photo.shape[:2] == (1545, 1986)

    def share_found(closer: ThoroughDetector) -> float:
        boxes = np.clip(closer.find_others(photo, np.empty((0, 4))).boxes, 0, [1986, 1545, 1986, 1545])
        return float(pairwise_overlap(boxes, face[None]).max())

    assert share_found(ThoroughDetector(plain, copies=[REFLECTED_COPY])) > 0.7
    assert share_found(ThoroughDetector(plain, copies=COPIES)) < 0.3


@pytest.mark.realdata
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_photos_that_lie_on_their_side_are_searched_too(group: np.ndarray, plain: MTCNN, quarters: int) -> None:
    turned = np.ascontiguousarray(np.rot90(group, quarters))
    height, width = group.shape[:2]
    boxes = plain.detect(group).boxes
    faces = {
        1: np.column_stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]]),
        2: np.column_stack([width - boxes[:, 2], height - boxes[:, 3], width - boxes[:, 0], height - boxes[:, 1]]),
        3: np.column_stack([height - boxes[:, 3], boxes[:, 0], height - boxes[:, 1], boxes[:, 2]]),
    }[quarters]
    found = ThoroughDetector(plain, copies=COPIES[-3:]).detect(turned)
    assert [_covers(found.boxes, face) for face in faces] == [True] * 6


def test_the_smallest_face() -> None:
    assert smallest_face("auto", (1000, 4000)) == 80
    assert smallest_face("auto", (30, 40)) == 20
    assert smallest_face(12, (1000, 4000)) == 12
