"""Cameras of the page: kept for the owner alone, their passwords never shown, their processes ended."""

import json
import stat

import pytest

from tests.webapp.conftest import ADDRESS
from tests.webapp.made import HOSTILE
from webapp.errors import CameraError
from webapp.live.camera_list import read_cameras

CAMERAS = "/api/v1/cameras"


def test_a_password_is_kept_for_the_owner_alone_and_never_answered(client, workspace):
    added = client.post(CAMERAS, json={"name": "door", "address": "rtsp://me:secret@10.0.0.7/live"})
    assert (added.status_code, "secret" in added.text) == (200, False)
    assert client.get(CAMERAS).json() == {"cameras": [{"name": "door", "address": "rtsp://10.0.0.7/live"}]}
    assert stat.S_IMODE((workspace.folder / "cameras.json").stat().st_mode) == 0o600
    assert read_cameras(workspace) == {"door": "rtsp://me:secret@10.0.0.7/live"}


@pytest.mark.parametrize("address", ["/etc/passwd", "-", "no://me:secret@x/y", "-1", "9" * 400])
def test_what_is_no_camera_is_refused_without_its_password(client, address):
    answer = client.post(CAMERAS, json={"name": "door", "address": address})
    assert (answer.status_code, answer.json()["error"]["kind"], "secret" in answer.text) == (400, "camera", False)


def test_a_name_is_taken_once_and_has_no_slash(client):
    assert client.post(CAMERAS, json={"name": HOSTILE.replace("/", ""), "address": "0"}).status_code == 200
    assert client.post(CAMERAS, json={"name": HOSTILE.replace("/", ""), "address": "1"}).status_code == 400
    assert client.post(CAMERAS, json={"name": "a/b", "address": "1"}).status_code == 400


def test_a_removed_camera_is_gone(client):
    client.post(CAMERAS, json={"name": "door", "address": "0"})
    assert client.delete(f"{CAMERAS}/door").json() == {"cameras": []}
    assert client.delete(f"{CAMERAS}/door").json()["error"]["kind"] == "unknown_camera"


def test_a_damaged_file_is_told(workspace):
    (workspace.folder / "cameras.json").write_text("[")
    with pytest.raises(CameraError, match="expected cameras as JSON"):
        read_cameras(workspace)


def test_live_without_anybody_named_says_so(client):
    client.post(CAMERAS, json={"name": "door", "address": "0"})
    with client.websocket_connect(f"{CAMERAS}/door/live", headers={"Host": ADDRESS[7:]}) as socket:
        message = socket.receive_bytes()
    assert json.loads(message[4:]) == {"state": "no_head"}
