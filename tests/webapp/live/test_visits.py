"""Visits: listed, asked about, named and denied; in memory, but for the picture of a face that was decided about."""

import io
import json
import stat

import numpy as np
import pytest
from PIL import Image

from classifiers.files.head_file import load_head
from people.forgetting.forgetting import forget_everywhere, survey
from people.forgetting.person import Person
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace
from recognition.tracking.loop import LoopSettings
from tests.webapp.made import add_head, add_table
from webapp.errors import UnknownVisitError
from webapp.live import visits as visits_module
from webapp.live.messages import pack
from webapp.live.visit_answers import visits_of
from webapp.live.visits import SAME_FACE_COSINE, Visits

VISITS = "/api/v1/visits"


def jpeg(side: int = 80) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side), (180, 150, 120)).save(stream, "JPEG")
    return stream.getvalue()


def told(number: int, *, toward: int, began: float = 100.0, name: str = "", **more) -> bytes:
    """Return what a camera's process tells of a visit whose vector points in a direction."""
    vector = np.full(16, 0.02)
    vector[toward] = 1
    header = {
        "state": "visit",
        "id": f"run-{number}",
        "began": began,
        "seen": began + 1,
        "ended": False,
        "name": name,
        "score": 0.5,
        "box": [20, 20, 60, 60],
        "landmarks": [[30, 35], [50, 35], [40, 45], [32, 52], [48, 52]],
        "sharpness": 500.0,
        "turn": 0.0,
        "nose_height": 0.5,
        "vector": (vector / np.linalg.norm(vector)).tolist(),
    }
    return pack({**header, **more}, jpeg())


@pytest.fixture
def visits(app, workspace, photos) -> Visits:
    """Return the visits of an application whose head knows Ada (0) and Bob (1)."""
    add_table(workspace, photos)
    add_head(workspace)
    return visits_of(app.state.context)


def test_visits_are_listed_the_newest_first_with_their_pictures(client, visits):
    for number, camera in enumerate(("door", "yard", "door")):
        visits.put(camera, told(number, toward=number, began=100.0 + number))
    found = client.get(VISITS, params={"camera": "door"}).json()["visits"]
    assert [(one["id"], one["camera"], one["began"]) for one in found] == [
        ("run-2", "door", 102),
        ("run-0", "door", 100),
    ]
    assert len(client.get(VISITS).json()["visits"]) == 3
    picture = client.get(f"{VISITS}/run-2/picture")
    assert (picture.headers["content-type"], picture.content) == ("image/jpeg", jpeg())
    assert client.get(f"{VISITS}/run-9/who").json()["error"]["kind"] == "unknown_visit"
    assert client.get(f"{VISITS}/..%2F/picture").status_code in (404, 422)


def test_who_it_was_and_whether_the_face_was_here_before(client, visits):
    visits.put("door", told(1, toward=5, began=100))
    visits.put("yard", told(2, toward=6, began=200))
    visits.put("yard", told(3, toward=5, began=300))
    visits.put("yard", told(4, toward=5, began=400))  # later, and so not before
    who = client.get(f"{VISITS}/run-3/who").json()
    assert [(one["visit"]["id"], one["visit"]["camera"]) for one in who["before"]] == [("run-1", "door")]
    assert who["before"][0]["similarity"] > 0.9
    visits.put("door", told(5, toward=0, began=500))
    who = client.get(f"{VISITS}/run-5/who").json()
    assert who["nearest"][0]["name"] == "Ada" and who["nearest"][0]["score"] > who["threshold"]
    assert (who["visit"]["id"], who["before"]) == ("run-5", [])


def test_the_cosine_of_one_person_is_that_of_tracking():
    assert LoopSettings().reidentification_cosine == SAME_FACE_COSINE


def test_a_named_visit_is_a_photo_a_decision_and_known_at_once(client, visits, workspace):
    visits.put("door", told(1, toward=9, began=1_000_000_000.0))
    said = client.post(f"{VISITS}/run-1/decide", json={"kind": "is", "name": " Eve "}).json()
    assert (said["decision"]["kind"], said["decision"]["name"], said["reasons"]) == ("is", "Eve", [])
    (picture,) = workspace.live_pictures.iterdir()
    assert stat.S_IMODE(picture.stat().st_mode) == 0o600
    assert Image.open(picture).getexif().get_ifd(0x8769)[0x9003].startswith("2001:09:0")
    assert str(workspace.live_pictures.resolve()) in Workspace(workspace.folder).photo_folders
    with PeopleStore(workspace.store) as store:
        (face,) = store.faces_of(store.find_person("Eve").number)
    assert face.photo_sha256 == picture.stem and face.box == pytest.approx((0.25, 0.25, 0.75, 0.75))
    head = load_head(workspace.head)
    names, _, _ = head.match(visits.get("run-1").vector[None])
    assert "Eve" in head.labels and names[0] == "Eve"
    assert client.get(VISITS).json()["visits"][0]["decided"] == "is"
    visits.put("door", told(1, toward=9, ended=True))  # the process tells more; what was said stays
    assert client.get(VISITS).json()["visits"][0]["decided"] == "is"


def test_a_denied_visit_is_not_taken_for_that_person_any_more(client, visits, workspace):
    visits.put("door", told(1, toward=0, name="Ada"))
    head = load_head(workspace.head)
    assert head.identify(visits.get("run-1").vector[None])[0][0] == "Ada"
    said = client.post(f"{VISITS}/run-1/decide", json={"kind": "is_not", "name": "Ada"}).json()
    assert (said["decision"]["kind"], said["reasons"]) == ("is_not", [])
    assert load_head(workspace.head).identify(visits.get("run-1").vector[None])[0][0] != "Ada"


def test_who_was_named_since_the_last_scan_is_denied_from_the_next_on(client, visits, workspace):
    with PeopleStore(workspace.store) as store:
        store.name([store.faces_in_table()[1].face], "Zoe")
    visits.put("door", told(1, toward=9))
    said = client.post(f"{VISITS}/run-1/decide", json={"kind": "is_not", "name": "Zoe"}).json()
    assert said["decision"]["kind"] == "is_not" and "not enrolled" in said["reasons"][0]


@pytest.mark.parametrize(
    ("asked", "kind"),
    [({"kind": "is_not", "name": "Nobody"}, "unknown_person"), ({"kind": "is", "name": "unknown"}, "person")],
)
def test_what_cannot_be_said_keeps_no_picture(client, visits, workspace, asked, kind):
    visits.put("door", told(1, toward=9))
    assert client.post(f"{VISITS}/run-1/decide", json=asked).json()["error"]["kind"] == kind
    assert not workspace.live_pictures.exists()


def test_forgetting_somebody_on_the_page_lets_go_of_their_visits(client, visits, tmp_path, monkeypatch):
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")
    visits.put("door", told(1, toward=0, name="Ada"))
    visits.put("door", told(2, toward=0, began=200))  # the same face, not taken for her
    visits.put("door", told(3, toward=7, began=300))
    assert client.post("/api/v1/forget", json={"name": "Ada", "confirm": "Ada"}).status_code == 200
    assert [visit.id for visit in visits.newest(None, 9)] == ["run-3"]


def test_visits_are_bounded_in_number_and_in_bytes(monkeypatch):
    monkeypatch.setattr(visits_module, "MOST_VISITS", 3)
    visits = Visits()
    for number in range(5):
        visits.put("door", told(number, toward=0, began=float(number)))
    assert [visit.id for visit in visits.newest(None, 9)] == ["run-4", "run-3", "run-2"]
    with pytest.raises(UnknownVisitError, match="forgotten first"):
        visits.get("run-0")
    monkeypatch.setattr(visits_module, "MOST_BYTES", len(jpeg()) + 1)
    visits.put("door", told(5, toward=0, began=5.0))
    assert [visit.id for visit in visits.newest(None, 9)] == ["run-5"]


def test_forgetting_somebody_deletes_their_pictures_of_cameras(client, visits, workspace, tmp_path, monkeypatch):
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")
    for number, name in ((1, "Eve"), (2, "Zoe")):
        visits.put("door", told(number, toward=8 + number, began=100.0 * number))
        client.post(f"{VISITS}/run-{number}/decide", json={"kind": "is", "name": name})
    kept = {client.get(f"{VISITS}/run-{number}/who").json()["visit"]["id"] for number in (1, 2)}
    assert len(kept) == len(list(workspace.live_pictures.iterdir())) == 2
    assert "picture" in json.dumps([str(held) for held in survey([workspace.folder], Person("Eve")).held.values()])
    client.app.state.context.pool.close()
    forget_everywhere([workspace.folder], Person("Eve"))
    (left,) = workspace.live_pictures.iterdir()
    with PeopleStore(workspace.store) as store:
        assert [face.photo_sha256 for face in store.faces_of(store.find_person("Zoe").number)] == [left.stem]
