"""Vectors of some rows of a workspace's table, also after a scan has written it anew."""

import numpy as np
import pytest

from embedder.errors import TableError
from people.workspace.vectors import FaceVectors
from people.workspace.workspace import create_workspace
from tests.embedder.fakes import make_table


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "photos").mkdir()
    return create_workspace(tmp_path / "family", [tmp_path / "photos"])


def test_rows_come_in_the_order_asked_for(workspace):
    table = make_table([1] * 100)
    table.write(workspace.table)
    with FaceVectors(workspace) as vectors:
        for rows in ([], [5], [99, 0, 50, 51, 0], np.arange(100)[::-1]):
            assert np.array_equal(vectors.of_rows(rows), table.embeddings[np.asarray(rows, int)])


def test_a_table_written_anew_is_read_anew(workspace):
    make_table([1] * 5).write(workspace.table)
    with FaceVectors(workspace) as vectors:
        before = vectors.version
        vectors.of_rows([4])
        table = make_table([1] * 9)
        table.write(workspace.table)
        assert vectors.version != before
        assert np.array_equal(vectors.of_rows([8]), table.embeddings[8:])


def test_where_there_is_no_table_or_a_damaged_one(workspace):
    vectors = FaceVectors(workspace)
    assert vectors.version == (0, 0)
    with pytest.raises(FileNotFoundError):
        vectors.of_rows([0])
    workspace.table.write_bytes(b"no table")
    with pytest.raises(TableError, match="expected an embedding table"):
        vectors.of_rows([0])
