"""The adapter to ``onnxruntime.quantization``: a version that lacks what it uses is named, with what is missing."""

import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import onnxruntime
import pytest
from onnxruntime import quantization

from embedder.runtime.onnx_quantizer import TESTED_VERSION, QuantizerError, missing_parts, quantize_graph
from tests import PROJECT

_RANGES = {
    "Transpose_0": (-1.0, 1.0),
    "Conv_1": (0.0, 8.0),
    "Down_Activation": (0.0, 8.0),
    "Up": (-9.0, 9.0),
}


def test_the_installed_version_has_all_that_is_used() -> None:
    missing = missing_parts(quantization)
    assert not missing, f"onnxruntime {onnxruntime.__version__} lacks {missing}: write quantize_graph for it"


def test_the_tested_version_is_the_one_required() -> None:
    required = re.search(r"^onnxruntime==(.+)$", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    assert required is not None
    assert required[1] == TESTED_VERSION, "read the release notes, run these tests, then raise TESTED_VERSION"


def test_the_nodes_named_become_integers_and_no_others(network: Path) -> None:
    nodes = ["Conv_1", "Down_Activation", "Up"]
    model = quantize_graph(onnx.load(network), _RANGES, nodes=nodes, op_types=["Conv", "Relu"])
    types = Counter(node.op_type for node in model.graph.node)
    assert types["Conv"] == 2 and types["Relu"] == 2 and types["Add"] == 1
    integers = {array.name for array in model.graph.initializer if array.data_type == onnx.TensorProto.INT8}
    assert {"constant_0_quantized", "constant_2_quantized"} <= integers
    quantized = {node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}
    assert quantized >= {"Transpose_0", "Up"} and "Sum" not in quantized


def test_what_a_version_lacks_is_named() -> None:
    class QDQQuantizer:
        def __init__(self, model: Any, nodes: Any) -> None:
            pass

    changed = SimpleNamespace(
        QuantType=SimpleNamespace(QUInt8=0),
        CalibrationMethod=quantization.CalibrationMethod,
        TensorData=quantization.TensorData,
        QDQQuantizer=QDQQuantizer,
    )
    missing = missing_parts(changed)  # type: ignore[arg-type]
    assert missing[:3] == ["QuantType.QInt8", "TensorsData.items", "QDQQuantizer.quantize_model"]
    assert "QDQQuantizer(tensors_range=)" in missing and "QDQQuantizer(model=)" not in missing


def test_a_version_that_lacks_something_is_refused(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "__version__", "9.9")
    monkeypatch.delattr(quantization, "TensorData")
    with pytest.raises(
        QuantizerError, match=r"^onnxruntime 9\.9: expected .*, it lacks TensorData\.range_value; install onnxruntime=="
    ):
        quantize_graph(onnx.load(network), _RANGES, nodes=["Conv_1"], op_types=["Conv"])
