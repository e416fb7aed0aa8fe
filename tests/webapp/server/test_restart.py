"""The server is killed and started again: an open page works on, and so does a scan."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from people.workspace.workspace import create_workspace
from tests.webapp.conftest import kill_hard
from webapp.access.passwords import write_password
from webapp.jobs.job import ENDED, JobFolder


def test_a_browser_works_on_and_other_sign_ins_stay_refused(start, workspace, tmp_path):
    server, address, token = start(workspace)
    with httpx.Client(base_url=address, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        assert browser.get("/", params={"token": token}).status_code == 303
        assert browser.get("/api/v1/people").status_code == 200
        kill_hard(server)
        server, again, new_token = start(workspace, port=address.rpartition(":")[2])
        assert (again, new_token != token) == (address, True)
        assert browser.get("/api/v1/people").status_code == 200
        assert browser.post("/api/v1/history/undo", json={}).status_code == 200
        assert httpx.get(f"{address}/api/v1/people").status_code == 401
        assert httpx.get(f"{address}/api/v1/people", headers={"Authorization": f"Bearer {token}"}).status_code == 401
        kill_hard(server)
        write_password(tmp_path / "password", "correct horse")
        start(workspace, "--password-file", str(tmp_path / "password"), port=address.rpartition(":")[2])
        assert browser.get("/api/v1/people").status_code == 401


@pytest.mark.realdata
def test_a_scan_goes_on_while_the_server_is_killed_and_after_it_was_killed_itself(start, data, networks, tmp_path):
    shutil.copytree(data / "people" / "train", tmp_path / "photos")
    workspace = create_workspace(tmp_path / "family", [tmp_path / "photos"])
    server, address, token = start(workspace)
    headers = {"Authorization": f"Bearer {token}"}
    job = httpx.post(f"{address}/api/v1/jobs", json={"kind": "scan"}, headers=headers).json()["id"]
    folder = JobFolder(workspace)
    wait_until(lambda: folder.get(job).state != "starting")
    kill_hard(server)
    assert folder.get(job).state in ("running", *ENDED)
    _, address, token = start(workspace)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.stream("GET", f"{address}/api/v1/jobs/{job}/events", headers=headers, timeout=120) as events:
        last = [line for line in events.iter_lines() if line][-1]
    assert '"state":"done"' in last and '"n_faces":9' in last
    job = httpx.post(f"{address}/api/v1/jobs", json={"kind": "scan"}, headers=headers).json()["id"]
    wait_until(lambda: folder.get(job).state != "starting")
    if folder.get(job).state == "running":
        os.kill(folder.get(job).pid, signal.SIGKILL)
    wait_until(lambda: folder.get(job).state in ENDED)
    assert httpx.get(f"{address}/api/v1/jobs/{job}", headers=headers).json()["state"] in ("interrupted", "done")
    job = httpx.post(f"{address}/api/v1/jobs", json={"kind": "scan"}, headers=headers).json()["id"]
    wait_until(lambda: folder.get(job).state in ENDED)
    assert folder.get(job).state == "done"


def wait_until(holds: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_a_workspace_keeps_no_secret_of_a_session(start, workspace):
    _, address, token = start(workspace)
    answer = httpx.get(address, params={"token": token})
    secret = answer.headers["set-cookie"].split("=", 1)[1].split(";")[0]
    kept = Path(workspace.folder / "sessions.json").read_text()
    assert secret not in kept and token not in kept
