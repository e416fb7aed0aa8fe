"""Weight imprinting: start the class weights and centers of fine-tuning at the mean embedding of each class.

Random class weights send gradients of no meaning into a network that knows faces already, and centers at zero pull its
embeddings together. Weights of a new class taken from the mean of its embeddings are the imprinting of Qi, Brown and
Lowe ("Low-shot learning with imprinted weights", CVPR 2018); with a bias they are the classifier of Gaussian classes
that share one variance, ``-t |x - mean|^2 / 2``, up to a term that is the same for all classes.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from embedder.training.data.input_pipeline import FaceImageReader, central_crop, standardize
from embedder.training.model.network import TrainingNetwork

MAX_FACES_PER_CLASS = 20
"""Faces whose mean stands for a class, at most; more change it little and cost time."""

_BATCH = 32
_SHARPNESS = np.geomspace(0.1, 100, 31)
"""Sharpness ``t`` is chosen among these, times the mean squared distance of a face to its class's mean."""


class ImprintedWeights(NamedTuple):
    """`means` (c, d), and `kernel` (d, c) and `bias` (c,) of the softmax, all float32."""

    means: NDArray[np.float32]
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def imprinted_weights(prelogits: NDArray[np.float32], labels: NDArray[np.integer]) -> ImprintedWeights:
    """Return the weights of a linear classifier around the class means, as sharp as classifies held-out faces best.

    Each face is left out of its own class's mean while the sharpness is chosen.

    Parameters
    ----------
    prelogits : (n, d) float32
    labels : (n,) int
        Every class from 0 on has at least one.
    """
    rows = prelogits.astype(np.float64)
    counts = np.bincount(labels)
    means = np.zeros((len(counts), rows.shape[1]))
    np.add.at(means, labels, rows)
    means /= counts[:, None]
    others = np.maximum(counts[labels] - 1, 1)[:, None]
    without = (means[labels] * counts[labels, None] - rows) / others
    scores = rows @ means.T - np.sum(means**2, axis=1) / 2
    scores[np.arange(len(rows)), labels] = np.sum(rows * without, axis=1) - np.sum(without**2, axis=1) / 2
    several = counts[labels] > 1
    spread = float(np.mean(np.sum((rows - means[labels])[several] ** 2, axis=1))) if several.any() else 0.0
    sharpness = 1.0
    if spread > 0:
        choices = _SHARPNESS / spread
        sharpness = float(choices[np.argmin([_cross_entropy(t * scores[several], labels[several]) for t in choices])])
    kernel, bias = sharpness * means.T, -sharpness * np.sum(means**2, axis=1) / 2
    return ImprintedWeights(means.astype(np.float32), kernel.astype(np.float32), bias.astype(np.float32))


def imprint_class_weights(
    network: TrainingNetwork, reader: FaceImageReader, labels: NDArray[np.integer], features: NDArray[np.float32] | None
) -> None:
    """Set the class weights and centers of `network` to those of its faces' central crops.

    Parameters
    ----------
    network : TrainingNetwork
        With loaded weights.
    reader : FaceReader
    labels : (n,) int
        Class of each face of `reader`.
    features : (n_views, n, ...) float32, optional
        What the frozen layers made of the faces, where it is known.
    """
    chosen = _first_of_each_class(labels)
    sample_indices = tf.zeros((1,), tf.int64)
    parts = []
    for start in range(0, len(chosen), _BATCH):
        rows = chosen[start : start + _BATCH]
        if features is not None:
            parts.append(network.prelogits(tf.constant(features[0, rows]), sample_indices, training=False).numpy())
        else:
            crops = np.stack([central_crop(reader.read(i), network.settings.image_size) for i in rows.tolist()])
            images = standardize(tf.constant(crops.astype(np.float32)), network.settings.standardization)
            parts.append(network.prelogits_of_images(images).numpy())
    imprinted = imprinted_weights(np.concatenate(parts), labels[chosen])
    for variable, value in zip(network.classifier, (imprinted.kernel, imprinted.bias), strict=False):
        variable.assign(value)
    if network.centers is not None:
        network.centers.assign(imprinted.means)


def _first_of_each_class(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the positions of the first `MAX_FACES_PER_CLASS` faces of each class, in ascending order."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order])
    return np.sort(order[np.arange(len(order)) - starts < MAX_FACES_PER_CLASS])


def _cross_entropy(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    largest = logits.max(axis=1)
    log_sums = largest + np.log(np.sum(np.exp(logits - largest[:, None]), axis=1))
    return float(np.mean(log_sums - logits[np.arange(len(labels)), labels]))
