"""Stores in which a version before did not heed an "is not" when people were merged: found, told, put right."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

import facetable
from people.errors import StoreError, UnheededError
from people.store import derivation
from people.store.store import PeopleStore
from people.workspace.backups import back_up, restore
from people.workspace.workspace import Workspace, create_workspace
from tests.people.faces import face


def faces_denied_before(connection: sqlite3.Connection, people: Iterable[int]) -> list[int]:
    """Return what was asked before: faces denied to these people themselves."""
    texts = ", ".join(map(str, people)) or "NULL"
    rows = connection.execute(
        "SELECT DISTINCT f.face FROM decisions AS d JOIN decision_faces AS f ON f.decision = d.id "
        f"WHERE d.kind = 'is_not' AND d.person IN ({texts})"
    )
    return [number for (number,) in rows]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Ada's face is not Dan, who is Cleo; then Ada turned out to be Cleo, and the face stayed hers."""
    (tmp_path / "photos").mkdir()
    made = create_workspace(tmp_path / "family", [tmp_path / "photos"])
    with monkeypatch.context() as before, PeopleStore(made.store, create=True) as store:
        before.setattr(derivation, "faces_denied", faces_denied_before)
        ada, cleo, dan = (store.name([face(name)], name).person for name in ("Ada", "Cleo", "Dan"))
        store.deny([face("Ada")], dan)
        store.merge(dan, cleo)
        store.merge(ada, cleo)
        assert store.person(cleo).n_faces == 3
    return made


def test_a_check_tells_it_from_damage(workspace: Workspace) -> None:
    with PeopleStore(workspace.store) as store:
        with pytest.raises(
            UnheededError, match=r'found 1 face where a merge did not heed an earlier "is not".*--repair'
        ):
            store.check()
        assert store.revision == 6


def test_a_repair_is_a_decision_that_can_be_taken_back(workspace: Workspace) -> None:
    with PeopleStore(workspace.store) as store:
        (decision,) = store.repair()
        store.check()
        cleo = store.find_person("Cleo")
        assert cleo.n_faces == 2 and (decision.kind, decision.n_faces) == ("is_not", 1)
        assert [one.kind for one in store.history(face=face("Ada"))][:2] == ["is_not", "is"]
        store.undo(decision.number)
        store.check()
        assert store.find_person("Cleo").n_faces == 3  # as it was shown
        store.redo()
        assert store.find_person("Cleo").n_faces == 2
        assert store.repair() == []


def test_a_merge_that_was_taken_back_and_left_a_face_without_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PeopleStore(tmp_path / "people.sqlite", create=True) as store:
        ada, cleo, dan = (store.name([face(name)], name).person for name in ("Ada", "Cleo", "Dan"))
        store.deny([face("Ada")], dan)
        merged = store.merge(ada, cleo)
        store.merge(dan, cleo)
        with monkeypatch.context() as before:
            before.setattr(derivation, "faces_denied", faces_denied_before)
            store.undo(merged.number)
        assert store.person(ada).n_faces == 0
        (decision,) = store.repair()
        store.check()
        assert (decision.kind, store.person(ada).n_faces) == ("is", 1)
        store.undo(decision.number)
        assert store.person(ada).n_faces == 0


def test_damage_is_not_repaired(workspace: Workspace) -> None:
    with PeopleStore(workspace.store) as store:
        store._connection.execute("UPDATE face_now SET state = 'nobody', person = NULL WHERE face = 2")
        with pytest.raises(StoreError, match="face_now does not follow from the decisions"):
            store.repair()
        store._connection.execute("INSERT INTO undone VALUES (1)")
        with pytest.raises(StoreError, match="undone does not follow"):
            store.check()


def test_by_the_command(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert facetable.main(["people", str(workspace.folder), "check"]) == 2
    assert "people WORKSPACE check --repair" in capsys.readouterr().err
    assert facetable.main(["people", str(workspace.folder), "check", "--repair"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 face not Ada" in lines[0] and lines[1].endswith("sound, 8 decisions")
    assert facetable.main(["people", str(workspace.folder), "undo"]) == 0
    assert facetable.main(["people", str(workspace.folder), "check"]) == 0


def test_a_backup_with_it_can_be_restored(workspace: Workspace) -> None:
    with PeopleStore(workspace.store) as store:
        copy = back_up(workspace, store)
    assert restore(workspace, copy)[0].startswith("restored 6 decisions")
