"""Size, sharpness and pose of faces."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from embedder.detection.faces import Faces
from embedder.detection.quality import measure_pose, measure_quality, measure_sharpness
from tests.classifiers.samples import FRONTAL, turned_by


def test_pose_is_measured_along_the_face():
    assert measure_pose(FRONTAL) == (0.0, 25 / 45)
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(measure_pose(turned_by(0.25) @ turn), (0.25, 25 / 45), atol=1e-6)
    assert np.isnan(measure_pose(np.zeros((5, 2)))).all()


def test_sharpness_is_the_variance_of_the_laplacian():
    board = np.indices((80, 80)).sum(axis=0) % 2 * 255
    crop = np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8)
    assert measure_sharpness(crop) == pytest.approx((4 * 255) ** 2)
    assert measure_sharpness(np.full((160, 160, 3), 7, np.uint8)) == 0
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (160, 160, 3), dtype=np.uint8))
    blurred = np.asarray(noise.filter(ImageFilter.GaussianBlur(3)))
    assert measure_sharpness(blurred) < 0.01 * measure_sharpness(np.asarray(noise))


def test_all_faces_of_an_image_at_once():
    faces = Faces(np.float32([[10, 10, 110, 90], [5, 5, 5, 9]]), np.array([FRONTAL, np.zeros((5, 2))]), np.ones(2))
    board = np.repeat((np.indices((80, 80)).sum(axis=0) % 2 * 255)[:, :, None], 3, axis=2).astype(np.uint8)
    quality = measure_quality(faces, np.stack([board, np.zeros_like(board)]))
    assert quality.sizes.tolist() == [pytest.approx(np.sqrt(8000)), 0]
    assert quality.sharpness.tolist() == [pytest.approx((4 * 255) ** 2), 0]
    assert quality.turns[0] == 0 and quality.nose_heights[0] == pytest.approx(25 / 45)
    assert np.isnan(quality.turns[1]) and np.isnan(quality.nose_heights[1])
    assert len(measure_quality(Faces.empty(), np.empty((0, 80, 80, 3), np.uint8)).sizes) == 0
