"""The commands rename and merge."""

import json

import pytest

from classifiers import OpenSetClassifier
from classifiers.commands.main import main
from classifiers.files.head_file import load_head, save_head
from tests.classifiers.people import FINGERPRINT, make_people


@pytest.fixture
def head(tmp_path):
    people = make_people(3, 2)
    path = tmp_path / "h.skops"
    save_head(
        OpenSetClassifier(threshold=0.6).fit(people.vectors, people.identities, fingerprint=FINGERPRINT).head_, path
    )
    return path


def test_rename(head, tmp_path, capsys):
    result = tmp_path / "r.json"
    assert main(["rename", str(head), "person 001", "Ada", "--json", str(result)]) == 0
    assert load_head(head).gallery.photos_per_identity == {"Ada": 2, "person 000": 2, "person 002": 2}
    assert set(load_head(head).gallery.origins) == {"", "enrolled"}
    assert f"{head}: person 001 is called Ada, 2 photos" in capsys.readouterr().out
    assert json.loads(result.read_text())["n_renamed"] == 2
    before = head.read_bytes()
    assert main(["rename", str(head), "Ada", "person 000"]) == 2
    assert "facetable merge HEAD 'Ada' 'person 000'" in capsys.readouterr().err
    assert head.read_bytes() == before


def test_merge_warns_of_people_who_do_not_look_alike(head, tmp_path, capsys):
    result = tmp_path / "r.json"
    assert main(["merge", str(head), "person 002", "person 000", "--json", str(result)]) == 0
    assert load_head(head).gallery.photos_per_identity == {"person 000": 4, "person 001": 2}
    printed = capsys.readouterr()
    assert "2 photos of person 002 are person 000's now" in printed.out
    assert printed.err.startswith("warning: person 002 and person 000 do not look like one person: the best score")
    assert json.loads(result.read_text())["is_doubtful"] is True
    assert main(["merge", str(head), "person 000", "nobody"]) == 2
    assert "'nobody' is not enrolled" in capsys.readouterr().err
