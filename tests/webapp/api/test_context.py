"""The pool of readers: a restored store is read, not the one that was there before."""

import shutil

from people.store.store import PeopleStore
from people.workspace.backups import back_up, restore


def test_a_restored_backup_is_what_is_shown(client, workspace):
    with PeopleStore(workspace.store) as store:
        back_up(workspace, store)
        store.rename(store.find_person("Ada").number, "Eve")
    assert client.get("/api/v1/people", params={"q": "Eve"}).json()["total"] == 1
    restore(workspace, None)
    assert client.get("/api/v1/people", params={"q": "Eve"}).json()["total"] == 0


def test_a_workspace_that_goes_away_is_told(client, workspace):
    shutil.rmtree(workspace.folder)
    answer = client.get("/api/v1/people")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "gone")
