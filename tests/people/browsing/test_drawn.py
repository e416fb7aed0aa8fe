"""Drawn faces are shown and decided about before the next scan has taken them into the table."""

import numpy as np
import pytest

from people.browsing.drawn import NO_ROW, check_drawn, drawn_faces, faces_of_keys
from people.errors import ConflictError, DecisionError, UnknownFaceError
from people.store.records import Face, photo_number
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from tests.people.faces import face

PARTY = photo_number(face("party").photo_sha256)


@pytest.fixture
def store(tmp_path):
    """Return a store of a photo with one face that was found, and a copy of it."""
    hash_of_party = face("party").photo_sha256
    files = [ScannedFile(path, hash_of_party, 400, 200) for path in ("copy/party.jpg", "party.jpg")]
    with PeopleStore(tmp_path / "people.sqlite", create=True) as opened:
        places = np.array([[*face("party").box, 0.0]] * 2)
        opened.record_table(files, np.array([0, 1]), face_indices=np.zeros(2, int), places=places)
        yield opened


def test_a_drawn_face_is_there_until_it_is_taken_back_or_is_none(store):
    drawn = store.draw(face("party", 1))
    (shown,) = drawn_faces(store, PARTY)
    assert (shown.row, shown.path, shown.state, shown.size) == (NO_ROW, "copy/party.jpg", "open", (400, 200))
    store.name([shown.face], "Ada")
    assert [(one.state, one.person) for one in drawn_faces(store, PARTY)] == [("named", 1)]
    gone = store.mark_not_a_face([shown.face])
    assert drawn_faces(store, PARTY) == []
    store.undo(gone.number)
    store.undo()
    assert [one.state for one in drawn_faces(store, PARTY)] == ["open"]
    store.undo(drawn.number)
    assert drawn_faces(store, PARTY) == []


def test_a_face_of_the_table_is_not_drawn(store):
    store.name([face("party")], "Ada")
    assert drawn_faces(store, PARTY) == []


def test_keys_of_both_kinds_in_their_order(store):
    store.draw(face("party", 1))
    keys = [face("party", 1).key, face("party").key, face("party", 1).key]
    assert [one.face.key for one in faces_of_keys(store, keys)] == keys
    assert [one.row for one in faces_of_keys(store, keys)] == [NO_ROW, 0, NO_ROW]
    with pytest.raises(UnknownFaceError, match="expected the key of a face of the newest scan"):
        faces_of_keys(store, [face("party", 1).key, face("party", 2).key])


def test_what_may_be_drawn(store):
    file = store.files()[0]
    check_drawn(store, file, face("party", 1))
    store.draw(face("party", 1))
    for place in (0, 1):
        with pytest.raises(ConflictError, match="there is a face at this place already"):
            check_drawn(store, file, face("party", place))
    check_drawn(store, file, face("party", 2))
    with pytest.raises(DecisionError, match="expected a box of at least 8 pixels on a photo, got 4x100"):
        check_drawn(store, file, Face(file.sha256, (0.8, 0.2, 0.81, 0.7)))
