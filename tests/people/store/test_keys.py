"""Keys of faces and numbers of photos: they hold for ever, and find what the newest table shows."""

import numpy as np
import pytest

from people.errors import ConflictError, DecisionError, UnknownFaceError, UnknownPhotoError
from people.store.records import Face, parse_face_key, photo_number
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from tests.people.faces import face


@pytest.fixture
def store(tmp_path):
    with PeopleStore(tmp_path / "people.sqlite", create=True, by="test") as opened:
        record(opened, [face(1), face(1, 1), face(2)])
        yield opened


def record(store: PeopleStore, faces: list[Face]) -> None:
    """Let the store know a table of these faces, one file for each photo."""
    hashes = list(dict.fromkeys(one.photo_sha256 for one in faces))
    store.record_table(
        [ScannedFile(f"{i}.jpg", sha256, 1000, 800) for i, sha256 in enumerate(hashes)],
        np.array([hashes.index(one.photo_sha256) for one in faces]),
        face_indices=np.arange(len(faces)),
        places=np.array([[*one.box, one.time_s] for one in faces]),
    )


def test_a_key_says_photo_box_and_moment():
    shown = Face("00" * 31 + "ff", (-0.01, 0.2, 0.5, 1.02), 12.5)
    assert shown.key == "0_-100_2000_5000_10200_12500"
    assert parse_face_key(shown.key) == (0, (-0.01, 0.2, 0.5, 1.02), 12.5)
    assert photo_number("f" * 64) == 2**52 - 1


@pytest.mark.parametrize("key", ["", "1", "1_2_3_4", "1_2_3_4_5_-6", "1_2_3_4_x", "1_2_3_4_5 ", "١_1_1_1_1"])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(UnknownFaceError, match="expected the key of a face"):
        parse_face_key(key)


def test_a_face_is_found_by_its_key_also_a_little_elsewhere(store):
    keys = [face(1, 1).key, face(2).key]
    assert [found.face.key for found in store.faces_with_keys(keys)] == keys
    record(store, [face(2), Face(face(1).photo_sha256, (0.31, 0.21, 0.45, 0.5))])  # rows moved, another detector
    assert [found.row for found in store.faces_with_keys(keys)] == [1, 0]
    with pytest.raises(UnknownFaceError, match="its photo may be gone"):
        store.faces_with_keys([face(3).key])


def test_a_photo_is_found_by_its_number(store):
    assert store.photo(photo_number(face(2).photo_sha256)).path == "1.jpg"
    for number in (-1, 5, 2**52, 10**30):
        with pytest.raises(UnknownPhotoError):
            store.photo(number)


def test_the_cover_is_the_one_chosen_else_the_largest(store):
    ada = store.name([face(1), face(1, 1), face(2)], "Ada").person
    assert ada is not None
    wide = Face(face(3).photo_sha256, (0.1, 0.1, 0.9, 0.9))
    record(store, [face(1), face(1, 1), face(2), wide])
    store.name([wide], "Ada")
    assert store.covers([ada, 77])[ada].face == wide
    store.set_cover(ada, face(2))
    assert store.covers([ada]) == {ada: store.faces_with_keys([face(2).key])[0]}


def test_counts_and_pages(store):
    ada = store.name([face(1), face(1, 1)], "Ada").person
    store.mark_nobody([face(2)])
    counts = store.count_table()
    assert (counts.n_files, counts.n_named, counts.n_nobody, counts.n_open, counts.n_not_a_face) == (2, 2, 1, 0, 0)
    assert [one.row for one in store.faces_in_table(person=ada, page=slice(1, 9))] == [1]
    assert store.faces_in_table(person=ada, page=slice(2, 4)) == []
    assert [one.number for one in store.history(before=2)] == [1]


def test_what_does_not_hold_any_more_is_not_decided(store):
    def refuse() -> None:
        raise ConflictError("somebody else was faster")

    with pytest.raises(ConflictError), store.provided(refuse):
        store.name([face(1)], "Ada")
    assert store.revision == 0 and store.people() == []
    store.name([face(1)], "Ada")
    assert store.revision == 1


def test_decisions_are_made_at_once_or_not_at_all(store):
    with pytest.raises(DecisionError), store.at_once():
        store.name([face(1)], "Ada")
        store.join([face(1)])
    assert store.revision == 0 and store.people() == [] and store.made == []
    with store.at_once():
        store.name([face(1)], "Ada")
        store.mark_nobody([face(2)])
    assert [one.kind for one in store.history()] == ["nobody", "is"] and store.made == [1, 2]
    store.undo(1)
    assert store.people() == [] and store.revision == 3
