"""Faces from files to standardized, augmented batches with tf.data.

Everything random is drawn from the seed and the sample's index in the run, never from a shared generator: the order of
threads and the number of workers change nothing. A *sample index* counts the samples of the whole run from 0, a *face
index* is a row of the folder's faces.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf

from embedder.images.reading import read_image
from embedder.networks.preset import FIXED_MEAN, FIXED_SCALE
from embedder.training.data.batches import Batches
from embedder.training.settings import TrainingSettings

DECODED_BYTES = 2**30
"""Decoded faces are kept in memory up to so many bytes."""


class FaceImageReader:
    """Reads faces at one size; keeps decoded ones in memory as long as there is room."""

    def __init__(self, root: Path, paths: Sequence[str], *, size: int, memory: int = DECODED_BYTES) -> None:
        self._paths = [root / path for path in paths]
        self._size = size
        self._room = memory // (size * size * 3)
        self._decoded: dict[int, np.ndarray] = {}

    def read(self, index: int) -> np.ndarray:
        """Return face `index` as uint8 (size, size, 3); faces of another size are resized without keeping aspect."""
        image = self._decoded.get(int(index))
        if image is None:
            image = self._read(int(index))
            if len(self._decoded) < self._room:
                self._decoded[int(index)] = image
        return image

    def _read(self, index: int) -> np.ndarray:
        image = read_image(self._paths[index])
        height, width, _ = image.shape
        if (height, width) == (self._size, self._size):
            return image
        shrinks = min(height, width) > self._size
        return cv2.resize(
            image, (self._size, self._size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )


def standardize(images: tf.Tensor, standardization: str) -> tf.Tensor:
    """Return float32 pixels 0-255 as the network wants them.

    Parameters
    ----------
    images : float32 tensor (..., h, w, 3)
    standardization : str
        ``fixed``: (x - 127.5) / 128; ``per_image``: zero mean and unit variance, the deviation at least
        1 / sqrt(number of values), so that a blank image gives zeros.
    """
    if standardization == "per_image":
        return tf.image.per_image_standardization(images)
    return (images - FIXED_MEAN) / FIXED_SCALE


def augment(face: tf.Tensor, sample_index: tf.Tensor, settings: TrainingSettings) -> tf.Tensor:
    """Return one face turned, cropped, mirrored and brightened at random, with pixels still 0-255.

    Parameters
    ----------
    face : uint8 tensor (source_size, source_size, 3)
    sample_index : int64 scalar
        Of the sample in the run; with the seed it decides everything that is random here.
    settings : TrainingSettings

    Returns
    -------
    float32 tensor (image_size, image_size, 3)
    """
    size, free = settings.image_size, settings.source_size - settings.image_size
    image = tf.cast(face, tf.float32)
    draws = tf.random.stateless_uniform((5,), tf.stack([tf.constant(settings.seed, tf.int64), sample_index]))
    if settings.random_rotate > 0:
        image = _rotate(image, (draws[0] * 2 - 1) * settings.random_rotate, settings.source_size)
    if settings.random_crop:
        top, left = (tf.cast(tf.floor(draws[i] * (free + 1)), tf.int32) for i in (1, 2))
    else:
        top = left = tf.constant(free // 2)
    image = tf.slice(image, tf.stack([top, left, 0]), (size, size, 3))
    if settings.random_flip:
        image = tf.where(draws[3] < 0.5, image[:, ::-1], image)
    if settings.random_brightness > 0:
        image = tf.clip_by_value(image + (draws[4] * 2 - 1) * settings.random_brightness * 255, 0.0, 255.0)
    return image


def central_crop(face: np.ndarray, size: int) -> np.ndarray:
    """Return the central (size, size, 3) part of a face, the crop that evaluation uses."""
    first = (face.shape[0] - size) // 2
    return face[first : first + size, first : first + size]


def local_rows(batch_size: int, *, worker: int, n_workers: int) -> slice:
    """Return the rows of each global batch that one worker reads."""
    rows = batch_size // n_workers
    return slice(worker * rows, (worker + 1) * rows)


def image_dataset(
    reader: FaceImageReader,
    labels: np.ndarray,
    batches: Batches,
    *,
    steps: range,
    settings: TrainingSettings,
    rows: slice,
    replica_batch_size: int,
) -> tf.data.Dataset:
    """Return batches ``(images, labels, sample_indices)`` of one worker for the given steps of the run.

    Parameters
    ----------
    reader : FaceReader
    labels : numpy.ndarray
        int32 (n,), class of each face.
    batches : PermutedBatches or PeopleBatches
    steps : range
        Steps of the run, from 0.
    settings : TrainingSettings
    rows : slice
        The worker's rows of each global batch.
    replica_batch_size : int
        Faces in each element; a worker with several replicas yields one element for each of them in turn.
    """
    size = settings.source_size

    def load(index: tf.Tensor, label: tf.Tensor, sample_index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        face = tf.numpy_function(reader.read, [index], tf.uint8, stateful=False)
        image = augment(tf.ensure_shape(face, (size, size, 3)), sample_index, settings)
        return standardize(image, settings.standardization), label, sample_index

    dataset = _sample_dataset(labels, batches, steps, settings, rows)
    dataset = dataset.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.batch(replica_batch_size, drop_remainder=True).prefetch(2)


def feature_dataset(
    features: np.ndarray,
    labels: np.ndarray,
    batches: Batches,
    *,
    steps: range,
    settings: TrainingSettings,
    rows: slice,
    replica_batch_size: int,
) -> tf.data.Dataset:
    """Return batches like `image_dataset`'s whose inputs are features of frozen layers, computed before.

    Parameters
    ----------
    features : numpy.ndarray
        float32 (n_views, n, ...): each face as it is and, with a second view, mirrored.
        Each sample takes one of them at random.
    """

    def choose(index: tf.Tensor, label: tf.Tensor, sample_index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        view = tf.random.stateless_uniform(
            (), tf.stack([tf.constant(settings.seed, tf.int64), sample_index]), maxval=features.shape[0], dtype=tf.int32
        )
        chosen = tf.numpy_function(lambda v, i: features[v, i], [view, index], tf.float32, stateful=False)
        return tf.ensure_shape(chosen, features.shape[2:]), label, sample_index

    dataset = _sample_dataset(labels, batches, steps, settings, rows).map(choose)
    return dataset.batch(replica_batch_size, drop_remainder=True).prefetch(2)


def _sample_dataset(
    labels: np.ndarray, batches: Batches, steps: range, settings: TrainingSettings, rows: slice
) -> tf.data.Dataset:
    size = settings.batch_size
    indices = np.concatenate([batches.indices(step)[rows] for step in steps])
    sample_indices = np.concatenate([np.arange(step * size, (step + 1) * size, dtype=np.int64)[rows] for step in steps])
    return tf.data.Dataset.from_tensor_slices((indices, labels[indices], sample_indices))


def _rotate(image: tf.Tensor, degrees: tf.Tensor, size: int) -> tf.Tensor:
    """Return `image` turned about its centre; what comes in from outside repeats the border's pixels."""
    angle = degrees * (np.pi / 180)
    cosine, sine, middle = tf.cos(angle), tf.sin(angle), (size - 1) / 2
    transform = tf.stack(
        [
            cosine,
            -sine,
            middle - cosine * middle + sine * middle,
            sine,
            cosine,
            middle - sine * middle - cosine * middle,
            0.0,
            0.0,
        ]
    )
    turned = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=transform[None],
        output_shape=(size, size),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return tf.ensure_shape(turned[0], (size, size, 3))
