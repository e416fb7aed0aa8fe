"""Photos found over HTTP by who is on them, and one with its faces."""

import hashlib

import numpy as np

from people.store.records import photo_number
from people.store.scanned import ScannedFile
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


def test_photos_without_a_face_copies_and_videos(client, workspace):
    def hash_of(name: str) -> str:
        return hashlib.sha256(name.encode()).hexdigest()

    lake, walk = hash_of("lake"), hash_of("walk")
    files = [
        ScannedFile("2019/lake.jpg", lake, 40, 20, "2019-07-01T12:00:00"),
        ScannedFile("2019/walk.mp4", walk, 40, 20, "2019-07-02T12:00:00", "video"),
        ScannedFile("copies/lake.jpg", lake, 40, 20, "2019-07-01T12:00:00"),
    ]
    with PeopleStore(workspace.store) as store:
        places = np.array([[0.1, 0.1, 0.3, 0.5, 12.5]])
        store.record_table(files, np.array([1]), face_indices=np.array([0]), places=places)
    found = client.get("/api/v1/find", params={"from": "2019-07", "to": "2019-07"}).json()
    assert found["total"] == 2
    still, film = found["photos"]
    assert (still["n_faces"], still["kind"], still["paths"]) == (0, "photo", ["2019/lake.jpg", "copies/lake.jpg"])
    assert (film["n_faces"], film["kind"], film["time_s"]) == (1, "video", 12.5)
    assert paths(client, folder="copies") == ["2019/lake.jpg"], "by its first path, wherever it was found"
    photo = client.get(f"/api/v1/photos/{photo_number(lake)}").json()
    assert (photo["faces"], photo["paths"]) == ([], ["2019/lake.jpg", "copies/lake.jpg"])
    assert client.get(f"/api/v1/photos/{photo_number(walk)}").json()["kind"] == "video"


def test_photos_beside_one(client):
    photos = [one["photo"] for one in client.get("/api/v1/find", params={"with": 1}).json()["photos"]]

    def beside(photo: int, **query: object) -> tuple[object, ...]:
        answer = client.get(f"/api/v1/photos/{photo}/beside", params=query).json()
        return answer["index"], answer["total"], answer["previous"], answer["next"]

    assert beside(photos[0], **{"with": 1}) == (0, 6, None, photos[1])
    assert beside(photos[5], **{"with": 1}) == (5, 6, photos[4], None)
    assert beside(photos[1], folder="album <0>") == (1, 3, photos[0], photos[2])
    assert beside(photos[1], **{"with": 2})[0] is None
    assert client.get("/api/v1/photos/12/beside").json()["error"]["kind"] == "unknown_photo"
