"""The losses, each as one value per sample, so that replicas can add them up.

Divisions by norms are guarded: a zero vector gives zero, never NaN.
"""

import math

import tensorflow as tf

EPSILON = 1e-12
"""Keeps square roots and norms away from zero, where their gradient is infinite."""

TRIPLET_MARGIN = 0.2
"""Margin between squared distances; Schroff et al., "FaceNet", CVPR 2015, section 3.2."""

ARCFACE_SCALE, ARCFACE_MARGIN = 64.0, 0.5
"""Feature scale and additive angle; Deng et al., "ArcFace", CVPR 2019, section 3."""


def unit_rows(vectors: tf.Tensor) -> tf.Tensor:
    """Return `vectors` (n, d) scaled to unit length; a zero row stays zero and gets a zero gradient."""
    squared = tf.reduce_sum(tf.square(vectors), axis=1, keepdims=True)
    return vectors * tf.math.rsqrt(tf.maximum(squared, EPSILON))


def softmax_cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return ``-log softmax(logits)[label]`` (n,) for `logits` (n, n_classes) and `labels` (n,)."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def center_loss(features: tf.Tensor, centers_of_samples: tf.Tensor) -> tf.Tensor:
    """Return the mean squared difference (n,) of `features` (n, d) from the centers (n, d) of their classes.

    Wen et al. (ECCV 2016) write half the sum over the d components; the field's FaceNet code takes the mean over
    them, which is what the usual factor of 1e-2 goes with. No gradient flows into the centers.
    """
    return tf.reduce_mean(tf.square(features - tf.stop_gradient(centers_of_samples)), axis=1)


def prelogits_norm(prelogits: tf.Tensor) -> tf.Tensor:
    """Return the sum of absolute values (n,) of `prelogits` (n, d)."""
    return tf.reduce_sum(tf.abs(prelogits), axis=1)


def arcface_logits(
    features: tf.Tensor,
    kernel: tf.Tensor,
    labels: tf.Tensor,
    *,
    scale: float = ARCFACE_SCALE,
    margin: float = ARCFACE_MARGIN,
) -> tf.Tensor:
    """Return ``scale * cos(angle + margin at the true class)`` (n, n_classes).

    Parameters
    ----------
    features : float32 tensor (n, d)
        Normalized here.
    kernel : float32 tensor (d, n_classes)
        Class directions, normalized here.
    labels : int tensor (n,)
    scale, margin : float
        Equation 3 of Deng et al., CVPR 2019; the margin is an angle in radians.

    Notes
    -----
    Beyond ``angle > pi - margin`` the cosine would rise again; there the true class loses ``sin(margin) * margin``
    instead, as the authors' code does.
    """
    cosines = tf.matmul(unit_rows(features), tf.transpose(unit_rows(tf.transpose(kernel))))
    true = tf.gather(cosines, labels, batch_dims=1)
    sines = tf.sqrt(tf.maximum(1.0 - tf.square(true), EPSILON))
    shifted = true * math.cos(margin) - sines * math.sin(margin)
    shifted = tf.where(true > -math.cos(margin), shifted, true - math.sin(margin) * margin)
    at_label = tf.one_hot(labels, tf.shape(kernel)[1], dtype=cosines.dtype)
    return scale * (cosines + at_label * (shifted - true)[:, None])


def squared_distances(embeddings: tf.Tensor) -> tf.Tensor:
    """Return the squared Euclidean distances (n, n) between the rows of `embeddings` (n, d), none negative."""
    lengths = tf.reduce_sum(tf.square(embeddings), axis=1)
    products = tf.matmul(embeddings, embeddings, transpose_b=True)
    return tf.maximum(lengths[:, None] - 2.0 * products + lengths[None, :], 0.0)


def semi_hard_triplet_loss(embeddings: tf.Tensor, labels: tf.Tensor, *, margin: float = TRIPLET_MARGIN) -> tf.Tensor:
    """Return the mean triplet loss over all anchor-positive pairs of a batch, negatives mined inside it.

    For each pair the negative is the nearest one that lies farther from the anchor than the positive; where there is
    none, the farthest negative (Schroff et al., CVPR 2015, section 3.2, "semi-hard").

    Parameters
    ----------
    embeddings : float32 tensor (n, d)
        Unit rows of the global batch.
    labels : int tensor (n,)
    margin : float
        On squared distances.

    Returns
    -------
    float32 scalar
        0 where the batch holds no anchor-positive pair or only one class.
    """
    distances = squared_distances(embeddings)
    same = tf.equal(labels[:, None], labels[None, :])
    positive = tf.logical_and(same, ~tf.eye(tf.shape(labels)[0], dtype=tf.bool))
    infinite = tf.constant(float("inf"), distances.dtype)
    # Sorted rows keep memory at n x n: the first sorted negative beyond the positive is the semi-hard one.
    negatives = tf.sort(tf.where(same, infinite, distances), axis=1)
    beyond = tf.searchsorted(negatives, distances, side="right")
    padded = tf.pad(negatives, [[0, 0], [0, 1]], constant_values=float("inf"))
    semi_hard = tf.gather(padded, beyond, batch_dims=1)
    farthest = tf.reduce_max(tf.where(same, tf.zeros_like(distances), distances), axis=1, keepdims=True)
    negative = tf.where(tf.math.is_inf(semi_hard), tf.broadcast_to(farthest, tf.shape(semi_hard)), semi_hard)
    usable = tf.logical_and(positive, tf.reduce_any(~same, axis=1, keepdims=True))
    losses = tf.where(usable, tf.maximum(distances - negative + margin, 0.0), tf.zeros_like(distances))
    return tf.math.divide_no_nan(tf.reduce_sum(losses), tf.reduce_sum(tf.cast(usable, losses.dtype)))
