"""Networks of TFLite files written as ONNX: the operators that face networks are made of.

What an operator does follows the schema of TFLite (schema.fbs, version 3) and its reference kernels; "same" padding
adds the odd row below and on the right.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from embedder.network_files.tflite_file import Operator, TfliteNetwork
from embedder.runtime.graph_writer import GraphWriter, Tensor

if TYPE_CHECKING:
    import onnx

_MAP_AXES = 4
_SAME, _VALID = 0, 1
"""Padding in the schema."""

_NONE, _RELU = 0, 1
"""Activations in the schema that are known here."""


class UnknownOperatorError(Exception):
    """An operator that is not written here; the message names it."""


def write_graph(network: TfliteNetwork) -> "onnx.ModelProto":
    """Write `network` as ONNX with a free batch dimension.

    Raises
    ------
    UnknownOperatorError
        If it has an operator that is not known here.
    """
    return _GraphConversion(network).write()


class _GraphConversion:
    def __init__(self, network: TfliteNetwork) -> None:
        self._network = network
        self._writer = GraphWriter("tflite")
        self._made: dict[int, Tensor] = {}
        self._by_output = {step.output: step for step in network.operators}
        self._write_operator: dict[str, Callable[[Operator], Tensor]] = {
            "CONV_2D": self._convolve,
            "DEPTHWISE_CONV_2D": self._convolve_depthwise,
            "FULLY_CONNECTED": self._multiply_matrix,
            "ADD": self._add,
            "SUB": self._subtract,
            "MUL": self._multiply,
            "ABS": lambda step: self._writer.absolute(self._input(step)),
            "RELU": lambda step: self._writer.rectify(self._input(step)),
            "PRELU": lambda step: self._writer.rectify_leakily(self._input(step), self._constant(step, 1).ravel()),
            "RESHAPE": self._flatten,
        }

    def write(self) -> "onnx.ModelProto":
        shape = self._network.tensors[self._network.input].shape
        if len(shape) != _MAP_AXES or shape[3] != 3:
            raise UnknownOperatorError(f"an input of shape {shape} instead of pictures (n, rows, columns, 3)")
        self._made[self._network.input] = self._writer.images((shape[1], shape[2]))
        folded = self._find_prelus()
        needless = {number for _, _, numbers in folded.values() for number in numbers}
        for step in self._network.operators:
            if step.kind not in self._write_operator:
                raise UnknownOperatorError(f"{step.kind} ({self._network.tensors[step.output].name})")
            if step.output in folded:
                source, slopes, _ = folded[step.output]
                self._made[step.output] = self._writer.rectify_leakily(self._made[source], slopes)
            elif step.output not in needless:
                self._made[step.output] = self._write_operator[step.kind](step)
        output = self._made[self._network.output]
        return self._writer.finish([self._writer.channels_last(output) if output.is_map else output])

    def _find_prelus(self) -> dict[int, tuple[int, np.ndarray, tuple[int, ...]]]:
        """Return, by the number of its output, each PReLU: its input, its slopes, and what need not be computed.

        Where PReLU was no operator yet it was written as relu(x) + c (x - |x|), whose slope below zero is 2 c.
        """
        users: dict[int, int] = {}
        for step in self._network.operators:
            for number in step.inputs:
                users[number] = users.get(number, 0) + 1
        found = {}
        for step in self._network.operators:
            prelu = self._match_prelu(step)
            if prelu is not None and all(users[number] == 1 for number in prelu[2]):
                found[step.output] = prelu
        return found

    def _match_prelu(self, step: Operator) -> tuple[int, np.ndarray, tuple[int, ...]] | None:
        terms = self._sources(step, "ADD")
        positive = next((term for term in terms if term.kind == "RELU"), None)
        product = next((term for term in terms if term.kind == "MUL" and _is_plain(term)), None)
        if positive is None or product is None or not _is_plain(step):
            return None
        factors = [self._network.tensors[number].values for number in product.inputs]
        slopes = next((factor for factor in factors if factor is not None), None)
        difference = next((term for term in self._sources(product, "MUL") if term.kind == "SUB"), None)
        if slopes is None or difference is None or not _is_plain(difference):
            return None
        x, absolute = difference.inputs[0], self._by_output.get(difference.inputs[1])
        channels = self._network.tensors[x].shape[-1]
        is_prelu = absolute is not None and absolute.kind == "ABS" and absolute.inputs[0] == x == positive.inputs[0]
        if absolute is None or not is_prelu or slopes.size not in (1, channels):
            return None
        needless = (positive.output, product.output, difference.output, absolute.output)
        return x, np.broadcast_to(2 * slopes.ravel(), (channels,)), needless

    def _sources(self, step: Operator, kind: str) -> list[Operator]:
        """Return the operators whose outputs go into `step`, if it is of `kind`."""
        if step.kind != kind:
            return []
        return [self._by_output[number] for number in step.inputs if number in self._by_output]

    def _input(self, step: Operator, place: int = 0) -> Tensor:
        return self._made[step.inputs[place]]

    def _constant(self, step: Operator, place: int) -> np.ndarray:
        tensor = self._network.tensors[step.inputs[place]]
        if tensor.values is None:
            raise UnknownOperatorError(f"{step.kind} with computed weights ({tensor.name})")
        return tensor.values

    def _bias(self, step: Operator) -> np.ndarray | None:
        return self._constant(step, 2) if len(step.inputs) > 2 and step.inputs[2] >= 0 else None

    def _convolve(self, step: Operator) -> Tensor:
        kernel = self._constant(step, 1).transpose(1, 2, 3, 0)
        return self._convolution(step, kernel, groups=1)

    def _convolve_depthwise(self, step: Operator) -> Tensor:
        stored = self._constant(step, 1)  # (1, rows, columns, channels out)
        channels = self._input(step).channels
        if stored.shape[3] != channels:
            raise UnknownOperatorError(f"{step.kind} with several outputs a channel")
        return self._convolution(step, stored[0][:, :, None, :], groups=channels)

    def _convolution(self, step: Operator, kernel: np.ndarray, *, groups: int) -> Tensor:
        options, x = step.options, self._input(step)
        strides = (options.StrideH(), options.StrideW())
        dilations = (options.DilationHFactor(), options.DilationWFactor())
        if strides[0] != strides[1] or dilations != (1, 1):
            raise UnknownOperatorError(f"{step.kind} with strides {strides} and dilations {dilations}")
        pads = (0, 0, 0, 0)
        if options.Padding() == _SAME:
            sizes = self._network.tensors[step.inputs[0]].shape[1:3]
            spare = [
                max((-(-size // stride) - 1) * stride + side - size, 0)
                for size, stride, side in zip(sizes, strides, kernel.shape[:2], strict=True)
            ]
            pads = (spare[0] // 2, spare[1] // 2, spare[0] - spare[0] // 2, spare[1] - spare[1] // 2)
        y = self._writer.convolve(x, kernel, self._bias(step), strides=strides[0], pads=pads, groups=groups)
        return self._activate(y, step)

    def _multiply_matrix(self, step: Operator) -> Tensor:
        x = self._input(step)
        if x.is_map:
            raise UnknownOperatorError(f"{step.kind} of maps")
        y = self._writer.multiply_matrix(x, self._constant(step, 1).T, self._bias(step))
        return self._activate(y, step)

    def _add(self, step: Operator) -> Tensor:
        return self._of_two(step, self._writer.add, lambda x, values: self._writer.add_constant(x, values))

    def _subtract(self, step: Operator) -> Tensor:
        if self._network.tensors[step.inputs[0]].values is not None:
            raise UnknownOperatorError(f"{step.kind} from a constant")
        return self._of_two(step, self._writer.subtract, lambda x, values: self._writer.add_constant(x, -values))

    def _multiply(self, step: Operator) -> Tensor:
        def of_computed(x: Tensor, y: Tensor) -> Tensor:
            raise UnknownOperatorError(f"{step.kind} of two computed tensors")

        return self._of_two(step, of_computed, self._writer.multiply)

    def _of_two(
        self,
        step: Operator,
        of_computed: Callable[[Tensor, Tensor], Tensor],
        of_constant: Callable[[Tensor, np.ndarray], Tensor],
    ) -> Tensor:
        """Write an operator on two tensors, of which one may be a constant, one number for each channel."""
        values = [self._network.tensors[number].values for number in step.inputs]
        constant = next((value for value in values if value is not None), None)
        if constant is None:
            x, y = self._input(step, 0), self._input(step, 1)
            if self._network.tensors[step.inputs[0]].shape != self._network.tensors[step.inputs[1]].shape:
                raise UnknownOperatorError(f"{step.kind} of tensors of two shapes")
            return self._activate(of_computed(x, y), step)
        x = self._input(step, 0 if values[0] is None else 1)
        if constant.size not in (1, x.channels):
            raise UnknownOperatorError(f"{step.kind} with a constant of shape {constant.shape}")
        return self._activate(of_constant(x, np.broadcast_to(constant.ravel(), (x.channels,))), step)

    def _flatten(self, step: Operator) -> Tensor:
        """Make vectors of maps; the size of the batch that stands in the file is left free."""
        x, before = self._input(step), self._network.tensors[step.inputs[0]].shape
        after = self._network.tensors[step.output].shape
        if len(after) != 2 or after[0] != before[0] or after[1] != int(np.prod(before[1:], dtype=int)):
            raise UnknownOperatorError(f"{step.kind} from {before} to {after}")
        return self._writer.flatten(x, (before[1], before[2])) if x.is_map else x

    def _activate(self, x: Tensor, step: Operator) -> Tensor:
        if _activation(step) == _RELU:
            return self._writer.rectify(x)
        if _activation(step) != _NONE:
            raise UnknownOperatorError(f"{step.kind} with activation {_activation(step)}")
        return x


def _activation(step: Operator) -> int:
    return _NONE if step.options is None else int(step.options.FusedActivationFunction())


def _is_plain(step: Operator) -> bool:
    """Return whether no activation is fused into `step`."""
    return _activation(step) == _NONE
