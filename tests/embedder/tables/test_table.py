import dataclasses
from pathlib import Path

import numpy as np
import pytest

from embedder.errors import TableError
from embedder.tables.table import EmbeddingTable, is_unit
from tests.embedder.fakes import LENGTH, make_table
from tests.embedder.runs import same, same_columns
from tests.embedder.table_files import changed


@pytest.mark.parametrize("n_faces", [[], [0], [1], [1, 2, 0], [2] * 700])
def test_write_and_read_give_the_same(tmp_path: Path, n_faces: list[int]) -> None:
    table = make_table(n_faces)
    table.write(tmp_path / "t.h5")
    read = EmbeddingTable.read(str(tmp_path / "t.h5"))
    assert same(read, table)
    assert (read.photo_root, read.fingerprint, read.created) == (table.photo_root, table.fingerprint, table.created)
    assert len(read) == sum(n_faces) and read.embeddings.shape == (sum(n_faces), LENGTH)
    assert read.embeddings.dtype == np.float32 and all(isinstance(path, str) for path in read.paths)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("embeddings", np.ones(3, np.float32), r"`embeddings` must be \(n, d\), got shape \(3,\)"),
        ("boxes", np.ones((2, 4), np.float32), r"`boxes` must be float32 \(3, 4\), got float32 \(2, 4\)"),
        ("landmarks", np.ones((3, 10), np.float32), r"`landmarks` must be float32 \(3, 5, 2\)"),
        ("face_indices", np.ones(3), r"`face_indices` must be int32 \(3,\), got float64"),
        ("identities", np.array([1, 2, 3]), r"`identities` must be str \(3,\), got int64"),
        ("identities", np.array(["a", None, "b"], dtype=object), "`identities` must be str"),
        ("paths", np.array(["a/0.jpg", "a/1.jpg", "a/2.jpg"]), "rows must follow the ledger"),
        ("embeddings", np.full((3, LENGTH), np.nan, np.float32), "`embeddings` must be finite and of unit length"),
        ("embeddings", np.zeros((3, LENGTH), np.float32), "in 3 rows, first in that of a/0.jpg"),
        ("embeddings", np.full((3, LENGTH), np.inf, np.float32), "`embeddings` must be finite"),
    ],
)
def test_refuses_bad_columns(name: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(make_table(), **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "status",
            np.array(["ok", "ok", "lost"]),
            r"expected one of ok, no_face, unreadable, error in `images/status`, found 'lost' in row 2 \('a/2\.jpg'\)",
        ),
        ("n_faces", np.array([1, -1, 0]), r"expected 0 or more in `images/n_faces`, found -1 in row 1 \('a/1\.jpg'\)"),
        ("size", np.array([1]), r"`size` must be int64 \(3,\), got int64 \(1,\)"),
    ],
)
def test_refuses_a_bad_ledger(name: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(make_table().images, **{name: value})


def test_is_unit() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [1.01, 0], [np.nan, 1], [np.inf, 0], [0, 0]], np.float32)
    assert is_unit(vectors).tolist() == [True, True, False, False, False, False]
    assert is_unit(vectors[:0]).tolist() == []


def test_columns_cannot_be_changed() -> None:
    table = make_table()
    with pytest.raises(ValueError, match="read-only"):
        table.embeddings[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.embeddings = np.zeros((0, 2))  # type: ignore[misc]


def test_select_keeps_the_photos_of_its_rows() -> None:
    table = make_table([1, 2, 0, 3])
    chosen = table.select(np.array([False, False, True, True, False, True]))
    assert chosen.paths.tolist() == ["a/1.jpg", "a/3.jpg", "a/3.jpg"]
    assert chosen.face_indices.tolist() == [1, 0, 2]
    assert chosen.images.path.tolist() == ["a/1.jpg", "a/3.jpg"] and chosen.images.n_faces.tolist() == [1, 2]
    assert np.array_equal(chosen.embeddings, table.embeddings[[2, 3, 5]])
    assert len(table.select(np.zeros(6, bool))) == 0 and len(table.select(np.zeros(6, bool)).images) == 0
    assert same_columns(table.select(np.ones(6, bool)), table)


@pytest.mark.parametrize("mask", [np.array([True]), np.array([0, 1, 1]), np.ones((3, 1), bool)])
def test_select_refuses_other_masks(mask: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"`mask` must be bool \(3,\), got"):
        make_table().select(mask)


def test_to_frame() -> None:
    pytest.importorskip("pandas")
    table = make_table()
    frame = table.to_frame()
    assert frame.columns.tolist() == [
        "identity",
        "path",
        "face_index",
        "x_min",
        "y_min",
        "x_max",
        "y_max",
        "left_eye_x",
        "left_eye_y",
        "right_eye_x",
        "right_eye_y",
        "nose_x",
        "nose_y",
        "mouth_left_x",
        "mouth_left_y",
        "mouth_right_x",
        "mouth_right_y",
        "detection_score",
        "image_sha256",
        "origin",
        "time_s",
        "second_score",
    ]
    assert frame["identity"].tolist() == ["Zoë", "", "王小明"] and frame["path"].tolist() == table.paths.tolist()
    assert frame["y_max"].tolist() == table.boxes[:, 3].tolist()
    assert frame["nose_y"].tolist() == table.landmarks[:, 2, 1].tolist()
    assert make_table([]).to_frame().shape == (0, 22)


def test_ledger_to_frame() -> None:
    pytest.importorskip("pandas")
    frame = make_table().images.to_frame()
    assert frame["n_faces"].tolist() == [1, 2, 0] and frame["status"].tolist() == ["ok", "ok", "no_face"]


def test_read_refuses_vectors_no_table_may_hold(tmp_path: Path) -> None:
    make_table().write(tmp_path / "t.h5")
    with changed(tmp_path / "t.h5") as file:
        file["embeddings"][1] = np.nan
    with pytest.raises(TableError, match=f"{tmp_path / 't.h5'}: `embeddings` must be finite"):
        EmbeddingTable.read(tmp_path / "t.h5")


def test_write_into_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make_table().write(tmp_path / "missing" / "t.h5")


def test_write_replaces_what_a_link_points_to(tmp_path: Path) -> None:
    make_table([1]).write(tmp_path / "real.h5")
    (tmp_path / "link.h5").symlink_to("real.h5")
    make_table([1, 1]).write(tmp_path / "link.h5")
    assert (tmp_path / "link.h5").is_symlink() and len(EmbeddingTable.read(tmp_path / "real.h5")) == 2
