"""The notebooks run from start to end on the sample photos, and are kept without what they print."""

import re
from pathlib import Path

import pytest

from tests import PROJECT

FOLDER = PROJECT / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

nbformat = pytest.importorskip("nbformat", reason="notebooks need nbclient: pip install -r requirements-dev.txt")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["door_camera", "first_table", "heads_and_thresholds"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_hold_no_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[] for _ in code]
    assert {cell.execution_count for cell in code} == {None}


def run(name: str, photos: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run a notebook in a process of its own and return what its cells print and show, as text."""
    monkeypatch.setenv("FACETABLE_SAMPLES", str(photos))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    place = {"metadata": {"path": str(FOLDER)}}
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]


@pytest.mark.realdata
@pytest.mark.timeout(180)
class TestRun:
    def test_a_first_table(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        said = run("first_table", data / "people" / "train", monkeypatch)
        assert "'alex_lacamoire'" in said[0]
        assert said[-1].startswith("EmbeddingTable: 9 faces, 5 people")

    def test_heads_and_thresholds(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        said = run("heads_and_thresholds", data / "people" / "train", monkeypatch)
        named = re.findall(r"^\d+ +(\w+) +(\w+) +-?[\d.]+$", said[-1], re.MULTILINE)
        assert len(named) == 5
        assert all(who == ("unknown" if one == "rose_leslie" else one) for one, who in named)

    def test_a_door_camera(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        said = "\n".join(run("door_camera", data / "people" / "train", monkeypatch))
        assert "1 unknown" in said
        for name in ("alex_lacamoire", "biden"):
            assert re.search(rf"^\d+ +[\d.]+ +{name} ", said, re.MULTILINE)
