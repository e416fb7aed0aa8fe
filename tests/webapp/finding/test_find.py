"""Photos found over HTTP by who is on them, and one with its faces."""

from people.store.store import PeopleStore


def paths(client, **query):
    answer = client.get("/api/v1/find", params=query)
    assert answer.status_code == 200, answer.text
    return [photo["path"] for photo in answer.json()["photos"]]


def test_photos_with_and_without(client, workspace):
    ada, bob = 1, 2
    assert len(paths(client, **{"with": ada})) == 6 and len(paths(client, **{"with": bob})) == 3
    assert paths(client, **{"with": [ada, bob]}) == []
    with PeopleStore(workspace.store) as store:
        other = next(face for face in store.faces_in_table(path="album <0>/0.png") if face.state == "open")
        store.name([other.face], "Bob")
    assert paths(client, **{"with": [ada, bob]}) == ["album <0>/0.png"]
    assert len(paths(client, **{"with": ada, "without": bob})) == 5
    assert paths(client, **{"with": [ada, bob], "only": True}) == ["album <0>/0.png"]
    found = client.get("/api/v1/find", params={"with": [ada, bob]}).json()["photos"][0]
    assert sorted(found["names"]) == ["Ada", "Bob"] and found["n_faces"] == 2


def test_marks_pages_and_dates(client):
    assert len(paths(client, unnamed=True)) == 9
    answer = client.get("/api/v1/find", params={"unnamed": True, "offset": 8, "limit": 5}).json()
    assert (answer["total"], len(answer["photos"])) == (9, 1)
    assert paths(client, **{"from": "2019-06", "unnamed": True}) == [], "no photo says when it was taken"
    for wrong in ({"from": "June"}, {"to": "2019-6"}, {"with": "Ada"}):
        assert client.get("/api/v1/find", params=wrong).status_code == 422
    for refused in ({"only": True}, {"with": 1, "without": 1}):
        assert client.get("/api/v1/find", params=refused).status_code == 400
    assert client.get("/api/v1/find", params={"with": 99}).json()["error"]["kind"] == "unknown_person"


def test_a_photo_with_its_faces_from_left_to_right(client):
    number = client.get("/api/v1/find", params={"with": 1}).json()["photos"][0]["photo"]
    photo = client.get(f"/api/v1/photos/{number}").json()
    assert (photo["width"], photo["height"], photo["path"]) == (640, 480, "album <0>/0.png")
    assert [(one["name"], one["face"]["state"]) for one in photo["faces"]] == [("Ada", "named"), ("", "open")]
    assert photo["faces"][0]["face"]["box"][0] < photo["faces"][1]["face"]["box"][0]
    assert client.get("/api/v1/photos/12").json()["error"]["kind"] == "unknown_photo"
