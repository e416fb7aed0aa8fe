"""Write networks as ONNX, one operator after the other.

Images come in as they lie in memory, ``(n, h, w, 3)``, and are transposed once: inside, feature maps are
``(n, channels, h, w)``, the layout that ONNX Runtime computes in. Kernels are given in the order of the files they come
from, ``(h, w, channels in, channels out)``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import onnx

_OPSET, _IR_VERSION = 15, 8
"""Of ONNX. Later ones have nothing that is needed here."""

_CHANNELS_FIRST, _CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)

_LARGEST_RECIPROCAL = 1e12
"""What a vector is multiplied with at most to make it one of unit length, so that a vector of zeros stays one."""


@dataclass(frozen=True)
class Tensor:
    """What an operator gives.

    Attributes
    ----------
    name : str
        In the graph.
    channels : int
        Channels of a feature map, length of a vector.
    is_map : bool
        Whether it is a feature map ``(n, channels, h, w)`` rather than vectors ``(n, channels)``.
    """

    name: str
    channels: int
    is_map: bool = True


class GraphWriter:
    """A network that is being written.

    Every method adds an operator and returns what it gives; `name` is what that tensor is called in the file, by
    default a number.

    Parameters
    ----------
    name : str
        Of the network.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []

    def images(self, size_hw: tuple[int | None, int | None], *, name: str = "images") -> Tensor:
        """Take float32 images ``(n, h, w, 3)``; None leaves a side free."""
        self._inputs.append(_float_value(name, ["n", size_hw[0] or "height", size_hw[1] or "width", 3]))
        return self._add("Transpose", [name], 3, perm=_CHANNELS_FIRST)

    def convolve(
        self,
        x: Tensor,
        kernel: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        strides: int = 1,
        pads: Sequence[int] = (0, 0, 0, 0),
        groups: int = 1,
        name: str | None = None,
    ) -> Tensor:
        """Convolve `x`, channels in `groups`; `pads` are rows and columns of zeros above, left, below and right."""
        inputs = [x.name, self._constant(kernel.transpose(3, 2, 0, 1))]
        inputs += [] if bias is None else [self._constant(bias)]
        size_hw, channels = kernel.shape[:2], kernel.shape[-1]
        both = (strides, strides)
        grouped: dict[str, Any] = {} if groups == 1 else {"group": groups}
        return self._add("Conv", inputs, channels, name=name, kernel_shape=size_hw, strides=both, pads=pads, **grouped)

    def multiply_matrix(
        self, x: Tensor, kernel: np.ndarray, bias: np.ndarray | None = None, *, name: str | None = None
    ) -> Tensor:
        """Multiply vectors with `kernel` (channels in, channels out) and add `bias`."""
        length = kernel.shape[-1]
        product_name = name if bias is None else None
        y = self._add("MatMul", [x.name, self._constant(kernel)], length, is_map=False, name=product_name)
        if bias is None:
            return y
        return self._add("Add", [y.name, self._constant(bias)], length, is_map=False, name=name)

    def multiply(self, x: Tensor, factors: np.ndarray) -> Tensor:
        """Multiply each channel with its factor."""
        constant = self._constant(factors.reshape(-1, 1, 1) if x.is_map else factors)
        return self._add("Mul", [x.name, constant], x.channels, is_map=x.is_map)

    def add_constant(self, x: Tensor, terms: np.ndarray) -> Tensor:
        """Add to each channel its term."""
        constant = self._constant(terms.reshape(-1, 1, 1) if x.is_map else terms)
        return self._add("Add", [x.name, constant], x.channels, is_map=x.is_map)

    def absolute(self, x: Tensor) -> Tensor:
        """Return `x` without its sign."""
        return self._add("Abs", [x.name], x.channels, is_map=x.is_map)

    def subtract(self, x: Tensor, y: Tensor) -> Tensor:
        """Subtract `y` from `x`, of one shape."""
        return self._add("Sub", [x.name, y.name], x.channels, is_map=x.is_map)

    def rectify_leakily(self, x: Tensor, slopes: np.ndarray) -> Tensor:
        """Multiply what is below 0 with its channel's slope (PReLU).

        ONNX Runtime fuses ReLU, products and sums with the convolutions around them; the operator PRelu takes it as
        long as these (MobileFaceNet, whose 33 are half of its time, takes 7.9 instead of 15.8 ms a face without it).
        """
        linear = self.multiply(x, slopes)
        if np.all(slopes <= 1):
            return self.add(linear, self.rectify(self.multiply(x, 1 - slopes)))
        return self.add(linear, self.multiply(self.rectify(x), 1 - slopes))

    def rectify(self, x: Tensor, *, name: str | None = None) -> Tensor:
        """Return the larger of `x` and 0."""
        return self._add("Relu", [x.name], x.channels, is_map=x.is_map, name=name)

    def sigmoid(self, x: Tensor, *, name: str | None = None) -> Tensor:
        """Return ``1 / (1 + exp(-x))``."""
        return self._add("Sigmoid", [x.name], x.channels, is_map=x.is_map, name=name)

    def add(self, x: Tensor, y: Tensor, *, name: str | None = None) -> Tensor:
        """Add two tensors of one shape."""
        return self._add("Add", [x.name, y.name], x.channels, is_map=x.is_map, name=name)

    def concatenate(self, maps: Sequence[Tensor], *, name: str | None = None) -> Tensor:
        """Put the channels of several feature maps one after the other."""
        channels = sum(x.channels for x in maps)
        return self._add("Concat", [x.name for x in maps], channels, name=name, axis=1)

    def max_pool(self, x: Tensor, size: int, *, pads: Sequence[int] = (0, 0, 0, 0), name: str | None = None) -> Tensor:
        """Take the maximum of each window of `size` pixels, at every second row and column; `pads` as in `convolve`."""
        return self._add(
            "MaxPool", [x.name], x.channels, name=name, kernel_shape=(size, size), strides=(2, 2), pads=pads
        )

    def average(self, x: Tensor, *, name: str | None = None) -> Tensor:
        """Return vectors: the mean of each channel of a feature map."""
        pooled = self._add("GlobalAveragePool", [x.name], x.channels)
        return self._add("Flatten", [pooled.name], x.channels, is_map=False, name=name, axis=1)

    def flatten(self, x: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """Return vectors: the rows, columns and channels of a feature map of the size given, channels fastest."""
        last = self.channels_last(x)
        return self._add("Flatten", [last.name], size_hw[0] * size_hw[1] * x.channels, is_map=False, axis=1)

    def channels_last(self, x: Tensor, *, name: str | None = None) -> Tensor:
        """Return a feature map as ``(n, h, w, channels)``."""
        return self._add("Transpose", [x.name], x.channels, name=name, perm=_CHANNELS_LAST)

    def normalize(self, x: Tensor, *, name: str | None = None) -> Tensor:
        """Divide vectors by their lengths."""

        def of_vectors(operator: str, *inputs: str, channels: int = 1, name: str | None = None, **how: Any) -> Tensor:
            return self._add(operator, inputs, channels, is_map=False, name=name, **how)

        squares = of_vectors("Mul", x.name, x.name, channels=x.channels)
        length = of_vectors("Sqrt", of_vectors("ReduceSum", squares.name, self._constant([-1], np.int64)).name)
        bound = self._constant(_LARGEST_RECIPROCAL)
        factor = of_vectors("Min", of_vectors("Reciprocal", length.name).name, bound)
        return of_vectors("Mul", x.name, factor.name, channels=x.channels, name=name)

    def finish(self, outputs: Sequence[Tensor]) -> "onnx.ModelProto":
        """Return the network with these outputs; feature maps among them are `channels_last`."""
        from onnx import helper

        values = [
            _float_value(x.name, ["n", "rows", "columns", x.channels] if x.is_map else ["n", x.channels])
            for x in outputs
        ]
        graph = helper.make_graph(self._nodes, self._name, self._inputs, values, self._constants)
        opset = helper.make_opsetid("", _OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="facetable")

    def _add(
        self,
        operator: str,
        inputs: Sequence[str],
        channels: int,
        *,
        is_map: bool = True,
        name: str | None = None,
        **attributes: Any,
    ) -> Tensor:
        from onnx import helper

        tensor = Tensor(name or f"{operator}_{len(self._nodes)}", channels, is_map)
        self._nodes.append(helper.make_node(operator, inputs, [tensor.name], tensor.name, **attributes))
        return tensor

    def _constant(self, array: ArrayLike, kind: type = np.float32) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array, kind), name))
        return name


def _float_value(name: str, sizes: Sequence[int | str]) -> "onnx.ValueInfoProto":
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(sizes))
