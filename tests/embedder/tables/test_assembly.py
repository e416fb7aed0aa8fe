from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embedder.errors import TableError
from embedder.tables import assembly
from embedder.tables.assembly import path_order, read_entries, write_table
from embedder.tables.file import Header
from embedder.tables.table import EmbeddingTable
from tests.embedder.fakes import LENGTH, make_table
from tests.embedder.table_files import changed

HEADER = Header("/photos", {"space": {"embedding_length": LENGTH}, "provenance": {}}, "2026-05-05")


def no_rule(path, size_hw, rows):
    raise AssertionError("no photo has moved")


def assemble(out: Path, entries, rule=no_rule) -> EmbeddingTable:
    write_table(out, HEADER, entries, identity_rule=rule, temporary_folder=out.parent)
    return EmbeddingTable.read(out)


def test_entries_say_where_their_rows_are(tmp_path: Path) -> None:
    make_table([1, 0, 2]).write(tmp_path / "t.h5")
    header, entries = read_entries(tmp_path / "t.h5")
    assert header.photo_root == "/photos"
    assert [(entry.path, entry.n_faces, entry.row, entry.status) for entry in entries] == [
        ("a/0.jpg", 1, 0, "ok"),
        ("a/1.jpg", 0, 1, "no_face"),
        ("a/2.jpg", 2, 1, "ok"),
    ]
    assert {entry.source for entry in entries} == {tmp_path / "t.h5"}
    assert [type(value) for value in (entries[0].n_faces, entries[0].mtime_ns, entries[0].path)] == [int, int, str]


def test_path_order_keeps_folders_together() -> None:
    assert sorted(["a-b/1.jpg", "a/2.jpg", "a.jpg", "a/1.jpg"], key=path_order) == [
        "a/1.jpg",
        "a/2.jpg",
        "a-b/1.jpg",
        "a.jpg",
    ]


def test_no_entries_make_an_empty_table(tmp_path: Path) -> None:
    table = assemble(tmp_path / "t.h5", [])
    assert table.embeddings.shape == (0, LENGTH) and len(table.images) == 0


def test_puts_parts_together_in_path_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "_OPEN_FILES", 3)
    monkeypatch.setattr(assembly, "_PHOTOS_A_BLOCK", 2)
    whole = make_table([1, 2, 0, 3, 1, 0, 0, 2, 1, 1, 2, 2])
    whole.write(tmp_path / "whole.h5")
    entries = []
    for i in range(6):  # part i holds photos i and i + 6
        keep = np.isin(whole.paths, [f"a/{i}.jpg", f"a/{i + 6}.jpg"])
        whole.select(keep).write(tmp_path / f"{i}.h5")
        entries += read_entries(tmp_path / f"{i}.h5")[1]
    table = assemble(tmp_path / "t.h5", entries)
    expected = whole.select(np.argsort([path_order(path) for path in whole.paths], axis=0)[:, 0] >= 0)
    order = sorted(range(len(whole)), key=lambda row: path_order(whole.paths[row]))
    assert table.paths.tolist() == expected.paths[order].tolist()
    assert np.array_equal(table.embeddings, whole.embeddings[order])
    assert np.array_equal(table.landmarks, whole.landmarks[order])
    assert table.identities.tolist() == whole.identities[order].tolist()
    assert table.images.path.tolist() == sorted(set(whole.paths), key=path_order)
    assert (table.created, table.photo_root) == ("2026-05-05", "/photos")


def test_rows_of_a_moved_photo_take_path_and_identity(tmp_path: Path) -> None:
    make_table([1, 2]).write(tmp_path / "t.h5")
    first, second = read_entries(tmp_path / "t.h5")[1]
    seen = []

    def rule(path, size_hw, rows):
        seen.append((path, size_hw, rows["box"].shape, rows["embeddings"].shape))
        return ["", "王小明"]

    before = EmbeddingTable.read(tmp_path / "t.h5")
    table = assemble(tmp_path / "t.h5", [first, replace(second, path="A/new.jpg", size=7)], rule)
    assert seen == [("A/new.jpg", (40, 50), (2, 4), (2, LENGTH))]
    assert table.paths.tolist() == ["A/new.jpg", "A/new.jpg", "a/0.jpg"]
    assert table.identities.tolist() == ["", "王小明", "Zoë"]
    assert np.array_equal(table.embeddings, before.embeddings[[1, 2, 0]])
    assert table.images.size.tolist() == [7, 100]


def test_refuses_a_source_whose_ledger_and_rows_differ(tmp_path: Path) -> None:
    make_table([1, 2]).write(tmp_path / "t.h5")
    entries = read_entries(tmp_path / "t.h5")[1]
    with changed(tmp_path / "t.h5") as file:
        file["path"][2] = "a/9.jpg"
    with pytest.raises(TableError, match="expected the rows of a/0"):
        assemble(tmp_path / "out.h5", entries)
    with changed(tmp_path / "t.h5") as file:
        file["images/n_faces"][0] = 3
    with pytest.raises(TableError, match="expected 5 rows as its ledger says, found 3"):
        read_entries(tmp_path / "t.h5")
    assert not (tmp_path / "out.h5").exists()


def test_refuses_a_vector_that_is_not_of_unit_length(tmp_path: Path) -> None:
    make_table([1, 2]).write(tmp_path / "t.h5")
    with changed(tmp_path / "t.h5") as file:
        file["embeddings"][0] = 1
    with pytest.raises(TableError, match="of unit length"):
        assemble(tmp_path / "out.h5", read_entries(tmp_path / "t.h5")[1])
