"""Parquet and back, value by value; and what is no such file is one line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from embedder.errors import TableError
from embedder.exchange.parquet import is_our_parquet, read_parquet, write_parquet
from foundation.errors import InputError
from tests.embedder.fakes import make_table

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def made(n_faces=(1, 2, 0, 12)):
    table = make_table(n_faces)
    times, origins = table.times.copy(), table.origins.copy()
    if len(table):
        times[-1], origins[0] = 1.25, "drawn"
    return replace(table, times=times, origins=origins, more_roots=("/más",))


@pytest.mark.parametrize("n_faces", [(1, 2, 0, 12), (0, 0), (3,)])
def test_everything_comes_back(tmp_path, n_faces):
    table, file = made(n_faces), tmp_path / "f.parquet"
    write_parquet(file, table)
    back = read_parquet(file)
    for columns, others in ((table.columns(), back.columns()), (table.images.columns(), back.images.columns())):
        for name, values in columns.items():
            np.testing.assert_array_equal(others[name], values, err_msg=name)
            assert others[name].dtype == values.dtype
    assert (back.fingerprint, back.created) == (table.fingerprint, table.created)
    assert (back.photo_root, back.more_roots) == (table.photo_root, ("/más",))
    assert is_our_parquet(file) and file.stat().st_mode & 0o777 == 0o600


def test_the_vectors_are_a_list_of_fixed_size_and_the_fingerprint_is_in_the_metadata(tmp_path):
    table, file = made(), tmp_path / "f.parquet"
    write_parquet(file, table)
    schema = parquet.read_schema(file)
    assert schema.field("embedding").type == pyarrow.list_(pyarrow.float32(), table.embeddings.shape[1])
    assert json.loads(schema.metadata[b"facetable.fingerprint"]) == table.fingerprint


def test_rows_in_another_order_and_without_what_can_be_done_without(tmp_path):
    table, file = made(), tmp_path / "f.parquet"
    write_parquet(file, table)
    read = parquet.read_table(file)
    shuffled = read.take(np.random.default_rng(0).permutation(len(read))).drop_columns(["identity", "time_s", "origin"])
    parquet.write_table(shuffled.append_column("mine", pyarrow.array([1] * len(read))), file)
    back = read_parquet(file)
    np.testing.assert_array_equal(back.embeddings, table.embeddings)
    assert set(back.identities) == {""} and set(back.origins) == {"detected"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda read: read.drop_columns(["embedding"]), "embedding"),
        (lambda read: read.replace_schema_metadata(None), "facetable.version"),
        (
            lambda read: read.replace_schema_metadata({**read.schema.metadata, b"facetable.version": b"2"}),
            "update facetable to read it",
        ),
    ],
)
def test_what_a_table_cannot_do_without_is_named(tmp_path, change, message):
    file = tmp_path / "f.parquet"
    write_parquet(file, made())
    parquet.write_table(change(parquet.read_table(file)), file)
    with pytest.raises(TableError, match=message) as raised:
        read_parquet(file)
    assert str(raised.value).startswith(f"{file}: expected a Parquet file written by facetable export")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 50, b"text", b"PAR1\xff\xff\xff\xffPAR1"])
def test_what_is_no_parquet_is_refused_and_not_ours(tmp_path, content):
    file = tmp_path / "f.parquet"
    file.write_bytes(content)
    with pytest.raises(TableError, match=r"f\.parquet: expected a Parquet file"):
        read_parquet(file)
    assert not is_our_parquet(file)


def test_another_file_is_never_replaced(tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear Zoë")
    with pytest.raises(InputError, match="give another name for --parquet"):
        write_parquet(file, made())
    assert file.read_text() == "Dear Zoë"
