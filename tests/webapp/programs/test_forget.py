"""Forgetting over HTTP: what is held is told, and is gone once the name was typed twice."""

import pytest

from people.store.store import PeopleStore
from tests.webapp.made import add_head, add_table


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    """Leave the user's own cache of `verify` out."""
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")


def test_somebody_is_found_and_forgotten(client, workspace, photos):
    add_table(workspace, photos)
    add_head(workspace)
    held = client.post("/api/v1/forget/survey", json={"name": "Ada"}).json()
    files = {one["file"] for one in held["files"]}
    assert {"people.sqlite", "heads/people.skops"} <= files and not any(file.startswith("/") for file in files)
    wrong = client.post("/api/v1/forget", json={"name": "Ada", "confirm": "ada"})
    assert (wrong.status_code, "nothing was changed" in wrong.json()["error"]["message"]) == (400, True)
    report = client.post("/api/v1/forget", json={"name": "Ada", "confirm": "Ada"}).json()
    assert report["left"] == [] and report["failures"] == []
    assert client.post("/api/v1/forget/survey", json={"name": "Ada"}).json()["files"] == []
    for path in workspace.folder.rglob("*"):
        if path.is_file():
            assert b"Ada" not in path.read_bytes(), path
    with PeopleStore(workspace.store) as store:
        assert {person.name for person in store.people()} >= {"Bob"}


def test_nobody_of_that_name(client):
    assert client.post("/api/v1/forget/survey", json={"name": "Zeno"}).json() == {"files": [], "not_checked": []}
