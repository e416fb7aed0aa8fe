"""Class weights at the means of embeddings."""

import numpy as np
import pytest

from embedder.training.model.imprinting import MAX_FACES_PER_CLASS, _first_of_each_class, imprinted_weights


def test_the_classifier_is_that_of_gaussian_classes_around_the_means() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 40)
    rows = (4 * rng.normal(size=(5, 6))[labels] + rng.normal(size=(200, 6))).astype(np.float32)
    found = imprinted_weights(rows, labels)
    means = np.stack([rows[labels == label].mean(axis=0) for label in range(5)])
    np.testing.assert_allclose(found.means, means, atol=1e-5)
    logits = rows @ found.kernel + found.bias
    distances = np.sum((rows[:, None] - means) ** 2, axis=2)
    sharpness = found.kernel[0, 0] / found.means[0, 0]
    expected = -sharpness / 2 * (distances - distances[:, :1])
    np.testing.assert_allclose(logits - logits[:, :1], expected, rtol=1e-3, atol=1e-3)
    # The noise has unit variance, so the sharpness of the true posterior is 1; the means are estimated.
    assert 0.5 < sharpness < 1.6


def test_classes_of_one_face_and_of_equal_faces_stay_finite() -> None:
    rows = np.eye(3, dtype=np.float32)
    for vectors, labels in ((rows, np.arange(3)), (np.repeat(rows, 2, axis=0), np.repeat(np.arange(3), 2))):
        found = imprinted_weights(vectors, labels)
        assert all(np.isfinite(array).all() for array in found)
        assert (np.argmax(vectors @ found.kernel + found.bias, axis=1) == labels).all()


@pytest.mark.parametrize("n_faces", [3, MAX_FACES_PER_CLASS + 5])
def test_a_class_gives_its_first_faces(n_faces: int) -> None:
    labels = np.tile([2, 0, 1], n_faces)
    chosen = _first_of_each_class(labels)
    assert (np.diff(chosen) > 0).all()
    assert np.bincount(labels[chosen]).tolist() == [min(n_faces, MAX_FACES_PER_CLASS)] * 3
    assert chosen[0] == 0
