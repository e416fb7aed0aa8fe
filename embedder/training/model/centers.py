"""Class centers of the center loss: how they move.

Wen, Zhang, Li and Qiao, "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016.
"""

import tensorflow as tf

from foundation.errors import InputError

CENTER_UPDATES = ("paper", "sequential")


def sample_weights(labels: tf.Tensor, alfa: float, rule: str) -> tf.Tensor:
    """Return how strongly each sample of a batch pulls its class's center.

    Both rules have the form ``c <- c - sum_i w_i (c - x_i)`` with ``c`` the center before the batch:

    - ``paper`` (equation 4): ``w_i = (1 - alfa) / (1 + count)``, `count` the class's samples in the batch;
    - ``sequential``, one sample after the other, ``c <- c - (1 - alfa) (c - x)``, which unrolls to
      ``w_i = (1 - alfa) alfa^later``, `later` the samples of the class that come after sample i.

    Parameters
    ----------
    labels : int tensor (n,)
        Classes of the whole global batch, in batch order.
    alfa : float
        In [0, 1): 0 moves the centers most.
    rule : str
        One of `CENTER_UPDATES`.

    Returns
    -------
    float32 tensor (n,)

    Raises
    ------
    ValueError
        If `rule` is unknown.
    """
    if rule not in CENTER_UPDATES:
        raise InputError(f"`rule` must be one of {', '.join(CENTER_UPDATES)}, got {rule!r}")
    same = tf.cast(tf.equal(labels[:, None], labels[None, :]), tf.float32)
    if rule == "paper":
        return (1.0 - alfa) / (1.0 + tf.reduce_sum(same, axis=1))
    later = tf.reduce_sum(tf.linalg.band_part(same, 0, -1), axis=1) - 1.0
    return (1.0 - alfa) * tf.pow(tf.constant(alfa, tf.float32), later)


def center_steps(labels: tf.Tensor, weighted_differences: tf.Tensor) -> tf.IndexedSlices:
    """Return what to subtract from the centers: one row for each class of the batch, none for the others.

    Parameters
    ----------
    labels : int tensor (n,)
        Classes of the global batch.
    weighted_differences : float32 tensor (n, d)
        ``w_i (c - x_i)`` of each sample.
    """
    classes, position = tf.unique(labels)
    rows = tf.math.unsorted_segment_sum(weighted_differences, position, tf.size(classes))
    return tf.IndexedSlices(rows, classes)


def moved_centers(centers: tf.Tensor, features: tf.Tensor, labels: tf.Tensor, *, alfa: float, rule: str) -> tf.Tensor:
    """Return the centers after one batch.

    Parameters
    ----------
    centers : float32 tensor (n_classes, d)
    features : float32 tensor (n, d)
    labels : int tensor (n,)
    alfa, rule
        See `sample_weights`.

    Returns
    -------
    float32 tensor (n_classes, d)
        Rows of classes that are absent from the batch are unchanged.
    """
    weights = sample_weights(labels, alfa, rule)
    steps = center_steps(labels, weights[:, None] * (tf.gather(centers, labels) - features))
    return tf.tensor_scatter_nd_sub(centers, steps.indices[:, None], steps.values)
