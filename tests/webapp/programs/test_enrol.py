"""Enrolling over HTTP: hints that keep nothing, refusals with reasons, pictures that last, and forgetting them."""

import shutil

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from people.store.store import PeopleStore
from people.workspace.scan import scan
from people.workspace.workspace import Workspace, create_workspace
from tests.people.threshold.made import keep_head
from tests.webapp.conftest import ADDRESS, TOKEN
from tests.webapp.made_faces import ADA, BLURRED, BOB, NEW, NOBODY, THIRD, ColourEncoder, head_of_colours, picture_file
from webapp.access.tokens import Access
from webapp.server.app import create_app


@pytest.fixture
def ready(workspace, monkeypatch):
    """Return the workspace with a head, faces encoded by colour."""
    monkeypatch.setattr("webapp.programs.networks.WorkspaceEncoder", ColourEncoder)
    keep_head(workspace, head_of_colours())
    return workspace


def enrol(client, name, *colours, **fields):
    files = [("file", (f"{place}.png", picture_file(colour))) for place, colour in enumerate(colours)]
    return client.post("/api/v1/enrol", data={"name": name, **fields}, files=files)


def outcomes(answer):
    return [(one["state"], [flaw["kind"] for flaw in one["flaws"]]) for one in answer.json()["pictures"]]


def check(client, colour):
    return client.post("/api/v1/enrol/check", content=picture_file(colour), headers={"Content-Type": "image/png"})


def test_hints_say_what_is_wrong_and_keep_nothing(client, ready):
    before = {path: path.stat().st_mtime_ns for path in ready.folder.rglob("*")}
    assert check(client, NEW).json() == {"width": 200, "height": 200, "box": [50, 50, 150, 150], "flaws": []}
    (flaw,) = check(client, BLURRED).json()["flaws"]
    assert (flaw["kind"], flaw["measured"], flaw["limit"]) == ("blurred", 20, 60) and "is blurred" in flaw["text"]
    nobody = check(client, NOBODY).json()
    assert nobody["box"] is None and [one["kind"] for one in nobody["flaws"]] == ["no_face"]
    assert {path: path.stat().st_mtime_ns for path in ready.folder.rglob("*")} == before


def test_good_pictures_are_kept_under_a_name_and_bad_ones_refused(client, ready):
    answer = enrol(client, "Eve", NEW, BLURRED, NOBODY)
    assert outcomes(answer) == [
        ("enrolled", []),
        ("refused", ["blurred"]),
        ("refused", ["no_face"]),
    ]
    decision = answer.json()["decision"]
    assert (decision["kind"], decision["name"], decision["n_faces"]) == ("is", "Eve", 1)
    assert len(list(ready.enrolled.iterdir())) == 1
    assert outcomes(enrol(client, "Eve", NEW)) == [("known", [])]
    taken = enrol(client, "Zoe", BOB)
    assert outcomes(taken) == [("refused", ["taken_for"])] and taken.json()["decision"] is None
    assert taken.json()["pictures"][0]["flaws"][0]["name"] == "Bob"
    assert outcomes(enrol(client, "Zoe", THIRD, ADA)) == [("enrolled", []), ("refused", ["taken_for", "unlike"])]
    assert outcomes(enrol(client, "Ada", ADA)) == [("enrolled", [])]
    assert outcomes(enrol(client, "Ada", NEW)) == [("refused", ["unlike"])]
    assert outcomes(enrol(client, "Ada", NEW, force="true")) == [("enrolled", [])]


def test_what_was_enrolled_is_undone_as_all_else(client, ready):
    decision = enrol(client, "Eve", NEW).json()["decision"]["id"]
    assert client.post("/api/v1/history/undo", json={"decision": decision}).status_code == 200
    with PeopleStore(ready.store) as store:
        assert [person.name for person in store.people() if person.name == "Eve"] == []


def test_metadata_does_not_stay(client, ready):
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    sent = picture_file(NEW, exif=exif.tobytes(), kind="JPEG")
    assert b"taken at home" in sent
    assert client.post("/api/v1/enrol", data={"name": "Eve"}, files={"file": ("home.jpg", sent)}).status_code == 200
    (place,) = ready.enrolled.iterdir()
    assert b"taken at home" not in place.read_bytes() and "home" not in place.name and "Eve" not in place.name


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "`name`"),
        ({"name": "x" * 2000}, "`name`"),
        ({"name": "unknown"}, "what strangers are called"),
        ({"name": "Eve", "force": "perhaps"}, "`force`"),
    ],
)
def test_what_cannot_be_enrolled_is_one_line(client, ready, fields, message):
    answer = client.post("/api/v1/enrol", data=fields, files={"file": ("a.png", picture_file(NEW))})
    assert answer.status_code == 400 and message in answer.json()["error"]["message"]
    assert not ready.enrolled.exists()


def test_a_body_without_pictures_is_told(client, ready):
    assert "`file`" in client.post("/api/v1/enrol", files={"name": (None, "Eve")}).json()["error"]["message"]
    answer = client.post("/api/v1/enrol", content=b"x", headers={"Content-Type": "image/png"})
    assert "send multipart/form-data" in answer.json()["error"]["message"]
    answer = client.post("/api/v1/enrol", data={"name": "Eve"}, files={"file": ("a.png", b"no picture")})
    assert answer.status_code == 400 and not ready.enrolled.exists()


def test_forgetting_deletes_the_pictures(client, ready, monkeypatch, tmp_path):
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")
    enrol(client, "Eve", NEW)
    enrol(client, "Ada", ADA)
    held = client.post("/api/v1/forget/survey", json={"name": "Eve"}).json()["files"]
    (picture,) = [one for one in held if one["file"].startswith("enrolled/")]
    assert picture["what"] == [{"kind": "pictures", "n": 1}]
    report = client.post("/api/v1/forget", json={"name": "Eve", "confirm": "Eve"}).json()
    assert report["left"] == [] and {"file": picture["file"], "what": "deleted", "deleted": True} in report["removed"]
    assert len(list(ready.enrolled.iterdir())) == 1  # Ada's


@pytest.mark.realdata
def test_a_real_person_is_enrolled_learned_and_found_again(data, networks, tmp_path):
    shutil.copytree(data / "people" / "train" / "biden", tmp_path / "photos")
    workspace = create_workspace(tmp_path / "family", [tmp_path / "photos"])
    scan(workspace)
    app = create_app(workspace, Access(start_token=TOKEN))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(app, base_url=ADDRESS, headers=headers, raise_server_exceptions=False) as client:
        sent = sorted((data / "people" / "train" / "obama").glob("*.jpg"))[:2]
        files = [("file", (path.name, path.read_bytes())) for path in sent]
        answer = client.post("/api/v1/enrol", data={"name": "Barack"}, files=files)
        assert outcomes(answer) == [("enrolled", [])] * 2
        report = scan(Workspace(workspace.folder))
        assert (report.n_people, report.n_named, report.has_head, report.n_out_of_table) == (1, 2, True, 0)
        found = client.post("/api/v1/recognize", files={"file": (data / "people/test/obama1.jpg").read_bytes()}).json()
        assert [face["name"] for face in found["faces"]] == ["Barack"]
        faces = client.get(f"/api/v1/people/{answer.json()['decision']['person']}/faces").json()["faces"]
        assert len(faces) == 2
        assert client.get(f"/api/v1/faces/{faces[0]['key']}/thumbnail").status_code == 200
        assert scan(Workspace(workspace.folder)).n_embedded == 0
