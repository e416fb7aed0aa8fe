"""People over HTTP: lists, pages, edits, and what happens when somebody else was faster."""

import pytest

from people.store.store import PeopleStore
from tests.webapp.made import HOSTILE, N_CROWD


def named(client, name: str) -> dict:
    people = client.get("/api/v1/people", params={"q": name, "hidden": True}).json()["people"]
    return next(person for person in people if person["name"] == name)


def seen(person: dict) -> dict:
    return {"name": person["name"], "hidden": person["hidden"]}


def test_most_faces_first_with_covers_and_pages(client):
    answer = client.get("/api/v1/people", params={"limit": 2}).json()
    assert answer["total"] == 3
    assert [(one["name"], one["n_faces"]) for one in answer["people"]] == [(HOSTILE, N_CROWD), ("Ada", 6)]
    assert client.get(f"/api/v1/faces/{answer['people'][1]['cover']}").json()["person"] == answer["people"][1]["id"]
    rest = client.get("/api/v1/people", params={"offset": 2}).json()
    assert [one["name"] for one in rest["people"]] == ["Bob"]


def test_search_finds_letters_anywhere_beginnings_first(client, workspace):
    with PeopleStore(workspace.store) as store:
        store.rename(store.find_person("Bob").number, "Anna Ad")
    found = client.get("/api/v1/people", params={"q": "aD"}).json()["people"]
    assert [one["name"] for one in found] == ["Ada", "Anna Ad"]
    assert client.get("/api/v1/people", params={"q": "nobody"}).json() == {"total": 0, "people": []}


def test_faces_of_a_person_come_in_pages(client):
    person = named(client, HOSTILE)["id"]
    answer = client.get(f"/api/v1/people/{person}/faces", params={"offset": N_CROWD - 1}).json()
    assert answer["total"] == N_CROWD and len(answer["faces"]) == 1
    assert answer["faces"][0]["path"] == "crowd.png" and answer["faces"][0]["state"] == "named"


def test_rename_hide_and_show_again(client):
    ada = named(client, "Ada")
    url = f"/api/v1/people/{ada['id']}"
    decision = client.patch(url, json={"name": " Ada  L. ", "expected": seen(ada)}).json()
    assert (decision["kind"], decision["text"], decision["by"]) == ("rename", "Ada  L.", "page")
    client.patch(url, json={"hidden": True, "expected": {"name": "Ada  L."}})
    assert [one["name"] for one in client.get("/api/v1/people").json()["people"]] == [HOSTILE, "Bob"]
    client.patch(url, json={"hidden": False, "expected": {"name": "Ada  L.", "hidden": True}})
    assert client.get(url).json()["hidden"] is False


def test_merging_is_one_decision_that_the_command_line_can_undo(client, workspace):
    ada, bob = named(client, "Ada"), named(client, "Bob")
    edit = {"into": bob["id"], "expected": seen(ada), "expected_into": seen(bob)}
    decision = client.post(f"/api/v1/people/{ada['id']}/merge", json=edit).json()
    assert (decision["kind"], decision["name"], decision["other"]) == ("merge", "Ada", "Bob")
    assert client.get(f"/api/v1/people/{ada['id']}").json()["id"] == bob["id"]
    with PeopleStore(workspace.store) as store:
        store.undo(decision["id"])
    assert named(client, "Ada")["n_faces"] == 6


def test_the_later_of_two_browsers_is_told_and_nothing_is_lost(client):
    ada, bob = named(client, "Ada"), named(client, "Bob")
    url = f"/api/v1/people/{ada['id']}"
    assert client.patch(url, json={"name": "Ada One", "expected": seen(ada)}).status_code == 200
    before = client.get("/api/v1/history").json()["revision"]
    edits = [
        client.patch(url, json={"name": "Ada Two", "expected": seen(ada)}),
        client.patch(url, json={"hidden": True, "expected": seen(ada)}),
        client.post(f"{url}/merge", json={"into": bob["id"], "expected": seen(ada), "expected_into": seen(bob)}),
    ]
    for answer in edits:
        assert answer.status_code == 409 and "it is 'Ada One' now" in answer.json()["error"]["message"]
    assert client.get("/api/v1/history").json()["revision"] == before


@pytest.mark.parametrize(
    ("edit", "status", "kind"),
    [
        ({"name": "Bob"}, 400, "person"),
        ({"name": "?"}, 400, "person"),
        ({"name": "unknown"}, 400, "person"),
        ({"name": ""}, 422, "invalid"),
        ({"nmae": "Eve"}, 422, "invalid"),
        ({"name": 7}, 422, "invalid"),
        ({}, 422, "invalid"),
        ({"name": "Eve", "hidden": True}, 422, "invalid"),
    ],
)
def test_edits_that_cannot_be_made(client, edit, status, kind):
    ada = named(client, "Ada")
    answer = client.patch(f"/api/v1/people/{ada['id']}", json={"expected": seen(ada), **edit})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind)


@pytest.mark.parametrize("path", ["people/99", "people/99/faces", "faces/1_2_3_4_5", "faces/x", "photos/5/picture"])
def test_what_is_not_there_is_404(client, path):
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 404 and answer.json()["error"]["kind"].startswith("unknown_")


def test_together_timeline_and_cover(client, workspace):
    with PeopleStore(workspace.store) as store:
        faces = store.faces_in_table()
        store.name([faces[1].face, faces[3].face], "Bob")
    assert client.get("/api/v1/people/1/together").json() == {"people": [{"id": 2, "name": "Bob", "n_photos": 2}]}
    assert client.get("/api/v1/people/1/timeline").json() == {"months": [], "n_undated": 6}
    key = faces[4].face.key
    face = {"key": key, "state": "named", "person": 1}
    answer = client.post("/api/v1/people/1/cover", json={"face": face})
    assert answer.json()["kind"] == "cover" and client.get("/api/v1/people/1").json()["cover"] == key
    for person, seen in ((2, face), (1, {**face, "person": 2})):
        refused = client.post(f"/api/v1/people/{person}/cover", json={"face": seen})
        assert (refused.status_code, refused.json()["error"]["kind"]) == (409, "conflict")
