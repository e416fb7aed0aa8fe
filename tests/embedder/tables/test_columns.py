from pathlib import Path

import h5py
import numpy as np
import pytest

from embedder.errors import TableError
from embedder.tables.columns import IMAGE_COLUMNS, ROW_COLUMNS, columns_of_version
from embedder.tables.file import TableFileReader
from embedder.tables.size import TextSize
from embedder.tables.table import EmbeddingTable
from tests.embedder.fakes import make_table
from tests.embedder.table_files import changed, write_version_1


def test_version_1_has_no_newer_columns() -> None:
    assert [column.name for column in ROW_COLUMNS if column.since > 1] == ["origin", "time_s", "second_score"]
    assert [column.name for column in IMAGE_COLUMNS if column.since > 1] == ["turned", "taken", "kind"]
    assert len(columns_of_version(ROW_COLUMNS, 1)) == 8 and len(columns_of_version(IMAGE_COLUMNS, 1)) == 9


@pytest.mark.parametrize("n_faces", [[1, 2, 0], [], [0]])
def test_a_table_of_version_1_is_read_and_lacks_nothing(tmp_path: Path, n_faces: list[int]) -> None:
    table = make_table(n_faces)
    path = write_version_1(tmp_path / "t.h5", table)
    with TableFileReader(path) as file:
        assert file.version == 1
        assert list(file.rows()) == [column.name for column in ROW_COLUMNS]
    read = EmbeddingTable.read(path)
    for name, values in table.columns().items():
        np.testing.assert_array_equal(read.columns()[name], values, err_msg=name)
    for name, values in table.images.columns().items():
        np.testing.assert_array_equal(read.images.columns()[name], values, err_msg=name)
    assert read.origins.tolist() == ["detected"] * len(table) and np.isnan(read.times).all()
    assert read.images.kind.tolist() == ["photo"] * len(n_faces) and not read.images.turned.any()
    assert (read.created, read.fingerprint, read.photo_root) == (table.created, table.fingerprint, table.photo_root)


def test_written_again_it_is_of_version_2(tmp_path: Path) -> None:
    path = write_version_1(tmp_path / "t.h5", make_table())
    EmbeddingTable.read(path).write(path)
    with TableFileReader(path) as file:
        assert file.version == 2


def test_numbers_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    make_table().write(tmp_path / "t.h5")
    with changed(tmp_path / "t.h5") as file:
        del file["face_index"]
        file["face_index"] = np.array([0, 2**40, 1])
    with pytest.raises(TableError, match="expected int32 in `face_index`, found 1099511627776 in row 1; restore it"):
        EmbeddingTable.read(tmp_path / "t.h5")


@pytest.mark.parametrize("long_path", [False, True])
def test_text_of_much_the_same_length_stands_side_by_side(tmp_path: Path, long_path: bool) -> None:
    table = make_table([1] * 100)
    paths = table.paths.copy()
    paths[0] = "Zoë/" + "ä" * (120 if long_path else 20) + ".jpg"
    if long_path:
        paths[0] += "x" * 3900
    images = {**table.images.columns(), "path": paths}
    changed_table = EmbeddingTable(
        **{name: getattr(table, name) for name in ("embeddings", "identities", "face_indices", "boxes", "landmarks")},
        **{name: getattr(table, name) for name in ("detection_scores", "image_sha256", "photo_root", "fingerprint")},
        paths=paths,
        images=type(table.images)(**images),
        created=table.created,
    )
    changed_table.write(tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5") as file:
        assert file["path"].dtype.kind == file["images/path"].dtype.kind == ("O" if long_path else "S")
        assert file["path"].asstr()[:2].tolist() == paths[:2].tolist()
    assert EmbeddingTable.read(tmp_path / "t.h5").paths.tolist() == paths.tolist()


def test_text_whose_length_is_not_known_yet_goes_into_the_heap() -> None:
    assert not TextSize(10, longest=None).is_even(5)
    assert TextSize.of(["ä", "", "abc"]) == TextSize(5, longest=3) and TextSize.of([]) == TextSize(0, longest=0)
