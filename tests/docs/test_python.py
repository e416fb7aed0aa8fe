"""The Python that docs/scikit-learn.md and docs/heads.md show does what they say."""

import re
import sys
import types
import warnings

import numpy as np
import pytest

from embedder import EmbeddingTable
from embedder.networks.presets import DEFAULT_PRESET, get_preset
from tests import PROJECT
from tests.classifiers.people import make_people

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def run_page(name: str) -> dict[str, object]:
    """Run the blocks of a page one after the other, warnings as errors, and return what they have made."""
    page = types.ModuleType("page_of_documentation")
    sys.modules[page.__name__] = page
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for code in _BLOCK.findall((PROJECT / "docs" / name).read_text("utf-8")):
            exec(compile(code, name, "exec"), vars(page))
    return vars(page)


@pytest.mark.realdata
def test_scikit_learn(data, tmp_path, monkeypatch, capsys):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    people = make_people(6, 4, length=512)
    names = [*people.identities[:-1], ""]
    EmbeddingTable.from_arrays(people.vectors, names, space=get_preset(DEFAULT_PRESET).space).write("faces.h5")
    (tmp_path / "photos").mkdir()
    for name, source in {"anna": "biden", "bob": "obama"}.items():
        photo = next((data / "people" / "train" / source).iterdir())
        (tmp_path / "photos" / f"{name}.jpg").write_bytes(photo.read_bytes())
    made = run_page("scikit-learn.md")
    assert made["classifier"].head_.score_kind == "normalized"
    assert made["classifier"].predict(people.vectors[:3]).tolist() == ["person 000"] * 3
    assert made["by_number"].predict(np.vstack([people.vectors[:1], made["stranger"]])).tolist() == [0, -1]
    assert made["search"].best_score_ > 0.9
    assert made["people"].predict(["photos/anna.jpg", "photos/bob.jpg"]).tolist() == ["Anna", "Bob"]
    assert len(set(made["groups"].tolist())) == 40
    assert "EmbeddingTable: 120 faces, 40 people" in capsys.readouterr().out


def test_a_head_of_ones_own():
    assert run_page("heads.md")["trust"] == ["page_of_documentation.NearestMean"]
