"""The recipes of docs/vector_stores.md, each as it stands there, where its package is installed."""

import re

import pytest

from embedder.exchange.parquet import write_parquet
from tests import PROJECT
from tests.embedder.fakes import make_table

TEXT = (PROJECT / "docs" / "vector_stores.md").read_text("utf-8")
RECIPES = dict(re.findall(r"^## (\S+)$.*?^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize(
    ("recipe", "package"), [("Faiss", "faiss"), ("LanceDB", "lancedb"), ("Qdrant", "qdrant_client")]
)
def test_the_face_itself_is_found_first_and_then_others(tmp_path, monkeypatch, recipe, package):
    pytest.importorskip("pyarrow")
    pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    table = make_table((3, 4))
    write_parquet(tmp_path / "faces.parquet", table)
    names: dict[str, list[tuple[str, float]]] = {}
    exec(compile(RECIPES[recipe], recipe, "exec"), names)
    scores = [score for _, score in names["found"]]
    expected = sorted((float(vector @ table.embeddings[0]) for vector in table.embeddings), reverse=True)[:5]
    assert names["found"][0][0] == "a/0.jpg"
    assert scores == pytest.approx(expected, abs=1e-5)


def test_a_recipe_that_no_test_runs_says_so():
    assert set(RECIPES) == {"Faiss", "LanceDB", "Qdrant", "pgvector"}
    assert "## pgvector\n\nNot run by the tests" in TEXT
    compile(RECIPES["pgvector"], "pgvector", "exec")
