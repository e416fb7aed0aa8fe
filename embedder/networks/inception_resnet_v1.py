"""Inception-ResNet-v1, the FaceNet backbone, as a functional Keras graph.

Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual connections on learning", 2016
(arXiv:1602.07261), figures 10 to 14, with the widths and residual scales of David Sandberg's FaceNet, from which all
published checkpoints come. Layers carry the names of the widespread ``facenet_keras.h5``. Comments give the output's
height, width and channels for a 160x160 image at width 1.

Keras is imported where a graph is built, so that importing this module stays cheap.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedder.errors import WeightsError
from embedder.runtime import weights as weight_files
from foundation.errors import InputError

if TYPE_CHECKING:
    import keras

BATCH_NORM_EPSILON = weight_files.BATCH_NORM_EPSILON
BATCH_NORM_MOMENTUM = 0.995
"""Of the running mean and variance, as in the published training runs."""

BLOCK35_SCALE = 0.17
BLOCK17_SCALE = 0.10
BLOCK8_SCALE = 0.20
"""What a block's residual is multiplied with before it is added; the last block adds its residual whole."""

SMALLEST_INPUT_SIZE = 75
"""Below this many pixels the last reduction is left without a single window."""


def inception_resnet_v1(
    *,
    embedding_size: int = 512,
    width: float = 1.0,
    keep_probability: float = 1.0,
    input_size: int | None = 160,
    batch_norm_momentum: float = BATCH_NORM_MOMENTUM,
    normalize: bool = True,
) -> "keras.Model":
    """Build Inception-ResNet-v1 with random weights.

    Parameters
    ----------
    embedding_size : int
        Length of the vectors.
    width : float
        Every layer's number of channels is multiplied with this (and is at least 1); training on little data uses
        less than 1.
    keep_probability : float
        Share of the pooled features that training keeps in each step, in (0, 1]; 1 builds no dropout.
    input_size : int, optional
        Height and width of the images in pixels, at least 75; None leaves both free.
    batch_norm_momentum : float
        Momentum of the running means and variances.
    normalize : bool
        Whether the vectors leave with unit length. The *prelogits* that training's losses need are the output
        without it, and in either case that of the layer ``Bottleneck_BatchNorm``.

    Returns
    -------
    keras.Model
        From standardized images, float32 ``(n, input_size, input_size, 3)``, to float32 ``(n, embedding_size)``.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    _check_arguments(embedding_size, width, keep_probability, input_size)
    import keras

    layers = _Layers(width, batch_norm_momentum)
    conv = layers.conv
    images = keras.Input((input_size, input_size, 3), name="images")

    x = conv(images, 32, 3, name="Conv2d_1a_3x3", strides=2, padding="valid")  # 79, 79, 32
    x = conv(x, 32, 3, name="Conv2d_2a_3x3", padding="valid")  # 77, 77, 32
    x = conv(x, 64, 3, name="Conv2d_2b_3x3")  # 77, 77, 64
    x = keras.layers.MaxPooling2D(3, 2, name="MaxPool_3a_3x3")(x)  # 38, 38, 64
    x = conv(x, 80, 1, name="Conv2d_3b_1x1", padding="valid")  # 38, 38, 80
    x = conv(x, 192, 3, name="Conv2d_4a_3x3", padding="valid")  # 36, 36, 192
    x = conv(x, 256, 3, name="Conv2d_4b_3x3", strides=2, padding="valid")  # 17, 17, 256
    for i in range(1, 6):
        x = _block35(layers, x, name=f"Block35_{i}")  # 17, 17, 256
    x = _reduction_a(layers, x)  # 8, 8, 896
    for i in range(1, 11):
        x = _block17(layers, x, name=f"Block17_{i}")  # 8, 8, 896
    x = _reduction_b(layers, x)  # 3, 3, 1792
    for i in range(1, 6):
        x = _block8(layers, x, name=f"Block8_{i}")  # 3, 3, 1792
    x = _block8(layers, x, name="Block8_6", scale=1.0, activation=False)  # 3, 3, 1792

    x = keras.layers.GlobalAveragePooling2D(name="AvgPool")(x)  # 1792
    if keep_probability < 1:
        x = keras.layers.Dropout(1 - keep_probability, name="Dropout")(x)
    x = keras.layers.Dense(embedding_size, use_bias=False, name="Bottleneck")(x)
    x = layers.batch_norm("Bottleneck", dtype="float32")(x)
    if normalize:
        x = keras.layers.UnitNormalization(name="embeddings", dtype="float32")(x)
    return keras.Model(images, x, name="InceptionResnetV1")


def from_frozen_graph(path: Path) -> "keras.Model":
    """Build the network with the weights of a frozen TensorFlow graph (``.pb``) with slim's names.

    Raises
    ------
    WeightsError
        If the file is not such a graph, or not of this network.
    """
    return _with_weights(weight_files.read_frozen_graph(path), path)


def from_keras_h5(path: Path) -> "keras.Model":
    """Build the network with the weights of a ``facenet_keras.h5``.

    Raises
    ------
    WeightsError
        If the file is not such a file, or not of this network.
    """
    return _with_weights(weight_files.read_keras_h5(path), path)


def from_safetensors(path: Path) -> "keras.Model":
    """Build the network with the weights that `save` wrote.

    Raises
    ------
    WeightsError
        If the file is not such a file, or not of this network.
    """
    arrays, settings = weight_files.read_safetensors(path)
    try:
        width, input_size = float(settings["width"]), int(settings["input_size"])
    except (KeyError, ValueError):
        raise WeightsError(
            f"{path}: expected `width` and `input_size` in its metadata, got {settings}; "
            "write it with embedder.networks.inception_resnet_v1.save"
        ) from None
    return _with_weights(arrays, path, width=width, input_size=input_size)


def save(model: "keras.Model", path: Path, *, width: float) -> None:
    """Write the weights of `model`, built with `width`, to `path` as safetensors for `from_safetensors`.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    settings = {"width": repr(width), "input_size": str(model.input_shape[1])}
    weight_files.write_safetensors(path, weight_files.arrays_of(model), settings)


def _with_weights(
    arrays: weight_files.Arrays, path: Path, *, width: float = 1.0, input_size: int = 160
) -> "keras.Model":
    if "Bottleneck/kernel" not in arrays:
        raise WeightsError(
            f"{path}: expected the weights of Inception-ResNet-v1, found no Bottleneck/kernel; "
            "give the file of another network to the program it belongs to"
        )
    embedding_size = arrays["Bottleneck/kernel"].shape[-1]
    model = inception_resnet_v1(embedding_size=embedding_size, width=width, input_size=input_size)
    weight_files.assign_weights(model, arrays, path=path)
    return model


class _Layers:
    """The layers every block is made of, at one width."""

    def __init__(self, width: float, batch_norm_momentum: float) -> None:
        self.width = width
        self.batch_norm_momentum = batch_norm_momentum

    def conv(
        self,
        x: Any,
        channels: int,
        kernel: int | tuple[int, int],
        *,
        name: str,
        strides: int = 1,
        padding: str = "same",
    ) -> Any:
        """Convolution, batch norm, rectifier."""
        import keras

        channels = max(1, round(channels * self.width))
        x = keras.layers.Conv2D(channels, kernel, strides, padding, use_bias=False, name=name)(x)
        x = self.batch_norm(name)(x)
        return keras.layers.ReLU(name=f"{name}_Activation")(x)

    def batch_norm(self, name: str, dtype: str | None = None) -> Any:
        """Batch norm of the layer `name`, without gamma."""
        import keras

        return keras.layers.BatchNormalization(
            momentum=self.batch_norm_momentum,
            epsilon=BATCH_NORM_EPSILON,
            scale=False,
            name=f"{name}_BatchNorm",
            dtype=dtype,
        )


def _residual(x: Any, branches: list[Any], *, name: str, scale: float, activation: bool = True) -> Any:
    """Add to `x` what a 1x1 convolution makes of the branches."""
    import keras

    mixed = keras.layers.Concatenate(name=f"{name}_Concatenate")(branches)
    residual = keras.layers.Conv2D(x.shape[-1], 1, name=f"{name}_Conv2d_1x1")(mixed)
    if scale != 1:
        residual = residual * scale
    x = keras.layers.Add(name=f"{name}_Sum")([x, residual])
    return keras.layers.ReLU(name=f"{name}_Activation")(x) if activation else x


def _block35(layers: _Layers, x: Any, *, name: str) -> Any:
    conv = layers.conv
    branch_0 = conv(x, 32, 1, name=f"{name}_Branch_0_Conv2d_1x1")
    branch_1 = conv(x, 32, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
    branch_1 = conv(branch_1, 32, 3, name=f"{name}_Branch_1_Conv2d_0b_3x3")
    branch_2 = conv(x, 32, 1, name=f"{name}_Branch_2_Conv2d_0a_1x1")
    branch_2 = conv(branch_2, 32, 3, name=f"{name}_Branch_2_Conv2d_0b_3x3")
    branch_2 = conv(branch_2, 32, 3, name=f"{name}_Branch_2_Conv2d_0c_3x3")
    return _residual(x, [branch_0, branch_1, branch_2], name=name, scale=BLOCK35_SCALE)


def _block17(layers: _Layers, x: Any, *, name: str) -> Any:
    conv = layers.conv
    branch_0 = conv(x, 128, 1, name=f"{name}_Branch_0_Conv2d_1x1")
    branch_1 = conv(x, 128, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
    branch_1 = conv(branch_1, 128, (1, 7), name=f"{name}_Branch_1_Conv2d_0b_1x7")
    branch_1 = conv(branch_1, 128, (7, 1), name=f"{name}_Branch_1_Conv2d_0c_7x1")
    return _residual(x, [branch_0, branch_1], name=name, scale=BLOCK17_SCALE)


def _block8(layers: _Layers, x: Any, *, name: str, scale: float = BLOCK8_SCALE, activation: bool = True) -> Any:
    conv = layers.conv
    branch_0 = conv(x, 192, 1, name=f"{name}_Branch_0_Conv2d_1x1")
    branch_1 = conv(x, 192, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
    branch_1 = conv(branch_1, 192, (1, 3), name=f"{name}_Branch_1_Conv2d_0b_1x3")
    branch_1 = conv(branch_1, 192, (3, 1), name=f"{name}_Branch_1_Conv2d_0c_3x1")
    return _residual(x, [branch_0, branch_1], name=name, scale=scale, activation=activation)


def _reduction_a(layers: _Layers, x: Any) -> Any:
    import keras

    conv, name = layers.conv, "Mixed_6a"
    branch_0 = conv(x, 384, 3, name=f"{name}_Branch_0_Conv2d_1a_3x3", strides=2, padding="valid")
    branch_1 = conv(x, 192, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
    branch_1 = conv(branch_1, 192, 3, name=f"{name}_Branch_1_Conv2d_0b_3x3")
    branch_1 = conv(branch_1, 256, 3, name=f"{name}_Branch_1_Conv2d_1a_3x3", strides=2, padding="valid")
    pooled = keras.layers.MaxPooling2D(3, 2, name=f"{name}_Branch_2_MaxPool_1a_3x3")(x)
    return keras.layers.Concatenate(name=name)([branch_0, branch_1, pooled])


def _reduction_b(layers: _Layers, x: Any) -> Any:
    import keras

    conv, name = layers.conv, "Mixed_7a"
    branch_0 = conv(x, 256, 1, name=f"{name}_Branch_0_Conv2d_0a_1x1")
    branch_0 = conv(branch_0, 384, 3, name=f"{name}_Branch_0_Conv2d_1a_3x3", strides=2, padding="valid")
    branch_1 = conv(x, 256, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
    branch_1 = conv(branch_1, 256, 3, name=f"{name}_Branch_1_Conv2d_1a_3x3", strides=2, padding="valid")
    branch_2 = conv(x, 256, 1, name=f"{name}_Branch_2_Conv2d_0a_1x1")
    branch_2 = conv(branch_2, 256, 3, name=f"{name}_Branch_2_Conv2d_0b_3x3")
    branch_2 = conv(branch_2, 256, 3, name=f"{name}_Branch_2_Conv2d_1a_3x3", strides=2, padding="valid")
    pooled = keras.layers.MaxPooling2D(3, 2, name=f"{name}_Branch_3_MaxPool_1a_3x3")(x)
    return keras.layers.Concatenate(name=name)([branch_0, branch_1, branch_2, pooled])


def _check_arguments(embedding_size: int, width: float, keep_probability: float, input_size: int | None) -> None:
    if embedding_size < 1:
        raise InputError(f"`embedding_size` must be at least 1, got {embedding_size}")
    if not width > 0:
        raise InputError(f"`width` must be greater than 0, got {width}; 1 is the published network")
    if not 0 < keep_probability <= 1:
        raise InputError(f"`keep_probability` must lie in (0, 1], got {keep_probability}; 1 turns dropout off")
    if input_size is not None and input_size < SMALLEST_INPUT_SIZE:
        raise InputError(
            f"`input_size` must be at least {SMALLEST_INPUT_SIZE} pixels, got {input_size}: "
            "smaller images shrink to nothing inside the network"
        )
