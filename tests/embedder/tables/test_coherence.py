"""Which identities have faces mostly unlike each other."""

import numpy as np
import pytest

from embedder.tables import coherence
from embedder.tables.coherence import find_incoherent, find_incoherent_in_file
from tests.embedder.fakes import make_table

ALIKE = 0.36


def unit(*people, length=64):
    """One vector a face: faces of the same number are alike, others at right angles."""
    rng = np.random.default_rng(0)
    vectors = np.eye(length, dtype=np.float32)[list(people)] + 0.02 * rng.normal(size=(len(people), length))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def found(**faces):
    names = [name for name, people in faces.items() for _ in people]
    vectors = unit(*[person for people in faces.values() for person in people])
    return find_incoherent(names, vectors.__getitem__, alike=ALIKE)


def test_a_name_is_an_album_where_nobody_makes_up_half_of_it():
    assert found(Ann=[0, 0, 0], album=[1, 2, 3], Bob=[4, 4, 4, 4, 5], half=[6, 6, 6, 7, 8]) == ["album"]
    assert found(five=[0, 0, 0, 1, 2, 3, 4, 5], four=[0, 0, 0, 0, 1, 2, 3]) == ["five"]
    assert found() == [] and found(one=[0]) == []


def test_nobody_is_no_name():
    assert find_incoherent(["", "", "", ""], unit(0, 1, 2, 3).__getitem__, alike=ALIKE) == []


def test_two_photos_say_something_only_together_with_others():
    assert found(a=[0, 1], b=[2, 3], c=[4, 5]) == []
    assert found(a=[0, 1], b=[2, 3], c=[4, 5], d=[6, 6]) == ["a", "b", "c"]
    assert found(a=[0, 1], b=[2, 3], c=[4, 4], d=[6, 6]) == []


def test_of_a_large_folder_some_faces_are_looked_at():
    seen = []
    vectors = unit(*[0] * 300, *range(1, 41))

    def look(rows):
        seen.extend(rows.tolist())
        return vectors[rows]

    assert find_incoherent(["Ann"] * 300 + ["album"] * 40, look, alike=ALIKE) == ["album"]
    assert len(seen) == coherence.MAX_FACES + 40 and (min(seen), max(seen)) == (0, 339)


@pytest.mark.parametrize("at_once", [3, 16_384])
def test_a_file_gives_the_same_as_the_table_in_memory(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(coherence, "_ROWS_AT_ONCE", at_once)
    monkeypatch.setattr(coherence, "_NAMES_AT_ONCE", 2)
    table = make_table([1] * 24)
    names = np.array([["Ann", "Bob", "", "Cy"][row % 4] for row in range(24)], dtype=object)
    object.__setattr__(table, "identities", names)
    table.write(tmp_path / "t.h5")
    wanted = find_incoherent(names, table.embeddings.__getitem__, alike=0.5)
    assert wanted and find_incoherent_in_file(tmp_path / "t.h5", alike=0.5) == wanted
