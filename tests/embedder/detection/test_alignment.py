import cv2
import numpy as np
import pytest

from embedder.detection.alignment import FIVE_POINT_TEMPLATE, add_margin, check_rgb, crop_faces, estimate_similarity

NO_POINTS = np.zeros((1, 5, 2))


def gradient(height: int, width: int) -> np.ndarray:
    """An image whose red is the column and green the row."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width)
    image[..., 1] = np.arange(height)[:, None]
    return image


def smooth_photo(size: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (size // 10, size // 10, 3), dtype=np.uint8)
    return cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)


def crop_box(image: np.ndarray, box: list[float], **options) -> np.ndarray:
    return crop_faces(image, np.array([box]), NO_POINTS, **options)[0]


def test_scaled_margin_is_the_margin_at_the_reference_face():
    assert add_margin(np.array([[100.0, 100, 208, 208]]), 32).tolist() == [[84, 84, 224, 224]]


def test_scaled_margin_grows_with_the_geometric_mean_of_the_sides():
    # sqrt(54 * 216) = 108, so 32 pixels are added to both sides.
    assert add_margin(np.array([[0.0, 0, 54, 216]]), 32).tolist() == [[-16, -16, 70, 232]]
    assert add_margin(np.array([[0.0, 0, 216, 864]]), 32).tolist() == [[-64, -64, 280, 928]]


def test_absolute_margin_is_in_pixels_of_the_photo():
    boxes = np.array([[100.0, 100, 110, 140], [0, 0, 500, 500]])
    assert add_margin(boxes, 32, margin_mode="absolute").tolist() == [[84, 84, 126, 156], [-16, -16, 516, 516]]


@pytest.mark.parametrize("margin", [-1, float("nan"), float("inf")])
def test_a_margin_that_is_no_number_of_pixels_is_refused(margin: float):
    with pytest.raises(ValueError, match="`margin` must be a number of pixels"):
        add_margin(np.zeros((1, 4)), margin)


def test_unknown_options_are_refused_and_the_known_named():
    image = gradient(50, 50)
    with pytest.raises(ValueError, match="`margin_mode` must be one of scaled, absolute, got 'relative'"):
        crop_box(image, [0, 0, 10, 10], margin_mode="relative")
    with pytest.raises(ValueError, match="`alignment` must be one of box, similarity, got 'affine'"):
        crop_box(image, [0, 0, 10, 10], alignment="affine")
    with pytest.raises(ValueError, match="`size` must be at least 1 pixel, got 0"):
        crop_box(image, [0, 0, 10, 10], size=0)


def test_box_crop_at_its_own_size_is_the_pixels_of_the_box():
    image = gradient(100, 120)
    assert np.array_equal(crop_box(image, [30, 20, 62, 52], size=32, margin=0), image[20:52, 30:62])


def test_box_crop_is_clipped_at_the_border_and_does_not_keep_its_aspect():
    image = gradient(100, 120)
    crop = crop_box(image, [-20, 90, 20, 130], size=64, margin=0)
    assert np.array_equal(crop, cv2.resize(image[90:100, 0:20], (64, 64), interpolation=cv2.INTER_LINEAR))


def test_a_large_box_is_averaged_not_sampled():
    image = np.zeros((800, 800, 3), np.uint8)
    image[::2] = 255  # every other row white: sampling would give stripes
    crop = crop_box(image, [0, 0, 800, 800], size=100, margin=0)
    assert crop.min() >= 127
    assert crop.max() <= 128


def test_a_fourfold_enlargement_gives_the_same_scaled_crop():
    photo = smooth_photo(250)
    large = cv2.resize(photo, (1000, 1000), interpolation=cv2.INTER_CUBIC)
    box = [70.0, 60.0, 178.0, 190.0]
    small_crop = crop_box(photo, box).astype(int)
    large_crop = crop_box(large, [4 * edge for edge in box]).astype(int)
    absolute_crop = crop_box(large, [4 * edge for edge in box], margin_mode="absolute").astype(int)
    assert np.abs(small_crop - large_crop).mean() < 6
    assert np.abs(small_crop - absolute_crop).mean() > 50


@pytest.mark.parametrize("alignment", ["box", "similarity"])
def test_a_face_of_another_image_is_refused(alignment: str):
    points = FIVE_POINT_TEMPLATE[None] + 900
    with pytest.raises(ValueError, match="must overlap the image of 50x40 pixels"):
        crop_faces(gradient(40, 50), np.array([[900.0, 900, 950, 950]]), points, alignment=alignment, margin=0)


def test_similarity_recovers_rotation_scale_and_shift():
    angle, scale, shift = 0.7, 2.5, np.array([12.0, -30.0])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.random.default_rng(0).uniform(0, 100, (5, 2))
    matrix = estimate_similarity(points, scale * points @ rotation.T + shift)
    assert matrix == pytest.approx(np.hstack([scale * rotation, shift[:, None]]))


def test_similarity_never_reflects():
    points = FIVE_POINT_TEMPLATE
    mirrored = points * [-1, 1]
    matrix = estimate_similarity(points, mirrored)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_similarity_is_the_least_squares_solution():
    rng = np.random.default_rng(1)
    points, target = rng.uniform(0, 100, (2, 5, 2))
    # s R = [[a, -b], [b, a]]: linear in a, b and the shift.
    x, y = points.T
    one, zero = np.ones(5), np.zeros(5)
    rows = np.vstack([np.column_stack([x, -y, one, zero]), np.column_stack([y, x, zero, one])])
    a, b, shift_x, shift_y = np.linalg.lstsq(rows, np.concatenate(target.T), rcond=None)[0]
    assert estimate_similarity(points, target) == pytest.approx(np.array([[a, -b, shift_x], [b, a, shift_y]]))


def test_points_in_one_place_have_no_similarity():
    with pytest.raises(ValueError, match="at least two different"):
        estimate_similarity(np.full((5, 2), 7.0), FIVE_POINT_TEMPLATE)
    with pytest.raises(ValueError, match="at least two different"):
        estimate_similarity(np.full((5, 2), np.nan), FIVE_POINT_TEMPLATE)


@pytest.mark.parametrize("size", [112, 160])
@pytest.mark.parametrize("scale", [0.4, 1.0, 3.3])
@pytest.mark.parametrize("angle", [0.0, 0.6])
def test_similarity_alignment_brings_landmarks_to_the_template(size: int, scale: float, angle: float):
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = scale * (FIVE_POINT_TEMPLATE - 56) @ rotation.T + 400
    image = np.zeros((800, 800, 3), np.uint8)
    rows, columns = np.mgrid[:800, :800]
    for channel, (x, y) in enumerate(points[[0, 1, 4]]):
        image[..., channel] = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (3 * scale) ** 2))
    crop = crop_faces(image, np.zeros((1, 4)), points[None], size=size, alignment="similarity")[0].astype(float)
    for channel, expected in enumerate(FIVE_POINT_TEMPLATE[[0, 1, 4]] * size / 112):
        weights = crop[..., channel]
        found = [(weights.sum(axis=0) @ np.arange(size)), (weights.sum(axis=1) @ np.arange(size))] / weights.sum()
        assert found == pytest.approx(expected, abs=0.3)


def test_similarity_alignment_is_black_outside_of_the_image():
    image = np.full((112, 112, 3), 200, np.uint8)
    crop = crop_faces(image, np.zeros((1, 4)), FIVE_POINT_TEMPLATE[None] - 56, size=112, alignment="similarity")[0]
    assert (crop[60:, 60:] == 200).all()
    assert (crop[:50, :50] == 0).all()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((2, 10, 10, 3), np.uint8),
        np.zeros((0, 10, 3), np.uint8),
        [[1, 2, 3]],
        None,
    ],
)
def test_anything_but_uint8_rgb_is_refused(image: object):
    with pytest.raises(ValueError, match=r"uint8 of shape \(h, w, 3\), got"):
        check_rgb(image)
    with pytest.raises(ValueError, match=r"uint8 of shape \(h, w, 3\), got"):
        crop_faces(image, np.zeros((1, 4)), NO_POINTS)
