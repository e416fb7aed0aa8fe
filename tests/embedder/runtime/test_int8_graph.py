from pathlib import Path

import onnx

from embedder.runtime.int8_graph import keys_of_tensors, nodes_to_quantize


def test_what_only_a_rectifier_reads_needs_no_range(network: Path) -> None:
    keys = keys_of_tensors(onnx.load(network))
    assert keys == {"Transpose_0": "images", "Down_Activation": "Down_Activation", "Up": "Up", "Block": "Block"}


def test_nodes_up_to_the_pooling_are_quantized(network: Path) -> None:
    model = onnx.load(network)
    assert [node.op_type for node in nodes_to_quantize(model)] == ["Conv", "Relu", "Conv", "Add", "Relu"]
    assert [node.op_type for node in model.graph.node][-3:] == ["GlobalAveragePool", "Flatten", "Relu"]
