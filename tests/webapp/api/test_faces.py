"""Faces over HTTP: decisions about several at once, all or none."""

import pytest

from tests.webapp.made import HOSTILE


def faces_of(client, name: str) -> tuple[int, list[dict]]:
    person = client.get("/api/v1/people", params={"q": name}).json()["people"][0]["id"]
    return person, client.get(f"/api/v1/people/{person}/faces").json()["faces"]


def seen(face: dict) -> dict:
    return {key: face[key] for key in ("key", "state", "person")}


def decide(client, faces, **what):
    return client.post("/api/v1/faces/decide", json={"faces": [seen(face) for face in faces], **what})


def test_faces_move_to_another_name(client):
    _, faces = faces_of(client, "Ada")
    decision = decide(client, faces[:2], kind="is", name="Eve").json()
    assert (decision["kind"], decision["name"], decision["n_faces"]) == ("is", "Eve", 2)
    assert [face["key"] for face in faces_of(client, "Eve")[1]] == [face["key"] for face in faces[:2]]
    assert len(faces_of(client, "Ada")[1]) == 4


@pytest.mark.parametrize(
    ("what", "state"),
    [({"kind": "is_not"}, "open"), ({"kind": "nobody"}, "nobody"), ({"kind": "not_a_face"}, "not_a_face")],
)
def test_what_else_may_be_said_of_faces(client, what, state):
    person, faces = faces_of(client, "Bob")
    what = {**what, "person": person} if what["kind"] == "is_not" else what
    assert decide(client, faces[:1], **what).status_code == 200
    now = client.get(f"/api/v1/faces/{faces[0]['key']}").json()
    assert (now["state"], now["person"]) == (state, None)


def test_the_later_of_two_is_told_and_nothing_is_half_done(client):
    _, faces = faces_of(client, "Ada")
    assert decide(client, faces[2:3], kind="is", name=HOSTILE).status_code == 200
    answer = decide(client, faces, kind="nobody")
    assert answer.status_code == 409 and answer.json()["error"]["kind"] == "conflict"
    assert repr(HOSTILE) in answer.json()["error"]["message"]
    assert len(faces_of(client, "Ada")[1]) == 5


@pytest.mark.parametrize(
    "what",
    [
        {"kind": "is"},
        {"kind": "is_not"},
        {"kind": "nobody", "name": "Eve"},
        {"kind": "is", "name": "Eve", "person": 1},
        {"kind": "maybe"},
    ],
)
def test_decisions_that_say_too_little_or_too_much(client, what):
    _, faces = faces_of(client, "Ada")
    assert decide(client, faces[:1], **what).status_code == 422
    assert decide(client, [], kind="nobody").status_code == 422


def test_a_thumbnail_is_a_square_webp(client):
    _, faces = faces_of(client, "Ada")
    answer = client.get(f"/api/v1/faces/{faces[0]['key']}/thumbnail")
    assert answer.headers["content-type"] == "image/webp" and answer.content[8:12] == b"WEBP"
    assert answer.headers["cache-control"] == "private, no-store"
