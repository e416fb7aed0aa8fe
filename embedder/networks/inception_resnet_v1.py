"""Inception-ResNet-v1, the FaceNet backbone: its one description, and the networks that serve, made of it.

Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual connections on learning", 2016
(arXiv:1602.07261), figures 10 to 14, with the widths and residual scales of David Sandberg's FaceNet, from which all
published checkpoints come. Layers carry the names of the widespread ``facenet_keras.h5``. Comments give the output's
height, width and channels for a 160x160 image at width 1.

What a layer is made of is left to `Layers`: training makes variables of it, serving (`embedder.networks.onnx_layers`)
writes it as ONNX with weights in it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from embedder.errors import WeightsError
from embedder.networks.onnx_layers import OnnxLayers
from embedder.runtime import weights as weight_files
from embedder.runtime.frozen_graph import read_frozen_graph
from foundation.errors import InputError

if TYPE_CHECKING:
    import onnx

BLOCK35_SCALE = 0.17
BLOCK17_SCALE = 0.10
BLOCK8_SCALE = 0.20
"""What a block's residual is multiplied with before it is added; the last block adds its residual whole."""

SMALLEST_INPUT_SIZE = 75
"""Below this many pixels the last reduction is left without a single window."""

INPUT_SIZE = 160
"""Height and width in pixels of the images of all published checkpoints."""

_LARGEST_WIDTH = 16.0

T = TypeVar("T")


class Layers(Protocol[T]):
    """The layers of the network, and what they give: a tensor of some framework."""

    def images(self, size: int | None) -> T:
        """Take float32 images ``(n, size, size, 3)``; None leaves both sides free."""

    def convolve(
        self, x: T, channels: int, kernel_hw: tuple[int, int], *, name: str, strides: int = 1, padded: bool = True
    ) -> T:
        """Convolve, normalize by batch norm without gamma, rectify."""

    def project(self, x: T, *, like: T, scale: float, name: str) -> T:
        """Convolve by 1x1 to the channels of `like`, with a bias, and multiply with `scale`."""

    def max_pool(self, x: T, *, name: str) -> T:
        """Take the maximum of 3x3 pixels at every second row and column, without padding."""

    def concatenate(self, maps: Sequence[T], *, name: str) -> T:
        """Put channels one after the other."""

    def add(self, x: T, y: T, *, name: str) -> T:
        """Add two tensors of one shape."""

    def rectify(self, x: T, *, name: str) -> T:
        """Return the larger of `x` and 0."""

    def average(self, x: T, *, name: str) -> T:
        """Return vectors: the mean of each channel."""

    def drop_out(self, x: T, share: float, *, name: str) -> T:
        """Set a share of the numbers to zero, in training alone."""

    def embed(self, x: T, length: int, *, name: str) -> T:
        """Multiply vectors with a matrix, to vectors of `length`, and normalize by batch norm without gamma."""

    def normalize(self, x: T, *, name: str) -> T:
        """Divide vectors by their lengths."""


def build(
    layers: Layers[T],
    *,
    embedding_size: int,
    width: float = 1.0,
    keep_probability: float = 1.0,
    input_size: int | None = INPUT_SIZE,
    normalize: bool = True,
) -> tuple[T, T]:
    """Build Inception-ResNet-v1 of `layers`.

    Parameters
    ----------
    layers : Layers
        What it is made of.
    embedding_size : int
        Length of the vectors.
    width : float
        Every layer's number of channels is multiplied with this (and is at least 1); training on little data uses
        less than 1.
    keep_probability : float
        Share of the pooled features that training keeps in each step, in (0, 1]; 1 builds no dropout.
    input_size : int, optional
        Height and width of the images in pixels, at least 75; None leaves both free.
    normalize : bool
        Whether the vectors leave with unit length. The *prelogits* that training's losses need are the output
        without it, and in either case that of the layer ``Bottleneck_BatchNorm``.

    Returns
    -------
    images, vectors
        Standardized images, float32 ``(n, input_size, input_size, 3)``, and float32 ``(n, embedding_size)``.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    _check_arguments(embedding_size, width, keep_probability, input_size)
    blocks = _Blocks(layers, width)
    conv = blocks.conv

    images = layers.images(input_size)
    x = conv(images, 32, 3, name="Conv2d_1a_3x3", strides=2, padded=False)  # 79, 79, 32
    x = conv(x, 32, 3, name="Conv2d_2a_3x3", padded=False)  # 77, 77, 32
    x = conv(x, 64, 3, name="Conv2d_2b_3x3")  # 77, 77, 64
    x = layers.max_pool(x, name="MaxPool_3a_3x3")  # 38, 38, 64
    x = conv(x, 80, 1, name="Conv2d_3b_1x1", padded=False)  # 38, 38, 80
    x = conv(x, 192, 3, name="Conv2d_4a_3x3", padded=False)  # 36, 36, 192
    x = conv(x, 256, 3, name="Conv2d_4b_3x3", strides=2, padded=False)  # 17, 17, 256
    for i in range(1, 6):
        x = blocks.block35(x, name=f"Block35_{i}")  # 17, 17, 256
    x = blocks.reduction_a(x, name="Mixed_6a")  # 8, 8, 896
    for i in range(1, 11):
        x = blocks.block17(x, name=f"Block17_{i}")  # 8, 8, 896
    x = blocks.reduction_b(x, name="Mixed_7a")  # 3, 3, 1792
    for i in range(1, 6):
        x = blocks.block8(x, name=f"Block8_{i}")  # 3, 3, 1792
    x = blocks.block8(x, name="Block8_6", scale=1.0, activation=False)  # 3, 3, 1792

    x = layers.average(x, name="AvgPool")  # 1792
    if keep_probability < 1:
        x = layers.drop_out(x, 1 - keep_probability, name="Dropout")
    x = layers.embed(x, embedding_size, name="Bottleneck")
    if normalize:
        x = layers.normalize(x, name="embeddings")
    return images, x


class _Blocks(Generic[T]):
    """The blocks, at one width."""

    def __init__(self, layers: Layers[T], width: float) -> None:
        self.layers = layers
        self.width = width

    def conv(
        self,
        x: T,
        channels: int,
        kernel: int | tuple[int, int],
        *,
        name: str,
        strides: int = 1,
        padded: bool = True,
    ) -> T:
        channels = max(1, round(channels * self.width))
        kernel_hw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        return self.layers.convolve(x, channels, kernel_hw, name=name, strides=strides, padded=padded)

    def block35(self, x: T, *, name: str) -> T:
        conv = self.conv
        branch_0 = conv(x, 32, 1, name=f"{name}_Branch_0_Conv2d_1x1")
        branch_1 = conv(x, 32, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
        branch_1 = conv(branch_1, 32, 3, name=f"{name}_Branch_1_Conv2d_0b_3x3")
        branch_2 = conv(x, 32, 1, name=f"{name}_Branch_2_Conv2d_0a_1x1")
        branch_2 = conv(branch_2, 32, 3, name=f"{name}_Branch_2_Conv2d_0b_3x3")
        branch_2 = conv(branch_2, 32, 3, name=f"{name}_Branch_2_Conv2d_0c_3x3")
        return self._residual(x, [branch_0, branch_1, branch_2], name=name, scale=BLOCK35_SCALE)

    def block17(self, x: T, *, name: str) -> T:
        conv = self.conv
        branch_0 = conv(x, 128, 1, name=f"{name}_Branch_0_Conv2d_1x1")
        branch_1 = conv(x, 128, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
        branch_1 = conv(branch_1, 128, (1, 7), name=f"{name}_Branch_1_Conv2d_0b_1x7")
        branch_1 = conv(branch_1, 128, (7, 1), name=f"{name}_Branch_1_Conv2d_0c_7x1")
        return self._residual(x, [branch_0, branch_1], name=name, scale=BLOCK17_SCALE)

    def block8(self, x: T, *, name: str, scale: float = BLOCK8_SCALE, activation: bool = True) -> T:
        conv = self.conv
        branch_0 = conv(x, 192, 1, name=f"{name}_Branch_0_Conv2d_1x1")
        branch_1 = conv(x, 192, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
        branch_1 = conv(branch_1, 192, (1, 3), name=f"{name}_Branch_1_Conv2d_0b_1x3")
        branch_1 = conv(branch_1, 192, (3, 1), name=f"{name}_Branch_1_Conv2d_0c_3x1")
        return self._residual(x, [branch_0, branch_1], name=name, scale=scale, activation=activation)

    def _residual(self, x: T, branches: list[T], *, name: str, scale: float, activation: bool = True) -> T:
        """Add to `x` what a 1x1 convolution makes of the branches."""
        mixed = self.layers.concatenate(branches, name=f"{name}_Concatenate")
        residual = self.layers.project(mixed, like=x, scale=scale, name=f"{name}_Conv2d_1x1")
        x = self.layers.add(x, residual, name=f"{name}_Sum")
        return self.layers.rectify(x, name=f"{name}_Activation") if activation else x

    def reduction_a(self, x: T, *, name: str) -> T:
        conv = self.conv
        branch_0 = conv(x, 384, 3, name=f"{name}_Branch_0_Conv2d_1a_3x3", strides=2, padded=False)
        branch_1 = conv(x, 192, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
        branch_1 = conv(branch_1, 192, 3, name=f"{name}_Branch_1_Conv2d_0b_3x3")
        branch_1 = conv(branch_1, 256, 3, name=f"{name}_Branch_1_Conv2d_1a_3x3", strides=2, padded=False)
        pooled = self.layers.max_pool(x, name=f"{name}_Branch_2_MaxPool_1a_3x3")
        return self.layers.concatenate([branch_0, branch_1, pooled], name=name)

    def reduction_b(self, x: T, *, name: str) -> T:
        conv = self.conv
        branch_0 = conv(x, 256, 1, name=f"{name}_Branch_0_Conv2d_0a_1x1")
        branch_0 = conv(branch_0, 384, 3, name=f"{name}_Branch_0_Conv2d_1a_3x3", strides=2, padded=False)
        branch_1 = conv(x, 256, 1, name=f"{name}_Branch_1_Conv2d_0a_1x1")
        branch_1 = conv(branch_1, 256, 3, name=f"{name}_Branch_1_Conv2d_1a_3x3", strides=2, padded=False)
        branch_2 = conv(x, 256, 1, name=f"{name}_Branch_2_Conv2d_0a_1x1")
        branch_2 = conv(branch_2, 256, 3, name=f"{name}_Branch_2_Conv2d_0b_3x3")
        branch_2 = conv(branch_2, 256, 3, name=f"{name}_Branch_2_Conv2d_1a_3x3", strides=2, padded=False)
        pooled = self.layers.max_pool(x, name=f"{name}_Branch_3_MaxPool_1a_3x3")
        return self.layers.concatenate([branch_0, branch_1, branch_2, pooled], name=name)


def _check_arguments(embedding_size: int, width: float, keep_probability: float, input_size: int | None) -> None:
    if embedding_size < 1:
        raise InputError(f"`embedding_size` must be at least 1, got {embedding_size}")
    if not 0 < width <= _LARGEST_WIDTH:
        raise InputError(f"`width` must lie in (0, {_LARGEST_WIDTH:g}], got {width}; 1 is the published network")
    if not 0 < keep_probability <= 1:
        raise InputError(f"`keep_probability` must lie in (0, 1], got {keep_probability}; 1 turns dropout off")
    if input_size is not None and input_size < SMALLEST_INPUT_SIZE:
        raise InputError(
            f"`input_size` must be at least {SMALLEST_INPUT_SIZE} pixels, got {input_size}: "
            "smaller images shrink to nothing inside the network"
        )


def from_frozen_graph(path: Path) -> "onnx.ModelProto":
    """Write the network with the weights of a frozen graph (``.pb``) with slim's names as ONNX.

    Raises
    ------
    WeightsError
        If the file is not such a graph, or not of this network.
    """
    return _serving(read_frozen_graph(path), path)


def from_h5(path: Path) -> "onnx.ModelProto":
    """Write the network with the weights of a ``facenet_keras.h5`` as ONNX.

    Raises
    ------
    WeightsError
        If the file is not such a file, or not of this network.
    """
    return _serving(weight_files.read_h5(path), path)


def from_safetensors(path: Path) -> "onnx.ModelProto":
    """Write the network with the weights of a training run as ONNX.

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
            f"{path}: expected `width` and `input_size` in its metadata, got {settings}; export the training run again"
        ) from None
    return _serving(arrays, path, width=width, input_size=input_size)


def _serving(
    arrays: weight_files.Arrays, path: Path, *, width: float = 1.0, input_size: int = INPUT_SIZE
) -> "onnx.ModelProto":
    layers = OnnxLayers("Inception-ResNet-v1", arrays, path=path)
    embedding_size = layers.last_size("Bottleneck/kernel")
    try:
        _, vectors = build(layers, embedding_size=embedding_size, width=width, input_size=input_size)
    except InputError as error:
        raise WeightsError(f"{path}: {error}") from None
    return layers.finish(vectors)
