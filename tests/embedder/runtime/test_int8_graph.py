from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest

from embedder.errors import WeightsError
from embedder.runtime.int8_graph import fold_scales
from embedder.runtime.quantization import quantized
from embedder.runtime.session import Network
from tests.embedder.runtime.residual_network import residual_network


def test_fold_scales_changes_no_output(network: Path, tmp_path: Path, batches: list[np.ndarray]) -> None:
    model = onnx.load(network)
    fold_scales(model)
    onnx.checker.check_model(model)
    assert Counter(node.op_type for node in model.graph.node)["Mul"] == 0
    onnx.save(model, tmp_path / "folded.onnx")
    expected = Network(network, threads=1).run(batches[0])[0]
    np.testing.assert_allclose(Network(tmp_path / "folded.onnx", threads=1).run(batches[0])[0], expected, atol=1e-5)
    assert np.ptp(expected) > 0.1


def test_two_activations_of_one_name_are_refused(tmp_path: Path) -> None:
    path = residual_network(tmp_path / "net.onnx", names=("Same", "Same"))
    model = onnx.load(path)
    model.graph.node[6].output[0] = "Net_1/Same_2/out:0"
    with pytest.raises(WeightsError, match="two activations of the network come from one layer"):
        quantized(model, {})
