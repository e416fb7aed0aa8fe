"""ONNX files of others: what is refused before anything runs."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from embedder.errors import WeightsError
from embedder.network_files.onnx_file import from_onnx
from tests.embedder.small_networks import write_network


def network_of(*inputs: tuple[str, int, list[int]], n_outputs: int = 1) -> bytes:
    """Return a network that hands its first input through."""
    values = [helper.make_tensor_value_info(*value) for value in inputs]
    name, kind, sides = inputs[0]
    out = [helper.make_tensor_value_info("y", kind, sides)][:n_outputs]
    graph = helper.make_graph([helper.make_node("Identity", [name], ["y"])], "net", values, out)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


PICTURES = ("x", TensorProto.FLOAT, [1, 3, 8, 8])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04 not a network", "expected an ONNX file, found a damaged or another one"),
        (b"", "expected an ONNX file"),
        (network_of(PICTURES, ("z", TensorProto.FLOAT, [1])), "expected a network with one input, found x, z"),
        (network_of(("x", TensorProto.UINT8, [1, 3, 8, 8])), "an input of FLOAT with 4 axes, found UINT8 with 4"),
        (network_of(("x", TensorProto.FLOAT, [1, 192])), "an input of FLOAT with 4 axes, found FLOAT with 2"),
    ],
)
def test_what_is_no_network_of_pictures_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        from_onnx(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = write_network(tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="expected an ONNX file, found a damaged or another one"):
        from_onnx(path)


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    path = write_network(tmp_path / "net.onnx")
    model = onnx.load_model_from_string(path.read_bytes())
    kernel = model.graph.initializer[0]
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    kernel.external_data.add(key="location", value="../../../etc/passwd")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match="weights in the file, found kernel in another one; export it as one file"):
        from_onnx(path)


def test_a_fixed_batch_becomes_a_free_one(tmp_path: Path) -> None:
    graph = from_onnx(write_network(tmp_path / "net.onnx", batch=2)).graph
    assert [value.type.tensor_type.shape.dim[0].dim_param for value in (*graph.input, *graph.output)] == ["n", "n"]


def network_with_prelu(slopes: np.ndarray, *, opset: int = 15, stored: bool = True) -> bytes:
    """Return a network of two PReLUs one after the other, the second with its slopes computed if not `stored`."""
    picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])
    out = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 3, 8, 8])
    constant = numpy_helper.from_array(slopes, "slopes")
    nodes = [helper.make_node("PRelu", ["x", "slopes"], ["y"])]
    if stored:
        nodes.append(helper.make_node("PRelu", ["y", "slopes"], ["z"]))
    else:
        nodes += [helper.make_node("Abs", ["slopes"], ["s"]), helper.make_node("PRelu", ["y", "s"], ["z"])]
    graph = helper.make_graph(nodes, "net", [picture], [out], [constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


SLOPES = np.array([0.25, -3.0, 1.5], np.float32)


@pytest.mark.parametrize(
    ("slopes", "stored", "n_left"),
    [
        (SLOPES.reshape(3, 1, 1), True, 0),
        (SLOPES.reshape(1, 3, 1, 1), True, 0),
        (SLOPES[:1].reshape(1, 1, 1), True, 0),
        (SLOPES.reshape(3, 1, 1), False, 1),
        (np.linspace(-2, 2, 8, dtype=np.float32), True, 2),  # along the rows
    ],
)
def test_a_prelu_of_channels_is_written_as_the_runtime_likes_it(
    tmp_path: Path, slopes: np.ndarray, stored: bool, n_left: int
) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(network_with_prelu(slopes, stored=stored))
    written = from_onnx(path)
    assert [node.op_type for node in written.graph.node].count("PRelu") == n_left
    images = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    before, after = (
        onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {"x": images})[0]
        for content in (path.read_bytes(), written.SerializeToString())
    )
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_a_prelu_of_operators_that_do_not_broadcast_stays(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(network_with_prelu(np.ones((3, 1, 1), np.float32), opset=6))
    assert [node.op_type for node in from_onnx(path).graph.node] == ["PRelu", "PRelu"]
