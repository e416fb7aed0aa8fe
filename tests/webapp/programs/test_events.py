"""Decisions as they are made, as server-sent events of a real server."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from people.store.store import PeopleStore
from tests.webapp.conftest import TOKEN


@pytest.fixture
def address(serve, workspace):
    return urlsplit(serve(workspace))


def lines_of(address, path, headers=None):
    """Yield the lines of a stream."""
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}", **(headers or {})})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/event-stream")
    try:
        while True:
            yield answer.readline().decode().rstrip("\n")
    finally:
        connection.close()


def next_decision(lines):
    for line in lines:
        if line.startswith("data: "):
            return json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream has ended")


def test_what_a_command_decides_arrives(address, workspace):
    lines = lines_of(address, "/api/v1/events")
    assert next(lines).startswith(":")
    with PeopleStore(workspace.store, by="command") as store:
        store.rename(1, "Ada L.")
        store.undo()
    first, second = next_decision(lines), next_decision(lines)
    assert (first["kind"], first["text"], first["by"]) == ("rename", "Ada L.", "command")
    assert (second["kind"], second["undoes"]) == ("undo", first["id"])


def test_a_reader_goes_on_where_it_was(address):
    lines = lines_of(address, "/api/v1/events?after=1")
    assert [next_decision(lines)["id"] for _ in range(2)] == [2, 3]
    again = lines_of(address, "/api/v1/events", {"Last-Event-ID": "2"})
    assert next_decision(again)["id"] == 3
