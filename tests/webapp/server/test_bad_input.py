"""What is wrong from outside: folders that cannot be written, scans that lock, uploads that are too large, too many."""

import asyncio
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import httpx
import pytest
from filelock import FileLock
from PIL import Image

from tests import PROJECT
from tests.webapp.conftest import TOKEN
from tests.webapp.event_loop import run_coroutine
from webapp.access.gate import MOST_PICTURE_BYTES

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def answer_to(address: str, request: bytes) -> tuple[int, dict]:
    """Send raw bytes and return status and body of the answer, which comes before all bytes are sent."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(request)
        content = b""
        while chunk := connection.recv(65_536):
            content += chunk
            head, _, body = content.partition(b"\r\n\r\n")
            if body.endswith(b"}"):
                break
    return int(head.split()[1]), json.loads(body)


def ask_for_upload(address: str, *headers: str) -> bytes:
    lines = ["POST /api/v1/recognize HTTP/1.1", f"Host: {urlsplit(address).netloc}", f"Authorization: Bearer {TOKEN}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


@pytest.mark.parametrize("kind", ["image/jpeg", "multipart/form-data; boundary=x"])
def test_two_gigabytes_are_refused_before_they_are_sent(workspace, serve, kind):
    address = serve(workspace)
    begun_s = time.monotonic()
    status, body = answer_to(address, ask_for_upload(address, f"Content-Type: {kind}", f"Content-Length: {2 << 30}"))
    assert (status, body["error"]["kind"]) == (413, "too_large") and "found 2,147,483,648" in body["error"]["message"]
    assert time.monotonic() - begun_s < 10


def test_an_upload_without_a_stated_length_is_cut_off(workspace, serve):
    address = serve(workspace)
    chunk = b"%x\r\n" % (1 << 20) + bytes(1 << 20) + b"\r\n"
    begin = ask_for_upload(address, "Content-Type: image/jpeg", "Transfer-Encoding: chunked")
    status, body = answer_to(address, begin + chunk * ((MOST_PICTURE_BYTES >> 20) + 1))
    assert (status, body["error"]["kind"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["recognize", "detect", "embed"])
def test_two_hundred_megapixels_are_refused_unseen(client, workspace, photos, path):
    stream = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(stream, "PNG")
    if path == "recognize":
        from tests.webapp.made import add_head, add_table

        add_table(workspace, photos)
        add_head(workspace)
    answer = client.post(f"/api/v1/{path}", content=stream.getvalue(), headers={"Content-Type": "image/png"})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "input")
    assert "megapixels" in answer.json()["error"]["message"] or "pixels" in answer.json()["error"]["message"]


def test_a_thousand_requests_at_once_are_all_answered(workspace, serve):
    address = serve(workspace)

    async def run() -> list[int]:
        limits = httpx.Limits(max_connections=1_000)
        async with httpx.AsyncClient(headers=BEARER, timeout=120, limits=limits) as client:
            paths = ("people", "groups", "workspace", "history", "session")
            asked = [client.get(f"{address}/api/v1/{paths[number % len(paths)]}") for number in range(1_000)]
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert set(run_coroutine(run())) == {200}


def test_what_a_scan_locks_is_told_and_reading_goes_on(client, workspace):
    with FileLock(workspace.lock):  # as a scan of a command holds it
        job = client.post("/api/v1/jobs", json={"kind": "scan"}).json()["id"]
        until_s = time.monotonic() + 60
        while (now := client.get(f"/api/v1/jobs/{job}").json())["state"] in ("starting", "running"):
            assert time.monotonic() < until_s
            time.sleep(0.1)
        assert client.get("/api/v1/people").status_code == 200
        person = client.get("/api/v1/people").json()["people"][0]
        renamed = {"name": "Anew", "expected": {"name": person["name"], "hidden": False}}
        assert client.patch(f"/api/v1/people/{person['id']}", json=renamed).status_code == 200
    assert now["state"] == "failed" and "another scan is running; wait for it to end" in now["message"]


_ASKING = """
import sys
from fastapi.testclient import TestClient
from people.workspace.workspace import Workspace
from webapp.server.app import create_app
app = create_app(Workspace(sys.argv[1]))
token = app.state.context.access.start_token
client = TestClient(app, base_url="http://127.0.0.1:8764", headers={"Authorization": "Bearer " + token})
print(client.get("/api/v1/people").status_code)
for method, path, body in (
    ("POST", "history/undo", {}), ("POST", "jobs", {"kind": "scan"}), ("POST", "cameras", {"name": "a", "address": "0"})
):
    answer = client.request(method, "/api/v1/" + path, json=body)
    print(answer.status_code, answer.json()["error"]["kind"])
"""


def test_a_workspace_that_cannot_be_written_is_shown_and_says_so(workspace):
    command = [sys.executable, "-c", _ASKING, str(workspace.folder)]
    if os.getuid() == 0:  # who may write everywhere, unless that right is given away
        if shutil.which("setpriv") is None:
            pytest.skip("root needs setpriv to give its rights away; apt-get install util-linux")
        command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner", *command]
    places = [workspace.folder, *workspace.folder.rglob("*")]
    try:
        for place in places:
            place.chmod(0o555 if place.is_dir() else 0o444)
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    finally:
        for place in places:
            place.chmod(0o755 if place.is_dir() else 0o644)
    assert done.stdout.splitlines() == ["200", "403 read_only", "403 read_only", "403 read_only"], done.stderr
