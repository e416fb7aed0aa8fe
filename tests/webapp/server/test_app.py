"""The application: its document, its errors, hostile requests."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import pytest

from classifiers.members.enrolment import FlawKind
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace, create_workspace
from tests import PROJECT
from webapp.server.app import STATIC, create_app
from webapp.server.error_answers import status_of
from webapp.server.openapi import DOCUMENT, describe_interface


def test_the_committed_document_is_that_of_the_interface():
    """After a change of the interface: python -m webapp.server.openapi."""
    assert (PROJECT / DOCUMENT).read_text("utf-8") == describe_interface()


def test_every_operation_has_a_plain_name_and_says_its_errors(app):
    operations = [one for methods in app.openapi()["paths"].values() for one in methods.values()]
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", one["operationId"]) for one in operations)
    assert all({"4XX", "5XX"} <= one["responses"].keys() for one in operations)


def test_a_workspace_without_decisions_gets_a_store(tmp_path, photos):
    workspace = create_workspace(tmp_path / "new", [photos])
    create_app(workspace)
    with PeopleStore(Workspace(tmp_path / "new").store) as store:
        assert store.revision == 0


def test_a_locked_store_is_told(client, workspace, monkeypatch):
    monkeypatch.setattr("people.store.schema._PRAGMAS", ("PRAGMA busy_timeout = 10",))
    with PeopleStore(workspace.store) as store:
        store._connection.execute("BEGIN IMMEDIATE")
        answer = client.post("/api/v1/history/undo", json={})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (423, "locked")


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing"])
def test_unknown_addresses_are_json(client, path):
    assert client.get(path).json()["error"]["kind"] == "not_found"


def test_what_nobody_expected_is_one_line_without_details(client, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("a secret path")

    monkeypatch.setattr("people.store.reader.PeopleReader.count_table", fail)
    answer = client.get("/api/v1/workspace")
    assert answer.status_code == 500 and answer.json()["error"]["kind"] == "internal"
    assert "secret" not in answer.text
    assert status_of(OSError(28, "full")) == (507, "no_room")


def test_many_requests_at_once(client):
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: client.get("/api/v1/people").status_code, range(100)))
    assert set(found) == {200}


def test_both_languages_have_the_same_words():
    english, german = (json.loads((STATIC / "words" / f"{name}.json").read_text("utf-8")) for name in ("en", "de"))
    assert list(english) == list(german)

    def places_of(words):
        if isinstance(words, dict):
            return {key: places_of(text) for key, text in words.items()}
        return set(re.findall(r"\{\w+\}", words))

    assert places_of(english) == places_of(german)


def test_every_word_is_used_and_every_used_word_is_there():
    words = json.loads((STATIC / "words" / "en.json").read_text("utf-8"))
    code = "\n".join(path.read_text("utf-8") for path in STATIC.rglob("*.js"))
    asked = set(re.findall(r'\bt\("([\w.]+)"', code)) | set(re.findall(r'words: "([\w.]+)"', code))
    asked |= {f"enrol.flaw.{kind}" for kind in get_args(FlawKind)}
    assert asked <= words.keys()
    made_up = (
        "decision.",
        "error.",
        "start.",
        "job.",
        "questions.",
        "find.",
        "photo.state.",
        "enrol.flaw.",
        "forget.kind.",
    )  # their ends come from the interface
    unused = {key for key in words if f'"{key}"' not in code and not key.startswith(made_up)}
    assert unused == set()


def test_every_kind_that_forgetting_finds_has_words_for_one_and_for_several():
    """Kinds are what `finding` is called with, and the audits of heads and tables beneath it."""
    code = "\n".join(path.read_text("utf-8") for path in (PROJECT / "people" / "forgetting").glob("*.py"))
    kinds = set(re.findall(r'finding\(\s*"([^"]+)"', code)) | {"exemplars", "rejections", "paths"}
    kinds |= {"rows", "rows at paths", "files"}
    assert len(kinds) >= 20
    for language in ("en", "de"):
        words = json.loads((STATIC / "words" / f"{language}.json").read_text("utf-8"))
        of_kinds = {key: words[key] for key in words if key.startswith("forget.kind.")}
        assert of_kinds.keys() == {f"forget.kind.{kind.replace(' ', '_')}" for kind in kinds}
        assert all(one.keys() == {"one", "other"} for one in of_kinds.values())


def test_no_text_for_people_stands_in_the_code():
    """Words are in words/*.json: no string of the code is three words in a row, or ends like a sentence."""
    found = []
    for path in STATIC.rglob("*.js"):
        code = re.sub(r"//.*|/\*[\s\S]*?\*/", "", path.read_text("utf-8"))
        for text in re.findall(r'"((?:[^"\\\n]|\\.)*)"', code):
            if re.search(r"[^\W\d_]{2,} [^\W\d_]{2,} [^\W\d_]{2,}|\w[.!?]$", text):
                found.append(f"{path.name}: {text}")
    assert found == []


def test_the_code_makes_no_html_and_no_inline_style():
    code = "\n".join(path.read_text("utf-8") for path in [*STATIC.rglob("*.js"), STATIC / "index.html"])
    harms = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", ' style="')
    for harmful in harms:
        assert harmful not in code
    assert not re.search(r"https?://(?!www\.w3\.org/)", code)


def test_the_first_load_is_small():
    assert sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file()) <= 300_000
