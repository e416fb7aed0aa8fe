"""Inception-ResNet-v1 as a Keras model with variables: what is trained, and how its weights are kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from embedder.networks.inception_resnet_v1 import INPUT_SIZE, build
from embedder.runtime.weights import BATCH_NORM_EPSILON, Arrays, write_safetensors

BATCH_NORM_MOMENTUM = 0.995
"""Of the running mean and variance, as in the published training runs."""


def inception_resnet_v1(
    *,
    embedding_size: int = 512,
    width: float = 1.0,
    keep_probability: float = 1.0,
    input_size: int | None = INPUT_SIZE,
    batch_norm_momentum: float = BATCH_NORM_MOMENTUM,
    normalize: bool = True,
) -> keras.Model:
    """Build Inception-ResNet-v1 with random weights.

    Parameters
    ----------
    embedding_size, width, keep_probability, input_size, normalize
        As for `embedder.networks.inception_resnet_v1.build`.
    batch_norm_momentum : float
        Momentum of the running means and variances.

    Returns
    -------
    keras.Model
        From standardized images, float32 ``(n, input_size, input_size, 3)``, to float32 ``(n, embedding_size)``.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    images, vectors = build(
        KerasLayers(batch_norm_momentum),
        embedding_size=embedding_size,
        width=width,
        keep_probability=keep_probability,
        input_size=input_size,
        normalize=normalize,
    )
    return keras.Model(images, vectors, name="InceptionResnetV1")


class KerasLayers:
    """The layers of `embedder.networks.inception_resnet_v1.Layers`, where each is described, with variables."""

    def __init__(self, batch_norm_momentum: float) -> None:
        self._batch_norm_momentum = batch_norm_momentum

    def images(self, size: int | None) -> Any:
        return keras.Input((size, size, 3), name="images")

    def convolve(
        self, x: Any, channels: int, kernel_hw: tuple[int, int], *, name: str, strides: int = 1, padded: bool = True
    ) -> Any:
        padding = "same" if padded else "valid"
        x = layers.Conv2D(channels, kernel_hw, strides, padding, use_bias=False, name=name)(x)
        x = self._batch_norm(name)(x)
        return layers.ReLU(name=f"{name}_Activation")(x)

    def project(self, x: Any, *, like: Any, scale: float, name: str) -> Any:
        x = layers.Conv2D(like.shape[-1], 1, name=name)(x)
        return x if scale == 1 else x * scale

    def max_pool(self, x: Any, *, name: str) -> Any:
        return layers.MaxPooling2D(3, 2, name=name)(x)

    def concatenate(self, maps: Sequence[Any], *, name: str) -> Any:
        return layers.Concatenate(name=name)(maps)

    def add(self, x: Any, y: Any, *, name: str) -> Any:
        return layers.Add(name=name)([x, y])

    def rectify(self, x: Any, *, name: str) -> Any:
        return layers.ReLU(name=name)(x)

    def average(self, x: Any, *, name: str) -> Any:
        return layers.GlobalAveragePooling2D(name=name)(x)

    def drop_out(self, x: Any, share: float, *, name: str) -> Any:
        return layers.Dropout(share, name=name)(x)

    def embed(self, x: Any, length: int, *, name: str) -> Any:
        x = layers.Dense(length, use_bias=False, name=name)(x)
        return self._batch_norm(name, dtype="float32")(x)

    def normalize(self, x: Any, *, name: str) -> Any:
        return layers.UnitNormalization(name=name, dtype="float32")(x)

    def _batch_norm(self, name: str, dtype: str | None = None) -> Any:
        """Return the batch norm of the layer `name`, without gamma."""
        return layers.BatchNormalization(
            momentum=self._batch_norm_momentum,
            epsilon=BATCH_NORM_EPSILON,
            scale=False,
            name=f"{name}_BatchNorm",
            dtype=dtype,
        )


def save(model: keras.Model, path: Path, *, width: float) -> None:
    """Write the weights of `model`, built with `width`, for `embedder.networks.inception_resnet_v1.from_safetensors`.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    settings = {"width": repr(width), "input_size": str(model.input_shape[1])}
    write_safetensors(path, arrays_of(model), settings)


def arrays_of(model: keras.Model) -> Arrays:
    """Return the weights of a model as ``"layer/variable"`` to array, each of its variable's shape and type."""
    return {
        f"{layer.name}/{variable.name}": np.asarray(variable) for layer in model.layers for variable in layer.weights
    }
