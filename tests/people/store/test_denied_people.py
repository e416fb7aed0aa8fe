"""Whom faces are not: asked of a few rows, the answer is that of all links."""

from people.store.store import PeopleStore
from tests.webapp.made import HOSTILE, make_photos, make_workspace


def test_the_answer_for_some_rows_is_that_of_all_links(tmp_path):
    make_photos(tmp_path / "photos")
    workspace = make_workspace(tmp_path / "family", tmp_path / "photos")
    with PeopleStore(workspace.store) as store:
        faces = [face.face for face in store.faces_in_table()]
        ada, bob, other = (store.find_person(name).number for name in ("Ada", "Bob", HOSTILE))
        store.deny(faces[1:4], ada)
        store.deny(faces[3:4], bob)
        undone = store.deny(faces[5:6], bob)
        store.undo(undone.number)
        store.deny(faces[0:1], bob)
        store.merge(bob, other)
        for rows in ([], [1], [3], [0, 3, 5], [5], list(range(len(faces)))):
            assert store.denied_people(rows) == {person for row, person in store.links().denied if row in rows}, rows
        assert store.denied_people([3]) == {ada, other}
