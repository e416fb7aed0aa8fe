"""The vectors among what a network gives, and whether the network is of any use: tried once when it is loaded."""

import math
from typing import Protocol

import numpy as np

from embedder.errors import WeightsError
from embedder.runtime.session import Network

_OWN_NETWORKS = "embedder.networks.inception_resnet_v1:"
"""Builders of networks that this program writes itself: they give one output, vectors of unit length."""

_LEAST_COSINE = 0.999
"""Between the vectors of one crop, alone and in a batch: rounding leaves 0.99999, a chance of any kind far less."""

_ROUNDING = 1e-6
"""Between two float32 vectors of unit length that are the same."""

_SMALLEST_LENGTH = 1e-12

_SEED = 0


class ExpectedNetwork(Protocol):
    """What a preset says of its network; see `embedder.networks.preset.Preset`."""

    @property
    def name(self) -> str: ...
    @property
    def builder(self) -> str: ...
    @property
    def layout(self) -> str: ...
    @property
    def output(self) -> str: ...
    @property
    def input_size(self) -> int: ...
    @property
    def embedding_size(self) -> int: ...
    def standardize(self, crops: np.ndarray) -> np.ndarray: ...


class VectorOutput:
    """The output of a network that is the vector, made one of unit length.

    Parameters
    ----------
    network : Network
    preset : ExpectedNetwork
        What it should be.

    Raises
    ------
    WeightsError
        If the network disagrees with the preset, has several outputs of which none is named, gives what is no vector
        or not finite, or gives a crop another vector beside another one or a second time.
    """

    def __init__(self, network: Network, preset: ExpectedNetwork) -> None:
        self._network = network
        self._preset = preset
        self._is_own = preset.builder.startswith(_OWN_NETWORKS)
        self._index = self._find_output()
        self._check_sizes()
        if not self._is_own:
            self._try_out()

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Return the vectors, float32 (n, d), of a standardized batch."""
        vectors = self._network.run(batch)[self._index]
        if self._is_own:
            return vectors
        # Outputs (n, d, 1, 1) are vectors too.
        vectors = vectors.reshape(len(vectors), -1)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: np.ndarray = (vectors / np.maximum(lengths, _SMALLEST_LENGTH)).astype(np.float32)
        return unit

    def _find_output(self) -> int:
        names = self._network.output_names
        if self._preset.output:
            if self._preset.output not in names:
                raise self._wrong(f"`output` is {self._preset.output!r}, but its network gives {', '.join(names)}")
            return names.index(self._preset.output)
        if len(names) > 1:
            raise self._wrong(
                f"expected a network with one output, its own gives {', '.join(names)}: name the vector's as `output`"
            )
        return 0

    def _check_sizes(self) -> None:
        shape = self._network.input_shape
        axes = {"NHWC": (1, 2, 3), "NCHW": (2, 3, 1)}
        found = {layout: tuple(shape[axis] for axis in places) for layout, places in axes.items()}
        if found[self._preset.layout][2] not in (3, None):
            fitting = next((layout for layout, sizes in found.items() if sizes[2] == 3), "")
            advice = f"say {fitting}" if fitting else "a network of colour pictures is needed"
            raise self._wrong(f"`layout` is {self._preset.layout}, but its network takes {_show(shape)}: {advice}")
        output = self._network.output_shapes[self._index]
        sides = [side for side in output[1:] if side is not None]
        length = math.prod(sides) if sides and len(sides) == len(output) - 1 else None
        sizes = [("input_size", found[self._preset.layout][side]) for side in (0, 1)] + [("embedding_size", length)]
        for name, size in sizes:
            expected = getattr(self._preset, name)
            if size not in (expected, None):
                raise self._wrong(f"`{name}` is {expected}, but its network has {size}")

    def _try_out(self) -> None:
        """Embed two pictures of noise together and the first one again, alone."""
        size = self._preset.input_size
        noise = np.random.default_rng(_SEED).integers(0, 256, (2, size, size, 3), np.uint8)
        both = self._run_once(noise)
        if not np.isfinite(both).all():
            raise self._wrong("its network gives numbers that are not finite for a picture of noise")
        alone = self._run_once(noise[:1])
        if float(alone[0] @ both[0]) < _LEAST_COSINE:
            raise self._wrong(
                "its network gives one picture another vector alone than beside a second one: it is not deterministic, "
                "or was exported while in training; export it for inference, with a free batch dimension"
            )
        if float(np.abs(both[0] - both[1]).max()) < _ROUNDING:
            raise self._wrong("its network gives the same vector whatever it sees")

    def _run_once(self, crops: np.ndarray) -> np.ndarray:
        expected = (len(crops), self._preset.embedding_size)
        try:
            shape = self._network.run(self._preset.standardize(crops))[self._index].shape
            vectors = self.run(self._preset.standardize(crops))
        except Exception as error:  # ONNX Runtime's own, of many kinds
            raise self._wrong(
                f"its network does not run on {len(crops)} crops ({' '.join(str(error).split())[:300]})"
            ) from error
        if vectors.shape != expected or sum(side != 1 for side in shape[1:]) > 1:
            raise self._wrong(f"expected vectors of shape {expected}, its network gives {shape}")
        return vectors

    def _wrong(self, what: str) -> WeightsError:
        return WeightsError(
            f"`preset` {self._preset.name}: {what}; correct the preset's record, or take another network"
        )


def _show(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("n" if size is None else str(size) for size in shape) + ")"
