"""The gate: wrong hosts, origins, tokens, scopes and bodies go no further, whatever the address."""

import pytest
from starlette.websockets import WebSocketDisconnect

from tests.webapp.conftest import ADDRESS, READ_TOKEN, TOKEN
from webapp.access.headers import CONTENT_SECURITY_POLICY

CHANGE = "/api/v1/history/undo"
READING = ["workspace", "people", "people/1", "people/1/faces", "history", "openapi.json", "photos/1/picture"]


def kind_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["kind"]


@pytest.mark.parametrize("path", READING)
def test_nothing_is_read_without_a_token(stranger, path):
    assert kind_of(stranger.get(f"/api/v1/{path}")) == (401, "signed_out")


def test_every_route_of_the_interface_is_guarded(app, stranger):
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            headers = {"Sec-Fetch-Site": "same-origin"}
            answer = stranger.request(method, path.replace("{", "").replace("}", ""), headers=headers)
            if path != "/api/v1/session":
                assert answer.status_code == 401, (method, path)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "family.local:8764", "10.0.0.7", ""])
def test_other_host_names_are_refused(client, host):
    assert kind_of(client.get("/api/v1/workspace", headers={"Host": host})) == (403, "host")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8764", "[::1]:8764"])
def test_this_machines_names_are_taken(client, host):
    assert client.get("/api/v1/workspace", headers={"Host": host}).status_code == 200


def test_an_address_with_the_token_signs_in_and_loses_it(stranger):
    answer = stranger.get(f"/people?token={TOKEN}&q=a")
    assert (answer.status_code, answer.headers["location"]) == (303, "/people?q=a")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and TOKEN not in cookie
    assert stranger.get("/api/v1/workspace").status_code == 200
    stranger.headers["Sec-Fetch-Site"] = "same-origin"
    assert stranger.delete("/api/v1/session").json()["signed_in"] is False
    assert stranger.get("/api/v1/workspace").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": ADDRESS},
    ],
)
def test_a_browser_changes_nothing_for_another_page(stranger, headers):
    stranger.get(f"/?token={TOKEN}")
    assert kind_of(stranger.post(CHANGE, json={}, headers=headers)) == (403, "origin")


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": ADDRESS}])
def test_the_page_itself_may_change(stranger, headers):
    stranger.get(f"/?token={TOKEN}")
    assert stranger.post(CHANGE, json={}, headers=headers).status_code == 200


def test_a_token_in_another_pages_request_changes_nothing(client):
    assert kind_of(client.post(CHANGE, json={}, headers={"Origin": "http://evil.example"})) == (403, "origin")


def test_a_websocket_from_another_page_is_closed(stranger):
    stranger.get(f"/?token={TOKEN}")
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        stranger.websocket_connect("/api/v1/live", headers={"Host": "127.0.0.1:8764", "Origin": "http://evil.example"}),
    ):
        pass
    assert (closed.value.code, closed.value.reason) == (1008, "origin")


def test_a_token_does_what_its_scopes_allow(stranger):
    headers = {"Authorization": f"Bearer {READ_TOKEN}"}
    assert stranger.get("/api/v1/people", headers=headers).status_code == 200
    assert kind_of(stranger.post(CHANGE, json={}, headers=headers)) == (403, "scope")
    assert stranger.post("/api/v1/session", json={"secret": READ_TOKEN}, headers=headers).status_code == 401


def test_wrong_tokens_are_slowed_down(stranger):
    wrong = {"Authorization": "Bearer wrong"}
    found = [stranger.get("/api/v1/people", headers=wrong).status_code for _ in range(7)]
    assert found[:5] == [401] * 5 and found[-1] == 429
    right = stranger.get("/api/v1/people", headers={"Authorization": f"Bearer {TOKEN}"})
    assert kind_of(right) == (429, "too_many_tries") and int(right.headers["retry-after"]) >= 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(client, kind):
    answer = client.post(CHANGE, content=b"{}", headers={"Content-Type": kind})
    assert kind_of(answer) == (415, "content_type")


def test_large_bodies_are_refused_with_and_without_a_stated_length(client):
    headers = {"Content-Type": "application/json"}
    assert kind_of(client.post(CHANGE, content=b" " * (1 << 21), headers=headers)) == (413, "too_large")
    assert client.post(CHANGE, content=(b" " * (1 << 20) for _ in range(3)), headers=headers).status_code in (400, 413)


@pytest.mark.parametrize("path", ["/", "/people", "/api/v1/people", "/api/v1/nothing", "/static/app.js", "/nothing"])
def test_every_answer_has_its_headers(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "private, no-store")


def test_the_policy_is_without_exceptions():
    assert CONTENT_SECURITY_POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/server/app.py", "/static//etc/passwd"])
def test_static_files_are_all_that_is_static(client, path):
    assert client.get(path).status_code == 404
