"""ONNX files of others: what is refused before anything runs."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

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
