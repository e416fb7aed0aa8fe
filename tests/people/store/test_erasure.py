"""Forgetting a person: nothing of them is left in the file, and all that was said of others holds."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from people.errors import StoreError
from people.store.reader import PeopleReader
from people.store.records import Face
from people.store.store import PeopleStore
from tests import PROJECT
from tests.people.faces import face


@pytest.fixture
def store(tmp_path):
    with PeopleStore(tmp_path / "people.sqlite", create=True, by="test") as opened:
        yield opened


def states(store: PeopleStore) -> dict[str, tuple[str, str | None]]:
    """Return hash and place of each face -> state and name."""
    rows = store._connection.execute(
        "SELECT hex(p.sha256) || f.x_min, n.state, r.name FROM faces AS f JOIN photos AS p ON p.id = f.photo "
        "LEFT JOIN face_now AS n ON n.face = f.id LEFT JOIN person_now AS m ON m.person = n.person "
        "LEFT JOIN person_now AS r ON r.person = m.root"
    )
    return {key: (state, name) for key, state, name in rows}


def key(shown: Face) -> str:
    return f"{shown.photo_sha256.upper()}{shown.box[0]}"


def everything(folder) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_of_a_person_is_left_in_any_byte(store, tmp_path):
    ada = store.name([face(1), face(2)], "Ada Lovelace").person
    annie = store.name([face(3)], "Annabella Byron").person
    bob = store.name([face(4), face(1, 1)], "Bob").person
    store.rename(ada, "Augusta King")
    store.merge(annie, ada)
    store.deny([face(4)], ada)
    store.join([face(1), face(2), face(4)])
    called = store.forget([ada])
    assert called == {"Ada Lovelace", "Annabella Byron", "Augusta King"}
    store.check()
    assert {person.name: person.n_faces for person in store.people()} == {"Bob": 2}
    assert store.faces_of(bob) == [face(4), face(1, 1)]
    content = everything(tmp_path)
    for name in called:
        assert name.encode() not in content
    for photo in (2, 3):
        assert bytes.fromhex(face(photo).photo_sha256) not in content
    assert bytes.fromhex(face(1).photo_sha256) in content  # Bob is on that photo, too
    assert (tmp_path / "people.sqlite-wal").stat().st_size == 0
    # The journal is guarded again.
    with pytest.raises(Exception, match="decisions are never changed"):
        store._connection.execute("DELETE FROM decisions")


def test_a_decision_about_several_people_keeps_what_it_says_of_others(store):
    bob = store.name([face(1), face(2)], "Bob").person
    ada = store.name([face(2)], "Ada").person
    store.part([face(1), face(2)])
    store.part([face(1), face(2), face(3)])
    store.forget([ada])
    store.check()
    assert store.faces_of(bob) == [face(1)]
    assert [(one.kind, one.n_faces) for one in store.history()] == [("different", 2), ("is", 1)]


def test_what_was_overridden_does_not_come_back(store):
    store.name([face(1), face(2)], "Bob")
    ada = store.name([face(1)], "Ada").person
    store.deny([face(1)], ada)
    store.join([face(1), face(5)])
    store.forget([ada])
    store.check()
    assert states(store)[key(face(1))] == (None, None)


def test_a_name_that_others_once_had_by_mistake(store, tmp_path):
    bob = store.name([face(1)], "Ada Lovelace").person
    store.rename(bob, "Bob")
    cleo = store.name([face(2)], "Cleo").person
    undone = store.rename(cleo, "Ada Lovelace")
    store.undo(undone.number)
    assert store.people_called("Ada Lovelace") == []
    store.forget([], names=["Ada Lovelace"])
    store.check()
    assert sorted(person.name for person in store.people()) == ["Bob", "Cleo"]
    assert b"Ada Lovelace" not in everything(tmp_path)


@pytest.mark.parametrize("seed", range(12))
def test_others_keep_everything_whatever_was_decided(tmp_path, seed):
    chosen = random.Random(seed)
    with PeopleStore(tmp_path / "people.sqlite", create=True) as store:
        for _ in range(60):
            decide(store, chosen)
        people = store.people()
        if not people:
            return
        gone = chosen.choice(people)
        before = states(store)
        theirs = {key(shown) for shown in store.faces_of(gone.number)}
        others = [person for person in people if person.number != gone.number]
        called = store.forget([gone.number])
        store.check()
        after = states(store)
        assert store.people() == others
        assert not theirs & set(after)
        assert {one: before[one] for one in after} == after
        lost = set(before) - set(after) - theirs
        assert all(before[one][0] is None for one in lost)
        content = everything(tmp_path)
        held = {name for (name,) in store._connection.execute("SELECT name FROM person_now")}
        assert [name for name in called - held if name.encode() in content] == []


def decide(store: PeopleStore, chosen: random.Random) -> None:
    """Decide something at random; what is refused is refused."""
    shown = [face(chosen.randrange(12)) for _ in range(chosen.randint(1, 3))]
    people = [person.number for person in store.people()]
    name = chosen.choice(["Ada Lovelace", "Bob Babbage", "Cleo Clement", "Dora Dorian"])
    try:
        match chosen.choice(
            ["name"] * 4 + ["deny", "join", "part", "nobody", "rename", "merge", "undo", "undo", "redo"]
        ):
            case "name":
                store.name(shown, name)
            case "deny":
                store.deny(shown, chosen.choice(people))
            case "join":
                store.join(shown)
            case "part":
                store.part(shown)
            case "nobody":
                store.mark_nobody(shown)
            case "rename":
                store.rename(chosen.choice(people), chosen.choice(["Emil Egon", "Fay Fuller", "Gus Gale"]))
            case "merge":
                store.merge(chosen.choice(people), chosen.choice(people))
            case "undo":
                store.undo(chosen.randint(1, max(store.revision, 1)))
            case "redo":
                store.redo()
    except (ValueError, IndexError, LookupError):
        pass


_FORGET = """
import sys
from people.store.store import PeopleStore
with PeopleStore(sys.argv[1]) as store:
    print("ready", flush=True)
    store.forget(store.people_called("Ada Lovelace"))
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("delay_s", [0.0, 0.004, 0.012, 0.03])
def test_a_killed_process_loses_nothing_of_others(tmp_path, delay_s):
    path = tmp_path / "people.sqlite"
    with PeopleStore(path, create=True) as store:
        store.name([face(f"ada {number}") for number in range(400)], "Ada Lovelace")
        store.name([face(f"bob {number}") for number in range(400)], "Bob")
    process = subprocess.Popen([sys.executable, "-c", _FORGET, path], stdout=subprocess.PIPE, cwd=PROJECT)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with PeopleStore(path) as store:
        store.check()
        counts = {person.name: person.n_faces for person in store.people()}
        assert counts in ({"Bob": 400}, {"Bob": 400, "Ada Lovelace": 400})
        store.forget(store.people_called("Ada Lovelace"))
        store.check()
        assert {person.name: person.n_faces for person in store.people()} == {"Bob": 400}
    assert b"Ada Lovelace" not in everything(tmp_path)


def test_a_store_that_is_being_read_says_so_and_can_be_purged_later(store, tmp_path):
    ada = store.name([face(1)], "Ada Lovelace").person
    store.name([face(2)], "Bob")
    with PeopleReader(tmp_path / "people.sqlite") as reader:
        reader._connection.execute("BEGIN")
        reader.people()
        store._connection.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(StoreError, match="another process"):
            store.forget([ada])
        reader._connection.execute("COMMIT")
    assert {person.name for person in store.people()} == {"Bob"}
    store.purge()
    assert b"Ada Lovelace" not in everything(tmp_path)


def test_a_face_that_somebody_drew_stays_when_another_person_is_forgotten(tmp_path):
    with PeopleStore(tmp_path / "people.sqlite", create=True) as store:
        drawn = store.draw(face("drawn"))
        store.join([face(1), face(2)])
        ada = store.name([face(1)], "Ada").person
        store.rename(store.name([face(3)], "Eve").person, "drawn")
        store.forget([ada])
        # What was said of Ada's face and another one says nothing any more; a drawn face stands for itself.
        left = [(one.number, one.kind) for one in reversed(store.history())]
        assert left == [(drawn.number, "same"), (4, "is"), (5, "rename")]
