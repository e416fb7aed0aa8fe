"""Groups, questions and reasons over HTTP, on a workspace with made vectors."""

import json

import numpy as np
import pytest

from people.store.store import PeopleStore
from people.suggestions.questions import Suggestion
from people.suggestions.saved import save_questions
from tests.webapp.made import add_head, add_table
from webapp.jobs.job import JobFolder
from webapp.jobs.process import do


@pytest.fixture
def ready(workspace, photos):
    """Return the workspace with a table and a head."""
    add_table(workspace, photos)
    add_head(workspace)
    return workspace


def seen(face):
    return {name: face[name] for name in ("key", "state", "person")}


@pytest.fixture
def alike(workspace, photos):
    """Return the workspace with a table in which unnamed faces look a little like Ada and Bob."""
    add_table(workspace, photos, alike=0.6)
    return workspace


def test_a_group_shows_its_faces_and_whom_it_may_be(client, alike):
    listed = client.get("/api/v1/groups").json()
    assert (listed["groups"], listed["revision"]) == ([{"group": 0, "n_faces": 3}], 3)
    group = client.get("/api/v1/groups/0").json()
    assert [face["state"] for face in group["faces"]] == ["open"] * 3 and sorted(group["shown"]) == [0, 1, 2]
    assert sorted(one["person"]["name"] for one in group["likely"]) == ["Ada", "Bob"]
    assert group["likely"][0]["similarity"] >= group["likely"][-1]["similarity"]
    assert client.get("/api/v1/groups/99").json()["faces"] == []


def test_a_person_the_group_is_not_is_not_proposed(client, alike):
    group = client.get("/api/v1/groups/0").json()
    likeliest = group["likely"][0]["person"]["id"]
    denied = {"kind": "is_not", "person": likeliest, "faces": [seen(group["faces"][0])]}
    assert client.post("/api/v1/faces/decide", json=denied).status_code == 200
    assert likeliest not in [one["person"]["id"] for one in client.get("/api/v1/groups/0").json()["likely"]]


def test_nobody_is_proposed_whom_the_group_cannot_be(client, ready):
    assert client.get("/api/v1/groups/0").json()["likely"] == []


def test_without_a_table_a_group_is_an_error_in_one_line(client):
    answer = client.get("/api/v1/groups/0")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "gone")


def test_a_split_is_decided_and_a_stale_one_refused(client, ready):
    faces = client.get("/api/v1/groups/0").json()["faces"]
    asked = {"faces": [seen(faces[0]), seen(faces[1])], "rest": [seen(faces[2])]}
    assert client.post("/api/v1/groups/split", json=asked).json()["kind"] == "different"
    with PeopleStore(ready.store) as store:
        assert [one.kind for one in store.history(limit=2)] == ["different", "same"]
    same = {"faces": [seen(faces[0])], "rest": [seen(faces[0])]}
    assert client.post("/api/v1/groups/split", json=same).status_code == 400
    client.post("/api/v1/faces/decide", json={"kind": "nobody", "faces": [seen(faces[0])]})
    assert client.post("/api/v1/groups/split", json=asked).status_code == 409


def test_why_leaves_the_face_itself_out(client, ready):
    ada = client.get("/api/v1/people", params={"q": "Ada"}).json()["people"][0]
    face = client.get(f"/api/v1/people/{ada['id']}/faces").json()["faces"][0]
    why = client.get(f"/api/v1/faces/{face['key']}/why").json()
    assert why["accepted"] and why["name"] == "Ada" and why["second"] is not None and why["margin"] > 0
    assert face["key"] not in [one["key"] for one in why["nearest"]]
    assert why["nearest"][0]["similarity"] == pytest.approx(why["score"], abs=1e-3)
    assert client.get(f"/api/v1/faces/{why['nearest'][0]['key']}").json()["person"] == ada["id"]


def test_why_without_a_head_says_so(client, workspace, photos):
    add_table(workspace, photos)
    key = client.get("/api/v1/people/1/faces").json()["faces"][0]["key"]
    assert client.get(f"/api/v1/faces/{key}/why").json()["error"]["kind"] == "no_head"


def suggest(workspace):
    """Do the job that looks for questions, in this process."""
    folder = JobFolder(workspace)
    job = folder.add("suggest")
    do(workspace, job.id)
    return folder.get(job.id)


def test_questions_are_looked_for_answered_and_not_asked_again(client, ready):
    assert client.get("/api/v1/questions").json() == {"questions": [], "revision": -1, "now": 3}
    job = suggest(ready)
    assert job.state == "done" and job.result["n_questions"] > 0
    assert (ready.questions.stat().st_mode & 0o777) == 0o600
    assert b"Ada" not in ready.questions.read_bytes() and b".png" not in ready.questions.read_bytes()
    listed = client.get("/api/v1/questions").json()
    assert listed["revision"] == 3 and len(listed["questions"]) == min(job.result["n_questions"], 50)
    first = listed["questions"][0]
    given = client.post(f"/api/v1/questions/{first['id']}/answer", json={"answer": "no"}).json()
    assert given["decision"] is not None or first["kind"] == "not_a_face"
    left = [one["id"] for one in client.get("/api/v1/questions").json()["questions"]]
    assert first["id"] not in left
    again = client.post(f"/api/v1/questions/{first['id']}/answer", json={"answer": "no"})
    assert (again.status_code, again.json()["error"]["kind"]) == (409, "conflict")


def test_a_question_about_faces_that_were_decided_since_is_not_asked(client, ready):
    suggest(ready)
    about = next(one for one in client.get("/api/v1/questions").json()["questions"] if one["kind"] == "is_really")
    face = about["faces"][0]
    client.post("/api/v1/faces/decide", json={"kind": "nobody", "faces": [seen(face)]})
    assert about["id"] not in [one["id"] for one in client.get("/api/v1/questions").json()["questions"]]


def asked(client):
    return client.get("/api/v1/questions").json()["questions"]


def test_several_questions_are_answered_at_once_and_each_is_taken_back_alone(client, ready):
    suggest(ready)
    first, second, third = asked(client)[:3]
    assert all(one["likely"] in ("yes", "no") for one in (first, second, third))
    kinds = [{"question": first["id"], "answer": "likely"}, {"question": second["id"], "answer": "no"}]
    given = {"answers": [*kinds, {"question": third["id"], "answer": "later"}]}
    made = client.post("/api/v1/questions/answer", json=given).json()["decisions"]
    assert made[2] is None
    assert {one["id"] for one in (first, second, third)}.isdisjoint(one["id"] for one in asked(client))
    with PeopleStore(ready.store) as store:
        assert store.revision == 3 + sum(decision is not None for decision in made)
    client.post("/api/v1/history/undo", json={"decision": made[1]["id"]})
    assert second["id"] in [one["id"] for one in asked(client)]
    assert first["id"] not in [one["id"] for one in asked(client)]


def test_of_several_answers_all_are_decided_or_none(client, ready):
    suggest(ready)
    first = asked(client)[0]["id"]
    gone = [{"question": first, "answer": "no"}, {"question": "nowhere", "answer": "yes"}]
    answer = client.post("/api/v1/questions/answer", json={"answers": gone})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (409, "conflict")
    twice = [{"question": first, "answer": "no"}, {"question": first, "answer": "yes"}]
    assert client.post("/api/v1/questions/answer", json={"answers": twice}).status_code == 422
    about_a_name = next(one["id"] for one in asked(client) if one["person"] is not None and one["id"] != first)
    refused = [{"question": first, "answer": "no"}, {"question": about_a_name, "answer": "yes", "name": "Eve"}]
    answer = client.post("/api/v1/questions/answer", json={"answers": refused})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "decision")
    with PeopleStore(ready.store) as store:
        assert store.revision == 3 and store.asked() == set()


def test_two_groups_are_one_person_with_a_name_in_one_answer(client, ready):
    with PeopleStore(ready.store) as store:
        (left,) = [np.array([face.row for face in group.faces]) for group in store.groups()]
        groups = np.full(278, -1)
        groups[left[:2]], groups[left[2]] = 0, 1
        store.record_groups(groups)
        faces = {face.row: face for face in store.faces_in_table()}
        one, two = ([faces[row]] for row in (int(left[0]), int(left[2])))
    question = Suggestion("of-two-groups", "same_person", "", 1, tuple(one), tuple(two), chance=0.7)
    save_questions(ready.questions, [question], revision=3)
    assert asked(client)[0]["likely"] == "yes"
    given = {"answer": "likely", "name": "Eve"}
    decision = client.post("/api/v1/questions/of-two-groups/answer", json=given).json()["decision"]
    assert (decision["kind"], decision["name"], decision["n_faces"]) == ("is", "Eve", 2)


def test_questions_without_their_chance_are_looked_for_anew(client, ready):
    suggest(ready)
    record = json.loads(ready.questions.read_text())
    for one in record["questions"]:
        del one["chance"]
    ready.questions.write_text(json.dumps(record))
    assert client.get("/api/v1/questions").json() == {"questions": [], "revision": -1, "now": 3}
