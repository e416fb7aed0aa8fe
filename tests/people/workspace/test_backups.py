"""Copies of the decisions: made private, put back, what was there is kept."""

import stat

import pytest

from people.errors import StoreError
from people.store.reader import PeopleReader
from people.store.store import PeopleStore
from people.workspace.backups import back_up, back_up_before_scan, restore
from people.workspace.workspace import Workspace, create_workspace
from tests.people.faces import face


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    (tmp_path / "photos").mkdir()
    made = create_workspace(tmp_path / "family", [tmp_path / "photos"])
    with PeopleStore(made.store, create=True) as store:
        store.name([face(1)], "Ada")
        back_up(made, store)
        store.name([face(2)], "Bob")
    return made


def names(workspace: Workspace) -> list[str]:
    with PeopleReader(workspace.store) as reader:
        return sorted(person.name for person in reader.people())


def test_the_newest_copy_is_put_back_and_what_was_there_is_kept(workspace):
    assert names(workspace) == ["Ada", "Bob"]
    first, second = restore(workspace)
    assert first.startswith("restored 1 decisions from ") and "kept what was there as" in second
    assert names(workspace) == ["Ada"]
    kept = next(workspace.folder.glob("people.sqlite.before-*Z"))
    with PeopleReader(kept) as reader:
        assert len(reader.people()) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in workspace.backups.iterdir()} == {0o600}


def test_scans_keep_the_newest_ten_copies_and_those_asked_for(workspace):
    asked_for = set(workspace.backups.iterdir())
    with PeopleStore(workspace.store) as store:
        for number in range(14):
            store.name([face(10 + number)], "Ada")
            back_up_before_scan(workspace, store)
        back_up_before_scan(workspace, store)  # nothing new
    copies = sorted(copy.name for copy in set(workspace.backups.iterdir()) - asked_for)
    assert copies == [f"before-scan-{number:08d}.sqlite" for number in range(7, 17)]
    assert asked_for <= set(workspace.backups.iterdir())
    restore(workspace)
    with PeopleReader(workspace.store) as reader:
        assert reader.revision == 16


def test_a_damaged_store_is_left_by_its_backup(workspace):
    workspace.store.write_bytes(workspace.store.read_bytes()[:5000])
    with pytest.raises(StoreError, match="facetable people WORKSPACE restore"):
        names(workspace)
    restore(workspace)
    assert names(workspace) == ["Ada"]


def test_a_damaged_copy_or_none_changes_nothing(workspace, tmp_path):
    copy = next(workspace.backups.iterdir())
    copy.write_bytes(copy.read_bytes()[:5000])
    with pytest.raises(StoreError, match="found a damaged one"):
        restore(workspace)
    copy.unlink()
    with pytest.raises(StoreError, match="expected a copy of the decisions, found none"):
        restore(workspace)
    assert names(workspace) == ["Ada", "Bob"]
