"""History over HTTP: pages, undo and redo, here and on the command line."""

from people.store.store import PeopleStore


def test_decisions_come_newest_first_in_pages(client):
    page = client.get("/api/v1/history", params={"limit": 2}).json()
    assert [one["id"] for one in page["decisions"]] == [3, 2] and page["more"] and page["revision"] == 3
    rest = client.get("/api/v1/history", params={"before": 2}).json()
    assert [(one["kind"], one["name"], one["n_faces"]) for one in rest["decisions"]] == [("is", "Ada", 6)]
    assert not rest["more"]


def test_any_decision_is_taken_back_and_made_again(client, workspace):
    assert client.post("/api/v1/history/undo", json={"decision": 1}).json()["undoes"] == 1
    assert client.get("/api/v1/people", params={"q": "Ada"}).json()["total"] == 0
    again = client.post("/api/v1/history/undo", json={"decision": 1})
    assert (again.status_code, again.json()["error"]["kind"]) == (400, "decision")
    with PeopleStore(workspace.store) as store:
        store.redo()
    assert client.get("/api/v1/people", params={"q": "Ada"}).json()["total"] == 1
    assert client.post("/api/v1/history/redo", json={}).status_code == 400
    assert client.post("/api/v1/history/undo", json={"decision": 99}).status_code == 404


def test_a_rename_says_the_name_that_it_replaced(client, workspace):
    with PeopleStore(workspace.store) as store:
        ada = store.find_person("Ada").number
        first, second = store.rename(ada, "Ada L."), store.rename(ada, "Lovelace")
        store.undo(first.number)
    newest = client.get("/api/v1/history", params={"limit": 4}).json()["decisions"]
    assert [(one["id"], one["name_before"], one["text"]) for one in newest[1:]] == [
        (second.number, "Ada L.", "Lovelace"),
        (first.number, "Ada", "Ada L."),
        (3, "", ""),
    ]
    assert (newest[0]["name_before"], newest[0]["root"]["name_before"]) == ("", "Ada")


def test_the_newest_is_not_taken_back_unseen(client):
    assert client.post("/api/v1/history/undo", json={"revision": 2}).status_code == 409
    assert client.post("/api/v1/history/undo", json={"revision": 3}).json()["undoes"] == 3


def test_the_start_says_what_is_here_and_what_waits(client):
    answer = client.get("/api/v1/workspace").json()
    assert answer["name"] == "family" and answer["revision"] == 3
    counts = answer["counts"]
    assert (counts["photos"], counts["faces"], counts["named"], counts["unnamed"]) == (10, 278, 269, 9)
    assert (counts["people"], counts["groups"]) == (3, 1)
    assert answer["needs"] == [{"kind": "scan", "n": 1}, {"kind": "groups", "n": 1}]
