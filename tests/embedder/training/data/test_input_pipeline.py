"""Faces on their way into the network."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from embedder.networks.presets import standardize_fixed, standardize_per_image
from embedder.training.data.batches import PermutedBatches
from embedder.training.data.input_pipeline import (
    FaceImageReader,
    augment,
    central_crop,
    feature_dataset,
    image_dataset,
    local_rows,
    standardize,
)
from embedder.training.settings import TrainingSettings

SETTINGS = TrainingSettings(image_size=80, batch_size=4, random_crop=False, random_flip=False)
FACE = np.random.default_rng(0).integers(0, 256, (91, 91, 3), dtype=np.uint8)


def _augmented(place: int, **settings: object) -> np.ndarray:
    return augment(tf.constant(FACE), tf.constant(place, tf.int64), replace(SETTINGS, **settings)).numpy()  # type: ignore[arg-type]


def test_standardization_equals_the_presets() -> None:
    crops = np.stack([FACE[:80, :80], np.full((80, 80, 3), 7, np.uint8)])
    images = tf.constant(crops, tf.float32)
    np.testing.assert_allclose(standardize(images, "fixed"), standardize_fixed(crops), atol=1e-6)
    np.testing.assert_allclose(standardize(images, "per_image"), standardize_per_image(crops), atol=1e-4)


def test_without_augmentation_the_middle_is_cut_out() -> None:
    np.testing.assert_array_equal(_augmented(5), FACE[5:85, 5:85])
    np.testing.assert_array_equal(central_crop(FACE, 80), FACE[5:85, 5:85])


def test_random_crops_reach_every_place_and_depend_on_the_place_in_the_run() -> None:
    found = set()
    windows = {FACE[i : i + 80, j : j + 80].tobytes(): (i, j) for i in range(12) for j in range(12)}
    for place in range(200):
        found.add(windows[_augmented(place, random_crop=True).astype(np.uint8).tobytes()])
    assert {i for i, _ in found} == {j for _, j in found} == set(range(12))
    np.testing.assert_array_equal(_augmented(9, random_crop=True), _augmented(9, random_crop=True))


def test_about_half_of_the_faces_are_mirrored() -> None:
    middle = FACE[5:85, 5:85].astype(np.float32)
    mirrored = 0
    for place in range(100):
        face = _augmented(place, random_flip=True)
        is_mirrored = np.array_equal(face, middle[:, ::-1])
        assert is_mirrored or np.array_equal(face, middle)
        mirrored += is_mirrored
    assert 30 < mirrored < 70


def test_rotation_equals_opencvs_about_the_centre() -> None:
    smooth = cv2.GaussianBlur(FACE, (0, 0), 4)
    turned = augment(tf.constant(smooth), tf.constant(3, tf.int64), replace(SETTINGS, random_rotate=10.0)).numpy()
    angles = np.linspace(-10, 10, 401)
    errors = []
    for angle in angles:
        matrix = cv2.getRotationMatrix2D((45, 45), float(angle), 1)
        expected = cv2.warpAffine(smooth, matrix, (91, 91), borderMode=cv2.BORDER_REPLICATE)[5:85, 5:85]
        errors.append(np.abs(turned - expected).mean())
    assert min(errors) < 0.6
    assert abs(angles[int(np.argmin(errors))]) > 0.2


def test_brightness_moves_all_pixels_alike_and_stays_in_range() -> None:
    face = _augmented(2, random_brightness=0.2)
    inside = (face > 0) & (face < 255)
    moves = (face - FACE[5:85, 5:85])[inside]
    assert np.ptp(moves) < 1e-3
    assert 0 < abs(moves[0]) <= 51
    assert face.min() >= 0
    assert face.max() <= 255


def test_faces_of_other_sizes_are_resized(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wide.png"), np.full((40, 200, 3), 90, np.uint8))
    reader = FaceImageReader(tmp_path, ["wide.png"], size=91)
    assert reader.read(0).shape == (91, 91, 3)
    assert (reader.read(0) == 90).all()


def test_decoded_faces_are_kept_only_as_memory_allows(faces: Path) -> None:
    paths = [f"person_00/{i:03d}.png" for i in range(3)]
    reader = FaceImageReader(faces, paths, size=91, memory=91 * 91 * 3 * 2)
    first = reader.read(0)
    assert reader.read(0) is first
    assert reader.read(1) is reader.read(1)
    assert reader.read(2) is not reader.read(2)


def test_workers_read_their_rows_of_the_same_global_batches(faces: Path) -> None:
    paths = [f"person_{i // 6:02d}/{i % 6:03d}.png" for i in range(24)]
    labels = np.arange(24, dtype=np.int32)
    settings = replace(SETTINGS, random_crop=True, random_flip=True)
    batches = PermutedBatches(24, batch_size=4, seed=0)

    def read(rows: slice, size: int) -> list[list[np.ndarray]]:
        dataset = image_dataset(
            FaceImageReader(faces, paths, size=91),
            labels,
            batches,
            steps=range(2, 5),
            settings=settings,
            rows=rows,
            replica_batch_size=size,
        )
        return [[part.numpy() for part in batch] for batch in dataset]

    whole = read(slice(0, 4), 4)
    parts = [read(local_rows(4, worker=worker, n_workers=2), 2) for worker in range(2)]
    assert len(whole) == len(parts[0]) == 3
    for step, batch in enumerate(whole):
        for i, part in enumerate(batch):
            np.testing.assert_array_equal(part, np.concatenate([parts[0][step][i], parts[1][step][i]]))
    assert whole[0][0].shape == (4, 80, 80, 3)
    np.testing.assert_array_equal(whole[0][1], batches.indices(2))
    np.testing.assert_array_equal(whole[0][2], np.arange(8, 12))


def test_features_come_in_both_views() -> None:
    features = np.stack([np.arange(6.0), -1 - np.arange(6.0)]).astype(np.float32)[..., None]
    batches = PermutedBatches(6, batch_size=4, seed=0)
    dataset = feature_dataset(
        features,
        np.arange(6, dtype=np.int32),
        batches,
        steps=range(30),
        settings=SETTINGS,
        rows=slice(0, 4),
        replica_batch_size=4,
    )
    values = [
        (float(value), int(label))
        for inputs, labels, _ in dataset
        for value, label in zip(inputs.numpy()[:, 0], labels.numpy(), strict=True)
    ]
    assert all(value in (label, -1 - label) for value, label in values)
    assert 30 < sum(value < 0 for value, _ in values) < 90


@pytest.mark.parametrize("size", [91, 92])
def test_a_central_crop_is_the_middle(size: int) -> None:
    face = np.zeros((size, size, 3), np.uint8)
    assert central_crop(face, 80).shape == (80, 80, 3)
