"""Pictures over HTTP: faces, vectors and names of real photos, and what is no picture."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from people.store.store import PeopleStore
from people.workspace.scan import scan
from people.workspace.workspace import create_workspace
from tests.webapp.conftest import ADDRESS, READ_TOKEN, TOKEN
from webapp.access.tokens import Access
from webapp.server.app import create_app


@pytest.fixture(scope="module")
def family(data: Path, networks: None, tmp_path_factory: pytest.TempPathFactory):
    """Return a client of a workspace in which two real people are named, and the folder of test photos."""
    folder = tmp_path_factory.mktemp("real")
    shutil.copytree(data / "people" / "train", folder / "photos")
    workspace = create_workspace(folder / "family", [folder / "photos"], identity_from="folder")
    scan(workspace)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    app = create_app(workspace, Access(start_token=TOKEN))
    with TestClient(app, base_url=ADDRESS, headers=headers, raise_server_exceptions=False) as made:
        yield made


def small(path: Path) -> bytes:
    """Return a photo as a JPEG of at most 800 pixels."""
    content = io.BytesIO()
    with Image.open(path) as photo:
        photo.thumbnail((800, 800))
        photo.convert("RGB").save(content, "JPEG", quality=92)
    return content.getvalue()


@pytest.mark.realdata
def test_known_people_are_named_and_nothing_is_kept(family, data):
    before = {path: path.stat().st_mtime_ns for path in family.app.state.context.workspace.folder.rglob("*")}
    picture = small(data / "people" / "test" / "obama_and_biden.jpg")
    answer = family.post("/api/v1/recognize", files={"file": ("party.jpg", picture)}).json()
    found = {face["name"]: face for face in answer["faces"]}
    assert {"obama", "biden"} <= found.keys()
    for name in ("obama", "biden"):
        face = found[name]
        assert face["score"] >= face["threshold"] and face["nearest"][0] == {"name": name, "score": face["score"]}
        assert 0 <= face["box"][0] < face["box"][2] <= answer["width"] + 1
        assert len(face["landmarks"]) == 5
    raw = family.post("/api/v1/recognize", content=picture, headers={"Content-Type": "image/jpeg"}).json()
    assert raw == answer
    after = {path: path.stat().st_mtime_ns for path in family.app.state.context.workspace.folder.rglob("*")}
    assert after == before


@pytest.mark.realdata
def test_vectors_are_those_of_scans_and_comparison_is_their_cosine(family, data):
    one, two = (small(data / "people" / "test" / name) for name in ("obama1.jpg", "alex_lacamoire1.jpg"))
    headers = {"Content-Type": "application/octet-stream"}
    first = family.post("/api/v1/embed", content=one, headers=headers).json()
    second = family.post("/api/v1/embed", content=two, headers=headers).json()
    vectors = [np.array(answer["faces"][0]["embedding"], np.float32) for answer in (first, second)]
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-5)
    assert first["fingerprint"]["space"]["weights_sha256"].startswith("704afe26766c")
    compared = family.post("/api/v1/recognize/compare", files={"a": ("a", one), "b": ("b", two)}).json()
    assert compared["similarity"] == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-3)
    assert compared["similarity"] < 0.5 and compared["a"]["box"] == first["faces"][0]["box"]
    alike = family.post("/api/v1/recognize/compare", files={"a": ("a", one), "b": ("b", one)}).json()
    assert alike["similarity"] == pytest.approx(1, abs=1e-3)


@pytest.mark.realdata
def test_a_picture_without_a_face_has_none(family):
    content = io.BytesIO()
    Image.new("RGB", (200, 100), (40, 90, 40)).save(content, "PNG")
    headers = {"Content-Type": "image/png"}
    for path in ("recognize", "detect", "embed"):
        answer = family.post(f"/api/v1/{path}", content=content.getvalue(), headers=headers).json()
        assert (answer["faces"], answer["width"], answer["height"]) == ([], 200, 100)
    files = {"a": ("a", content.getvalue()), "b": ("b", content.getvalue())}
    assert family.post("/api/v1/recognize/compare", files=files).json() == {"a": None, "b": None, "similarity": None}


def huge_png() -> bytes:
    """Return a small file that says it has 400 million pixels."""
    content = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "found nothing"), (b"no picture", "the picture"), (huge_png(), "400,000,000")],
    ids=["empty", "text", "huge"],
)
def test_what_cannot_be_read_is_one_line(client, content, message):
    answer = client.post("/api/v1/detect", content=content, headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code in (400, 415, 422), answer.text
    error = answer.json()["error"]
    assert message in error["message"] and "/tmp" not in error["message"] and "\n" not in error["message"]
    assert "--max-pixels" not in error["message"], "a flag of commands"


def test_a_form_without_the_file_says_which_field(client):
    answer = client.post("/api/v1/detect", files={"photo": ("a.jpg", b"x")})
    assert (answer.status_code, "`file`" in answer.json()["error"]["message"]) == (400, True)
    answer = client.post("/api/v1/recognize/compare", content=b"x", headers={"Content-Type": "image/png"})
    assert "send multipart/form-data" in answer.json()["error"]["message"]


def test_without_named_people_nobody_is_recognized(client):
    content = io.BytesIO()
    Image.new("RGB", (20, 20)).save(content, "PNG")
    answer = client.post("/api/v1/recognize", content=content.getvalue(), headers={"Content-Type": "image/png"})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "no_head")


def test_pictures_need_the_scope_for_it(stranger):
    reads = {"Authorization": f"Bearer {READ_TOKEN}", "Content-Type": "image/png"}
    answer = stranger.post("/api/v1/recognize", content=b"x", headers=reads)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "scope")


def test_json_is_no_picture(client):
    assert client.post("/api/v1/detect", json={"url": "http://example.com"}).status_code == 400


@pytest.mark.realdata
def test_a_named_person_is_known_after_the_next_scan(family, data):
    workspace = family.app.state.context.workspace
    picture = small(data / "people" / "test" / "alex_lacamoire1.jpg")
    with PeopleStore(workspace.store) as store:
        store.rename(store.find_person("alex_lacamoire").number, "Alex")
    scan(workspace)
    answer = family.post("/api/v1/recognize", content=picture, headers={"Content-Type": "image/jpeg"}).json()
    assert [face["name"] for face in answer["faces"]][:1] == ["Alex"]
