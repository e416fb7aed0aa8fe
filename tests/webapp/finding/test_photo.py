"""Faces drawn on a photo over HTTP, named and taken back; the later of two is told."""

import pytest

from people.store.records import photo_number
from people.store.store import PeopleStore
from tests.webapp.made import HOSTILE

BOX = [0.45, 0.75, 0.55, 0.95]


@pytest.fixture
def photo(workspace) -> int:
    """Return the number of a photo of two faces."""
    with PeopleStore(workspace.store) as store:
        return photo_number(store.files()[0].sha256)


def faces_of(client, photo: int) -> list[dict]:
    return client.get(f"/api/v1/photos/{photo}").json()["faces"]


def test_a_face_is_drawn_named_shown_and_taken_back(client, photo):
    decision = client.post(f"/api/v1/photos/{photo}/faces", json={"box": BOX}).json()
    assert (decision["kind"], decision["text"], decision["n_faces"]) == ("same", "drawn", 1)
    drawn = faces_of(client, photo)[1]
    assert (drawn["waits"], drawn["name"], drawn["face"]["state"], drawn["face"]["box"]) == (True, "", "open", BOX)
    key = drawn["face"]["key"]
    assert client.get(f"/api/v1/faces/{key}").json() == drawn["face"]
    assert client.get(f"/api/v1/faces/{key}/thumbnail").headers["content-type"] == "image/webp"
    seen = {"key": key, "state": "open", "person": None}
    named = client.post("/api/v1/faces/decide", json={"kind": "is", "name": HOSTILE, "faces": [seen]})
    assert named.status_code == 200 and faces_of(client, photo)[1]["name"] == HOSTILE
    again = client.post("/api/v1/faces/decide", json={"kind": "is", "name": "Bob", "faces": [seen]})
    assert (again.status_code, again.json()["error"]["kind"]) == (409, "conflict"), "it was seen without a name"
    assert client.post("/api/v1/history/undo", json={"decision": decision["id"]}).status_code == 200
    assert client.post("/api/v1/history/undo", json={"decision": named.json()["id"]}).status_code == 200
    assert len(faces_of(client, photo)) == 2


def test_a_face_is_drawn_with_its_name(client, workspace, photo):
    assert client.post(f"/api/v1/photos/{photo}/faces", json={"box": BOX, "name": "Eve"}).json()["name"] == "Eve"
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Eve").n_faces == 1


def test_where_a_face_is_already_the_later_one_is_told_and_nothing_is_lost(client, workspace, photo):
    assert client.post(f"/api/v1/photos/{photo}/faces", json={"box": BOX, "name": "Eve"}).status_code == 200
    for box in (BOX, [0.15, 0.3, 0.45, 0.7]):
        answer = client.post(f"/api/v1/photos/{photo}/faces", json={"box": box, "name": "Mallory"})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (409, "conflict")
    with PeopleStore(workspace.store) as store:
        assert [person.name for person in store.people()] == [HOSTILE, "Ada", "Bob", "Eve"]


@pytest.mark.parametrize(
    "box", [[0.5, 0.5, 0.4, 0.6], [0.1, 0.1, 1.2, 0.2], [0.1, 0.1, 0.2], [-0.1, 0, 0.2, 0.2], "all", [None] * 4]
)
def test_boxes_that_are_none_are_refused(client, photo, box):
    assert client.post(f"/api/v1/photos/{photo}/faces", json={"box": box}).status_code == 422


def test_a_box_too_small_and_a_name_that_is_none(client, photo):
    answer = client.post(f"/api/v1/photos/{photo}/faces", json={"box": [0.5, 0.8, 0.505, 0.9]})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "decision")
    answer = client.post(f"/api/v1/photos/{photo}/faces", json={"box": BOX, "name": "a\u2028b"})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "person")
    assert client.post("/api/v1/photos/12/faces", json={"box": BOX}).status_code == 404
    assert len(faces_of(client, photo)) == 2
