"""What a head file is; what is wrong with hostile ones stands in ``tests/classifiers/files/test_hostile_heads.py``."""

from pathlib import Path

import pytest

from classifiers import OpenSetClassifier, save_head
from foundation.errors import HeadFileError
from foundation.head_files.arrays import expected_arrays
from foundation.head_files.contents import is_head_file, open_head_file
from tests.classifiers.files.hostile import read_entries, write_entries
from tests.classifiers.people import make_people


@pytest.fixture
def head(tmp_path: Path) -> Path:
    people = make_people(2, 2, length=8)
    save_head(OpenSetClassifier("gallery", 0.5).fit(people.vectors, people.identities).head_, tmp_path / "h.skops")
    return tmp_path / "h.skops"


def test_a_head_is_opened(head: Path) -> None:
    with open_head_file(head) as contents:
        assert contents.record["identities"] == ["person 000", "person 001"]
        arrays = {f"serving/{name}.npy" for name in expected_arrays(contents.record, contents.sizes)}
        assert set(contents.sizes) == {"facetable.json", *arrays}
        assert contents.array_bytes("codes").startswith(b"\x93NUMPY")


def test_what_the_reader_refuses_names_the_file_too(head: Path) -> None:
    line = rf"^{head}: expected a whole head, found a damaged one \(odd numbers\); train it"
    with pytest.raises(HeadFileError, match=line), open_head_file(head):
        raise ValueError("odd numbers")
    with pytest.raises(KeyError), open_head_file(head):
        raise KeyError("a fault of our own")


def test_which_files_are_heads(head: Path, tmp_path: Path) -> None:
    assert is_head_file(head)
    entries = read_entries(head)
    other_order = dict(reversed(entries.items()))
    assert is_head_file(write_entries(tmp_path / "b.skops", other_order))
    (tmp_path / "cut.skops").write_bytes(head.read_bytes()[:500])
    assert is_head_file(tmp_path / "cut.skops")
    assert not is_head_file(write_entries(tmp_path / "c.zip", {"photo.jpg": b""}))
    (tmp_path / "text").write_text("facetable.json")
    assert not is_head_file(tmp_path / "text")
