"""Photos that are hard for detectors: what is found of them, as docs/detectors.md says, and at which price."""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from embedder.detection.boxes import pairwise_overlap
from embedder.detection.centerface import WEIGHTS_FILE
from embedder.detection.detector import Detector, load_detector
from embedder.detection.faces import Faces
from embedder.detection.mtcnn import MTCNN
from embedder.images.reading import read_image
from embedder.runtime.weights import fetched_file

pytestmark = pytest.mark.realdata

NAMES = ("mtcnn", "centerface")
GREY = 90


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest, networks: None) -> str:
    if request.param == "centerface" and fetched_file(WEIGHTS_FILE) is None:
        pytest.skip("needs python -m data.models centerface")
    return str(request.param)


@pytest.fixture(scope="module")
def portraits(data: Path) -> list[np.ndarray]:
    """Return 200 photos of 250x250, each of another person whose face is in the middle."""
    paths = sorted((data / "lfw" / "images").glob("*/*_0001.jpg"))
    return [read_image(paths[i]) for i in np.linspace(0, len(paths) - 1, 200).astype(int)]


def detector(name: str, min_face_size: int | None = None) -> Detector:
    return load_detector(name, min_face_size="auto" if min_face_size is None else min_face_size, threads=1)


def n_found(faces: Faces, boxes: np.ndarray) -> int:
    return int((pairwise_overlap(faces.boxes, boxes).max(axis=0, initial=0) >= 0.4).sum())


def main_box(image: np.ndarray) -> np.ndarray:
    faces = MTCNN(threads=1).detect(image)
    box: np.ndarray = faces.boxes[faces.primary((image.shape[0], image.shape[1]))].astype(np.float64)
    return box


def test_faces_under_20_pixels_are_found_down_to_12(data: Path, name: str) -> None:
    photo = read_image(data / "groups" / "multiface.jpg")
    boxes = MTCNN(threads=1).detect(photo).boxes.astype(np.float64)
    side = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)).mean()
    for pixels, least in ((16, 6), (12, 6)):
        small = cv2.resize(photo, None, fx=pixels / side, fy=pixels / side, interpolation=cv2.INTER_AREA)
        assert n_found(detector(name, 12).detect(small), boxes * pixels / side) >= least


def test_a_face_that_fills_the_frame_is_found(portraits: list[np.ndarray], name: str) -> None:
    found = 0
    for portrait in portraits[::10]:
        left, top, right, bottom = np.clip(main_box(portrait), 0, 250).astype(int)
        frame = cv2.resize(portrait[top:bottom, left:right], None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
        found += n_found(detector(name).detect(frame), np.array([[0.0, 0, frame.shape[1], frame.shape[0]]]))
    assert found >= (19 if name == "mtcnn" else 17)  # of 20


def test_faces_with_a_mask_are_found(portraits: list[np.ndarray], name: str) -> None:
    found = 0
    for portrait in portraits[::5]:
        box = main_box(portrait)
        found += n_found(detector(name).detect(with_mask(portrait)), box[None])
    assert found >= 36  # of 40


def with_mask(portrait: np.ndarray) -> np.ndarray:
    """Return a portrait on which mouth, chin and the tip of the nose are under a pale cloth."""
    faces = MTCNN(threads=1).detect(portrait)
    main = faces.primary((portrait.shape[0], portrait.shape[1]))
    left, _, right, bottom = faces.boxes[main]
    (nose_x, nose_y), mouth_x, width = faces.landmarks[main][2], faces.landmarks[main][3:, 0].mean(), right - left
    upper, lower = nose_y - 0.02 * width, bottom - 0.12 * width
    outline = [
        (left + 0.08 * width, upper),
        (nose_x, nose_y - 0.12 * width),
        (right - 0.08 * width, upper),
        (right - 0.12 * width, lower),
        (mouth_x, bottom + 0.02 * width),
        (left + 0.12 * width, lower),
    ]
    masked = portrait.copy()
    cv2.fillPoly(masked, [np.array(outline).astype(np.int32)], (170, 200, 220))
    return masked


def test_half_of_a_strong_profile_is_mtcnns_and_all_of_it_centerfaces(data: Path, name: str) -> None:
    frames = list(profile_frames(data / "video" / "short_hamilton_clip.mp4"))
    found = sum(len(faces) > 0 for faces in detector(name).detect_batch(frames))
    assert len(frames) == 11
    assert found == 11 if name == "centerface" else 3 <= found <= 8


def profile_frames(path: Path) -> Iterator[np.ndarray]:
    """Yield every sixth frame of the shot that shows one man from the side."""
    clip = cv2.VideoCapture(str(path))
    for number in range(82):
        frame = clip.read()[1]
        if number >= 20 and (number - 20) % 6 == 0:
            yield np.ascontiguousarray(np.asarray(frame)[..., ::-1])


@pytest.mark.parametrize("min_face_size", [None, 20])
def test_a_group_of_200_is_found(portraits: list[np.ndarray], name: str, min_face_size: int | None) -> None:
    side = 150
    heads = [cv2.resize(portrait[40:210, 40:210], (side, side)) for portrait in portraits]
    group = np.vstack([np.hstack(heads[row : row + 20]) for row in range(0, 200, 20)])
    faces = detector(name, min_face_size).detect(group)
    centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    assert len({(int(x // side), int(y // side)) for x, y in centres}) >= 198
    assert len(faces) <= 215


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system for the peak of memory")
def test_a_panorama_of_100_megapixels_takes_bounded_memory(portraits: list[np.ndarray], name: str) -> None:
    panorama = np.full((5000, 20000, 3), GREY, np.uint8)
    chance, centres = np.random.default_rng(1), []
    for number, portrait in enumerate(portraits[::5]):
        x = number % 20 * 1000 + int(chance.integers(0, 700))
        y = number // 20 * 2500 + int(chance.integers(0, 2200))
        panorama[y : y + 250, x : x + 250] = portrait
        centres.append((x + 125, y + 125))
    finder = detector(name, 80)
    finder.detect(panorama[:400, :400])
    before = peak_megabytes()
    faces = finder.detect(panorama)
    found = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    assert all((np.abs(found - centre).max(axis=1) < 60).any() for centre in centres)
    assert peak_megabytes() - before < 600  # the panorama itself is 300
    # `auto` is for photos: here it looks for faces of 400 pixels and more, and these have 110.
    assert len(detector(name).detect(panorama)) == 0


def peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
