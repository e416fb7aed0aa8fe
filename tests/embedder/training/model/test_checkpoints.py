"""Weights files of other programs: written here in their formats under their names, and the real ones."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.runtime.weights import Arrays, write_safetensors
from embedder.training.model.checkpoints import read_checkpoint
from tests import PROJECT

RNG = np.random.default_rng(0)


def _slim_arrays() -> tuple[Arrays, Arrays]:
    """Return variables under slim's names, and the same under those of the Keras network."""
    layers = {
        "InceptionResnetV1/Conv2d_1a_3x3": "Conv2d_1a_3x3",
        "InceptionResnetV1/Repeat/block35_1/Branch_1/Conv2d_0b_3x3": "Block35_1_Branch_1_Conv2d_0b_3x3",
        "InceptionResnetV1/Repeat_1/block17_10/Branch_1/Conv2d_0b_1x7": "Block17_10_Branch_1_Conv2d_0b_1x7",
        "InceptionResnetV1/Repeat_2/block8_5/Branch_0/Conv2d_1x1": "Block8_5_Branch_0_Conv2d_1x1",
        "InceptionResnetV1/Mixed_6a/Branch_0/Conv2d_1a_3x3": "Mixed_6a_Branch_0_Conv2d_1a_3x3",
        "InceptionResnetV1/Bottleneck": "Bottleneck",
    }
    slim, expected = {}, {}
    for scope, layer in layers.items():
        shape = (7, 5) if layer == "Bottleneck" else (3, 3, 2, 4)
        variables = {
            "weights": f"{layer}/kernel",
            "BatchNorm/beta": f"{layer}_BatchNorm/beta",
            "BatchNorm/moving_mean": f"{layer}_BatchNorm/moving_mean",
            "BatchNorm/moving_variance": f"{layer}_BatchNorm/moving_variance",
        }
        for slim_name, name in variables.items():
            array = RNG.normal(size=shape if slim_name == "weights" else shape[-1:]).astype(np.float32)
            slim[f"{scope}/{slim_name}"] = expected[name] = array
    up = RNG.normal(size=(1, 1, 4, 4)).astype(np.float32), RNG.normal(size=4).astype(np.float32)
    slim |= {"InceptionResnetV1/Block8/Conv2d_1x1/weights": up[0], "InceptionResnetV1/Block8/Conv2d_1x1/biases": up[1]}
    return slim, expected | {"Block8_6_Conv2d_1x1/kernel": up[0], "Block8_6_Conv2d_1x1/bias": up[1]}


_NOT_OF_THE_NETWORK = {
    "Logits/weights": np.zeros((5, 3), np.float32),
    "Logits/biases": np.zeros(3, np.float32),
    "global_step": np.int64(9),
    "InceptionResnetV1/Conv2d_1a_3x3/weights/ExponentialMovingAverage": np.ones((3, 3, 2, 4), np.float32),
    "InceptionResnetV1/Bottleneck/weights/RMSProp": np.ones((7, 5), np.float32),
}


def _assert_equal(arrays: Arrays, expected: Arrays) -> None:
    assert arrays.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array)


@pytest.fixture(scope="module")
def tf1_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("model")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, array in (_tf1_slim | _NOT_OF_THE_NETWORK).items():
            tf.compat.v1.get_variable(name, initializer=array)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "model-20180408-102900.ckpt"), global_step=90)
    return folder


_tf1_slim, _tf1_expected = _slim_arrays()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "model-20180408-102900.ckpt-90",
        "model-20180408-102900.ckpt-90.index",
        "model-20180408-102900.ckpt-90.data-00000-of-00001",
        "model-20180408-102900.ckpt-90.meta",
    ],
)
def test_a_tensorflow_1_checkpoint_is_read_by_any_of_its_names(tf1_folder: Path, name: str) -> None:
    found = read_checkpoint(tf1_folder / name)
    _assert_equal(found.arrays, _tf1_expected)
    assert sorted(found.unused) == sorted(_NOT_OF_THE_NETWORK)
    assert found.embedding_size == 5
    assert found.standardization is None


def test_a_tensorflow_1_checkpoint_without_its_data_is_refused(tf1_folder: Path, tmp_path: Path) -> None:
    index = next(tf1_folder.glob("*.index"))
    (tmp_path / index.name).write_bytes(index.read_bytes())
    with pytest.raises(WeightsError, match="not a whole TensorFlow 1 checkpoint"):
        read_checkpoint(tmp_path / index.name)
    (tmp_path / index.name).write_bytes(index.read_bytes()[:30])
    with pytest.raises(WeightsError, match="not a whole TensorFlow 1 checkpoint"):
        read_checkpoint(tmp_path / index.name)


def test_two_checkpoints_in_a_folder_must_be_told_apart(tmp_path: Path) -> None:
    for name in ("model.ckpt-1.index", "model.ckpt-2.index"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(
        WeightsError, match=r"expected one TensorFlow 1 checkpoint, found model.ckpt-1.index, model.ckpt-2.index"
    ):
        read_checkpoint(tmp_path)


def test_a_frozen_graph_with_unfolded_batch_norm_is_read(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        for name, array in (_tf1_slim | _NOT_OF_THE_NETWORK).items():
            tf.identity(tf.constant(array, name=name), name=f"{name}/read")
    path = tmp_path / "20180408-102900.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    _assert_equal(read_checkpoint(path).arrays, _tf1_expected)


@pytest.mark.parametrize("size", [128, 512])
def test_a_keras_h5_is_read_at_either_embedding_size(tmp_path: Path, size: int) -> None:
    expected = {
        "Conv2d_1a_3x3/kernel": RNG.normal(size=(3, 3, 3, 32)).astype(np.float32),
        "Block35_1_Branch_0_Conv2d_1x1_BatchNorm/moving_mean": RNG.normal(size=32).astype(np.float32),
        "Bottleneck/kernel": RNG.normal(size=(1792, size)).astype(np.float32),
    }
    with h5py.File(tmp_path / "facenet_keras.h5", "w") as file:
        for name, array in expected.items():
            layer, variable = name.split("/")
            group = file.create_group(f"model_weights/{layer}")
            group.attrs["weight_names"] = [f"{layer}/{variable}:0".encode()]
            group[f"{layer}/{variable}:0"] = array
    found = read_checkpoint(tmp_path / "facenet_keras.h5")
    _assert_equal(found.arrays, expected)
    assert found.embedding_size == size


def test_safetensors_bring_their_width(tmp_path: Path) -> None:
    arrays = {"Bottleneck/kernel": np.ones((4, 2), np.float32)}
    write_safetensors(tmp_path / "a.safetensors", arrays, {"width": "0.25", "input_size": "96"})
    found = read_checkpoint(tmp_path / "a.safetensors")
    assert (found.width, found.embedding_size) == (0.25, 2)
    write_safetensors(tmp_path / "b.safetensors", arrays, {"width": "wide"})
    with pytest.raises(WeightsError, match="expected a number as `width` in its metadata, got 'wide'"):
        read_checkpoint(tmp_path / "b.safetensors")


class _Trap:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("name", ["facenet_weights.pkl", "weights.pb", "weights.h5"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_is_refused_and_not_run_whatever_its_name(tmp_path: Path, name: str, protocol: int) -> None:
    mark = tmp_path / "mark"
    (tmp_path / name).write_bytes(pickle.dumps(_Trap(mark), protocol=protocol))
    with pytest.raises(
        WeightsError, match=r"a pickle .* which can run code when it is read; expected a TensorFlow 1 checkpoint"
    ):
        read_checkpoint(tmp_path / name)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.pt", b"PK\x03\x04 archive"),
        ("weights.npy", b"\x93NUMPY\x01\x00"),
        ("old.pickle", b"(dp0\n."),
    ],
)
def test_archives_that_may_hold_pickles_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="a pickle"):
        read_checkpoint(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", b"weights", "unknown kind of file; expected a TensorFlow 1 checkpoint, a frozen graph"),
        ("graph.pb", b"", "found no Bottleneck/kernel among its 0 arrays"),
        ("graph.pb", b"\xff" * 40, "not a frozen graph"),
        ("weights.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 40, "expected a whole HDF5 file of weights"),
        ("weights.safetensors", b"\xff\0\0\0\0\0\0\0{cut short", "not a safetensors file"),
    ],
)
def test_what_holds_no_weights_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        read_checkpoint(tmp_path / name)


def test_a_name_that_is_nothing_lists_the_presets(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="facenet-casia-20180408"):
        read_checkpoint(tmp_path / "absent")


def test_the_default_preset_is_read_whole() -> None:
    found = read_checkpoint("facenet-casia-20180408")
    assert (found.embedding_size, found.standardization, found.input_size, found.width) == (512, "fixed", 160, 1.0)
    assert found.arrays["Conv2d_1a_3x3/kernel"].shape == (3, 3, 3, 32)
    np.testing.assert_allclose(found.arrays["Conv2d_1a_3x3_BatchNorm/moving_variance"], 0.999)


def test_the_published_keras_file_is_read_whole() -> None:
    path = PROJECT / "data" / "models" / "facenet_keras.h5"
    if not path.is_file():
        pytest.skip(f"{path} is absent; python -m data.samples --weights fetches it")
    found = read_checkpoint(path)
    assert (found.embedding_size, found.standardization) == (128, "per_image")
    assert found.arrays["Block8_6_Conv2d_1x1/bias"].shape == (1792,)
    assert len(found.arrays) == 490
