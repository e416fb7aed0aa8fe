"""Jobs over HTTP: begun, watched to the end, stopped; and the photo folders that they look at."""

import json

from webapp.jobs.job import JobFolder


def test_a_job_is_begun_once_and_watched_to_its_end(client, workspace, monkeypatch):
    begun = []
    monkeypatch.setattr("webapp.jobs.process.subprocess.Popen", lambda command, **_: begun.append(command))
    answer = client.post("/api/v1/jobs", json={"kind": "scan"})
    assert (answer.status_code, answer.json()["state"]) == (202, "starting")
    assert begun[0][-2:] == [str(workspace.folder.resolve()), answer.json()["id"]]
    again = client.post("/api/v1/jobs", json={"kind": "scan"})
    assert (again.status_code, again.json()["error"]["kind"]) == (409, "job_running")
    folder = JobFolder(workspace)
    folder.end(folder.get(answer.json()["id"]), "done", result={"n_photos": 10})
    with client.stream("GET", f"/api/v1/jobs/{answer.json()['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in stream.iter_lines() if line]
    assert [json.loads(line.removeprefix("data: "))["result"] for line in lines] == [{"n_photos": 10}]
    assert [job["state"] for job in client.get("/api/v1/jobs").json()["jobs"]] == ["done"]


def test_what_is_no_job_is_not_found(client):
    for path in ("nothing", "nothing/events", "20260101T000000-00000000"):
        assert client.get(f"/api/v1/jobs/{path}").json()["error"]["kind"] == "unknown_job"
    assert client.post("/api/v1/jobs", json={"kind": "dance"}).status_code == 422


def test_photo_folders_are_chosen_and_the_rest_of_the_settings_stays(client, workspace, tmp_path):
    (tmp_path / "more").mkdir()
    file = workspace.folder / "workspace.toml"
    old = list(workspace.settings.photos)
    file.write_text("# mine\n" + file.read_text().replace(f'["{old[0]}"]', f'[\n  "{old[0]}", # all\n]') + "# end\n")
    asked = {"photo_folders": [*old, str(tmp_path / "more")], "expected": old}
    assert client.put("/api/v1/workspace/folders", json=asked).json()["photo_folders"] == asked["photo_folders"]
    assert client.get("/api/v1/workspace").json()["photo_folders"] == asked["photo_folders"]
    text = file.read_text()
    assert text.startswith("# mine\n") and text.endswith("# end\n") and text.count("photos =") == 1
    assert client.put("/api/v1/workspace/folders", json=asked).status_code == 409
    now = asked["photo_folders"]
    for wrong, kind in (([str(tmp_path / "nowhere")], "gone"), ([str(tmp_path)], "input")):
        answer = client.put("/api/v1/workspace/folders", json={"photo_folders": wrong, "expected": now})
        assert answer.json()["error"]["kind"] == kind
    assert client.put("/api/v1/workspace/folders", json={"photo_folders": [], "expected": now}).status_code == 422


def test_folders_of_the_machine_are_shown_to_who_may_edit(client, stranger, tmp_path):
    from tests.webapp.conftest import READ_TOKEN

    for name in ("b", "A", ".hidden"):
        (tmp_path / "place" / name).mkdir(parents=True)
    (tmp_path / "place" / "file.txt").write_text("")
    found = client.post("/api/v1/workspace/browse", json={"path": str(tmp_path / "place")}).json()
    assert (found["folders"], found["parent"]) == (["A", "b"], str(tmp_path))
    assert client.post("/api/v1/workspace/browse", json={"path": "/"}).json()["parent"] is None
    gone = client.post("/api/v1/workspace/browse", json={"path": str(tmp_path / "nowhere")})
    assert (gone.status_code, gone.json()["error"]["kind"]) == (404, "gone")
    reads = {"Authorization": f"Bearer {READ_TOKEN}"}
    assert stranger.post("/api/v1/workspace/browse", json={}, headers=reads).json()["error"]["kind"] == "scope"
