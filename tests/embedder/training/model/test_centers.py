"""Both center updates against NumPy written as the formulas stand."""

import numpy as np
import pytest
import tensorflow as tf

from embedder.training.model.centers import moved_centers, sample_weights

RNG = np.random.default_rng(1)


def _paper(centers: np.ndarray, features: np.ndarray, labels: np.ndarray, alfa: float) -> np.ndarray:
    result = centers.copy()
    for label in set(labels.tolist()):
        own = features[labels == label]
        result[label] -= (1 - alfa) * (centers[label] - own).sum(axis=0) / (1 + len(own))
    return result


def _sequential(centers: np.ndarray, features: np.ndarray, labels: np.ndarray, alfa: float) -> np.ndarray:
    result = centers.copy()
    for x, label in zip(features, labels, strict=True):
        result[label] -= (1 - alfa) * (result[label] - x)
    return result


@pytest.mark.parametrize("alfa", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("rule", "reference"), [("paper", _paper), ("sequential", _sequential)])
@pytest.mark.parametrize("labels", [[3], [2, 2, 2, 2], [0, 4, 0, 1, 4, 0, 4, 4, 4]])
def test_moved_centers_equal_numpy(labels: list[int], rule: str, reference, alfa: float) -> None:  # type: ignore[no-untyped-def]
    centers = RNG.normal(size=(6, 8)).astype(np.float32)
    features = RNG.normal(size=(len(labels), 8)).astype(np.float32)
    result = moved_centers(
        tf.constant(centers), tf.constant(features), tf.constant(labels), alfa=alfa, rule=rule
    ).numpy()
    np.testing.assert_allclose(result, reference(centers, features, np.array(labels), alfa), atol=1e-5)
    absent = sorted(set(range(6)) - set(labels))
    np.testing.assert_array_equal(result[absent], centers[absent])


def test_an_empty_batch_moves_nothing() -> None:
    centers = tf.constant(RNG.normal(size=(3, 2)), tf.float32)
    none = tf.zeros((0,), tf.int32)
    result = moved_centers(centers, tf.zeros((0, 2)), none, alfa=0.9, rule="paper")
    np.testing.assert_array_equal(result, centers)


def test_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`rule` must be one of paper, sequential, got 'mean'"):
        sample_weights(tf.constant([0]), 0.9, "mean")
