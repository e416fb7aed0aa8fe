"""The losses against NumPy written sample by sample."""

import math

import numpy as np
import pytest
import tensorflow as tf

from embedder.training.model import losses

RNG = np.random.default_rng(0)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_softmax_cross_entropy_equals_numpy() -> None:
    logits = RNG.normal(size=(5, 7)).astype(np.float32) * 3
    labels = np.array([0, 6, 2, 2, 3])
    expected = [
        -math.log(math.exp(row[label]) / sum(math.exp(x) for x in row))
        for row, label in zip(logits, labels, strict=True)
    ]
    np.testing.assert_allclose(
        losses.softmax_cross_entropy(tf.constant(logits), tf.constant(labels)), expected, atol=1e-5
    )


def test_center_loss_equals_numpy_and_its_gradient_pulls_features_only() -> None:
    features, centers = (RNG.normal(size=(4, 3)).astype(np.float32) for _ in range(2))
    x, c = tf.Variable(features), tf.Variable(centers)
    with tf.GradientTape() as tape:
        value = losses.center_loss(x, c)
    np.testing.assert_allclose(value, np.mean((features - centers) ** 2, axis=1), atol=1e-5)
    gradient, none = tape.gradient(value, [x, c])
    np.testing.assert_allclose(gradient, 2 * (features - centers) / 3, atol=1e-5)
    assert none is None


def test_prelogits_norm_equals_numpy() -> None:
    np.testing.assert_allclose(losses.prelogits_norm(tf.constant([[1.0, -2.0], [0.0, 0.0]])), [3.0, 0.0])


def test_unit_rows_keep_a_zero_row_and_its_gradient_finite() -> None:
    x = tf.Variable([[3.0, 4.0], [0.0, 0.0]])
    with tf.GradientTape() as tape:
        unit = losses.unit_rows(x)
    np.testing.assert_allclose(unit, [[0.6, 0.8], [0.0, 0.0]], atol=1e-6)
    assert np.isfinite(tape.gradient(unit, x)).all()


@pytest.mark.parametrize("margin", [0.0, 0.3, 0.5])
def test_arcface_logits_add_the_angle_at_the_true_class(margin: float) -> None:
    features, kernel = RNG.normal(size=(6, 4)).astype(np.float32), RNG.normal(size=(4, 5)).astype(np.float32)
    labels = RNG.integers(0, 5, 6)
    cosines = _unit(features) @ _unit(kernel.T).T
    expected = 64 * cosines
    for row, label in enumerate(labels):
        angle = math.acos(cosines[row, label])
        shifted = (
            math.cos(angle + margin) if angle + margin < math.pi else cosines[row, label] - margin * math.sin(margin)
        )
        expected[row, label] = 64 * shifted
    result = losses.arcface_logits(tf.constant(features), tf.constant(kernel), tf.constant(labels), margin=margin)
    np.testing.assert_allclose(result, expected, atol=2e-4)


def test_arcface_is_finite_where_feature_and_class_coincide_or_oppose() -> None:
    x = tf.Variable([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
    with tf.GradientTape() as tape:
        logits = losses.arcface_logits(x, tf.constant([[1.0, 0.0], [0.0, 1.0]]), tf.constant([0, 0, 0]))
    assert np.isfinite(logits).all()
    assert np.isfinite(tape.gradient(logits, x)).all()


def _triplets_one_by_one(embeddings: np.ndarray, labels: np.ndarray, margin: float) -> float:
    total, pairs = 0.0, 0
    distance = ((embeddings[:, None] - embeddings[None]) ** 2).sum(axis=2)
    for anchor in range(len(labels)):
        others = [i for i in range(len(labels)) if labels[i] != labels[anchor]]
        for positive in range(len(labels)):
            if positive == anchor or labels[positive] != labels[anchor] or not others:
                continue
            semi_hard = [distance[anchor, i] for i in others if distance[anchor, i] > distance[anchor, positive]]
            negative = min(semi_hard) if semi_hard else max(distance[anchor, i] for i in others)
            total += max(distance[anchor, positive] - negative + margin, 0.0)
            pairs += 1
    return total / pairs if pairs else 0.0


@pytest.mark.parametrize("spread", [0.2, 1.0, 4.0])
def test_semi_hard_triplets_equal_a_plain_loop(spread: float) -> None:
    labels = np.repeat(np.arange(4), 3)
    embeddings = _unit(RNG.normal(size=(4, 6))[labels] + spread * RNG.normal(size=(12, 6))).astype(np.float32)
    value = losses.semi_hard_triplet_loss(tf.constant(embeddings), tf.constant(labels))
    assert float(value) == pytest.approx(_triplets_one_by_one(embeddings, labels, 0.2), abs=1e-5)


def test_triplet_gradient_equals_finite_differences() -> None:
    labels = np.repeat(np.arange(3), 2)
    start = RNG.normal(size=(6, 3))
    x = tf.Variable(start)
    with tf.GradientTape() as tape:
        value = losses.semi_hard_triplet_loss(x, tf.constant(labels))
    gradient = tape.gradient(value, x).numpy()
    step = np.zeros_like(start)
    step[2, 1] = 1e-6
    slope = (_triplets_one_by_one(start + step, labels, 0.2) - _triplets_one_by_one(start - step, labels, 0.2)) / 2e-6
    assert gradient[2, 1] == pytest.approx(slope, abs=1e-5)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0]])
def test_triplet_loss_is_zero_without_a_triplet(labels: list[int]) -> None:
    x = tf.Variable(_unit(RNG.normal(size=(len(labels), 3))))
    with tf.GradientTape() as tape:
        value = losses.semi_hard_triplet_loss(x, tf.constant(labels))
    assert float(value) == 0.0
    assert np.isfinite(tape.gradient(value, x)).all()
