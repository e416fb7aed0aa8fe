"""Weights for Inception-ResNet-v1 of any width, made up; they show what the description asks of its layers."""

from collections.abc import Sequence

import numpy as np

from embedder.networks.inception_resnet_v1 import build
from embedder.runtime.weights import Arrays

BATCH_NORM = ("beta", "moving_mean", "moving_variance")


class ShapeLayers:
    """Layers whose tensors are numbers of channels, and that note the shapes of weights."""

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}

    def images(self, size: int | None) -> int:
        return 3

    def convolve(
        self, x: int, channels: int, kernel_hw: tuple[int, int], *, name: str, strides: int = 1, padded: bool = True
    ) -> int:
        self.shapes[f"{name}/kernel"] = (*kernel_hw, x, channels)
        self.shapes |= {f"{name}_BatchNorm/{variable}": (channels,) for variable in BATCH_NORM}
        return channels

    def project(self, x: int, *, like: int, scale: float, name: str) -> int:
        self.shapes |= {f"{name}/kernel": (1, 1, x, like), f"{name}/bias": (like,)}
        return like

    def max_pool(self, x: int, *, name: str) -> int:
        return x

    def concatenate(self, maps: Sequence[int], *, name: str) -> int:
        return sum(maps)

    def add(self, x: int, y: int, *, name: str) -> int:
        return x

    def rectify(self, x: int, *, name: str) -> int:
        return x

    def average(self, x: int, *, name: str) -> int:
        return x

    def drop_out(self, x: int, share: float, *, name: str) -> int:
        return x

    def embed(self, x: int, length: int, *, name: str) -> int:
        self.shapes[f"{name}/kernel"] = (x, length)
        self.shapes |= {f"{name}_BatchNorm/{variable}": (length,) for variable in BATCH_NORM}
        return length

    def normalize(self, x: int, *, name: str) -> int:
        return x


def random_weights(*, width: float, embedding_size: int) -> Arrays:
    """Return weights under which values neither vanish nor explode."""
    layers = ShapeLayers()
    build(layers, embedding_size=embedding_size, width=width, input_size=None)
    rng = np.random.default_rng(0)
    arrays: Arrays = {}
    for name, shape in layers.shapes.items():
        if name.endswith("/kernel"):
            array = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))
        elif name.endswith("variance"):
            array = rng.uniform(0.5, 2, shape)
        else:
            array = rng.standard_normal(shape) / 10
        arrays[name] = array.astype(np.float32)
    return arrays
