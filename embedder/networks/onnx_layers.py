"""The layers of a network as ONNX, with the weights of a file in them: what serves.

Batch norm is folded into the convolution before it, and a factor behind a convolution into its weights.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embedder.errors import WeightsError
from embedder.runtime.graph_writer import GraphWriter, Tensor
from embedder.runtime.weights import BATCH_NORM_EPSILON, Arrays
from foundation.text import pluralize

if TYPE_CHECKING:
    import onnx


class OnnxLayers:
    """Layers that take their weights by name: a layer's tensors are its name and ``/kernel``, ``/bias`` and so on.

    They are those of `embedder.networks.inception_resnet_v1.Layers`, where each is described.

    Parameters
    ----------
    network : str
        Name of the network, for the file and messages.
    arrays : dict
        ``"layer/variable"`` to array; every one must be used, and have the shape that the network gives it.
    path : Path
        Where the arrays come from, for messages.

    Raises
    ------
    WeightsError
        From every method, if an array is missing, has another shape or another type than floating point, or holds
        numbers that are not finite.
    """

    def __init__(self, network: str, arrays: Arrays, *, path: Path) -> None:
        self._network, self._arrays, self._path = network, arrays, path
        self._unused = set(arrays)
        self._writer = GraphWriter(network)

    def last_size(self, name: str) -> int:
        """Return the size of the last axis of an array, which tells the network from others."""
        if name not in self._arrays or self._arrays[name].ndim == 0:
            raise WeightsError(
                f"{self._path}: expected the weights of {self._network}, found no {name} among its "
                f"{pluralize(len(self._arrays), 'array')}; "
                "give the file of another network to the program it belongs to"
            )
        return int(self._arrays[name].shape[-1])

    def finish(self, output: Tensor) -> "onnx.ModelProto":
        """Return the network; every array has been used."""
        if self._unused:
            names = sorted(self._unused)
            raise WeightsError(
                f"{self._path}: expected the weights of {self._network} alone, found "
                f"{pluralize(len(names), 'array')} more ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''}); "
                "it is another network"
            )
        return self._writer.finish([output])

    def images(self, size: int | None) -> Tensor:
        return self._writer.images((size, size))

    def convolve(
        self,
        x: Tensor,
        channels: int,
        kernel_hw: tuple[int, int],
        *,
        name: str,
        strides: int = 1,
        padded: bool = True,
    ) -> Tensor:
        kernel = self._take(f"{name}/kernel", (*kernel_hw, x.channels, channels))
        scale, bias = self._batch_norm(name, channels)
        rows, columns = ((size - 1) // 2 if padded else 0 for size in kernel_hw)
        pads = (rows, columns, rows, columns)
        convolved = self._writer.convolve(x, kernel * scale, bias, strides=strides, pads=pads)
        return self._writer.rectify(convolved, name=f"{name}_Activation")

    def project(self, x: Tensor, *, like: Tensor, scale: float, name: str) -> Tensor:
        kernel = self._take(f"{name}/kernel", (1, 1, x.channels, like.channels))
        bias = self._take(f"{name}/bias", (like.channels,))
        factor = np.float32(scale)
        return self._writer.convolve(x, kernel * factor, bias * factor, name=name)

    def max_pool(self, x: Tensor, *, name: str) -> Tensor:
        return self._writer.max_pool(x, 3, name=name)

    def concatenate(self, maps: Sequence[Tensor], *, name: str) -> Tensor:
        return self._writer.concatenate(maps, name=name)

    def add(self, x: Tensor, y: Tensor, *, name: str) -> Tensor:
        return self._writer.add(x, y, name=name)

    def rectify(self, x: Tensor, *, name: str) -> Tensor:
        return self._writer.rectify(x, name=name)

    def average(self, x: Tensor, *, name: str) -> Tensor:
        return self._writer.average(x, name=name)

    def drop_out(self, x: Tensor, share: float, *, name: str) -> Tensor:
        return x

    def embed(self, x: Tensor, length: int, *, name: str) -> Tensor:
        kernel = self._take(f"{name}/kernel", (x.channels, length))
        scale, bias = self._batch_norm(name, length)
        return self._writer.multiply_matrix(x, kernel * scale, bias, name=name)

    def normalize(self, x: Tensor, *, name: str) -> Tensor:
        return self._writer.normalize(x, name=name)

    def _batch_norm(self, name: str, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """Return factor and bias of each channel, float64, to be rounded once."""
        of_channel = (channels,)
        beta, mean, variance = (
            self._take(f"{name}_BatchNorm/{variable}", of_channel).astype(np.float64)
            for variable in ("beta", "moving_mean", "moving_variance")
        )
        if (variance < 0).any():
            raise WeightsError(f"{self._path}: {name}_BatchNorm/moving_variance holds negative numbers; it is damaged")
        scale = 1 / np.sqrt(variance + BATCH_NORM_EPSILON)
        return scale, beta - mean * scale

    def _take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        array = self._arrays.get(name)
        fits = array is not None and array.shape == shape and array.dtype.kind == "f"
        if array is None or not fits:
            found = "none" if array is None else f"{array.dtype} of shape {array.shape}"
            raise WeightsError(
                f"{self._path}: expected {name} of shape {shape}, found {found}; "
                f"it is damaged, or not the weights of {self._network} of this size"
            )
        if not np.isfinite(array).all():
            raise WeightsError(f"{self._path}: {name} holds values that are not finite; take other weights")
        self._unused.discard(name)
        return array
