"""Opening a store: what is none, newer, or damaged is one line, and nothing is changed."""

import random
import sqlite3
from pathlib import Path

import pytest

from foundation.errors import FacetableError
from people.errors import StoreError
from people.store import schema
from people.store.store import PeopleStore
from tests.people.faces import face


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with PeopleStore(tmp_path / "people.sqlite", create=True) as store:
        for i in range(40):
            store.name([face(i), face(i, 1)], f"Person {i % 7}")
        store.merge(1, 2)
        store.undo()
    return tmp_path / "people.sqlite"


def test_everything_is_in_the_one_file_when_it_is_closed(path):
    assert [file.name for file in path.parent.iterdir()] == ["people.sqlite"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file"),
        (b"who,what\n", "found text"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "found HDF5 data"),
        (b"SQLite format 3\0", "found a damaged one \\(cut off\\)"),
        (b"SQLite format 3\0" + bytes(200), "found a damaged one"),
    ],
)
def test_what_is_no_store(content, message, tmp_path):
    (tmp_path / "people.sqlite").write_bytes(content)
    with pytest.raises(StoreError, match=f"people.sqlite: expected .*{message}"):
        PeopleStore(tmp_path / "people.sqlite")
    assert (tmp_path / "people.sqlite").read_bytes() == content


def test_a_missing_store_is_made_only_when_asked(tmp_path):
    with pytest.raises(FileNotFoundError):
        PeopleStore(tmp_path / "people.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_another_programs_database_and_a_newer_version_are_refused(path, tmp_path):
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE faces (id)")
    with pytest.raises(StoreError, match="found another program's database"):
        PeopleStore(tmp_path / "other.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(StoreError, match=f"expected a store of version {schema.VERSION} or before, found 2; update"):
        PeopleStore(path)


def test_a_cut_store_is_damaged(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 4096])
    with pytest.raises(StoreError, match=r"found a damaged one .* facetable people WORKSPACE restore"):
        PeopleStore(path)


def test_random_damage_is_refused_in_one_line_or_harmless(path):
    """Flipped bytes, runs of zeros, pages in another's place: an error of ours, or everything can be read."""
    content, chosen = path.read_bytes(), random.Random(5)
    n_refused = 0
    for _ in range(120):
        damaged = bytearray(content)
        kind, at = chosen.randrange(3), chosen.randrange(len(content))
        if kind == 0:
            damaged[at] ^= 1 << chosen.randrange(8)
        elif kind == 1:
            damaged[at : at + 400] = bytes(len(damaged[at : at + 400]))
        else:
            pages = len(content) // 4096
            one, two = (4096 * chosen.randrange(pages) for _ in range(2))
            damaged[one : one + 4096] = content[two : two + 4096]
        path.write_bytes(damaged)
        try:
            with PeopleStore(path) as store:
                store.check()
                for person in store.people():
                    store.faces_of(person.number)
                store.history()
        except (FacetableError, OSError) as error:
            n_refused += 1
            assert "\n" not in str(error)
    assert n_refused > 40
